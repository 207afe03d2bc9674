/**
 * ContractText: a contract.yaml line by line, in which every value carries what it was inferred from.
 *
 * A comment stands at the end of its line. What is a guess says so there and is listed, too.
 */
export interface Guess {
  /** Where in the contract, as `storage.durability`. */
  readonly path: string;
  readonly because: string;
}

export interface Evidence {
  readonly evidence?: string | undefined;
  readonly guess?: boolean;
}

export class ContractText {
  readonly guesses: Guess[] = [];
  readonly #lines: string[] = [];

  comment(text: string, indent = 0): void {
    this.#lines.push(`${" ".repeat(indent)}# ${plain(text)}`);
  }

  blank(): void {
    this.#lines.push("");
  }

  /** `key:`, with what belongs to it on deeper lines. */
  section(key: string, indent = 0): void {
    this.#lines.push(`${" ".repeat(indent)}${key}:`);
  }

  value(path: string, value: unknown, { evidence, guess = false }: Evidence = {}, indent = 2): void {
    const key = path.slice(path.lastIndexOf(".") + 1);
    this.#line(path, `${" ".repeat(indent)}${key}: ${flow(value)}`, evidence, guess);
  }

  /** An item of a list, on one line. */
  item(path: string, value: unknown, { evidence, guess = false }: Evidence = {}, indent = 2): void {
    this.#line(path, `${" ".repeat(indent)}- ${flow(value)}`, evidence, guess);
  }

  raw(line: string): void {
    this.#lines.push(line);
  }

  #line(path: string, text: string, evidence: string | undefined, guess: boolean): void {
    if (guess) this.guesses.push({ path, because: evidence ?? "" });
    const comment = evidence === undefined || evidence === "" ? "" : `  # ${guess ? "guess: " : ""}${plain(evidence)}`;
    this.#lines.push(`${text}${comment}`);
  }

  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

/** One line, without what would end a comment or is no text in YAML. */
function plain(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim().slice(0, 400);
}

/** YAML's flow style, in which every JSON value is valid. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return `{ ${fields.map(([key, inner]) => `${key}: ${flow(inner)}`).join(", ")} }`;
  }
  if (typeof value !== "string") return String(value);
  const bare = /^[A-Za-z][A-Za-z0-9_/]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return bare ? value : JSON.stringify(value);
}
