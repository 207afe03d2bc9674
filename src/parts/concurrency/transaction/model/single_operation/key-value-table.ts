/**
 * The table of a key-value store: which tables can be one, and how an item becomes a row and a row an item.
 *
 * Such a table has a primary key of one varbinary column and, beside it, a varbinary that holds the value, a bigint
 * `version` and a nullable bigint `expires_ms`; nothing else, and no secondary index (its entries would have to change
 * with the rows). Rows have the layout of every other table, so SQL reads and writes them too.
 */
import { writeBigU64LE } from "../../../../../kit/bytes.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { Column, ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";

export interface KeyValueTableSpec {
  readonly name: string;
  readonly keyColumn: string;
  readonly keyBytesMax: number;
  readonly valueColumn: string;
  readonly valueBytesMax: number;
}

export const versionColumn = "version";
export const expiryColumn = "expires_ms";

const keyOrdinal = 0;
const valueOrdinal = 1;
const versionOrdinal = 2;
const expiryOrdinal = 3;

export function tableOf(spec: KeyValueTableSpec): Table {
  const { name, keyColumn, keyBytesMax, valueColumn, valueBytesMax } = spec;
  return {
    id: 0,
    name,
    columns: [
      { name: keyColumn, type: "varbinary", lengthMax: keyBytesMax, nullable: false },
      { name: valueColumn, type: "varbinary", lengthMax: valueBytesMax, nullable: false },
      { name: versionColumn, type: "bigint", nullable: false },
      { name: expiryColumn, type: "bigint", nullable: true },
    ],
    primaryKey: [keyOrdinal],
  };
}

/** Why a table of the catalog cannot be the store's; undefined where it can. */
export function unfitness(table: Table | undefined, spec: KeyValueTableSpec): string | undefined {
  if (table === undefined) return `the table ${spec.name} is missing`;
  const wanted = tableOf(spec);
  const same = (column: Column, at: number) => {
    const other = wanted.columns[at];
    return column.name === other?.name && column.type === other.type && column.nullable === other.nullable;
  };
  const fits = table.columns.length === wanted.columns.length && table.columns.every(same) &&
    table.primaryKey.length === 1 && table.primaryKey[0] === keyOrdinal;
  if (!fits) return `the table ${spec.name} has other columns than a key-value table`;
  return table.indexes === undefined || table.indexes.length === 0
    ? undefined
    : `the table ${spec.name} has secondary indexes`;
}

/** What a row says beside its key. The value is a view of the row's bytes. */
export interface StoredItem {
  value: Uint8Array;
  version: bigint;
  expiresAtMs: number | undefined;
}

const span = { start: 0, end: 0 };

/** Errors: CORRUPTION. */
export function readItem(layout: RowLayout, table: Table, row: Uint8Array, item: StoredItem): void {
  const valueAt = layout.columnSpan(table, valueOrdinal, row, span);
  const first = row[valueAt.start];
  item.value = row.subarray(valueAt.start + (first < 251 ? 1 : first === 252 ? 3 : 4), valueAt.end);
  item.version = readVersion(layout, table, row);
  item.expiresAtMs = readExpiry(layout, table, row);
}

export function readVersion(layout: RowLayout, table: Table, row: Uint8Array): bigint {
  return int64At(row, layout.columnSpan(table, versionOrdinal, row, span).start);
}

export function readExpiry(layout: RowLayout, table: Table, row: Uint8Array): number | undefined {
  const { start, end } = layout.columnSpan(table, expiryOrdinal, row, span);
  return end === 0 ? undefined : Number(int64At(row, start));
}

/** In the bytes of the row. */
export function writeVersion(layout: RowLayout, table: Table, row: Uint8Array, version: bigint): void {
  writeBigU64LE(row, layout.columnSpan(table, versionOrdinal, row, span).start, BigInt.asUintN(64, version));
}

function int64At(bytes: Uint8Array, at: number): bigint {
  const low = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  const high = bytes[at + 4] | (bytes[at + 5] << 8) | (bytes[at + 6] << 16) | (bytes[at + 7] << 24);
  // Nearly all versions and times fit a double exactly, and one multiplication is cheaper than two big integers.
  if (high >= 0 && high < 0x20_0000) return BigInt(high * 0x1_0000_0000 + low);
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Rows being written, into scratch bytes that are used again. */
export class RowWriter {
  readonly #layout: RowLayout;
  readonly #row: ColumnValue[] = [null, null, 0n, null];
  readonly #keyValues: ColumnValue[] = [null];
  #scratch: Buffer = Buffer.allocUnsafeSlow(4096);

  constructor(layout: RowLayout) {
    this.#layout = layout;
  }

  /** A view that the next call writes over. */
  key(table: Table, key: Uint8Array): Uint8Array {
    this.#keyValues[0] = key;
    for (;;) {
      const end = this.#layout.writeKey(table, this.#keyValues, this.#scratch, 0);
      if (end >= 0) return this.#scratch.subarray(0, end);
      this.#grow();
    }
  }

  /** Key and value of a row, one after the other; calls `use` with both, as views. */
  row(
    table: Table,
    item: { readonly key: Uint8Array; readonly value: Uint8Array; readonly version: bigint; expiresAtMs?: number },
    use: (key: Uint8Array, value: Uint8Array) => void,
  ): void {
    this.#keyValues[0] = item.key;
    this.#row[keyOrdinal] = item.key;
    this.#row[valueOrdinal] = item.value;
    this.#row[versionOrdinal] = item.version;
    this.#row[expiryOrdinal] = item.expiresAtMs === undefined ? null : BigInt(item.expiresAtMs);
    for (;;) {
      const keyEnd = this.#layout.writeKey(table, this.#keyValues, this.#scratch, 0);
      const end = keyEnd < 0 ? -1 : this.#layout.writeValue(table, this.#row, this.#scratch, keyEnd);
      if (end >= 0) return use(this.#scratch.subarray(0, keyEnd), this.#scratch.subarray(keyEnd, end));
      this.#grow();
    }
  }

  #grow(): void {
    if (this.#scratch.length > 128 << 20) throw new LatheError("LIMIT_EXCEEDED", "a row is larger than 128 MiB");
    this.#scratch = Buffer.allocUnsafeSlow(this.#scratch.length * 4);
  }
}
