/**
 * RowLayout: how a row of a table becomes a key and a value.
 *
 * Key layout (memcmp order equals primary-key order):
 *
 *   | field                    | bytes                                                            |
 *   |--------------------------|------------------------------------------------------------------|
 *   | table id                 | 4, big-endian                                                    |
 *   | per key column: bigint   | 8, big-endian, sign bit flipped                                  |
 *   | int                      | 4, big-endian, sign bit flipped                                  |
 *   | double                   | 8, big-endian; sign bit flipped, or all bits where negative      |
 *   | varchar, varbinary       | bytes with 00 written as 00 FF, ended by 00 01                   |
 *
 * Value layout: the non-key columns in declared order, encoded as in a row of MySQL's binary protocol, so that a result
 * row of neighbouring columns is a copy:
 *
 *   | field                    | bytes                                                            |
 *   |--------------------------|------------------------------------------------------------------|
 *   | format                   | 1, value 1                                                       |
 *   | null bitmap              | ceil(n / 8), bit i set: the i-th non-key column is NULL          |
 *   | per column, not null     | bigint 8 LE, int 4 LE, double 8 LE, others length-encoded bytes  |
 *
 * Source: TiDB's tablecodec and CockroachDB's keyside/valueside encodings; MySQL's binary result set row.
 */
import type { ColumnValue, Table } from "../../architecture/catalog/table.ts";

export interface RowLayout {
  /** The key of a row. `values` are the primary key's columns in key order; fewer give a prefix for range scans. */
  encodeKey(table: Table, values: readonly ColumnValue[]): Uint8Array;
  /**
   * As `encodeKey`, into `target` at `offset`, for hot paths that must not allocate. Returns the end of the key, or -1
   * where it does not fit (bytes behind `offset` may then have changed).
   */
  writeKey(table: Table, values: readonly ColumnValue[], target: Uint8Array, offset: number): number;
  /** Bytes of every whole key of the table, or -1 where the length depends on the values. */
  keyBytes(table: Table): number;
  decodeKey(table: Table, key: Uint8Array): ColumnValue[];
  /** Where the first `columns` columns of a key end. Errors: CORRUPTION. */
  keyPrefixBytes(table: Table, key: Uint8Array, columns: number): number;
  /** The smallest key that is greater than every key with this prefix. */
  prefixEnd(prefix: Uint8Array): Uint8Array;
  /** `row` has one value per column of the table. */
  encodeValue(table: Table, row: readonly ColumnValue[]): Uint8Array;
  /** As `encodeValue`, into `target` at `offset`; returns the end, or -1 where it does not fit. */
  writeValue(table: Table, row: readonly ColumnValue[], target: Uint8Array, offset: number): number;
  /** One value per column of the table. Errors: CORRUPTION. */
  decodeRow(table: Table, key: Uint8Array, value: Uint8Array): ColumnValue[];
  /**
   * The non-key columns of a row as `encodeValue` takes them, for rewriting it: text and bytes are views of `value`,
   * key columns are null. Errors: CORRUPTION.
   */
  viewRow(table: Table, value: Uint8Array): ColumnValue[];
  /**
   * Where the encoded bytes of a non-key column stand in a value, a length prefix included: from `start` to `end`,
   * exclusive; both 0 when it is NULL.
   * Writes into `span` and returns it, so that a hot path allocates nothing.
   */
  columnSpan(table: Table, ordinal: number, value: Uint8Array, span: { start: number; end: number }): {
    start: number;
    end: number;
  };
}
