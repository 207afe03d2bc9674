/**
 * RowFormat: rows as lines of CSV or NDJSON, and back.
 *
 * | value             | CSV                                         | NDJSON                                   |
 * |-------------------|---------------------------------------------|------------------------------------------|
 * | NULL              | an empty field without quotes               | null                                     |
 * | empty text        | ""                                          | ""                                       |
 * | text              | as it is, quoted where it needs to be       | a JSON string                            |
 * | integer           | decimal digits                              | a JSON number, all digits (a string is   |
 * |                   |                                             | read too)                                |
 * | double            | the shortest decimal that reads back equal  | the same; -0 as -0                       |
 * | bytes             | base64, or hex; quoted                      | a JSON string of it                      |
 *
 * CSV is RFC 4180 with a header line; NULL is told from empty text as PostgreSQL's COPY does. NDJSON is one object per
 * line; a key that is missing is NULL. Text that is no well-formed Unicode is refused.
 */
import { LatheError } from "../kit/errors.ts";
import type { Cell, TableColumn } from "./sql-table.ts";

export type RowFormatName = "csv" | "ndjson";
export type BinaryEncoding = "base64" | "hex";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

export function csvHeader(columns: readonly TableColumn[]): string {
  return `${columns.map(({ name }) => csvField(name, false)).join(",")}\n`;
}

export function encodeRow(
  format: RowFormatName,
  columns: readonly TableColumn[],
  row: readonly Cell[],
  binary: BinaryEncoding,
): string {
  if (format === "csv") return `${row.map((cell) => csvCell(cell, binary)).join(",")}\n`;
  const fields = columns.map(({ name }, i) => `${JSON.stringify(name)}:${jsonCell(row[i], binary)}`);
  return `{${fields.join(",")}}\n`;
}

/** A field as read: null, text, or (in NDJSON) the digits of a number. Errors: CONSTRAINT, saying what is wrong. */
export function decodeCell(column: TableColumn, text: string | null, binary: BinaryEncoding): Cell {
  if (text === null) {
    if (column.nullable) return null;
    throw wrong(column, "is NULL, and the column must not be");
  }
  switch (column.kind) {
    case "integer": {
      if (!/^[+-]?\d{1,20}$/.test(text)) throw wrong(column, `${shown(text)} is no integer`);
      const value = BigInt(text.replace("+", ""));
      if (value < int64Min || value > int64Max) throw wrong(column, `${shown(text)} is beyond 64 bits`);
      return value;
    }
    case "double": {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
      if (!Number.isFinite(value)) throw wrong(column, `${shown(text)} is no finite number`);
      return Object.is(value, -0) ? text : value;
    }
    case "text":
      if (!text.isWellFormed()) throw wrong(column, "is no well-formed Unicode");
      return text;
    case "binary":
      return decodeBytes(column, text, binary);
  }
}

/**
 * The cells of one line of NDJSON, by column. Integers keep all of their digits. Errors: CONSTRAINT.
 */
export function decodeJsonLine(columns: readonly TableColumn[], line: string, binary: BinaryEncoding): Cell[] {
  let value: unknown;
  const sources = new Map<string, string>();
  try {
    value = JSON.parse(line, ((key: string, inner: unknown, context: { source?: string }) => {
      if (typeof inner === "number" && context.source !== undefined) sources.set(key, context.source);
      return inner;
    }) as (this: unknown, key: string, value: unknown) => unknown);
  } catch (error) {
    throw new LatheError("CONSTRAINT", `no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new LatheError("CONSTRAINT", "no JSON object");
  }
  const object = value as Record<string, unknown>;
  const names = new Set(columns.map(({ name }) => name));
  const stranger = Object.keys(object).find((name) => !names.has(name));
  if (stranger !== undefined) throw new LatheError("CONSTRAINT", `there is no column ${shown(stranger)}`);
  return columns.map((column) => {
    const cell = Object.hasOwn(object, column.name) ? object[column.name] : null;
    if (cell === null) return decodeCell(column, null, binary);
    if (typeof cell === "number") return decodeCell(column, sources.get(column.name) ?? String(cell), binary);
    if (typeof cell === "string") return decodeCell(column, cell, binary);
    throw wrong(column, `is a ${typeof cell}; a string, a number or null is expected`);
  });
}

function csvCell(cell: Cell, binary: BinaryEncoding): string {
  if (cell === null) return "";
  if (cell instanceof Uint8Array) return csvField(Buffer.from(cell).toString(binary), true);
  return csvField(numberText(cell), typeof cell === "string" && cell === "");
}

function csvField(text: string, always: boolean): string {
  return always || /[",\r\n]|^\s|\s$|^\ufeff/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function jsonCell(cell: Cell, binary: BinaryEncoding): string {
  if (cell === null) return "null";
  if (cell instanceof Uint8Array) return JSON.stringify(Buffer.from(cell).toString(binary));
  return typeof cell === "string" ? JSON.stringify(cell) : numberText(cell);
}

function numberText(cell: bigint | number | string): string {
  return Object.is(cell, -0) ? "-0" : String(cell);
}

/** Strict: what Buffer.from would pass over is wrong here. */
function decodeBytes(column: TableColumn, text: string, binary: BinaryEncoding): Uint8Array {
  const bytes = Buffer.from(text, binary);
  const again = bytes.toString(binary);
  if (binary === "hex" ? again === text.toLowerCase() : again === text) return bytes;
  throw wrong(column, `${shown(text)} is no ${binary}; see --binary`);
}

function wrong(column: TableColumn, what: string): LatheError {
  return new LatheError("CONSTRAINT", `column ${column.name}: ${what}`);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
