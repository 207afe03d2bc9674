/**
 * TextScanner: literals and statement shapes, straight from character codes.
 *
 * Purpose: two statements that differ in their literals only have one shape, and so one plan. Recognising a shape again
 * costs a comparison of the text between the literals; nothing is tokenised. The lexer uses the same `literal`, so that
 * both agree on where a literal ends.
 * Literals: decimal integers (exact: a bigint from 16 digits on), decimals with fraction or exponent (doubles),
 * hexadecimal literals (`hex-literal.ts`), and strings in single or double quotes with MySQL's backslash escapes and
 * doubled quotes. A sign is not part of a literal. A literal that begins with a letter or a digit begins a word: none
 * starts inside of one.
 * Cost: linear in the text. A string is found by the engine's own search for its closing quote; where the next
 * backslash is, is remembered, so that looking for it does not cost the whole text each time.
 */
import type { ColumnValue } from "../architecture/catalog/table.ts";
import { beginsQuotedHex, readHexLiteral } from "./hex-literal.ts";

const quote = 0x27;
const doubleQuote = 0x22;
const backslash = 0x5c;
const exactDigits = 15;

/** Character classes of ASCII: 1 letter, digit, `_` or `$`; characters above ASCII belong to words too. */
const wordClass = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const letter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  if (letter || (code >= 48 && code <= 57) || code === 95 || code === 36) wordClass[code] = 1;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isWordCharacter(code: number): boolean {
  return code >= 128 || wordClass[code] === 1;
}

export class TextScanner {
  sql = "";
  /** The last literal's value, and where it ended. */
  value: ColumnValue = null;
  end = 0;
  /** The shape found by `shape`: text between literals, and a hash of it. */
  readonly segments: string[] = [];
  readonly values: ColumnValue[] = [];
  hash = 0;
  /** There is no backslash between `#backslashFrom` and `#nextBackslash`. */
  #backslashFrom = 0;
  #nextBackslash = 0;

  begin(sql: string): void {
    if (sql === this.sql) return;
    this.sql = sql;
    this.#backslashFrom = 0;
    this.#nextBackslash = 0;
  }

  /** Whether a whole, well-formed literal begins at `at`; then `value` and `end` are set. */
  literal(at: number): boolean {
    const code = this.sql.charCodeAt(at);
    if (code === quote || code === doubleQuote) return this.#string(at, code);
    if (isWordCharacter(this.sql.charCodeAt(at - 1))) return false;
    if (isDigit(code)) return this.#number(at);
    return beginsQuotedHex(this.sql, at) && this.#hexadecimal(at);
  }

  /**
   * Splits the statement at `start` into `segments` and `values`; returns where it ends (its `;`, or the text's
   * length). Returns -1 where it has comments, parameters or quoting that the full parser should see.
   */
  shape(start: number): number {
    const sql = this.sql;
    const { segments, values } = this;
    segments.length = 0;
    values.length = 0;
    let hash = 0x811c9dc5;
    let segmentStart = start;
    let at = start;
    while (at < sql.length) {
      const code = sql.charCodeAt(at);
      if (isDigit(code) || code === quote || code === doubleQuote || beginsQuotedHex(sql, at)) {
        if (!this.literal(at)) return -1;
        segments.push(sql.slice(segmentStart, at));
        values.push(this.value);
        at = segmentStart = this.end;
        hash = Math.imul(hash ^ 0x100, 0x01000193);
        continue;
      }
      if (code === 0x3b) break;
      // Comments, backticks and `?` are rare in texts that come again and again.
      if (code === 0x60 || code === 0x23 || code === 0x3f) return -1;
      if ((code === 0x2d || code === 0x2f) && startsComment(sql, at)) return -1;
      hash = Math.imul(hash ^ code, 0x01000193);
      at++;
      if (!isWordCharacter(code)) continue;
      while (at < sql.length && isWordCharacter(sql.charCodeAt(at))) {
        hash = Math.imul(hash ^ sql.charCodeAt(at), 0x01000193);
        at++;
      }
    }
    segments.push(sql.slice(segmentStart, at));
    this.hash = hash;
    return at;
  }

  /**
   * Whether the statement at `start` has the given segments; its literals go to `values` from `base` on. Returns its
   * end, or -1.
   */
  match(segments: readonly string[], start: number, values: ColumnValue[], base: number): number {
    const sql = this.sql;
    const last = segments.length - 1;
    let at = start;
    for (let i = 0; i < last; i++) {
      const segment = segments[i];
      if (!sql.startsWith(segment, at) || !this.literal(at + segment.length)) return -1;
      values[base + i] = this.value;
      at = this.end;
    }
    if (!sql.startsWith(segments[last], at)) return -1;
    at += segments[last].length;
    return at === sql.length || sql.charCodeAt(at) === 0x3b ? at : -1;
  }

