/**
 * Overlay: the writes of one command before they are committed.
 *
 * Purpose: steps see the steps before them; a command that fails leaves nothing behind, because nothing was done.
 * Structure: keys and values lie one after another in one arena; an open-addressing hash table (linear probing, at most
 * half full) finds the entry of a key. No object per row: a bulk insert of thousands of rows makes none.
 * Use: `stageKey` (or `stageBytes`), then `find`, `put` or `remove` act on the staged key. `begin` starts over.
 * Invariant: one entry per key; `forEach` visits entries in the order in which their keys came first.
 */
import { assert } from "../../../../../kit/assert.ts";
import { compareBytes, compareRanges, equalRanges } from "../../../../../kit/compare.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";

const arenaBytesMin = 16 * 1024;
const arenaBytesMax = 256 * 1024 * 1024;
const slotsMin = 64;
/** Per entry: key start, key end, value start, value end (-1: deleted). */
const entryWords = 4;

export class Overlay {
  #arena = new Uint8Array(arenaBytesMin);
  #used = 0;
  #entries = new Int32Array(slotsMin * entryWords);
  #count = 0;
  /** Entry number + 1; 0 is empty. */
  #slots = new Int32Array(slotsMin);
  #stagedEnd = 0;
  #stagedHash = 0;

  get count(): number {
    return this.#count;
  }

