/**
 * EntryWrites: what one command does to index entries, before it is committed.
 *
 * Algorithm: for each index of a changed row the entry's key is written once, behind the others in one arena: index id
 * and indexed columns by the row layout, then the end of the row's own key. A list of (start, end, kind) keeps the
 * order. An update writes the old and the new key; where they are equal, or no indexed column changed, neither is
 * kept.
 * Invariants: a row with a NULL among the indexed columns has no entry; nothing is allocated per entry.
 */
import { compareRanges, equalRanges } from "../../../../kit/compare.ts";
import { LatheError } from "../../../../kit/errors.ts";
import type { ColumnValue, Table, TableIndex } from "../../../architecture/catalog/table.ts";
import type { RowLayout } from "../../../storage/layout/row-layout.ts";
import type { WriteBatch } from "../../../storage/write-batch.ts";
import type { IndexWrites } from "../../secondary-indexes.ts";
import { entriesOf } from "./entry-table.ts";

const arenaBytesMin = 16 * 1024;
const arenaBytesMax = 256 * 1024 * 1024;
const operationsMin = 256;
/** Per operation: start, end, 1 for put or 0 for delete. */
const operationWords = 3;
const tableIdBytes = 4;
/** From so many operations on they are sorted: neighbours in the engine are then written one after another. */
const sortedMin = 16;
const noValue = new Uint8Array(0);

export class EntryWrites implements IndexWrites {
  readonly #layout: RowLayout;
  #arena = new Uint8Array(arenaBytesMin);
  #used = 0;
  #operations = new Int32Array(operationsMin * operationWords);
  #count = 0;
  readonly #values: ColumnValue[] = [];

  constructor(layout: RowLayout) {
    this.#layout = layout;
  }

  begin(): void {
    if (this.#arena.length > 64 * arenaBytesMin) this.#arena = new Uint8Array(arenaBytesMin);
    if (this.#operations.length > 64 * operationsMin * operationWords) {
      this.#operations = new Int32Array(operationsMin * operationWords);
    }
    this.#used = 0;
    this.#count = 0;
  }

  inserted(table: Table, rowKey: Uint8Array, row: readonly ColumnValue[]): number {
    let longest = 0;
    for (const index of table.indexes ?? []) {
      const end = this.#write(table, index, rowKey, row, this.#used);
      if (end < 0) continue;
      longest = Math.max(longest, end - this.#used);
      this.#keep(end, 1);
    }
    return longest;
  }

  updated(
    table: Table,
    rowKey: Uint8Array,
    before: readonly ColumnValue[],
    after: readonly ColumnValue[],
  ): number {
    let longest = 0;
    for (const index of table.indexes ?? []) {
      if (index.columns.every((ordinal) => before[ordinal] === after[ordinal])) continue;
      const start = this.#used;
      const oldEnd = this.#write(table, index, rowKey, this.#whole(table, index, rowKey, before), start);
      const newStart = oldEnd < 0 ? start : oldEnd;
      const newEnd = this.#write(table, index, rowKey, this.#whole(table, index, rowKey, after), newStart);
      const length = newEnd - newStart;
      if (oldEnd >= 0 && newEnd >= 0 && oldEnd - start === length) {
        if (equalRanges(this.#arena, start, this.#arena, newStart, length)) continue;
      }
      if (oldEnd >= 0) this.#keep(oldEnd, 0);
      if (newEnd < 0) continue;
      longest = Math.max(longest, length);
      this.#keep(newEnd, 1);
    }
    return longest;
  }

  deleted(table: Table, rowKey: Uint8Array, value: Uint8Array): void {
    if (table.indexes === undefined) return;
    const row = this.#layout.viewRow(table, value);
    for (const index of table.indexes) {
      const end = this.#write(table, index, rowKey, this.#whole(table, index, rowKey, row), this.#used);
      if (end >= 0) this.#keep(end, 0);
    }
  }

  filled(table: Table, index: TableIndex, rowKey: Uint8Array, value: Uint8Array): number {
    const row = this.#layout.viewRow(table, value);
    const end = this.#write(table, index, rowKey, this.#whole(table, index, rowKey, row), this.#used);
    if (end < 0) return 0;
    const length = end - this.#used;
    this.#keep(end, 1);
    return length;
  }

  addTo(batch: WriteBatch): void {
    const order = this.#sorted();
    for (let i = 0; i < order.length; i++) {
      const at = order[i] * operationWords;
      const key = this.#arena.subarray(this.#operations[at], this.#operations[at + 1]);
      if (this.#operations[at + 2] === 1) batch.put(key, noValue);
      else batch.delete(key);
    }
  }

  /** The operations by their keys; of two on one key the earlier one stays first. */
  #sorted(): Int32Array {
    const order = new Int32Array(this.#count);
    for (let i = 0; i < order.length; i++) order[i] = i;
    if (order.length < sortedMin) return order;
    const arena = this.#arena;
    const words = this.#operations;
    return order.sort((a, b) => {
      const one = a * operationWords;
      const other = b * operationWords;
      const byKey = compareRanges(arena, words[one], words[one + 1], arena, words[other], words[other + 1]);
      return byKey === 0 ? a - b : byKey;
    });
  }

  /** The row with its key columns, where the index needs any of them. */
  #whole(table: Table, index: TableIndex, rowKey: Uint8Array, row: readonly ColumnValue[]): readonly ColumnValue[] {
    if (!index.columns.some((ordinal) => table.primaryKey.includes(ordinal))) return row;
    const whole = [...row];
    const keyValues = this.#layout.decodeKey(table, rowKey);
    table.primaryKey.forEach((ordinal, i) => (whole[ordinal] = keyValues[i]));
    return whole;
  }

  /** Writes an entry's key at `start` of the arena; its end, or -1 where a column is NULL. */
  #write(table: Table, index: TableIndex, rowKey: Uint8Array, row: readonly ColumnValue[], start: number): number {
    const values = this.#values;
    values.length = index.columns.length;
    for (let i = 0; i < values.length; i++) {
      const value = row[index.columns[i]];
      if (value === null) return -1;
      values[i] = value;
    }
    const entries = entriesOf(table, index);
    for (;;) {
      const end = this.#layout.writeKey(entries, values, this.#arena, start);
      const wanted = end + rowKey.length - tableIdBytes;
      if (end >= 0 && wanted <= this.#arena.length) {
        for (let i = tableIdBytes, at = end; i < rowKey.length; i++, at++) this.#arena[at] = rowKey[i];
        return wanted;
      }
      this.#grow();
    }
  }

  #keep(end: number, kind: 0 | 1): void {
    const at = this.#count * operationWords;
    if (at === this.#operations.length) {
      const larger = new Int32Array(this.#operations.length * 2);
      larger.set(this.#operations);
      this.#operations = larger;
    }
    this.#operations[at] = this.#used;
    this.#operations[at + 1] = end;
    this.#operations[at + 2] = kind;
    this.#used = end;
    this.#count++;
  }

  #grow(): void {
    if (this.#arena.length >= arenaBytesMax) {
      throw new LatheError("LIMIT_EXCEEDED", "a command writes more than 256 MiB of index entries");
    }
    const larger = new Uint8Array(this.#arena.length * 2);
    larger.set(this.#arena);
    this.#arena = larger;
  }
}
