/**
 * The judge of secondary indexes: whether a store's entries are exactly those that its rows call for.
 */
import assert from "node:assert/strict";
import type { ColumnValue, Table } from "../../../architecture/catalog/table.ts";
import { kvSecondary } from "./kv-secondary.ts";
import type { Cursor, ScanRange } from "../../../storage/engine.ts";
import { rowToKv } from "../../../storage/layout/row_to_kv/row-to-kv.ts";

interface Scannable {
  scan(range: ScanRange): Cursor;
}

function keysUnder(engine: Scannable, table: Table): { key: Uint8Array; value: Uint8Array }[] {
  const prefix = rowToKv.encodeKey(table, []);
  const cursor = engine.scan({ gte: prefix, lt: rowToKv.prefixEnd(prefix) });
  const found: { key: Uint8Array; value: Uint8Array }[] = [];
  while (cursor.next()) found.push({ key: cursor.key.slice(), value: cursor.value.slice() });
  cursor.close();
  return found;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Throws where an entry is missing, left over, or not empty. Returns the number of entries. */
export function assertEntries(engine: Scannable, table: Table): number {
  const rows = keysUnder(engine, table).map(({ key, value }) => rowToKv.decodeRow(table, key, value));
  let entries = 0;
  for (const index of table.indexes ?? []) {
    const whole = kvSecondary.entriesOf(table, index);
    const valuesOf = (row: readonly ColumnValue[]) => whole.primaryKey.map((ordinal) => row[ordinal]);
    const expected = rows
      .filter((row) => index.columns.every((ordinal) => row[ordinal] !== null))
      .map((row) => hex(rowToKv.encodeKey(whole, valuesOf(row))))
      .sort();
    const found = keysUnder(engine, whole);
    assert.deepEqual(found.map(({ key }) => hex(key)), expected, `entries of ${table.name}.${index.name}`);
    assert.ok(found.every(({ value }) => value.length === 0));
    entries += found.length;
  }
  return entries;
}
