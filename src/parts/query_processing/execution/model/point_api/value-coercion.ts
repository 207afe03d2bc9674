/**
 * Values from clients to values of a column.
 *
 * Clients send what their driver has: quoted numbers for BIGINT columns, bytes for text, numbers for VARCHAR. What
 * comes out has the column's own form: an integer as bigint or as a number that is exactly that integer, text as
 * string or as UTF-8 bytes. Nothing passes through a double on its way to an integer. A hexadecimal literal is a number
 * in a column of numbers, and bytes elsewhere.
 * What is compared with a column of integers may be any number: one that it cannot hold becomes NULL, which equals
 * nothing; for comparisons other than equality see `bound-comparison.ts`.
 * Spaces at the end of what goes into or is compared with a CHAR do not count.
 * "store" enforces NOT NULL and length; "compare" does not, since comparing with a longer text is no error.
 */
import { unreachable } from "../../../../../kit/assert.ts";
import type { Column, ColumnValue } from "../../../../architecture/catalog/table.ts";
import { HexLiteral } from "../../../../parser/hex-literal.ts";
import { SqlError } from "../../../executor.ts";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const looseDecoder = new TextDecoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Throws SqlError: null_not_allowed, out_of_range, value_too_long. */
export function coerce(column: Column, value: ColumnValue, purpose: "store" | "compare"): ColumnValue {
  if (value === null) {
    if (purpose === "store" && !column.nullable) {
      throw new SqlError("null_not_allowed", `Column '${column.name}' cannot be null`);
    }
    return null;
  }
  switch (column.type) {
    case "bigint":
      return purpose === "compare" ? comparedInteger(column, value) : toInt64(column, value);
    case "int":
      return purpose === "compare" ? comparedInteger(column, value) : toInt32(column, value);
    case "double":
      return toDouble(column, value);
    case "varchar":
      return toText(column, value, purpose);
    case "varbinary":
      return toBytes(column, value, purpose);
    default:
      return unreachable(column.type);
  }
}

interface IntegerRange {
  readonly min: number | bigint;
  readonly max: number | bigint;
}

const ranges: Readonly<Record<"int" | "bigint", IntegerRange>> = {
  int: { min: -2147483648, max: 2147483647 },
  bigint: { min: int64Min, max: int64Max },
};

/** The values that a column of integers can hold; undefined for other columns. */
export function integerRange({ type }: Column): IntegerRange | undefined {
  return type === "int" || type === "bigint" ? ranges[type] : undefined;
}

/** What is compared with a column of integers; NULL for a number that it cannot hold, and so never equals. */
function comparedInteger(column: Column, value: ColumnValue): ColumnValue {
  if (typeof value === "number" && (value | 0) === value) return value;
  const number = numberOf(value);
  if (number === undefined) return toInt64(column, value);
  const { min, max } = ranges[column.type as "int" | "bigint"];
  if (number < min || number > max) return null;
  if (typeof number === "bigint") return column.type === "int" ? Number(number) : number;
  if (!Number.isInteger(number)) return null;
  return Number.isSafeInteger(number) ? number : BigInt(number);
}

const integerText = /^[-+]?\d{1,64}$/;
const numberText = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,4})?$/i;

/** A number as it was written, exact where it is an integer; undefined where it is none. */
export function numberOf(value: ColumnValue): number | bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isNaN(value) ? undefined : value;
  if (value === null) return undefined;
  if (value instanceof HexLiteral) return value.integer;
  const text = (typeof value === "string" ? value : looseDecoder.decode(value)).trim();
  if (integerText.test(text)) return BigInt(text.startsWith("+") ? text.slice(1) : text);
  return numberText.test(text) ? Number(text) : undefined;
}

function toInt64(column: Column, value: ColumnValue): bigint | number {
  if (typeof value === "bigint") {
    if (value < int64Min || value > int64Max) throw outOfRange(column);
    return value;
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw outOfRange(column);
    return value;
  }
  return toInt64(column, value instanceof HexLiteral ? hexInteger(column, value) : parseInteger(column, value));
}

