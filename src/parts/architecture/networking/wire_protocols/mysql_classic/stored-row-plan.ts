/**
 * How to cut the columns of a result out of a stored key and value, worked out once per shape.
 *
 * The value layout (see RowLayout) is that of a binary result row, so a result of all non-key
 * columns in declared order is the value without its header: `whole`. Key columns have fixed places
 * as long as only numbers precede them; behind a varchar they must be decoded: `keyOffset` -1.
 */
import type { ColumnType, Table } from "../../../catalog/table.ts";

export interface StoredRowPlan {
  readonly table: Table;
  readonly columns: readonly StoredColumn[];
  /** Bytes of a binary row's null bitmap, whose first two bits are unused. */
  readonly bitmapBytes: number;
  /** Bytes of a stored value before its first column: format and null bitmap. */
  readonly valueHeaderBytes: number;
  /** The columns are all columns of the value, in declared order. */
  readonly whole: boolean;
  /** Whether a key column must be decoded to be found. */
  readonly decodesKey: boolean;
}

export interface StoredColumn {
  readonly ordinal: number;
  readonly type: ColumnType;
  /** Position among the key's columns; -1 for a column of the value. */
  readonly keyPosition: number;
  /** Where the column begins in a key; -1 where that depends on the key. */
  readonly keyOffset: number;
}

const tableIdBytes = 4;
const fixedKeyBytes: { readonly [type in ColumnType]?: number } = { bigint: 8, int: 4, double: 8 };

export function planStoredRow(table: Table, ordinals: readonly number[]): StoredRowPlan {
  const keyOffsets: number[] = [];
  let offset = tableIdBytes;
  for (const ordinal of table.primaryKey) {
    keyOffsets.push(offset);
    const bytes = fixedKeyBytes[table.columns[ordinal].type];
    offset = offset === -1 || bytes === undefined ? -1 : offset + bytes;
  }
  const columns = ordinals.map((ordinal) => {
    const type = table.columns[ordinal].type;
    const keyPosition = table.primaryKey.indexOf(ordinal);
    const known = keyPosition !== -1 && fixedKeyBytes[type] !== undefined;
    return { ordinal, type, keyPosition, keyOffset: known ? keyOffsets[keyPosition] : -1 };
  });
  const all = table.columns.map((_, ordinal) => ordinal);
  const inValue = all.filter((ordinal) => !table.primaryKey.includes(ordinal));
  return {
    table,
    columns,
    bitmapBytes: (ordinals.length + 2 + 7) >> 3,
    valueHeaderBytes: 1 + ((inValue.length + 7) >> 3),
    whole: ordinals.length === inValue.length && ordinals.every((ordinal, at) => ordinal === inValue[at]),
    decodesKey: columns.some((column) => column.keyPosition !== -1 && column.keyOffset === -1),
  };
}
