/**
 * TableLayout: what the encodings need to know of a table, worked out once per table object.
 *
 * Tables are immutable values, so the result is kept in a WeakMap; the last table asked for is remembered besides,
 * because hot paths ask for the same one again and again.
 */
import { assert } from "../../../../kit/assert.ts";
import type { ColumnType, Table } from "../../../architecture/catalog/table.ts";

export const typeBigint = 0;
export const typeInt = 1;
export const typeDouble = 2;
export const typeVarchar = 3;
export const typeVarbinary = 4;

const typeCodes: Readonly<Record<ColumnType, number>> = {
  bigint: typeBigint,
  int: typeInt,
  double: typeDouble,
  varchar: typeVarchar,
  varbinary: typeVarbinary,
};

export interface TableLayout {
  readonly table: Table;
  /** Type codes of the key columns, in key order. */
  readonly keyTypes: readonly number[];
  /** Ordinals of the columns that are not in the key, in declared order, and their type codes. */
  readonly valueOrdinals: readonly number[];
  readonly valueTypes: readonly number[];
  /** Per column: its place among the non-key columns, or -1 for a key column. */
  readonly valuePlaces: readonly number[];
  readonly bitmapBytes: number;
  /** Bytes of a whole key, or -1 where a key column has a varying length. */
  readonly keyBytes: number;
}

const layouts = new WeakMap<Table, TableLayout>();
let last: TableLayout | undefined;

export function tableLayout(table: Table): TableLayout {
  if (last !== undefined && last.table === table) return last;
  let found = layouts.get(table);
  if (found === undefined) {
    found = describe(table);
    layouts.set(table, found);
  }
  last = found;
  return found;
}

function describe(table: Table): TableLayout {
  assert(table.primaryKey.length > 0, `table ${table.name} has no primary key`);
  assert(Number.isInteger(table.id) && table.id >= 0 && table.id < 0xffffffff, `table id ${table.id}`);
  const keyTypes = table.primaryKey.map((ordinal) => typeCodes[table.columns[ordinal].type]);
  const ordinals = table.columns.map((_, ordinal) => ordinal);
  const valueOrdinals = ordinals.filter((ordinal) => !table.primaryKey.includes(ordinal));
  const valuePlaces = table.columns.map((_, ordinal) => valueOrdinals.indexOf(ordinal));
  let keyBytes = 4;
  for (const type of keyTypes) {
    if (type === typeVarchar || type === typeVarbinary) keyBytes = -1;
    if (keyBytes >= 0) keyBytes += type === typeInt ? 4 : 8;
  }
  return {
    table,
    keyTypes,
    valueOrdinals,
    valueTypes: valueOrdinals.map((ordinal) => typeCodes[table.columns[ordinal].type]),
    valuePlaces,
    bitmapBytes: (valueOrdinals.length + 7) >>> 3,
    keyBytes,
  };
}
