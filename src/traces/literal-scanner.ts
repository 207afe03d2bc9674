/**
 * LiteralScanner: one pass over a statement that finds its literals and a hash of all the rest, so that a statement
 * whose like was seen before needs no tokens, only its values.
 *
 *   1. Names, words, marks and parameters go into the hash as they are, a run of white space or a comment as one space,
 *      a string and a number each as a mark of its kind. Where the literals are is kept, in their order.
 *   2. What SqlScanner reads in another way than character by character (comments that MySQL runs, dollar quotes,
 *      prefixed strings, several statements) is not taken: `scan` says false, and the caller reads tokens.
 * Invariant: two statements of the same hash have the same tokens but for the texts of strings and numbers, and
 * literal n here is the n-th string or number there; a test holds both scanners to it. The hash has 53 bits: of 20,000
 * different ones two are the same by chance once in 45 million logs.
 */
import { characterClasses, type Dialect } from "./sql-scanner.ts";
import { valueBytes } from "./statement-rows.ts";

const literalsMax = 20_000;
const textMax = 256;
const wordMax = 4000;
const isWord = 1;
const isSpace = 2;
const stringMark = 1;
const numberMark = 2;
const plain = 0;
const escaped = 1;
const numeric = 2;
const numberPattern = /^(0x[\da-f]+|[\d.]+(e[+-]?\d+)?)$/i;

export class LiteralScanner {
  /** Of what is no literal. */
  hash = 0;
  count = 0;
  readonly #mysql: boolean;
  #sql = "";
  #at = 0;
  #low = 0;
  #high = 0;
  readonly #starts = new Int32Array(literalsMax);
  readonly #ends = new Int32Array(literalsMax);
  readonly #kinds = new Uint8Array(literalsMax);

  constructor(dialect: Dialect) {
    this.#mysql = dialect === "mysql";
  }

  /** Whether the statement could be taken this way. */
  scan(sql: string): boolean {
    this.#sql = sql;
    this.#at = 0;
    this.count = 0;
    this.#low = 0x811c9dc5;
    this.#high = 0x2545f491;
    const end = sql.length;
    while (this.#at < end) {
      const code = sql.charCodeAt(this.#at);
      const kind = characterClasses[code & 255];
      const taken = kind === isSpace ? this.#space() : kind === isWord ? this.#word(code) : this.#mark(code);
      if (!taken) return false;
    }
    this.hash = (this.#high >>> 0) * 2 ** 21 + (this.#low >>> 11);
    return true;
  }

  /** The beginning of a literal's value, at most 256 characters. */
  text(slot: number): string {
    const start = this.#starts[slot];
    const end = this.#ends[slot];
    if (this.#kinds[slot] !== escaped) return this.#sql.slice(start, Math.min(end, start + textMax));
    return this.#unescaped(start, end).slice(0, textMax);
  }

  /** As StatementTokens gives it: of a long value its beginning and its length. */
  value(slot: number): string {
    const text = this.text(slot);
    const length = this.#length(slot);
    return length > text.length ? `${text}…${length}` : text;
  }

  bytes(slot: number): number {
    const isNumber = this.#kinds[slot] === numeric;
    return isNumber ? valueBytes(this.text(slot), this.#length(slot), true) : this.#length(slot);
  }

  #length(slot: number): number {
    const start = this.#starts[slot];
    const end = this.#ends[slot];
    return this.#kinds[slot] === escaped ? this.#unescaped(start, end).length : end - start;
  }

  #unescaped(start: number, end: number): string {
    const sql = this.#sql;
    const quote = sql[start - 1];
    const pieces: string[] = [];
    let from = start;
    for (let at = start; at < end; at++) {
      const character = sql[at];
      if (character !== quote && (character !== "\\" || !this.#mysql)) continue;
      // A quote comes twice, a backslash stands before any character: the second of both is kept.
      pieces.push(sql.slice(from, at));
      at++;
      from = at;
    }
    pieces.push(sql.slice(from, end));
    return pieces.join("");
  }

  #mix(code: number): void {
    this.#low = Math.imul(this.#low ^ code, 0x01000193);
    this.#high = Math.imul((this.#high ^ (this.#high >>> 13)) + code, 0x85ebca6b);
  }

  #mixUpTo(end: number): void {
    const sql = this.#sql;
    let low = this.#low;
    let high = this.#high;
    for (let at = this.#at; at < end; at++) {
      const code = sql.charCodeAt(at);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul((high ^ (high >>> 13)) + code, 0x85ebca6b);
    }
    this.#low = low;
    this.#high = high;
    this.#at = end;
  }

  #space(): true {
    const sql = this.#sql;
    let at = this.#at + 1;
    while (at < sql.length && characterClasses[sql.charCodeAt(at) & 255] === isSpace) at++;
    this.#at = at;
    this.#mix(32);
    return true;
  }

  #word(first: number): boolean {
    const sql = this.#sql;
    const from = this.#at;
    if (first >= 48 && first <= 57) return this.#number();
    let at = from + 1;
    if (first === 36) {
      // A parameter; anything else that begins so is a dollar quote or a mark.
      while (at - from <= 5 && isDigit(sql.charCodeAt(at))) at++;
      if (at === from + 1 || isDigit(sql.charCodeAt(at))) return false;
      this.#mixUpTo(at);
      return true;
    }
    if (sql.charCodeAt(at) === 39 && "xXbBnNeE".includes(sql[from])) return false;
    while (at < sql.length && characterClasses[sql.charCodeAt(at) & 255] === isWord) at++;
    if (at - from > wordMax) return false;
    this.#mixUpTo(at);
    return true;
  }