  begin(): void {
    if (this.#arena.length > 64 * arenaBytesMin) this.#arena = new Uint8Array(arenaBytesMin);
    if (this.#slots.length > 16 * slotsMin) {
      this.#slots = new Int32Array(slotsMin);
      this.#entries = new Int32Array(slotsMin * entryWords);
    } else if (this.#count > 0) {
      this.#slots.fill(0);
    }
    this.#used = 0;
    this.#count = 0;
    this.#stagedEnd = 0;
  }

  /** Stages the key of a row; returns its length in bytes. */
  stageKey(layout: RowLayout, table: Table, values: readonly ColumnValue[]): number {
    let end = layout.writeKey(table, values, this.#arena, this.#used);
    while (end < 0) {
      this.#grow(this.#arena.length + 1);
      end = layout.writeKey(table, values, this.#arena, this.#used);
    }
    this.#stage(end);
    return end - this.#used;
  }

  stageBytes(key: Uint8Array): void {
    this.#grow(this.#used + key.length);
    this.#arena.set(key, this.#used);
    this.#stage(this.#used + key.length);
  }

  /** The staged key; a view that is valid until the overlay changes. */
  get stagedKey(): Uint8Array {
    return this.#arena.subarray(this.#used, this.#stagedEnd);
  }

  /** The entry of the staged key, or -1. */
  find(): number {
    const mask = this.#slots.length - 1;
    const length = this.#stagedEnd - this.#used;
    for (let slot = this.#stagedHash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] - 1;
      if (entry < 0) return -1;
      const start = this.#entries[entry * entryWords];
      if (this.#entries[entry * entryWords + 1] - start !== length) continue;
      let i = 0;
      while (i < length && this.#arena[start + i] === this.#arena[this.#used + i]) i++;
      if (i === length) return entry;
    }
  }

  isDeleted(entry: number): boolean {
    return this.#entries[entry * entryWords + 3] < 0;
  }

  /** A view, valid until the overlay changes. */
  keyOf(entry: number): Uint8Array {
    return this.#arena.subarray(this.#entries[entry * entryWords], this.#entries[entry * entryWords + 1]);
  }

  /** A view, valid until the overlay changes; undefined where the entry is a deletion. */
  valueOf(entry: number): Uint8Array | undefined {
    const end = this.#entries[entry * entryWords + 3];
    return end < 0 ? undefined : this.#arena.subarray(this.#entries[entry * entryWords + 2], end);
  }

  /** Puts a row under the staged key; returns the length of its value in bytes. */
  putRow(layout: RowLayout, table: Table, row: readonly ColumnValue[]): number {
    const end = this.#writeRow(layout, table, row);
    const start = this.#stagedEnd;
    this.#record(start, end);
    return end - start;
  }

  /** Puts bytes that are a row's value already under the staged key. */
  putBytes(value: Uint8Array): void {
    const start = this.#stagedEnd;
    this.#grow(start + value.length);
    this.#arena.set(value, start);
    this.#record(start, start + value.length);
  }

  /** As `putRow`, but leaves all as it was and returns -1 where the value equals `before`. */
  replaceRow(layout: RowLayout, table: Table, row: readonly ColumnValue[], before: Uint8Array): number {
    const end = this.#writeRow(layout, table, row);
    const start = this.#stagedEnd;
    if (end - start === before.length && equalRanges(this.#arena, start, before, 0, before.length)) return -1;
    this.#record(start, end);
    return end - start;
  }

  /** Marks the staged key as deleted. */
  remove(): void {
    this.#record(this.#stagedEnd, -1);
  }

  forEach(visit: (key: Uint8Array, value: Uint8Array | undefined) => void): void {
    for (let entry = 0; entry < this.#count; entry++) visit(this.keyOf(entry), this.valueOf(entry));
  }

  /** Entries whose key is at least `gte` and less than `lt`, in key order. */
  between(gte: Uint8Array, lt: Uint8Array): number[] {
    const found: number[] = [];
    for (let entry = 0; entry < this.#count; entry++) {
      const start = this.#entries[entry * entryWords];
      const end = this.#entries[entry * entryWords + 1];
      const above = compareRanges(this.#arena, start, end, gte, 0, gte.length) >= 0;
      if (above && compareRanges(this.#arena, start, end, lt, 0, lt.length) < 0) found.push(entry);
    }
    return found.length < 2 ? found : found.sort((a, b) => compareBytes(this.keyOf(a), this.keyOf(b)));
  }

  /** Writes a value behind the staged key without recording it; returns its end. */
  #writeRow(layout: RowLayout, table: Table, row: readonly ColumnValue[]): number {
    let end = layout.writeValue(table, row, this.#arena, this.#stagedEnd);
    while (end < 0) {
      this.#grow(this.#arena.length + 1);
      end = layout.writeValue(table, row, this.#arena, this.#stagedEnd);
    }
    return end;
  }

  #stage(end: number): void {
    let hash = 0x811c9dc5;
    for (let at = this.#used; at < end; at++) hash = Math.imul(hash ^ this.#arena[at], 0x01000193);
    this.#stagedHash = hash ^ (hash >>> 15);
    this.#stagedEnd = end;
  }

  #record(valueStart: number, valueEnd: number): void {
    assert(this.#stagedEnd > this.#used, "no key is staged");
    let entry = this.find();
    if (entry < 0) {
      if ((this.#count + 1) * 2 > this.#slots.length) this.#rehash();
      entry = this.#count++;
      this.#entries[entry * entryWords] = this.#used;
      this.#entries[entry * entryWords + 1] = this.#stagedEnd;
      this.#insertSlot(this.#stagedHash, entry);
    }
    this.#entries[entry * entryWords + 2] = valueStart;
    this.#entries[entry * entryWords + 3] = valueEnd;
    this.#used = Math.max(this.#stagedEnd, valueEnd);
    this.#stagedEnd = this.#used;
  }

  #insertSlot(hash: number, entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  #rehash(): void {
    const entries = new Int32Array(this.#entries.length * 2);
    entries.set(this.#entries);
    this.#entries = entries;
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let entry = 0; entry < this.#count; entry++) {
      let hash = 0x811c9dc5;
      const end = entries[entry * entryWords + 1];
      for (let at = entries[entry * entryWords]; at < end; at++) hash = Math.imul(hash ^ this.#arena[at], 0x01000193);
      this.#insertSlot(hash ^ (hash >>> 15), entry);
    }
  }

  #grow(needed: number): void {
    if (needed <= this.#arena.length) return;
    if (needed > arenaBytesMax) throw new LatheError("LIMIT_EXCEEDED", "a command writes more than 256 MiB");
    const larger = new Uint8Array(Math.max(needed, this.#arena.length * 2));
    larger.set(this.#arena);
    this.#arena = larger;
  }
}
