/**
 * SqlScanner: tokens of SQL text that arrives in chunks, in the dialects of MySQL/MariaDB and PostgreSQL.
 *
 * It knows where literals, names and comments end and nothing of grammar, so that any statement of either dialect can
 * be taken apart. The product's own scanner (parser/text-scanner.ts) is strict and belongs to parts, which workshop
 * rooms do not import.
 *   1. `append` adds text, `next` reads one token; `more` means that the token needs the next chunk.
 *   2. A literal, quoted name or comment is consumed as it comes: only its first `textMax` characters and its length
 *      are kept. So the memory is that of one chunk, however long a literal is, and nothing is read twice.
 *   3. `/*!50003 …*` + `/` is text for MySQL and so is read; comments of versions that do not exist are comments.
 * Text is latin1: one character per byte, so that lengths are bytes and no input is invalid; `decodeName` gives names.
 */
export type Dialect = "mysql" | "postgresql";

export type TokenKind =
  | "more"
  | "end"
  /** A keyword or a name without quotes. */
  | "word"
  /** A name in quotes. */
  | "name"
  | "string"
  | "number"
  /** `?` or `$1`. */
  | "parameter"
  /** What ends a statement. */
  | "delimiter"
  | "mark";

interface Inside {
  readonly kind: "string" | "name" | "comment";
  readonly closing: string;
  readonly backslash: boolean;
  readonly doubled: boolean;
}

const textMax = 256;
/** A word or number that is longer is cut into several. */
const wordMax = 4096;

/** By a character's code. 1: part of a word. 2: white space. */
export const characterClasses = new Uint8Array(256);
for (let code = 0; code < 256; code++) {
  const character = String.fromCharCode(code);
  if (/[A-Za-z0-9_$]/.test(character) || code >= 128) characterClasses[code] = 1;
  else if (code <= 32) characterClasses[code] = 2;
}

export class SqlScanner {
  kind: TokenKind = "end";
  /** The token as it is written; the beginning of what a literal holds, without its quotes. */
  text = "";
  /** Bytes of a literal's value. */
  length = 0;
  /** What ends a statement: `DELIMITER` of MySQL's client changes it. */
  delimiter = ";";
  /** The text has ended within a literal or a name in quotes. */
  unclosed = false;
  readonly #dialect: Dialect;
  #buffer = "";
  #at = 0;
  #finished = false;
  #inside: Inside | undefined;
  #line: number;
  /** Lines are counted up to here. */
  #counted = 0;

  constructor(dialect: Dialect, line = 1) {
    this.#dialect = dialect;
    this.#line = line;
  }

  append(text: string): void {
    this.#count();
    this.#buffer = this.#at >= this.#buffer.length ? text : this.#buffer.slice(this.#at) + text;
    this.#at = 0;
    this.#counted = 0;
  }

  /** No more text comes: what is incomplete ends here. */
  finish(): void {
    this.#finished = true;
  }

  /** The line that has been reached. */
  get line(): number {
    this.#count();
    return this.#line;
  }