function hexInteger(column: Column, value: HexLiteral): bigint {
  if (value.integer === undefined) throw outOfRange(column);
  return value.integer;
}

function toInt32(column: Column, value: ColumnValue): number {
  if (value instanceof HexLiteral) return toInt32(column, hexInteger(column, value));
  const integer = typeof value === "number" || typeof value === "bigint" ? value : parseInteger(column, value);
  const number = Number(integer);
  if ((number | 0) !== number) throw outOfRange(column);
  return number;
}

function toDouble(column: Column, value: ColumnValue): number {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (value instanceof HexLiteral) return Number(hexInteger(column, value));
  const text = textOf(column, value).trim();
  for (let i = 0; i < text.length; i++) if (!"0123456789+-.eE".includes(text[i])) throw wrongValue(column, text);
  const number = text === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) throw wrongValue(column, text);
  return number;
}

/** Decimal digits with an optional sign; exact whatever their number. */
function parseInteger(column: Column, value: ColumnValue): bigint | number {
  const text = textOf(column, value).trim();
  const digitsStart = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
  const digits = text.length - digitsStart;
  if (digits === 0 || digits > 64) throw wrongValue(column, text);
  for (let i = digitsStart; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) throw wrongValue(column, text);
  }
  if (digits <= 15) return Number(text) + 0;
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text.slice(digitsStart));
}

function toText(column: Column, given: ColumnValue, purpose: "store" | "compare"): string | Uint8Array {
  if (typeof given === "number" || typeof given === "bigint") return toText(column, String(given), purpose);
  const value = column.fixed === true && given !== null ? withoutEndSpaces(given) : given;
  const lengthMax = column.lengthMax ?? Number.POSITIVE_INFINITY;
  if (value instanceof Uint8Array) {
    // ASCII bytes are text already; anything else is checked by decoding it.
    let seen = 0;
    for (let i = 0; i < value.length; i++) seen |= value[i];
    if (seen < 0x80 && (purpose === "compare" || value.length <= lengthMax)) return value;
  }
  const text = textOf(column, value);
  if (purpose === "store" && text.length > lengthMax && characterCount(text) > lengthMax) {
    throw tooLong(column);
  }
  return text.isWellFormed() ? text : text.toWellFormed();
}

function withoutEndSpaces(value: string | Uint8Array): string | Uint8Array {
  let end = value.length;
  if (typeof value === "string") {
    while (end > 0 && value.charCodeAt(end - 1) === 0x20) end--;
    return end === value.length ? value : value.slice(0, end);
  }
  while (end > 0 && value[end - 1] === 0x20) end--;
  return end === value.length ? value : value.subarray(0, end);
}

function toBytes(column: Column, value: ColumnValue, purpose: "store" | "compare"): Uint8Array {
  const bytes = value instanceof Uint8Array ? value : new TextEncoder().encode(String(value));
  if (purpose === "store" && column.lengthMax !== undefined && bytes.length > column.lengthMax) {
    throw tooLong(column);
  }
  return bytes;
}

function textOf(column: Column, value: ColumnValue): string {
  if (typeof value === "string") return value;
  try {
    return strictDecoder.decode(value as Uint8Array);
  } catch {
    throw new SqlError("out_of_range", `Incorrect string value for column '${column.name}': not UTF-8`);
  }
}

function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function outOfRange(column: Column): SqlError {
  return new SqlError("out_of_range", `Out of range value for column '${column.name}'`);
}

function wrongValue(column: Column, text: string): SqlError {
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  return new SqlError("out_of_range", `Incorrect ${column.type} value: '${shown}' for column '${column.name}'`);
}

function tooLong(column: Column): SqlError {
  return new SqlError("value_too_long", `Data too long for column '${column.name}'`);
}
