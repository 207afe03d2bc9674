/**
 * Reads a SQL dump (mysqldump, mariadb-dump, pg_dump in plain text): tables with their keys, and what their rows show.
 *
 *   1. Tokens of a statement are collected until its delimiter, at most 20,000; at VALUES of an INSERT and after COPY …
 *      FROM stdin collecting stops, and rows are taken value by value, so that a statement may be of any length.
 *   2. Of each value its length, and for its column the number of different ones, are kept (`column-sample.ts`).
 *   3. Definitions go to `schema-statement.ts`. Statements that only serve the restore (SET, LOCK, DROP, …) are
 *      counted; whatever else there is, is listed as unparsed.
 * Memory: that of the scanner, of one statement's tokens and of `tablesMax` tables with their samples.
 */
import {
  applySchemaStatement, type SchemaObject, type SchemaTarget, type Token, qualifiedName, wordOf
} from "./schema-statement.ts";
import { type Dialect, SqlScanner } from "./sql-scanner.ts";
import { columnOf, type TraceColumn, type TraceTable } from "./table-definition.ts";
import { UnparsedList } from "./unparsed.ts";

const tokensMax = 20_000;
const tablesMax = 1000;
const objectsMax = 2000;
const copyLineMax = 1 << 20;
const housekeeping = new RegExp(
  "^(SET|LOCK|UNLOCK|USE|DROP|COMMENT|GRANT|REVOKE|SELECT|ANALYZE|START|BEGIN|COMMIT|CALL|VACUUM|REFRESH|END)$",
);

export interface Schema {
  /** By name in small letters. */
  readonly tables: Map<string, TraceTable>;
  readonly objects: SchemaObject[];
}

export class DumpReader implements SchemaTarget {
  readonly dialect: Dialect;
  readonly tables: Map<string, TraceTable>;
  readonly objects: SchemaObject[];
  readonly unparsed = new UnparsedList();
  statements = 0;
  readonly #scanner: SqlScanner;
  readonly #name: string;
  #tokens: Token[] = [];
  #cut = false;
  #startLine = 1;
  #rows: RowTarget | undefined;
  #copy: RowTarget | undefined;
  #restOfLine: ((rest: string) => void) | undefined;

  /** `schema`: where definitions go, if others give some, too. */
  constructor(dialect: Dialect, name: string, schema: Schema = { tables: new Map(), objects: [] }) {
    this.dialect = dialect;
    this.tables = schema.tables;
    this.objects = schema.objects;
    this.#name = name;
    this.#scanner = new SqlScanner(dialect);
  }

  append(text: string): void {
    this.#scanner.append(text);
    this.#drain();
  }

