/**
 * EngineCursor: walks a range as of one index, newest visible version per key, tombstones left out.
 *
 * Forwards, the first version of a key that is not too new decides, and the rest of the key is skipped.
 * Backwards the versions come oldest first, so all of a key are passed and the last one that is not too new
 * decides. An entry that expires is left out from its time on, even if the cursor was there before. The cursor
 * pins the version it began with and the memtables; close it.
 */
import { compareRanges } from "../../../../../../kit/compare.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import type { Cursor, ScanRange } from "../../../../engine.ts";
import type { Blackboard } from "./blackboard.ts";
import { expiryBytes, expiryOf } from "../../../../write-batch.ts";
import { type EntryIterator, kindDelete, kindPutExpiring, noBytes } from "./entry-iterator.ts";
import type { Memtable } from "./memtable.ts";
import { MergeWalk } from "./merge-walk.ts";
import { RangeMask } from "./range-mask.ts";
import type { RangeTombstones } from "./range-tombstones.ts";
import { sortedRuns } from "./sorted-runs.ts";
import type { Version } from "./version.ts";

export class EngineCursor implements Cursor {
  readonly #merge: MergeWalk;
  /** What range tombstones hide; undefined where the store has none. */
  readonly #mask: RangeMask | undefined;
  readonly #board: Blackboard;
  readonly #memtables: readonly Memtable[];
  readonly #version: Version;
  readonly #indexMax: number;
  readonly #reverse: boolean;
  readonly #start: Uint8Array | undefined;
  readonly #stop: Uint8Array | undefined;
  #key = new Uint8Array(64);
  #keyLength = 0;
  #valueBytes: Uint8Array = noBytes;
  #valueStart = 0;
  #valueEnd = 0;
  #copy = new Uint8Array(256);
  /** Whether the merge still stands on the key shown last. */
  #skipKey = false;
  #failure: unknown = undefined;
  #state: "new" | "walking" | "closed" = "new";

  constructor(board: Blackboard, range: ScanRange, indexMax: number) {
    this.#reverse = range.reverse === true;
    const { gte, lt } = range;
    // The caller may reuse its bytes.
    this.#start = (this.#reverse ? lt : gte)?.slice();
    this.#stop = (this.#reverse ? gte : lt)?.slice();
    this.#indexMax = indexMax;
    this.#version = board.versions.current.retain();
    this.#board = board;
    this.#memtables = board.pinMemtables();
    this.#mask = rangeMask(board, this.#memtables, this.#version, indexMax, this.#reverse, this.#start);
    this.#merge = new MergeWalk(sortedRuns(board.walks, this.#memtables, this.#version, gte, lt), this.#reverse);
    board.reads.scans++;
  }

  get key(): Uint8Array {
    return this.#key.subarray(0, this.#keyLength);
  }

  get value(): Uint8Array {
    return this.#valueBytes.subarray(this.#valueStart, this.#valueEnd);
  }

