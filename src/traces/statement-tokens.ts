/**
 * StatementTokens: the tokens of one statement, at most 20,000 of them, and how to find one's way among them.
 *
 * Literals (strings and numbers) are numbered as they come: by its slot a value is found again in another statement
 * that differs from this one in its literals alone (`literal-scanner.ts`).
 */
import { decodeName, type Dialect, SqlScanner, type TokenKind } from "./sql-scanner.ts";

const tokensMax = 20_000;

export class StatementTokens {
  readonly dialect: Dialect;
  readonly kinds: TokenKind[] = [];
  readonly texts: string[] = [];
  /** In capitals for words, otherwise empty. */
  readonly words: string[] = [];
  readonly lengths: number[] = [];
  /** The literal's number, or −1. */
  readonly slots: number[] = [];
  /** There are more. */
  cut = false;
  /** The text ends within a literal. */
  readonly unclosed: boolean;

  constructor(sql: string, dialect: Dialect) {
    this.dialect = dialect;
    const scanner = new SqlScanner(dialect);
    scanner.append(sql);
    scanner.finish();
    let literals = 0;
    for (let kind = scanner.next(); kind !== "end"; kind = scanner.next()) {
      if (kind === "delimiter") {
        if (this.kinds.length === 0) continue;
        break;
      }
      if (this.kinds.length >= tokensMax) {
        this.cut = true;
        break;
      }
      this.kinds.push(kind);
      this.texts.push(scanner.text);
      this.words.push(kind === "word" ? scanner.text.toUpperCase() : "");
      this.lengths.push(scanner.length);
      this.slots.push(kind === "string" || kind === "number" ? literals++ : -1);
    }
    this.unclosed = scanner.unclosed;
  }

  get count(): number {
    return this.kinds.length;
  }

  isMark(at: number, mark: string): boolean {
    return this.kinds[at] === "mark" && this.texts[at] === mark;
  }

  isName(at: number): boolean {
    return this.kinds[at] === "name" || this.kinds[at] === "word";
  }

  /** A literal or a parameter. */
  isValue(at: number): boolean {
    const kind = this.kinds[at];
    return kind === "string" || kind === "number" || kind === "parameter";
  }

  name(at: number): string {
    return decodeName(this.texts[at]).toLowerCase();
  }

  /** A value as it is written; of a long one its beginning and its length. */
  value(at: number): string {
    const text = this.texts[at];
    const length = this.lengths[at];
    return length > text.length ? `${text}…${length}` : text;
  }

  /** The first place of a word at the depth of `from`, or -1. */
  find(from: number, word: string): number {
    return this.findAny(from, (one) => one === word);
  }

  /** The first place of a word at the depth of `from` that is wanted, or -1. */
  findAny(from: number, isWanted: (word: string) => boolean): number {
    let depth = 0;
    for (let at = from; at < this.kinds.length; at++) {
      if (this.isMark(at, "(")) depth++;
      else if (this.isMark(at, ")")) depth--;
      else if (depth === 0 && isWanted(this.words[at])) return at;
    }
    return -1;
  }

  /** Where the parenthesis at `open` is closed. */
  closing(open: number): number {
    let depth = 0;
    for (let at = open; at < this.kinds.length; at++) {
      if (this.isMark(at, "(")) depth++;
      else if (this.isMark(at, ")") && --depth === 0) return at;
    }
    return this.kinds.length;
  }
}
