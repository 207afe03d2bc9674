/**
 * The table that an HTTP surface serves: which table of a contract it is, and what it must look like.
 *
 * A key of one varbinary column, a varbinary that holds the value, and two columns that the store keeps: the version,
 * which ETags are made of, and the time of expiry.
 */
import type { Column, TableSpec } from "./contract.ts";

interface ColumnLike {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

interface TableLike {
  readonly columns: readonly ColumnLike[];
  readonly primaryKey: readonly string[];
  readonly indexes?: readonly unknown[] | undefined;
}

export const keyValueShape =
  "a key-value table: columns key and value (varbinary), version (bigint) and expires_ms (bigint, nullable), " +
  "primary key the first, no indexes";

export function isKeyValueTable({ columns, primaryKey, indexes }: TableLike): boolean {
  if (columns.length !== 4 || primaryKey.length !== 1 || primaryKey[0] !== columns[0].name) return false;
  if (indexes !== undefined && indexes.length > 0) return false;
  const [key, value, version, expiry] = columns;
  const isBytes = (column: ColumnLike) => column.type === "varbinary" && !column.nullable;
  const isNumber = (column: ColumnLike, name: string) => column.type === "bigint" && column.name === name;
  return isBytes(key) && isBytes(value) && isNumber(version, "version") && !version.nullable &&
    isNumber(expiry, "expires_ms") && expiry.nullable;
}

/** The table that is served over HTTP: the first of its shape. */
export function keyValueTableOf(tables: readonly TableSpec[]): TableSpec | undefined {
  return tables.find(isKeyValueTable);
}

export function keyValueColumns(keyBytesMax: number, valueBytesMax: number): readonly Column[] {
  return [
    { name: "k", type: "varbinary", lengthMax: keyBytesMax, nullable: false },
    { name: "v", type: "varbinary", lengthMax: valueBytesMax, nullable: false },
    { name: "version", type: "bigint", nullable: false },
    { name: "expires_ms", type: "bigint", nullable: true },
  ];
}