  /** Errors: CORRUPTION, IO_ERROR, CLOSED. */
  next(): boolean {
    if (this.#state === "closed") throw new LatheError("CLOSED", "the cursor is closed");
    // A walk that ran into a damaged block stays there: going on would leave entries out in silence.
    if (this.#failure !== undefined) throw this.#failure;
    let found: boolean;
    try {
      if (this.#state === "new") {
        this.#state = "walking";
        this.#merge.start(this.#start);
      }
      found = this.#reverse ? this.#previousEntry() : this.#nextEntry();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    if (found) this.#board.reads.scannedEntries++;
    return found;
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#merge.close();
    this.#board.unpin(this.#memtables);
    this.#version.release();
  }

  /**
   * Leaves the merge on the entry it shows, so that the block with the value stays pinned until the next call.
   */
  #nextEntry(): boolean {
    const merge = this.#merge;
    for (;;) {
      if (this.#skipKey) while (merge.top !== undefined && this.#isSameKey(merge.top)) merge.step();
      this.#skipKey = false;
      const entry = merge.top;
      if (entry === undefined || this.#isPastStop(entry)) return false;
      if (entry.index > this.#indexMax) {
        merge.step();
        continue;
      }
      this.#takeKey(entry);
      this.#skipKey = true;
      if (entry.kind === kindDelete || this.#isHidden(entry)) continue;
      this.#valueBytes = entry.valueBytes;
      this.#valueStart = entry.valueStart;
      this.#valueEnd = entry.valueEnd;
      if (entry.kind !== kindPutExpiring || this.#takeLiveValue()) return true;
    }
  }

  #previousEntry(): boolean {
    const merge = this.#merge;
    for (;;) {
      let entry = merge.top;
      if (entry === undefined || this.#isPastStop(entry)) return false;
      this.#takeKey(entry);
      let kind = kindDelete;
      do {
        if (entry.index <= this.#indexMax) {
          kind = this.#isHidden(entry) ? kindDelete : entry.kind;
          if (kind !== kindDelete) this.#copyValue(entry);
        }
        merge.step();
        entry = merge.top;
      } while (entry !== undefined && this.#isSameKey(entry));
      if (kind === kindDelete) continue;
      if (kind !== kindPutExpiring || this.#takeLiveValue()) return true;
    }
  }

  #isHidden({ keyBytes, keyStart, keyEnd, index }: EntryIterator): boolean {
    return this.#mask !== undefined && this.#mask.hides(keyBytes, keyStart, keyEnd, index);
  }

  /** Whether the put that expires is still there; then its time is taken off its value. */
  #takeLiveValue(): boolean {
    if (this.#board.expiry.isPast(expiryOf(this.#valueBytes, this.#valueStart))) {
      this.#board.reads.expiredEntries++;
      return false;
    }
    this.#valueStart += expiryBytes;
    return true;
  }

  #isPastStop(entry: EntryIterator): boolean {
    const stop = this.#stop;
    if (stop === undefined) return false;
    const order = compareRanges(entry.keyBytes, entry.keyStart, entry.keyEnd, stop, 0, stop.length);
    return this.#reverse ? order < 0 : order >= 0;
  }

  #isSameKey(entry: EntryIterator): boolean {
    return compareRanges(entry.keyBytes, entry.keyStart, entry.keyEnd, this.#key, 0, this.#keyLength) === 0;
  }

  #takeKey(entry: EntryIterator): void {
    const length = entry.keyEnd - entry.keyStart;
    if (length > this.#key.length) this.#key = new Uint8Array(length * 2);
    for (let i = 0; i < length; i++) this.#key[i] = entry.keyBytes[entry.keyStart + i];
    this.#keyLength = length;
  }

  /**
   * Backwards the merge is past the entry, and perhaps out of its block, before the entry is known to be the
   * one.
   */
  #copyValue(entry: EntryIterator): void {
    const length = entry.valueEnd - entry.valueStart;
    if (length > this.#copy.length) this.#copy = new Uint8Array(length * 2);
    const { valueBytes, valueStart } = entry;
    if (length > 64) this.#copy.set(valueBytes.subarray(valueStart, entry.valueEnd));
    else for (let i = 0; i < length; i++) this.#copy[i] = valueBytes[valueStart + i];
    this.#valueBytes = this.#copy;
    this.#valueStart = 0;
    this.#valueEnd = length;
  }
}

function rangeMask(
  board: Blackboard,
  memtables: readonly Memtable[],
  version: Version,
  indexMax: number,
  reverse: boolean,
  start: Uint8Array | undefined,
): RangeMask | undefined {
  if (!board.hasRangeTombstones) return undefined;
  const lists: RangeTombstones[] = memtables.map(({ ranges }) => ranges.fragments());
  lists.push(version.rangeTombstones);
  const filled = lists.filter((list) => list.count > 0);
  return filled.length === 0 ? undefined : new RangeMask(filled, indexMax, reverse, start);
}
