/**
 * RecordStore: the entries in memory, with the versions that views need. Nothing here knows of disks.
 *
 *   1. A key's newest version is found by the hash index and, at the same key, by the ordered one. Older versions hang
 *   on it while a view may see them.
 *   2. A version that no view can see (its index is above the newest view's) is overwritten where it is, if the new one
 *      has the same size of cell, or freed. What a view can see is never touched: the new version takes its place in
 *      both indexes, and the old one waits in a queue, in the order in which versions were followed.
 *   3. Views are released, the oldest view moves on, and what no view can see any more is freed from the head of the
 *   queue, a bounded number at a time. A tombstone goes with the last version below it.
 *   4. What has expired is found by looking at some slots of the hash index with every batch, and by `sweep`.
 * Invariants: bytes that a view can see do not change; a chain's indexes descend; every key is in both indexes once.
 * Source: version chains of Hekaton (Diaconu et al. 2013); Redis' active expiry for the fourth.
 */
import { assert } from "../../../../kit/assert.ts";
import { hash32 } from "../../../../kit/hash.ts";
import type { ExpiryClock } from "../../expiry-clock.ts";
import {
  batchKindDelete, batchKindDeleteRange, batchKindPutExpiring, expiryOf, forEachOperation,
} from "../../write-batch.ts";
import { HashIndex, slotsTakenOver } from "./hash-table.ts";
import { OrderedIndex } from "./key-tree.ts";
import { RecordHeap, weightFor } from "./record-heap.ts";
import { SlabArena } from "./slab-arena.ts";
import { nodeNext } from "./tree-node.ts";
import { ViewList } from "./view-list.ts";

/** Looked at for expired entries with every batch. */
const sweptPerBatch = 8;
/** Old versions freed with every batch at least, and at a release. */
export const reclaimedAtOnce = 256;
/** Keys that a delete of a range collects before it deletes them. */
const collectedAtOnce = 256;
/** The most that a key's entries in the ordered index cost, with its share of nodes and separators. */
const orderBytesPerKey = 600;

/** Keys of which tombstones may be left, and the bytes of the keys. */
export interface Buried {
  readonly keys: number;
  readonly bytes: number;
}

export const nothingBuried: Buried = { keys: 0, bytes: 0 };

export class RecordStore {
  readonly heap: RecordHeap;
  readonly hashed: HashIndex;
  readonly ordered: OrderedIndex;
  readonly views = new ViewList();
  readonly expiry: ExpiryClock;
  readonly #seed: number;
  readonly #roomBytes: number;
  /** Versions that were followed, and by which index; the head is the oldest. */
  #followed: number[] = [];
  #followedAt: number[] = [];
  #head = 0;
  /** What live entries count against the limit. */
  liveBytes = 0;
  /** Live and buried keys with a time to live. */
  expiringCount = 0;
  expiredDropped = 0;
  #sweepAt = 0;

  /** `roomBytes` is for new entries; what the arena has beyond is for what must be taken whatever there is. */
  constructor(options: { arenaBytes: number; roomBytes?: number; seed: number; expiry: ExpiryClock }) {
    this.heap = new RecordHeap(new SlabArena(options.arenaBytes));
    this.#roomBytes = options.roomBytes ?? options.arenaBytes;
    this.hashed = new HashIndex(this.heap);
    this.ordered = new OrderedIndex(this.heap);
    this.expiry = options.expiry;
    this.#seed = options.seed;
  }

  /** Versions that wait until no view can see them. */
  get followedCount(): number {
    return this.#followed.length - this.#head;
  }

  /** The version of a key that is seen at an index, or 0. It may be a tombstone, or have expired. */
  find(key: Uint8Array, indexMax: number): number {
    const ref = this.hashed.find(this.hashOf(key, 0, key.length), key, 0, key.length);
    return indexMax === Infinity ? ref : this.versionAt(ref, indexMax);
  }

  versionAt(newest: number, indexMax: number): number {
    let ref = newest;
    while (ref !== 0 && this.heap.indexOf(ref) > indexMax) ref = this.heap.olderOf(ref);
    return ref;
  }

  /** Whether a version is an entry: neither a tombstone nor expired, by now or by the time that is given. */
  isLive(ref: number, timeMs?: number): boolean {
    const kind = this.heap.kindOf(ref);
    if (kind === batchKindDelete) return false;
    if (kind !== batchKindPutExpiring) return true;
    const expiresAtMs = this.expiresAt(ref);
    return timeMs === undefined ? !this.expiry.isPast(expiresAtMs) : expiresAtMs > timeMs;
  }

  /** Of a version with a time to live. */
  expiresAt(ref: number): number {
    return expiryOf(this.heap.sourceOf(ref), this.heap.keyStartOf(ref) + this.heap.keyLengthOf(ref));
  }

  /** Whether operations, and tombstones of keys that are there, are sure to fit into the arena. */
  canHold(bytes: number, operations: number, buried: Buried = nothingBuried): boolean {
    const { arena } = this.heap;
    const all = bytes + operations * orderBytesPerKey + buried.bytes;
    return arena.canHold(all, operations * 2 + buried.keys, arena.capacityBytes);
  }