  /** The rest of the line that has been reached, without its end; undefined where the next chunk is needed. */
  restOfLine(lengthMax: number): string | undefined {
    const end = this.#buffer.indexOf("\n", this.#at);
    if (end < 0 && !this.#finished && this.#buffer.length - this.#at < lengthMax) return undefined;
    const stop = end >= 0 && end - this.#at <= lengthMax ? end : Math.min(this.#buffer.length, this.#at + lengthMax);
    const rest = this.#buffer.slice(this.#at, stop);
    this.#at = stop === end ? end + 1 : stop;
    return rest.endsWith("\r") ? rest.slice(0, -1) : rest;
  }

  /** Where the last token ended, within the text that was appended last. */
  get offset(): number {
    return this.#at;
  }

  get exhausted(): boolean {
    return this.#finished && this.#at >= this.#buffer.length;
  }

  next(): TokenKind {
    for (;;) {
      if (this.#inside !== undefined) {
        const kind = this.#continue(this.#inside);
        if (kind !== undefined) return (this.kind = kind);
        continue;
      }
      this.#skipSpace();
      const left = this.#buffer.length - this.#at;
      // The longest mark is a dollar quote's tag; a word that touches the end of the chunk may go on.
      if (left === 0 || (left < 80 && !this.#finished)) {
        if (!this.#finished) return (this.kind = "more");
        if (left === 0) return (this.kind = "end");
      }
      if (this.#begin()) return this.kind;
    }
  }

  #skipSpace(): void {
    const buffer = this.#buffer;
    while (this.#at < buffer.length && characterClasses[buffer.charCodeAt(this.#at) & 255] === 2) this.#at++;
  }

  /** Whether a token was read; false after the beginning of a comment or a literal. */
  #begin(): boolean {
    const buffer = this.#buffer;
    const at = this.#at;
    if (buffer.startsWith(this.delimiter, at)) return this.#take("delimiter", this.delimiter.length);
    const character = buffer[at];
    const next = buffer[at + 1];
    const mysql = this.#dialect === "mysql";
    switch (character) {
      case "'":
        return this.#enter("string", 1, { closing: "'", backslash: mysql, doubled: true });
      case '"':
        return this.#enter(mysql ? "string" : "name", 1, { closing: '"', backslash: mysql, doubled: true });
      case "`":
        return this.#enter("name", 1, { closing: "`", backslash: false, doubled: true });
      case "#":
        if (mysql) return this.#enter("comment", 1, { closing: "\n", backslash: false, doubled: false });
        break;
      case "-":
        // Behind the end there is no character, whose code counts as space.
        if (next === "-" && (!mysql || characterClasses[buffer.charCodeAt(at + 2) & 255] === 2)) {
          return this.#enter("comment", 2, { closing: "\n", backslash: false, doubled: false });
        }
        break;
      case "/":
        if (next === "*") return this.#comment();
        break;
      case "*":
        // The end of a comment that MySQL reads.
        if (next === "/") {
          this.#at += 2;
          return false;
        }
        break;
      case "?":
        return this.#take("parameter", 1);
      case "$":
        return this.#dollar();
    }
    if (characterClasses[character.charCodeAt(0) & 255] === 1) return this.#word(character, next);
    const pair = character + next;
    return this.#take("mark", ["::", "<=", ">=", "<>", "!=", "||", ":=", "->"].includes(pair) ? 2 : 1);
  }

  #take(kind: TokenKind, length: number): boolean {
    this.kind = kind;
    this.text = this.#buffer.slice(this.#at, this.#at + length);
    this.length = length;
    this.#at += length;
    return true;
  }

  #enter(kind: Inside["kind"], opening: number, rest: Omit<Inside, "kind">): false {
    this.#inside = { kind, ...rest };
    this.text = "";
    this.length = 0;
    this.#at += opening;
    return false;
  }

  #comment(): false {
    const begin = this.#buffer.slice(this.#at, this.#at + 12);
    const found = this.#dialect === "mysql" ? /^\/\*M?!(\d{0,6})/.exec(begin) : null;
    // Version 99.99.99 does not exist: nobody runs it.
    if (found !== null && Number(found[1]) < 990_000) {
      this.#at += found[0].length;
      return false;
    }
    return this.#enter("comment", 2, { closing: "*/", backslash: false, doubled: false });
  }

