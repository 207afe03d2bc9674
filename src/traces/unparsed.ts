/** What a reader could not make sense of: counted, with the first few as they are. Nothing is dropped in silence. */

export interface UnparsedPlace {
  readonly line: number;
  readonly what: string;
  readonly excerpt: string;
}

export interface Unparsed {
  readonly count: number;
  readonly first: readonly UnparsedPlace[];
}

const firstMax = 5;
const excerptMax = 100;

export class UnparsedList {
  count = 0;
  readonly first: UnparsedPlace[] = [];

  add(line: number, what: string, text: string): void {
    this.count++;
    if (this.first.length < firstMax) this.first.push({ line, what, excerpt: excerptOf(text) });
  }
}

/** One line of printable characters. */
export function excerptOf(text: string): string {
  const decoded = Buffer.from(text.slice(0, 4 * excerptMax), "latin1").toString("utf8");
  // eslint-disable-next-line no-control-regex
  const plain = decoded.replace(/[\x00-\x1f\x7f-\x9f\ufffd]+/g, " ").trim();
  return plain.length > excerptMax ? `${plain.slice(0, excerptMax)}…` : plain;
}
