/**
 * A table's definition as bytes: JSON, because it is small, rarely read and worth being legible in a dump.
 *
 *   { "format": 1, "columns": [{ "name", "type", "lengthMax"?, "nullable" }], "primaryKey": [ordinal, …] }
 *   { "format": 2, …, "indexes": [{ "id", "name", "columns": [ordinal, …] }] }
 *
 * Format 2 is written where a table has indexes, and only then; a product without the leaf for them refuses it, because
 * writing rows without their entries would make the indexes wrong.
 * Keys are written in this order always, so that replicas store equal bytes. Everything is checked when it is read.
 */
import { LatheError } from "../../../../kit/errors.ts";
import type { SecondaryIndexes } from "../../../indexing/secondary-indexes.ts";
import type { Column, ColumnType, Table } from "../table.ts";

const formatPlain = 1;
const formatIndexed = 2;
const columnTypes: readonly ColumnType[] = ["bigint", "int", "double", "varchar", "varbinary"];
const columnsMax = 4096;

export function encodeDefinition(table: Table, indexes?: SecondaryIndexes): Uint8Array {
  const columns = table.columns.map(({ name, type, lengthMax, nullable }) => ({ name, type, lengthMax, nullable }));
  const plain = { format: formatPlain, columns, primaryKey: table.primaryKey };
  const indexed = table.indexes !== undefined && table.indexes.length > 0;
  const definition = indexed ? { ...plain, format: formatIndexed, indexes: indexes?.definitionsOf(table) } : plain;
  return new TextEncoder().encode(JSON.stringify(definition));
}

/** Errors: CORRUPTION, FORMAT_UNKNOWN. */
export function decodeDefinition(
  id: number,
  name: string,
  bytes: Uint8Array,
  indexes?: SecondaryIndexes,
): Table {
  let read: { format?: unknown; columns?: unknown; primaryKey?: unknown; indexes?: unknown };
  try {
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as typeof read;
  } catch (cause) {
    throw corrupt(name, "it is not JSON", cause);
  }
  if (read === null || typeof read !== "object") throw corrupt(name, "it is no object");
  if (read.format === formatIndexed && indexes === undefined) {
    const wayOut = "open it with a product that has the leaf indexing/equality/kv_secondary";
    throw new LatheError("FORMAT_UNKNOWN", `table ${name} has secondary indexes: ${wayOut}`);
  }
  if (read.format !== formatPlain && read.format !== formatIndexed) {
    throw new LatheError("FORMAT_UNKNOWN", `definition of table ${name}: format ${String(read.format)} is not known`);
  }
  if (!Array.isArray(read.columns) || read.columns.length === 0 || read.columns.length > columnsMax) {
    throw corrupt(name, "its columns are not a list");
  }
  const columns = (read.columns as unknown[]).map((column) => checkedColumn(name, column));
  const key = read.primaryKey;
  const valid =
    Array.isArray(key) &&
    key.length > 0 &&
    new Set(key).size === key.length &&
    key.every((ordinal) => Number.isInteger(ordinal) && ordinal >= 0 && ordinal < columns.length);
  if (!valid) throw corrupt(name, "its primary key is not a list of its columns");
  const table: Table = { id, name, columns, primaryKey: key as number[] };
  if (read.format === formatPlain || indexes === undefined) return table;
  return { ...table, indexes: indexes.indexesOf(table, read.indexes) };
}

function checkedColumn(table: string, column: unknown): Column {
  const { name, type, lengthMax, nullable } = (column ?? {}) as Partial<Column>;
  const valid =
    typeof name === "string" &&
    columnTypes.includes(type as ColumnType) &&
    typeof nullable === "boolean" &&
    (lengthMax === undefined || (Number.isSafeInteger(lengthMax) && lengthMax >= 0));
  if (!valid) throw corrupt(table, "a column is not valid");
  return { name, type: type as ColumnType, lengthMax, nullable };
}

function corrupt(name: string, why: string, cause?: unknown): LatheError {
  return new LatheError("CORRUPTION", `definition of table ${name}: ${why}`, { cause });
}