  finish(): void {
    this.#scanner.append("");
    this.#scanner.finish();
    this.#drain();
    if (this.#tokens.length > 0) {
      this.unparsed.add(this.#startLine, "the file ends within a statement", textOf(this.#tokens));
    }
    if (this.#rows !== undefined || this.#copy !== undefined) {
      this.unparsed.add(this.#scanner.line, "the file ends within rows", "");
    }
  }

  table(name: string): TraceTable | undefined {
    return this.tables.get(name.toLowerCase());
  }

  define(table: TraceTable): void {
    if (this.tables.size >= tablesMax) {
      this.unparsed.add(this.#startLine, `more than ${tablesMax} tables`, table.name);
      return;
    }
    // MySQL's dumps define a view as a table first, and drop it.
    this.tables.set(table.name.toLowerCase(), table);
  }

  object(object: SchemaObject): void {
    // A dump defines a view twice.
    const known = this.objects.some(({ kind, name }) => kind === object.kind && name === object.name);
    if (this.objects.length < objectsMax && !known) this.objects.push(object);
    if (object.kind === "view") this.tables.delete(object.name.toLowerCase());
  }

  #drain(): void {
    const scanner = this.#scanner;
    for (;;) {
      if (this.#copy !== undefined || this.#restOfLine !== undefined) {
        if (scanner.exhausted) return;
        const line = scanner.restOfLine(copyLineMax);
        if (line === undefined) return;
        if (this.#copy !== undefined) this.#copyLine(line, this.#copy);
        else this.#restOfLine?.(line);
        continue;
      }
      const kind = scanner.next();
      if (kind === "more" || kind === "end") return;
      if (this.#rows !== undefined) this.#rowToken(this.#rows);
      else this.#statementToken();
    }
  }

  #statementToken(): void {
    const { kind, text, length } = this.#scanner;
    if (this.#tokens.length === 0) {
      this.#startLine = this.#scanner.line;
      if (kind === "delimiter") return;
      if (kind === "mark" && text === "\\") {
        // A command of psql: \connect, \restrict.
        this.#restOfLine = () => (this.#restOfLine = undefined);
        return;
      }
      if (kind === "word" && text.toUpperCase() === "DELIMITER") {
        this.#restOfLine = (rest) => {
          this.#scanner.delimiter = rest.trim() || ";";
          this.#restOfLine = undefined;
        };
        return;
      }
    }
    if (kind === "delimiter") return this.#endStatement();
    if (this.#tokens.length >= tokensMax) this.#cut = true;
    else this.#tokens.push({ kind, text, length });
    const first = wordOf(this.#tokens[0]);
    if ((first === "INSERT" || first === "REPLACE") && kind === "word" && /^VALUES?$/i.test(text)) this.#beginRows();
  }

  #beginRows(): void {
    const into = this.#tokens.findIndex((token) => wordOf(token) === "INTO");
    const target = this.#rowTarget(into + 1);
    this.#tokens = [];
    this.statements++;
    this.#rows = target;
  }

  /** The table at `at`, with the columns that are listed after it, or all. */
  #rowTarget(at: number): RowTarget {
    const found = qualifiedName(this.#tokens, at);
    const table = found && this.table(found.name);
    const listed = found === undefined ? [] : this.#tokens.slice(found.end);
    const open = listed.findIndex((token) => token.kind === "mark" && token.text === "(");
    const close = listed.findIndex((token) => token.kind === "mark" && token.text === ")");
    const names = open < 0 ? [] : listed.slice(open + 1, close).filter(
      ({ kind }) => kind === "word" || kind === "name"
    );
    if (table === undefined) {
      this.unparsed.add(this.#startLine, "rows of a table that is not defined before", textOf(this.#tokens));
    }
    const columns = names.length === 0 ? (table?.columns ?? []) : names.map(
      ({ text }) => table && columnOf(table, text)
    );
    return new RowTarget(table, columns);
  }

  #rowToken(rows: RowTarget): void {
    const { kind, text, length } = this.#scanner;
    if (kind === "delimiter" && rows.depth <= 0) {
      this.#rows = undefined;
      return;
    }
    rows.token(kind, text, length);
  }

  #copyLine(line: string, rows: RowTarget): void {
    if (line === "\\.") {
      this.#copy = undefined;
      return;
    }
    rows.copyLine(line);
  }

  #endStatement(): void {
    const tokens = this.#tokens;
    this.#tokens = [];
    this.statements++;
    const word = wordOf(tokens[0]);
    if (word === "COPY" && tokens.some((token) => wordOf(token) === "STDIN")) {
      this.#tokens = tokens;
      const target = this.#rowTarget(1);
      this.#tokens = [];
      this.#copy = target;
      // What is left of the line that COPY ends on.
      this.#restOfLine = undefined;
      this.#scanner.restOfLine(copyLineMax);
      return;
    }
    const cut = this.#cut;
    this.#cut = false;
    if (housekeeping.test(word)) return;
    if (!cut && (word === "CREATE" || word === "ALTER")) {
      if (applySchemaStatement(tokens, this, `${this.#name}:${this.#startLine}`)) return;
    }
    const what = cut ? `a statement of more than ${tokensMax} tokens` : "a statement that is not understood";
    this.unparsed.add(this.#startLine, what, textOf(tokens));
  }
}

/** Takes rows of VALUES or COPY into the samples of a table's columns. */
class RowTarget {
  depth = 0;
  readonly #table: TraceTable | undefined;
  readonly #columns: readonly (TraceColumn | undefined)[];
  #at = 0;
  #kind = "";
  #text = "";
  #length = 0;
  #sign = 0;

  constructor(table: TraceTable | undefined, columns: readonly (TraceColumn | undefined)[]) {
    this.#table = table;
    this.#columns = columns;
  }

  token(kind: string, text: string, length: number): void {
    if (kind === "mark") {
      if (text === "(" && this.depth++ === 0) {
        this.#at = 0;
        this.#kind = "";
        return;
      }
      if (text === ")" && --this.depth === 0) {
        this.#endValue();
        if (this.#table !== undefined) this.#table.rows++;
        return;
      }
      if (text === "," && this.depth === 1) return this.#endValue();
      if (text === "-") this.#sign = 1;
      return;
    }
    if (this.depth === 0) return;
    // A character set's name stands before a string; anything else that follows makes the value an expression.
    if (this.#kind === "" || (this.#kind === "word" && this.#text.startsWith("_"))) {
      this.#kind = kind;
      this.#text = text;
      this.#length = length;
    }
  }

  #endValue(): void {
    const column = this.#columns[this.#at++];
    const negative = this.#sign === 1 && this.#kind === "number";
    if (column !== undefined) {
      if (this.#kind === "word" && this.#text.toUpperCase() === "NULL") column.sample.addNull();
      else if (this.#kind !== "") {
        const text = negative ? `-${this.#text}` : this.#text;
        const hexadecimal = this.#kind === "number" && this.#text.startsWith("0x");
        column.sample.add(text, hexadecimal ? (this.#length - 2) / 2 : this.#length, false);
      }
    }
    this.#kind = "";
    this.#sign = 0;
  }

  copyLine(line: string): void {
    if (this.#table !== undefined) this.#table.rows++;
    const fields = line.split("\t");
    for (let at = 0; at < fields.length && at < this.#columns.length; at++) {
      const column = this.#columns[at];
      const field = fields[at];
      if (column === undefined) continue;
      if (field === "\\N") column.sample.addNull();
      else {
        const escapes = field.includes("\\") ? (field.match(/\\./g)?.length ?? 0) : 0;
        const hexadecimal = column.family === "bytes" && field.startsWith("\\\\x");
        column.sample.add(field.slice(0, 256), hexadecimal ? (field.length - 3) / 2 : field.length - escapes, false);
      }
    }
  }
}

function textOf(tokens: readonly Token[]): string {
  return tokens.slice(0, 30).map(({ kind, text }) => (kind === "string" ? `'${text}'` : text)).join(" ");
}
