/**
 * rowToKv: the RowLayout that makes one key-value pair of a row.
 *
 * Purpose: rows of all tables live in one ordered engine; a primary key is found by one lookup, and a prefix of it by
 * one range. Stateless: what depends on the table is worked out once per table (see `table-layout.ts`).
 * Byte layout: `storage/layout/row-layout.ts`.
 */
import { LatheError } from "../../../../kit/errors.ts";
import type { ColumnValue, Table } from "../../../architecture/catalog/table.ts";
import type { RowLayout } from "../row-layout.ts";
import { keyPrefixBytes, readKey, writeKey } from "./key-encoding.ts";
import { tableLayout } from "./table-layout.ts";
import { findColumn, readValue, writeValue } from "./value-encoding.ts";

const encodedBytesMax = 64 * 1024 * 1024;
let scratch = new Uint8Array(4096);

/** Runs a writer against the scratch bytes, with more room as long as it does not fit; returns a copy. */
function encodeGrowing(write: (target: Uint8Array) => number): Uint8Array {
  for (;;) {
    const end = write(scratch);
    if (end >= 0) {
      const encoded = scratch.slice(0, end);
      // One huge row must not hold its memory for good.
      if (scratch.length > 1024 * 1024) scratch = new Uint8Array(4096);
      return encoded;
    }
    if (scratch.length >= encodedBytesMax) {
      throw new LatheError("LIMIT_EXCEEDED", "a row is larger than 64 MiB");
    }
    scratch = new Uint8Array(scratch.length * 4);
  }
}

export const rowToKv: RowLayout = {
  encodeKey: (table, values) => encodeGrowing((target) => writeKey(tableLayout(table), values, target, 0)),

  writeKey: (table, values, target, offset) => writeKey(tableLayout(table), values, target, offset),

  keyBytes: (table) => tableLayout(table).keyBytes,

  decodeKey: (table, key) => readKey(tableLayout(table), key),

  keyPrefixBytes: (table, key, columns) => keyPrefixBytes(tableLayout(table), key, columns),

  prefixEnd(prefix: Uint8Array): Uint8Array {
    let last = prefix.length - 1;
    while (last >= 0 && prefix[last] === 0xff) last--;
    if (last < 0) {
      throw new LatheError("INVALID_ARGUMENT", "no key is greater than every key with this prefix");
    }
    const end = prefix.slice(0, last + 1);
    end[last]++;
    return end;
  },

  encodeValue: (table, row) => encodeGrowing((target) => writeValue(tableLayout(table), row, target, 0)),

  writeValue: (table, row, target, offset) => writeValue(tableLayout(table), row, target, offset),

  decodeRow(table: Table, key: Uint8Array, value: Uint8Array): ColumnValue[] {
    const layout = tableLayout(table);
    const row = table.columns.map((): ColumnValue => null);
    const keyValues = readKey(layout, key);
    table.primaryKey.forEach((ordinal, i) => (row[ordinal] = keyValues[i]));
    readValue(layout, value, row, false);
    return row;
  },

  viewRow(table: Table, value: Uint8Array): ColumnValue[] {
    const row = table.columns.map((): ColumnValue => null);
    readValue(tableLayout(table), value, row, true);
    return row;
  },

  columnSpan: (table, ordinal, value, span) => findColumn(tableLayout(table), ordinal, value, span),
};
