/**
 * The LRU row cache: when room is needed, what was not used for longest goes.
 *
 *   1. Key (padded to whole words) and value lie behind one another in a chain of 64-byte cells
 *   (`cell-arena.ts`). The chain's first cell carries the entry's fields: hash, lengths, neighbours in
 *   the recency list, next entry of the bucket.
 *   2. A hash table of buckets (a power of two, about one per two cells) heads the chains of entries.
 *   3. `get` finds the entry, puts it first in the recency list, and copies the value into a buffer of
 *   its own.
 *   4. `fill` makes room by dropping entries from the end of the list until enough cells are free.
 *   5. Staleness: writes are numbered. The number of the last write is kept per stripe of hashes; a
 *   fill whose ticket is older than its key's stripe is refused. A stripe stands for many keys, so a
 *   refusal may be needless but a stale fill cannot pass. Invariants:
 *   1. Cells in use belong to exactly one entry; each entry is in one bucket and once in the list.
 *   2. All memory is allocated at the start: cells, buckets and stripes together stay within
 *   `capacityBytes`. Source: memcached's LRU; the epoch rule is ours, after the leases of Nishtala et
 *   al. 2013 ("Scaling Memcache").
 */
import { hash32 } from "../../../../../kit/hash.ts";
import type { Metric } from "../../../../../kit/metric.ts";
import type { Cache } from "../../cache.ts";
import { CellArena, cellBytes, cellsFor, cellWords } from "./cell-arena.ts";

/** Words of an entry's first cell. */
const hashWord = 0;
const keyLengthWord = 1;
const valueLengthWord = 2;
const newerWord = 3;
const olderWord = 4;
const bucketWord = 5;

const stripeBytes = 8;
const stripesMax = 4096;
const bucketBytes = 4;
/** Entries above this share of the cache are not admitted: one of them would cost too many others. */
const entryShareMax = 1 / 8;
const valueBytesInitial = 4096;

export interface LruCacheOptions {
  /** Everything that the cache allocates, but for a buffer of the largest value. */
  capacityBytes: number;
}

export function createLruCache(options: LruCacheOptions): Cache {
  return new LruCache(options.capacityBytes);
}

