/**
 * WriteSet: the writes of an open transaction, in key order: rows, and the index entries that follow from them.
 *
 * Structure: a sorted array, searched by halves; a transaction writes few rows, and readers walk ranges of them.
 * From the first mark on, what every write replaced is listed, so that the set can be brought back to a mark.
 * Invariants: one write per key; bytes never change, so cursors may hold them. `bytes` counts what is listed too.
 */
import { compareBytes } from "../../../../../kit/compare.ts";

export interface PendingWrite {
  readonly key: Uint8Array;
  /** Undefined: deleted. */
  readonly value: Uint8Array | undefined;
  /** The table of a row; -1 for an entry of an index, which is not part of the command. */
  readonly tableId: number;
}

/** What a write takes beside its bytes, roughly. */
const overheadBytes = 96;

export class WriteSet {
  #writes: PendingWrite[] = [];
  /** Undefined where nobody can go back. */
  #replaced: { readonly key: Uint8Array; readonly before: PendingWrite | undefined }[] | undefined;
  bytes = 0;

  get count(): number {
    return this.#writes.length;
  }

  /** Takes bytes that nobody changes afterwards. */
  put(key: Uint8Array, value: Uint8Array | undefined, tableId: number): void {
    const place = this.#lowerBound(key);
    const write = { key, value, tableId };
    this.bytes += sizeOf(write);
    const there = this.#writes[place];
    const before = there !== undefined && compareBytes(there.key, key) === 0 ? there : undefined;
    if (this.#replaced !== undefined) {
      this.#replaced.push({ key, before });
      this.bytes += overheadBytes;
    } else if (before !== undefined) {
      this.bytes -= sizeOf(before);
    }
    this.#writes.splice(place, before === undefined ? 0 : 1, write);
  }

  /** A place to go back to. */
  mark(): number {
    this.#replaced ??= [];
    return this.#replaced.length;
  }

  /** As it was at a mark. Marks behind it must not be used again. */
  undoTo(mark: number): void {
    const replaced = this.#replaced ?? [];
    while (replaced.length > mark) {
      const { key, before } = replaced.pop() as { key: Uint8Array; before: PendingWrite | undefined };
      const place = this.#lowerBound(key);
      this.bytes -= sizeOf(this.#writes[place]) + overheadBytes;
      this.#writes.splice(place, 1, ...(before === undefined ? [] : [before]));
    }
  }

  /** Nobody goes back any more. */
  forgetMarks(): void {
    for (const { before } of this.#replaced ?? []) {
      this.bytes -= overheadBytes + (before === undefined ? 0 : sizeOf(before));
    }
    this.#replaced = undefined;
  }

  find(key: Uint8Array): PendingWrite | undefined {
    const there = this.#writes[this.#lowerBound(key)];
    return there !== undefined && compareBytes(there.key, key) === 0 ? there : undefined;
  }

  /** Those from `gte` up to, not including, `lt`; a copy of the list. */
  between(gte: Uint8Array | undefined, lt: Uint8Array | undefined): PendingWrite[] {
    if (this.#writes.length === 0) return [];
    const start = gte === undefined ? 0 : this.#lowerBound(gte);
    return this.#writes.slice(start, lt === undefined ? undefined : Math.max(start, this.#lowerBound(lt)));
  }

  /** Rows by table, in key order. */
  byTable(): Map<number, PendingWrite[]> {
    const tables = new Map<number, PendingWrite[]>();
    for (const write of this.#writes) {
      if (write.tableId < 0) continue;
      const rows = tables.get(write.tableId);
      if (rows === undefined) tables.set(write.tableId, [write]);
      else rows.push(write);
    }
    return tables;
  }

  #lowerBound(key: Uint8Array): number {
    let low = 0;
    let high = this.#writes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#writes[middle].key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function sizeOf({ key, value }: PendingWrite): number {
  return key.length + (value?.length ?? 0) + overheadBytes;
}