  #number(): boolean {
    const sql = this.#sql;
    const from = this.#at;
    let at = from + 1;
    let plainDigits = true;
    for (; at < sql.length; at++) {
      const code = sql.charCodeAt(at);
      if (isDigit(code)) continue;
      const sign = code === 43 || code === 45;
      const exponent = sign && (sql.charCodeAt(at - 1) | 32) === 101 && sql[from + 1] !== "x";
      if (characterClasses[code & 255] !== isWord && code !== 46 && !exponent) break;
      plainDigits = false;
    }
    if (at - from > textMax) return false;
    if (!plainDigits && !numberPattern.test(sql.slice(from, at))) {
      this.#mixUpTo(at);
      return true;
    }
    return this.#literal(numberMark, numeric, from, at, at);
  }

  #literal(mark: number, kind: number, start: number, end: number, next: number): boolean {
    if (this.count >= literalsMax) return false;
    this.#starts[this.count] = start;
    this.#ends[this.count] = end;
    this.#kinds[this.count++] = kind;
    this.#mix(mark);
    this.#at = next;
    return true;
  }

  #mark(code: number): boolean {
    const sql = this.#sql;
    const at = this.#at;
    const next = sql.charCodeAt(at + 1);
    switch (code) {
      case 39:
        return this.#quoted(code, true);
      case 34:
        return this.#quoted(code, this.#mysql);
      case 96:
        return this.#quoted(code, false);
      case 35:
        if (this.#mysql) return this.#comment(at + 1, "\n");
        break;
      case 45:
        if (next === 45 && (!this.#mysql || characterClasses[sql.charCodeAt(at + 2) & 255] === isSpace)) {
          return this.#comment(at + 2, "\n");
        }
        break;
      case 47:
        if (next === 42) return !(this.#mysql && /[!M]/.test(sql[at + 2] ?? "")) && this.#comment(at + 2, "*/");
        break;
      case 42:
        if (next === 47) return false;
        break;
      case 59:
        // What ends the statement, if nothing comes behind it.
        if (sql.slice(at + 1).trim() !== "") return false;
        this.#at = sql.length;
        return true;
    }
    this.#mix(code);
    this.#at = at + 1;
    return true;
  }

  #comment(from: number, closing: string): boolean {
    const end = this.#sql.indexOf(closing, from);
    if (end < 0 && closing !== "\n") return false;
    this.#at = end < 0 ? this.#sql.length : end + closing.length;
    this.#mix(32);
    return true;
  }

  /** A string, or a name in quotes, which is part of the shape. */
  #quoted(quote: number, isString: boolean): boolean {
    const sql = this.#sql;
    const start = this.#at + 1;
    const backslashes = this.#mysql && quote !== 96;
    let kind = plain;
    for (let at = start; at < sql.length; at++) {
      const code = sql.charCodeAt(at);
      if (code === 92 && backslashes) {
        kind = escaped;
        at++;
      } else if (code === quote) {
        if (sql.charCodeAt(at + 1) === quote) {
          kind = escaped;
          at++;
          continue;
        }
        if (isString) return this.#literal(stringMark, kind, start, at, at + 1);
        this.#mixUpTo(at + 1);
        return true;
      }
    }
    return false;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