  /** The same within the memory that new entries may take, of which the arena has more. */
  hasRoom(bytes: number, operations: number): boolean {
    const { arena, largeBytes } = this.heap;
    const withinBytes = this.#roomBytes - largeBytes;
    return arena.canHold(bytes + operations * orderBytesPerKey, operations * 2, withinBytes);
  }

  /** The keys in the ranges that a batch deletes, each of which may leave a tombstone for views. */
  buriedBy(encoded: Uint8Array): Buried {
    const { heap, ordered } = this;
    const { nodes } = ordered;
    const found = { keys: 0, bytes: 0 };
    forEachOperation(encoded, (kind, bytes, keyStart, keyEnd, valueEnd) => {
      if (kind !== batchKindDeleteRange) return;
      let leaf = ordered.leafOf(bytes, keyStart, keyEnd);
      let entry = nodes.rank(leaf, bytes, keyStart, keyEnd, false);
      for (; leaf !== 0; leaf = nodes.link(leaf, nodeNext), entry = 0) {
        const end = nodes.rank(leaf, bytes, keyEnd, valueEnd, false);
        for (; entry < end; entry++) {
          found.keys++;
          found.bytes += heap.keyLengthOf(nodes.refAt(leaf, entry));
        }
        if (end < nodes.countOf(leaf)) break;
      }
    });
    return found;
  }

  /** What the puts of a batch would count if all their keys were new. */
  static putWeight(encoded: Uint8Array): number {
    let weight = 0;
    forEachOperation(encoded, (kind, _bytes, keyStart, _keyEnd, valueEnd) => {
      if (kind !== batchKindDelete && kind !== batchKindDeleteRange) weight += weightFor(valueEnd - keyStart);
    });
    return weight;
  }

  apply(encoded: Uint8Array, index: number): void {
    forEachOperation(encoded, (kind, bytes, keyStart, keyEnd, valueEnd) => {
      if (kind === batchKindDelete) this.#delete(bytes, keyStart, keyEnd, index);
      else if (kind === batchKindDeleteRange) {
        this.#deleteRange(bytes.subarray(keyStart, keyEnd), bytes.subarray(keyEnd, valueEnd), index);
      } else this.put(kind, bytes, keyStart, keyEnd, valueEnd, index);
    });
    if (this.followedCount > 0) this.reclaim(reclaimedAtOnce);
    if (this.expiringCount > 0) this.sweep(sweptPerBatch);
  }

  put(kind: number, bytes: Uint8Array, keyStart: number, keyEnd: number, valueEnd: number, index: number): void {
    const { heap } = this;
    const hash = this.hashOf(bytes, keyStart, keyEnd);
    const ref = this.hashed.find(hash, bytes, keyStart, keyEnd);
    if (kind === batchKindPutExpiring) this.expiringCount++;
    if (ref === 0) {
      const made = heap.make(kind, bytes, keyStart, keyEnd, valueEnd, index, 0);
      this.liveBytes += heap.weightOf(made);
      this.hashed.insert(hash, made);
      this.ordered.insert(bytes, keyStart, keyEnd, made);
      return;
    }
    this.#uncount(ref);
    if (this.isSeen(ref)) {
      this.#follow(hash, ref, heap.make(kind, bytes, keyStart, keyEnd, valueEnd, index, ref), index);
    } else if (heap.overwrite(ref, kind, bytes, keyStart, keyEnd, valueEnd, index)) {
      this.liveBytes += heap.weightOf(ref);
    } else {
      const made = heap.make(kind, bytes, keyStart, keyEnd, valueEnd, index, heap.olderOf(ref));
      this.#takePlace(hash, ref, made);
      heap.free(ref);
    }
  }

  /** Whether a view may see this version. */
  isSeen(ref: number): boolean {
    return this.heap.indexOf(ref) <= this.views.newest;
  }