class LruCache implements Cache {
  readonly capacityBytes: number;
  readonly #arena: CellArena;
  readonly #words: Int32Array;
  readonly #buckets: Int32Array;
  readonly #bucketMask: number;
  /** Number of the last write to a key of the stripe. */
  readonly #stripes: Float64Array;
  readonly #stripeMask: number;
  readonly #entryCellsMax: number;
  /** Where `get` puts values together; bytes and words of one buffer. */
  #value = new Uint8Array(valueBytesInitial);
  #valueWords = new Int32Array(this.#value.buffer);
  #newest = 0;
  #oldest = 0;
  #entries = 0;
  #writes = 0;
  #clearedAt = 0;
  #hits = 0;
  #misses = 0;
  #fills = 0;
  #staleFills = 0;
  #evictions = 0;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
    const stripes = powerOfTwoUpTo(Math.min(stripesMax, capacityBytes / 1024));
    const room = Math.max(0, capacityBytes - stripes * stripeBytes);
    const buckets = powerOfTwoUpTo(room / cellBytes / 2);
    // One cell more than can be used is allocated, as number 0 means none.
    const cells = Math.max(0, Math.floor((room - buckets * bucketBytes) / cellBytes) - 1);
    this.#arena = new CellArena(cells);
    this.#words = this.#arena.words;
    this.#buckets = new Int32Array(buckets);
    this.#bucketMask = buckets - 1;
    this.#stripes = new Float64Array(stripes);
    this.#stripeMask = stripes - 1;
    this.#entryCellsMax = Math.floor(cells * entryShareMax);
  }

  get sizeBytes(): number {
    if (this.#arena.cells === 0) return 0;
    const fixed = this.#buckets.length * bucketBytes + this.#stripes.length * stripeBytes + cellBytes;
    return fixed + this.#arena.usedCells * cellBytes;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const entry = this.#find(key, hash32(key) | 0);
    if (entry === 0) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#linkNewest(entry);
    }
    const length = this.#words[entry * cellWords + valueLengthWord];
    if (length > this.#value.length) this.#growValue(length);
    this.#arena.read(entry, padded(key.length), padded(length) >>> 2, this.#valueWords);
    return this.#value.subarray(0, length);
  }

  epoch(): number {
    return this.#writes;
  }

  fill(key: Uint8Array, value: Uint8Array, epoch: number): void {
    const hash = hash32(key) | 0;
    if (epoch < this.#clearedAt || epoch < this.#stripes[hash & this.#stripeMask]) {
      this.#staleFills++;
      return;
    }
    this.#fills++;
    this.#put(key, value, hash);
  }

  update(key: Uint8Array, value: Uint8Array): void {
    const hash = this.#noteWrite(key);
    if (this.#find(key, hash) !== 0) this.#put(key, value, hash);
  }

  invalidate(key: Uint8Array): void {
    const entry = this.#find(key, this.#noteWrite(key));
    if (entry !== 0) this.#remove(entry);
  }

  clear(): void {
    this.#clearedAt = ++this.#writes;
    this.#arena.clear();
    this.#buckets.fill(0);
    this.#newest = 0;
    this.#oldest = 0;
    this.#entries = 0;
  }

  metrics(): Metric[] {
    const counter = (name: string, help: string, value: number): Metric => ({ kind: "counter", name, help, value });
    const gauge = (name: string, help: string, value: number): Metric => ({ kind: "gauge", name, help, value });
    return [
      counter("row_cache_hits_total", "Reads answered by the row cache.", this.#hits),
      counter("row_cache_misses_total", "Reads that the row cache could not answer.", this.#misses),
      counter("row_cache_fills_total", "Values taken into the row cache.", this.#fills),
      counter("row_cache_stale_fills_total", "Values refused because a write came in between.", this.#staleFills),
      counter("row_cache_evictions_total", "Entries dropped to make room.", this.#evictions),
      gauge("row_cache_entries", "Entries in the row cache.", this.#entries),
      gauge("row_cache_bytes", "Memory in use by the row cache.", this.sizeBytes),
      gauge("row_cache_capacity_bytes", "Memory that the row cache may use.", this.capacityBytes),
    ];
  }

  /** Replaces or adds an entry, as the newest; drops what is there where the new value is too large. */
  #put(key: Uint8Array, value: Uint8Array, hash: number): void {
    const present = this.#find(key, hash);
    if (present !== 0) this.#remove(present);
    const cells = cellsFor(padded(key.length) + value.length);
    if (cells > this.#entryCellsMax) return;
    while (this.#arena.freeCells < cells) {
      this.#remove(this.#oldest);
      this.#evictions++;
    }
    const entry = this.#arena.allocate(cells);
    const at = entry * cellWords;
    const bucket = hash & this.#bucketMask;
    this.#words[at + hashWord] = hash;
    this.#words[at + keyLengthWord] = key.length;
    this.#words[at + valueLengthWord] = value.length;
    this.#words[at + bucketWord] = this.#buckets[bucket];
    this.#buckets[bucket] = entry;
    this.#arena.write(entry, 0, key);
    this.#arena.write(entry, padded(key.length), value);
    this.#linkNewest(entry);
    this.#entries++;
  }

  #find(key: Uint8Array, hash: number): number {
    const words = this.#words;
    // A cache too small for buckets has an empty table; reading it gives undefined, which is no entry.
    let entry = this.#buckets[hash & this.#bucketMask] ?? 0;
    while (entry !== 0) {
      const at = entry * cellWords;
      if (words[at + hashWord] === hash && words[at + keyLengthWord] === key.length) {
        if (this.#arena.startsWith(entry, key)) return entry;
      }
      entry = words[at + bucketWord];
    }
    return 0;
  }

  #remove(entry: number): void {
    const words = this.#words;
    const next = words[entry * cellWords + bucketWord];
    const bucket = words[entry * cellWords + hashWord] & this.#bucketMask;
    let before = this.#buckets[bucket];
    if (before === entry) this.#buckets[bucket] = next;
    else {
      while (words[before * cellWords + bucketWord] !== entry) before = words[before * cellWords + bucketWord];
      words[before * cellWords + bucketWord] = next;
    }
    this.#unlink(entry);
    this.#arena.release(entry);
    this.#entries--;
  }

  #growValue(length: number): void {
    this.#value = new Uint8Array(padded(2 * length));
    this.#valueWords = new Int32Array(this.#value.buffer);
  }

  #unlink(entry: number): void {
    const words = this.#words;
    const newer = words[entry * cellWords + newerWord];
    const older = words[entry * cellWords + olderWord];
    if (newer === 0) this.#newest = older;
    else words[newer * cellWords + olderWord] = older;
    if (older === 0) this.#oldest = newer;
    else words[older * cellWords + newerWord] = newer;
  }

  #linkNewest(entry: number): void {
    const words = this.#words;
    const older = this.#newest;
    words[entry * cellWords + newerWord] = 0;
    words[entry * cellWords + olderWord] = older;
    if (older === 0) this.#oldest = entry;
    else words[older * cellWords + newerWord] = entry;
    this.#newest = entry;
  }

  /** Numbers a write; returns the key's hash. */
  #noteWrite(key: Uint8Array): number {
    const hash = hash32(key) | 0;
    this.#stripes[hash & this.#stripeMask] = ++this.#writes;
    return hash;
  }
}

/** Values begin at a word, so that they can be copied by words. */
function padded(length: number): number {
  return (length + 3) & ~3;
}

/** The largest power of two up to `limit`; 0 where that is below 1. */
function powerOfTwoUpTo(limit: number): number {
  return limit < 1 ? 0 : 2 ** Math.floor(Math.log2(limit));
}