  #number(start: number): boolean {
    const sql = this.sql;
    let at = start;
    let small = 0;
    let code = sql.charCodeAt(at);
    if (code === 0x30 && sql.charCodeAt(at + 1) === 0x78) return this.#hexadecimal(at);
    while (isDigit(code)) {
      if (at - start < exactDigits) small = small * 10 + code - 48;
      code = sql.charCodeAt(++at);
    }
    const fraction = code === 0x2e;
    const exponent = code === 0x65 || code === 0x45;
    if (!fraction && !exponent) {
      if (isWordCharacter(code)) return false;
      this.value = at - start <= exactDigits ? small : BigInt(sql.slice(start, at));
      this.end = at;
      return at - start <= 128;
    }
    return this.#decimal(start, at);
  }

  #hexadecimal(start: number): boolean {
    const found = readHexLiteral(this.sql, start);
    if (found === undefined || isWordCharacter(this.sql.charCodeAt(found.end))) return false;
    this.value = found.value;
    this.end = found.end;
    return true;
  }

  #decimal(start: number, pointOrExponent: number): boolean {
    const sql = this.sql;
    let at = pointOrExponent;
    if (sql.charCodeAt(at) === 0x2e) {
      at++;
      while (isDigit(sql.charCodeAt(at))) at++;
    }
    if ((sql.charCodeAt(at) | 0x20) === 0x65) {
      at++;
      if (sql.charCodeAt(at) === 0x2b || sql.charCodeAt(at) === 0x2d) at++;
      if (!isDigit(sql.charCodeAt(at))) return false;
      while (isDigit(sql.charCodeAt(at))) at++;
    }
    const code = sql.charCodeAt(at);
    if (at < sql.length && (isWordCharacter(code) || code === 0x2e)) return false;
    const value = Number(sql.slice(start, at));
    if (!Number.isFinite(value)) return false;
    this.value = value;
    this.end = at;
    return true;
  }

  #string(start: number, mark: number): boolean {
    const sql = this.sql;
    const closing = sql.indexOf(mark === quote ? "'" : '"', start + 1);
    if (closing < 0) return false;
    // A shape that did not match is read again from its beginning, which may lie before what is known.
    if (start < this.#backslashFrom || this.#nextBackslash <= start) {
      this.#backslashFrom = start;
      const found = sql.indexOf("\\", start + 1);
      this.#nextBackslash = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    if (this.#nextBackslash > closing && sql.charCodeAt(closing + 1) !== mark) {
      this.value = sql.slice(start + 1, closing);
      this.end = closing + 1;
      return true;
    }
    return this.#escapedString(start, mark);
  }

  #escapedString(start: number, mark: number): boolean {
    const sql = this.sql;
    const pieces: string[] = [];
    let pieceStart = start + 1;
    for (let at = start + 1; at < sql.length; at++) {
      const code = sql.charCodeAt(at);
      if (code === backslash) {
        if (at + 1 >= sql.length) return false;
        pieces.push(sql.slice(pieceStart, at), escaped(sql[at + 1]));
        pieceStart = ++at + 1;
      } else if (code === mark) {
        pieces.push(sql.slice(pieceStart, at));
        if (sql.charCodeAt(at + 1) !== mark) {
          this.value = pieces.join("");
          this.end = at + 1;
          return true;
        }
        pieceStart = ++at;
      }
    }
    return false;
  }
}

/** MySQL's escapes; of any other character the backslash is dropped. */
function escaped(character: string): string {
  switch (character) {
    case "0":
      return "\0";
    case "n":
      return "\n";
    case "r":
      return "\r";
    case "t":
      return "\t";
    case "b":
      return "\b";
    case "Z":
      return "\x1a";
    // Patterns keep these two escapes for LIKE.
    case "%":
      return "\\%";
    case "_":
      return "\\_";
    default:
      return character;
  }
}

/** Whether `--` (followed by a space or a control character) or a slash with a star begins at `at`. */
export function startsComment(sql: string, at: number): boolean {
  const code = sql.charCodeAt(at);
  const next = sql.charCodeAt(at + 1);
  if (code === 0x2f) return next === 0x2a;
  if (code === 0x23) return true;
  return code === 0x2d && next === 0x2d && (at + 2 >= sql.length || sql.charCodeAt(at + 2) <= 0x20);
}
