/**
 * TokenStream: the lexer, one token at a time, with what the grammar asks of it.
 *
 * No token objects: the current token is in the fields `kind`, `start`, `end`. Words are compared in upper case; quoted
 * names keep their case. The stream ends at `;` or at the end of the text.
 * Comments (`-- `, `#`, slash-star) count as space; of those that MySQL runs see `version-comment.ts`.
 */
import type { ColumnValue } from "../../../architecture/catalog/table.ts";
import { SqlError } from "../../../query_processing/executor.ts";
import { beginsQuotedHex, HexLiteral } from "../../hex-literal.ts";
import type { Operand } from "../../statement.ts";
import { isDigit, isWordCharacter, startsComment, TextScanner } from "../../text-scanner.ts";
import {
  isKnownEncoding,
  isVersionComment,
  refusalOfEncoding,
  refusalOfVersionComment,
  startOfRead,
} from "./version-comment.ts";

export type TokenKind = "end" | "word" | "name" | "literal" | "parameter" | "symbol";

export const parametersMax = 65_535;
const depthMax = 64;
const nameCharactersMax = 64;

export class TokenStream {
  kind: TokenKind = "end";
  start = 0;
  end: number;
  /** Upper case for words, as written for names, the symbol itself for symbols. */
  text = "";
  value: ColumnValue = null;
  parameterCount = 0;
  readonly values: ColumnValue[] = [];
  readonly sql: string;
  readonly #scanner = new TextScanner();
  readonly #literalsAreParameters: boolean;
  #depth = 0;
  /** Where a comment that is read as if it were none closes. */
  #readEnd = -1;

  constructor(sql: string, start: number, literalsAreParameters: boolean) {
    this.sql = sql;
    this.end = start;
    this.#literalsAreParameters = literalsAreParameters;
    this.#scanner.begin(sql);
    this.next();
  }

  next(): void {
    const sql = this.sql;
    const at = this.#skipSpace(this.end);
    this.start = at;
    this.text = "";
    const code = sql.charCodeAt(at);
    if (at >= sql.length || code === 0x3b) {
      this.kind = "end";
      this.end = at;
    } else if (isDigit(code) || code === 0x27 || code === 0x22 || beginsQuotedHex(sql, at)) {
      if (!this.#scanner.literal(at)) throw this.syntax("a literal is not well formed");
      this.kind = "literal";
      this.value = this.#scanner.value;
      this.end = this.#scanner.end;
    } else if (isWordCharacter(code)) {
      this.end = at + 1;
      while (this.end < sql.length && isWordCharacter(sql.charCodeAt(this.end))) this.end++;
      this.kind = "word";
      this.text = sql.slice(at, this.end).toUpperCase();
    } else if (code === 0x60) {
      this.#quotedName(at);
    } else {
      this.#symbol(at, code);
    }
  }

  /** Where the current token begins; `reset` goes back to it. Only for places before which no value was taken. */
  mark(): number {
    return this.start;
  }

  reset(place: number): void {
    this.end = place;
    this.next();
  }

  isWord(word: string): boolean {
    return this.kind === "word" && this.text === word;
  }

  isSymbol(symbol: string): boolean {
    return this.kind === "symbol" && this.text === symbol;
  }

  /** Takes the word if it comes next. */
  acceptWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.next();
    return true;
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.next();
    return true;
  }

  expectWord(word: string): void {
    if (!this.acceptWord(word)) throw this.unexpected(word);
  }

  expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) throw this.unexpected(`"${symbol}"`);
  }

  expectEnd(): void {
    if (this.kind !== "end") throw this.unexpected("the end of the statement");
  }

  /** A name of a table or column: quoted, or a word that the grammar does not need here. */
  name(what: string): string {
    const word = this.kind === "word" && !reserved.has(this.text);
    if (!word && this.kind !== "name") throw this.unexpected(what);
    const name = this.kind === "name" ? this.text : this.sql.slice(this.start, this.end);
    if (name.length > nameCharactersMax) {
      throw new SqlError("limit_exceeded", `a name has more than ${nameCharactersMax} characters`);
    }
    this.next();
    return name;
  }

  /** `name` or `database.name`; there is one database, so what stands before the dot says nothing. */
  qualifiedName(what: string): string {
    const first = this.name(what);
    return this.acceptSymbol(".") ? this.name(what) : first;
  }

  /** A literal, NULL, TRUE, FALSE or `?`, with an optional sign. */
  operand(): Operand {
    let negated = false;
    while (this.isSymbol("-") || this.isSymbol("+")) {
      if (this.isSymbol("-")) negated = !negated;
      this.next();
    }
    if (this.kind === "word" && this.text.startsWith("_")) return this.#introduced(negated);
    if (this.kind === "parameter" || (this.kind === "literal" && this.#literalsAreParameters)) {
      if (this.parameterCount >= parametersMax) {
        throw new SqlError("limit_exceeded", `a statement has more than ${parametersMax} values`);
      }
      if (this.kind === "literal") this.values.push(this.value);
      this.next();
      return { kind: "parameter", index: this.parameterCount++, negated };
    }
    if (this.kind === "literal") {
      const value = negated ? negate(this.value, this) : this.value;
      this.next();
      return { kind: "constant", value };
    }
    if (negated) throw this.unexpected("a number");
    if (this.acceptWord("NULL")) return { kind: "constant", value: null };
    if (this.acceptWord("TRUE")) return { kind: "constant", value: 1 };
    if (this.acceptWord("FALSE")) return { kind: "constant", value: 0 };
    throw this.unexpected("a value");
  }

  /**
   * `_binary'…'` and its kind: a string, also where a hexadecimal literal follows. Such a text has no shape: the value
   * of a literal must not depend on what stands before it.
   */
  #introduced(negated: boolean): Operand {
    const encoding = this.text.slice(1);
    if (!isKnownEncoding(encoding)) throw refusalOfEncoding(encoding);
    this.next();
    const { value } = this;
    const bytes = value instanceof HexLiteral ? new Uint8Array(value.buffer, 0, value.length) : value;
    const text = this.kind === "literal" && (typeof bytes === "string" || bytes instanceof Uint8Array);
    if (!text || negated || this.#literalsAreParameters) throw this.unexpected("a text");
    this.next();
    return { kind: "constant", value: bytes };
  }

  /** Runs a part of the grammar that may contain itself. */
  nested<Result>(parse: () => Result): Result {
    if (++this.#depth > depthMax) {
      throw new SqlError("limit_exceeded", `a statement is nested deeper than ${depthMax}`);
    }
    const result = parse();
    this.#depth--;
    return result;
  }

  unexpected(expected: string): SqlError {
    if (this.kind === "end") return this.syntax(`expected ${expected}, but the statement ends`);
    const found = this.sql.slice(this.start, Math.min(this.end, this.start + 32));
    return this.syntax(`expected ${expected}, but "${found}" stands there`);
  }

  syntax(why: string): SqlError {
    const line = this.sql.slice(0, this.start).split("\n").length;
    return new SqlError("syntax", `${why} (line ${line}, offset ${this.start})`);
  }

  #skipSpace(start: number): number {
    const sql = this.sql;
    let at = start;
    while (at < sql.length) {
      const code = sql.charCodeAt(at);
      if (code <= 0x20 || code === 0xa0 || code === 0xfeff) {
        at++;
      } else if ((code === 0x2d || code === 0x2f || code === 0x23) && startsComment(sql, at)) {
        const close = code === 0x2f ? sql.indexOf("*/", at + 2) : sql.indexOf("\n", at);
        if (close < 0 && code === 0x2f) {
          this.start = at;
          throw this.syntax("a comment does not end");
        }
        const end = close < 0 ? sql.length : close + (code === 0x2f ? 2 : 1);
        const start = isVersionComment(sql, at) ? startOfRead(sql, at, end) : -1;
        if (start >= 0) {
          this.#readEnd = end - 2;
          at = start;
          continue;
        }
        const refusal = isVersionComment(sql, at) ? refusalOfVersionComment(sql, at, end) : undefined;
        if (refusal !== undefined) throw refusal;
        at = end;
      } else if (at === this.#readEnd) {
        at += 2;
      } else {
        break;
      }
    }
    return at;
  }

  #quotedName(at: number): void {
    let close = this.sql.indexOf("`", at + 1);
    while (close >= 0 && this.sql.charCodeAt(close + 1) === 0x60) close = this.sql.indexOf("`", close + 2);
    if (close < 0 || close === at + 1) throw this.syntax("a quoted name is not well formed");
    this.kind = "name";
    this.text = this.sql.slice(at + 1, close).replaceAll("``", "`");
    this.end = close + 1;
  }

  #symbol(at: number, code: number): void {
    if (code === 0x3f) {
      this.kind = "parameter";
      this.end = at + 1;
      return;
    }
    const two = this.sql.slice(at, at + 2);
    const symbol = twoCharacterSymbols.has(two) ? two : this.sql[at];
    if (!symbols.has(symbol)) throw this.syntax(`"${symbol}" is not expected`);
    this.kind = "symbol";
    this.text = symbol;
    this.end = at + symbol.length;
  }
}

function negate(value: ColumnValue, stream: TokenStream): ColumnValue {
  if (typeof value === "number" || typeof value === "bigint") return -value;
  if (value instanceof HexLiteral && value.integer !== undefined) return -value.integer;
  throw stream.unexpected("a number");
}

const twoCharacterSymbols = new Set(["<=", ">=", "<>", "!=", ":=", "||", "&&", "@@"]);
const symbols = new Set([...twoCharacterSymbols, ..."()=<>,.*+-/%@:!&|^~{}[]"]);

/** Words that end or join what a name could otherwise swallow. `timestamp`, `type`, `value` are not among them. */
const reserved = new Set(
  ("SELECT FROM WHERE AND OR NOT IN IS NULL LIKE BETWEEN EXISTS ORDER GROUP BY HAVING LIMIT UNION INTO VALUES SET " +
    "INSERT UPDATE DELETE CREATE DROP TABLE PRIMARY FOREIGN CHECK CONSTRAINT REFERENCES UNIQUE JOIN INNER LEFT RIGHT " +
    "CROSS NATURAL STRAIGHT_JOIN ON USING AS ASC DESC FOR LOCK CASE WHEN THEN ELSE END DISTINCT ALL TRUE " +
    "FALSE").split(" "),
);