  #dollar(): boolean {
    const text = this.#buffer.slice(this.#at, this.#at + 70);
    const parameter = /^\$\d{1,5}/.exec(text);
    if (parameter !== null) return this.#take("parameter", parameter[0].length);
    const tag = this.#dialect === "postgresql" ? /^\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]{0,63})?\$/.exec(text) : null;
    if (tag === null) return this.#take("mark", 1);
    return this.#enter("string", tag[0].length, { closing: tag[0], backslash: false, doubled: false });
  }

  #word(character: string, next: string): boolean {
    const buffer = this.#buffer;
    if (next === "'" && /[xXbBnNeE]/.test(character)) {
      const escapes = /[eE]/.test(character) || this.#dialect === "mysql";
      return this.#enter("string", 2, { closing: "'", backslash: escapes, doubled: true });
    }
    const digit = character >= "0" && character <= "9";
    let end = this.#at + 1;
    const limit = Math.min(buffer.length, this.#at + wordMax);
    while (end < limit) {
      const code = buffer.charCodeAt(end);
      const sign = code === 43 || code === 45;
      const exponent = digit && sign && (buffer.charCodeAt(end - 1) | 32) === 101 && buffer[this.#at + 1] !== "x";
      if (characterClasses[code & 255] !== 1 && !(digit && code === 46) && !exponent) break;
      end++;
    }
    if (end === buffer.length && !this.#finished && end - this.#at < wordMax) {
      this.kind = "more";
      return true;
    }
    const number = digit && /^(0x[\da-f]+|[\d.]+(e[+-]?\d+)?)$/i.test(buffer.slice(this.#at, end));
    return this.#take(number ? "number" : "word", end - this.#at);
  }

  /** Goes on in what `#enter` began; the token's kind at its end, `undefined` after a comment. */
  #continue(inside: Inside): TokenKind | undefined {
    const buffer = this.#buffer;
    const { closing, backslash, doubled } = inside;
    for (;;) {
      const end = this.#plainEnd(closing, backslash);
      this.#keep(end - this.#at);
      this.#at = end;
      const left = buffer.length - end;
      if (left === 0 && !this.#finished) return "more";
      if (left === 0) {
        if (inside.kind !== "comment") this.unclosed = true;
        break;
      }
      if (backslash && buffer[end] === "\\") {
        if (left < 2 && !this.#finished) return "more";
        this.#at++;
        this.#keep(Math.min(1, left - 1));
        this.#at = Math.min(buffer.length, this.#at + 1);
        continue;
      }
      if (left < closing.length + 1 && !this.#finished) return "more";
      if (doubled && buffer[end + 1] === closing) {
        this.#keep(1);
        this.#at += 2;
        continue;
      }
      if (buffer.startsWith(closing, end)) {
        this.#at += closing.length;
        break;
      }
      this.#keep(1);
      this.#at++;
    }
    this.#inside = undefined;
    return inside.kind === "comment" ? undefined : inside.kind;
  }

  /** Where something other than plain content may come: the first character of the closing mark, or a backslash. */
  #plainEnd(closing: string, backslash: boolean): number {
    const buffer = this.#buffer;
    if (!backslash) {
      const found = buffer.indexOf(closing, this.#at);
      if (found >= 0) return found;
      const tail = closing.length - 1;
      return Math.max(this.#at, this.#finished ? buffer.length : buffer.length - tail);
    }
    const quote = closing.charCodeAt(0);
    let at = this.#at;
    while (at < buffer.length) {
      const code = buffer.charCodeAt(at);
      if (code === quote || code === 0x5c) return at;
      at++;
    }
    return at;
  }

  #keep(length: number): void {
    if (this.text.length < textMax) {
      this.text += this.#buffer.slice(this.#at, this.#at + Math.min(length, textMax - this.text.length));
    }
    this.length += length;
  }

  #count(): void {
    const end = Math.min(this.#at, this.#buffer.length);
    for (let at = this.#buffer.indexOf("\n", this.#counted); at >= 0 && at < end;) {
      this.#line++;
      at = this.#buffer.indexOf("\n", at + 1);
    }
    this.#counted = end;
  }
}

/** Latin1 text as the UTF-8 that it is. */
export function decodeName(text: string): string {
  // eslint-disable-next-line no-control-regex
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, "latin1").toString("utf8") : text;
}
