/**
 * How large a product is: lines as cloc counts them (without blank lines and comments) of its TypeScript outside
 * `test/`, and what the SpecDB paper counts for databases that serve any workload (its Table 8: server-side lines).
 *
 * Comments are whole lines here, as this library writes them; what follows code on its line is part of the line.
 */

/** Server-side lines of code, by the SpecDB paper, Table 8. */
export const linesElsewhere: readonly (readonly [system: string, lines: number])[] = [
  ["SQLite 3.54.0", 144_325],
  ["PostgreSQL 14.23", 813_802],
  ["MySQL 8.0.45", 838_843],
];

export interface SourceSize {
  readonly lines: number;
  readonly bytes: number;
}

/** Of the generated files by path. */
export function sourceSize(files: ReadonlyMap<string, string>): SourceSize {
  let lines = 0;
  let bytes = 0;
  for (const [path, text] of files) {
    if (!path.endsWith(".ts") || path.endsWith(".d.ts") || path.startsWith("test/")) continue;
    lines += countLines(text);
    bytes += Buffer.byteLength(text);
  }
  return { lines, bytes };
}

/** Lines that hold code. */
export function countLines(text: string): number {
  let count = 0;
  let inComment = false;
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (inComment) {
      inComment = !line.includes("*/");
      continue;
    }
    if (line === "" || line.startsWith("//")) continue;
    if (line.startsWith("/*")) {
      inComment = !line.includes("*/");
      continue;
    }
    count++;
  }
  return count;
}

/** `12,345 lines …; SQLite …` as one sentence. */
export function sizeSentence({ lines, bytes }: SourceSize): string {
  const shown = (count: number) => count.toLocaleString("en-US");
  const others = linesElsewhere.map(([system, count]) => `${system} ${shown(count)}`).join(", ");
  const size = `${shown(lines)} lines of code, ${Math.round(bytes / 1024)} KiB`;
  return `${size}, without blanks, comments and tests (${others})`;
}
