/**
 * A table's definition as bytes: JSON, because it is small, rarely read and worth being legible in a dump.
 *
 *   { "format": 1, "columns": [{ "name", "type", "lengthMax"?, "nullable" }], "primaryKey": [ordinal, …] }
 *   { "format": 2, …, "indexes": [{ "id", "name", "columns": [ordinal, …] }] }
 *
 *   { "format": 3, "columns": [{ …, "fixed"?: true, "default"?: value }], …, "autoIncrement"?: ordinal, "indexes"?: … }
 *
 * A default is a JSON string, number or null, { "bigint": digits } or { "bytes": base64 }. Format 3 is written where a
 * column has a default or is CHAR, or the table counts by itself, and only then.
 * Format 2 is written where a table has indexes, and only then; a product without the leaf for them refuses it, because
 * writing rows without their entries would make the indexes wrong.
 * Keys are written in this order always, so that replicas store equal bytes. Everything is checked when it is read.
 */
import { LatheError } from "../../../../kit/errors.ts";
import type { SecondaryIndexes } from "../../../indexing/secondary-indexes.ts";
import type { Column, ColumnType, ColumnValue, Table } from "../table.ts";

const formatPlain = 1;
const formatIndexed = 2;
const formatDetailed = 3;
const columnTypes: readonly ColumnType[] = ["bigint", "int", "double", "varchar", "varbinary"];
const columnsMax = 4096;

export function encodeDefinition(table: Table, indexes?: SecondaryIndexes): Uint8Array {
  const { primaryKey, autoIncrement } = table;
  const columns = table.columns.map(({ name, type, lengthMax, nullable, fixed, defaultValue }) => {
    const stored = defaultValue === undefined ? undefined : storedDefault(defaultValue);
    return { name, type, lengthMax, nullable, fixed, default: stored };
  });
  const indexed = table.indexes !== undefined && table.indexes.length > 0;
  const detailed =
    autoIncrement !== undefined || table.columns.some((column) => column.fixed || column.defaultValue !== undefined);
  const definition = {
    format: detailed ? formatDetailed : indexed ? formatIndexed : formatPlain,
    columns,
    primaryKey,
    autoIncrement,
    indexes: indexed ? indexes?.definitionsOf(table) : undefined,
  };
  return new TextEncoder().encode(JSON.stringify(definition));
}

function storedDefault(value: ColumnValue): unknown {
  if (typeof value === "bigint") return { bigint: value.toString() };
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString("base64") } : value;
}

function readDefault(table: string, stored: unknown): ColumnValue {
  if (stored === null || typeof stored === "string" || typeof stored === "number") return stored;
  const { bigint, bytes } = stored as { bigint?: unknown; bytes?: unknown };
  if (typeof bigint === "string" && /^-?\d{1,19}$/.test(bigint)) return BigInt(bigint);
  if (typeof bytes === "string") return new Uint8Array(Buffer.from(bytes, "base64"));
  throw corrupt(table, "a default is not valid");
}

/** Errors: CORRUPTION, FORMAT_UNKNOWN. */
export function decodeDefinition(
  id: number,
  name: string,
  bytes: Uint8Array,
  indexes?: SecondaryIndexes,
): Table {
  let read: { format?: unknown; columns?: unknown; primaryKey?: unknown; indexes?: unknown; autoIncrement?: unknown };
  try {
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as typeof read;
  } catch (cause) {
    throw corrupt(name, "it is not JSON", cause);
  }
  if (read === null || typeof read !== "object") throw corrupt(name, "it is no object");
  const indexed = read.format === formatIndexed || (read.format === formatDetailed && read.indexes !== undefined);
  if (indexed && indexes === undefined) {
    const wayOut = "open it with a product that has the leaf indexing/equality/kv_secondary";
    throw new LatheError("FORMAT_UNKNOWN", `table ${name} has secondary indexes: ${wayOut}`);
  }
  if (read.format !== formatPlain && read.format !== formatIndexed && read.format !== formatDetailed) {
    throw new LatheError("FORMAT_UNKNOWN", `definition of table ${name}: format ${String(read.format)} is not known`);
  }
  if (!Array.isArray(read.columns) || read.columns.length === 0 || read.columns.length > columnsMax) {
    throw corrupt(name, "its columns are not a list");
  }
  const detailed = read.format === formatDetailed;
  const columns = (read.columns as unknown[]).map((column) => checkedColumn(name, column, detailed));
  const key = read.primaryKey;
  const valid =
    Array.isArray(key) &&
    key.length > 0 &&
    new Set(key).size === key.length &&
    key.every((ordinal) => Number.isInteger(ordinal) && ordinal >= 0 && ordinal < columns.length);
  if (!valid) throw corrupt(name, "its primary key is not a list of its columns");
  const plain: Table = { id, name, columns, primaryKey: key as number[] };
  const table = detailed ? withCounter(plain, read.autoIncrement) : plain;
  if (read.format === formatPlain || indexes === undefined) return table;
  if (detailed && read.indexes === undefined) return table;
  return { ...table, indexes: indexes.indexesOf(table, read.indexes) };
}

function withCounter(table: Table, ordinal: unknown): Table {
  if (ordinal === undefined) return table;
  const type = table.columns[ordinal as number]?.type;
  if (type !== "int" && type !== "bigint") throw corrupt(table.name, "its AUTO_INCREMENT column is not valid");
  return { ...table, autoIncrement: ordinal as number };
}

function checkedColumn(table: string, column: unknown, detailed: boolean): Column {
  const { name, type, lengthMax, nullable } = (column ?? {}) as Partial<Column>;
  const valid =
    typeof name === "string" &&
    columnTypes.includes(type as ColumnType) &&
    typeof nullable === "boolean" &&
    (lengthMax === undefined || (Number.isSafeInteger(lengthMax) && lengthMax >= 0));
  if (!valid) throw corrupt(table, "a column is not valid");
  const plain: Column = { name, type: type as ColumnType, lengthMax, nullable };
  if (!detailed) return plain;
  const { fixed, default: stored } = column as { fixed?: unknown; default?: unknown };
  if (fixed !== undefined && fixed !== true) throw corrupt(table, "a column is not valid");
  const sized: Column = fixed === true ? { ...plain, fixed } : plain;
  return stored === undefined ? sized : { ...sized, defaultValue: readDefault(table, stored) };
}

function corrupt(name: string, why: string, cause?: unknown): LatheError {
  return new LatheError("CORRUPTION", `definition of table ${name}: ${why}`, { cause });
}