  /** Frees old versions that no view can see, so many at most; returns whether there are more of them. */
  reclaim(countMax: number): boolean {
    const { oldest } = this.views;
    const end = Math.min(this.#followed.length, this.#head + countMax);
    while (this.#head < end && this.#followedAt[this.#head] <= oldest) this.#unchain(this.#followed[this.#head++]);
    if (this.#head > 1024 && this.#head * 2 > this.#followed.length) {
      this.#followed = this.#followed.slice(this.#head);
      this.#followedAt = this.#followedAt.slice(this.#head);
      this.#head = 0;
    }
    return this.#head < this.#followed.length && this.#followedAt[this.#head] <= oldest;
  }

  /** Looks at so many slots for entries that have expired and that no view sees, and drops them. */
  sweep(slots: number): void {
    const { hashed, heap } = this;
    let looked = 0;
    // While entries move from one table to another, none has a place at which it could be met.
    for (; hashed.isGrowing && looked < slots; looked += slotsTakenOver) hashed.goOn();
    if (hashed.isGrowing) return;
    while (looked < slots) {
      const ref = hashed.recordIn(this.#sweepAt);
      const isDue =
        ref !== 0 && heap.kindOf(ref) === batchKindPutExpiring && !this.isSeen(ref) &&
        this.expiry.isPast(this.expiresAt(ref));
      // Where one was taken out, another may have moved to its slot.
      if (isDue && heap.olderOf(ref) === 0) {
        this.expiredDropped++;
        this.#uncount(ref);
        this.#remove(this.#hashOfRecord(ref), ref);
        continue;
      }
      this.#sweepAt = (this.#sweepAt + 1) % hashed.slotCount;
      looked++;
    }
  }

  /** By which the hash index finds a key. */
  hashOf(bytes: Uint8Array, start: number, end: number): number {
    return hash32(bytes, this.#seed, start, end) | 0;
  }

  #hashOfRecord(ref: number): number {
    const start = this.heap.keyStartOf(ref);
    return this.hashOf(this.heap.sourceOf(ref), start, start + this.heap.keyLengthOf(ref));
  }

  #delete(bytes: Uint8Array, keyStart: number, keyEnd: number, index: number): void {
    const hash = this.hashOf(bytes, keyStart, keyEnd);
    const ref = this.hashed.find(hash, bytes, keyStart, keyEnd);
    if (ref !== 0) this.#bury(hash, ref, index);
  }

  #bury(hash: number, ref: number, index: number): void {
    const { heap } = this;
    if (heap.kindOf(ref) === batchKindDelete && heap.olderOf(ref) !== 0) return;
    this.#uncount(ref);
    if (this.isSeen(ref)) {
      const start = heap.keyStartOf(ref);
      const end = start + heap.keyLengthOf(ref);
      this.#follow(hash, ref, heap.make(batchKindDelete, heap.sourceOf(ref), start, end, end, index, ref), index);
    } else if (heap.olderOf(ref) === 0) this.#remove(hash, ref);
    else heap.bury(ref, index);
  }

  #deleteRange(gte: Uint8Array, lt: Uint8Array, index: number): void {
    const found: number[] = [];
    for (let from: Uint8Array | undefined = gte; from !== undefined; ) {
      from = this.#collect(from, lt, found);
      for (const ref of found) this.#bury(this.#hashOfRecord(ref), ref, index);
      found.length = 0;
    }
  }

  /** The records of a range that are no tombstones, some at a time; returns where to go on, or undefined at the end. */
  #collect(gte: Uint8Array, lt: Uint8Array, found: number[]): Uint8Array | undefined {
    const { heap, ordered } = this;
    const { nodes } = ordered;
    let leaf = ordered.leafOf(gte, 0, gte.length);
    let entry = nodes.rank(leaf, gte, 0, gte.length, false);
    for (; leaf !== 0; leaf = nodes.link(leaf, 2), entry = 0) {
      const end = nodes.rank(leaf, lt, 0, lt.length, false);
      for (; entry < end; entry++) {
        const ref = nodes.refAt(leaf, entry);
        if (found.length === collectedAtOnce) {
          const start = heap.keyStartOf(ref);
          return heap.sourceOf(ref).slice(start, start + heap.keyLengthOf(ref));
        }
        if (heap.kindOf(ref) !== batchKindDelete) found.push(ref);
      }
      if (end < nodes.countOf(leaf)) return undefined;
    }
    return undefined;
  }

  /** `made` is the newest version from now on; views may see the one before. */
  #follow(hash: number, ref: number, made: number, index: number): void {
    this.#takePlace(hash, ref, made);
    this.#followed.push(ref);
    this.#followedAt.push(index);
  }

  #takePlace(hash: number, ref: number, made: number): void {
    const { heap } = this;
    const start = heap.keyStartOf(made);
    this.hashed.replace(hash, ref, made);
    this.ordered.replace(heap.sourceOf(made), start, start + heap.keyLengthOf(made), made);
    this.liveBytes += heap.weightOf(made);
  }

  #uncount(ref: number): void {
    this.liveBytes -= this.heap.weightOf(ref);
    if (this.heap.kindOf(ref) === batchKindPutExpiring) this.expiringCount--;
  }

  #remove(hash: number, ref: number): void {
    const { heap } = this;
    const start = heap.keyStartOf(ref);
    this.hashed.remove(hash, ref);
    this.ordered.remove(heap.sourceOf(ref), start, start + heap.keyLengthOf(ref));
    heap.free(ref);
  }

  /** Frees a version that nobody can see any more: the last one of its key's chain. */
  #unchain(old: number): void {
    const { heap } = this;
    const hash = this.#hashOfRecord(old);
    const start = heap.keyStartOf(old);
    const newest = this.hashed.find(hash, heap.sourceOf(old), start, start + heap.keyLengthOf(old));
    let ref = newest;
    while (ref !== 0 && heap.olderOf(ref) !== old) ref = heap.olderOf(ref);
    assert(ref !== 0 && heap.olderOf(old) === 0, "a version that was followed ends the chain of its key");
    heap.setOlder(ref, 0);
    heap.free(old);
    if (ref === newest && heap.kindOf(ref) === batchKindDelete) this.#remove(hash, ref);
  }
}
