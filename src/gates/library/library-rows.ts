/**
 * LibraryRows: rows for the tables of a contract, each a matter of table, number and version alone, so that a process
 * outside a library knows what has to be in it.
 *
 *   1. A key holds the number in every column where it has room; the first other column with room holds the version, so
 *   that two versions always differ. A table without room for both is left out.
 *   2. Other columns are drawn from number, version and column.
 *   3. On the wire a row is JSON, with `{ b }` for a whole number of 64 bits and `{ x }` for bytes.
 */
import type { Column, TableSpec } from "../../contract/contract.ts";
import { seededNumbers } from "../../simulation/seeded-numbers.ts";

export type WireValue = string | number | null | { readonly b: string } | { readonly x: string };
export type WireRow = Readonly<Record<string, WireValue>>;

/** Numbers and versions are below this. */
const numbersMax = 1e6;
const textMax = 200;

/** Whether rows of different numbers have different keys, and those of different versions different values. */
export function hasRoomForNumbers(table: TableSpec): boolean {
  const { columns, primaryKey } = table;
  const hasKey = columns.some((column) => primaryKey.includes(column.name) && holdsNumbers(column));
  return hasKey && versionColumn(table) !== undefined;
}

function versionColumn({ columns, primaryKey }: TableSpec): Column | undefined {
  return columns.find((column) => !primaryKey.includes(column.name) && holdsNumbers(column));
}

function holdsNumbers({ type, lengthMax = Infinity }: Column): boolean {
  return (type !== "varchar" && type !== "varbinary") || lengthMax >= String(numbersMax).length;
}

/** The key of a number, as it stands in its rows. */
export function keyOfNumber({ columns, primaryKey }: TableSpec, number: number): WireRow {
  const own = columns.filter(({ name }) => primaryKey.includes(name));
  return Object.fromEntries(own.map((column) => [column.name, keyValue(column, number)]));
}

export function rowOfNumber(table: TableSpec, number: number, version: number): WireRow {
  const key = keyOfNumber(table, number);
  const versioned = versionColumn(table);
  const pairs = table.columns.map((column, ordinal): [string, WireValue] => {
    if (column.name in key) return [column.name, key[column.name]];
    if (column === versioned) return [column.name, numbered(column, version)];
    return [column.name, drawn(column, seededNumbers(number * 2_654_435_761 + version * 40_503 + ordinal * 97))];
  });
  return Object.fromEntries(pairs);
}

/** What rows are compared by: equal for equal rows, whatever the order of their columns. */
export function rowText(row: WireRow): string {
  return JSON.stringify(Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1)));
}

export function encodeRow(row: object): WireRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, encodeValue(value)]));
}

function encodeValue(value: unknown): WireValue {
  if (typeof value === "bigint") return { b: String(value) };
  if (value instanceof Uint8Array) return { x: Buffer.from(value).toString("hex") };
  return value as string | number | null;
}

export function decodeRow(row: WireRow): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, decodeValue(value)]));
}

function decodeValue(value: WireValue): unknown {
  if (value === null || typeof value !== "object") return value;
  return "b" in value ? BigInt(value.b) : new Uint8Array(Buffer.from(value.x, "hex"));
}

function keyValue(column: Column, number: number): WireValue {
  if (holdsNumbers(column)) return numbered(column, number);
  return texted(column, "k".repeat(Math.min(1, column.lengthMax ?? 1)));
}

function numbered(column: Column, number: number): WireValue {
  if (column.type === "varchar" || column.type === "varbinary") return texted(column, String(number));
  return column.type === "bigint" ? { b: String(number) } : number;
}

function texted({ type }: Column, text: string): WireValue {
  return type === "varchar" ? text : { x: Buffer.from(text).toString("hex") };
}

function drawn({ type, lengthMax = textMax, nullable }: Column, next: () => number): WireValue {
  if (nullable && next() < 0.125) return null;
  const word = () => Math.floor(next() * 2 ** 32);
  if (type === "bigint") return { b: String(BigInt.asIntN(64, (BigInt(word()) << 32n) | BigInt(word()))) };
  if (type === "int") return word() | 0;
  if (type === "double") return word() / 1024;
  const length = Math.floor(next() * (Math.min(lengthMax, textMax) + 1));
  const letters = Array.from({ length }, () => 97 + (word() % 26));
  return type === "varchar" ? String.fromCharCode(...letters) : { x: Buffer.from(letters).toString("hex") };
}
