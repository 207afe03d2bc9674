/**
 * EntryTable: the entries of a cache in memory of a fixed size, found by key. Policies add the order in which
 * entries go (`recency-list.ts`).
 *
 *   1. Key (padded to whole words), time of expiry where there is one, and value lie behind one another in a
 *   chain of 64-byte cells (`cell-arena.ts`). An entry is named by the number of its first cell.
 *   2. A hash table of buckets (a power of two, about one per two cells) heads chains of entries.
 *   3. The hash is seeded: who does not know the seed cannot aim keys at one bucket.
 *   4. `value` copies the value together into a buffer that the next call may overwrite.
 *
 * | word of the first cell | field |
 * |-----------------------:|-------|
 * | 0 | hash of the key |
 * | 1 | bits 0 to 19: length of the key; 20, 21: the policy's segment; 22: it expires; 23 to 31: the policy's stamp |
 * | 2 | length of the value |
 * | 3 | next newer entry of the policy's list |
 * | 4 | next older entry |
 * | 5 | next entry of the bucket |
 *
 * Invariants: cells in use belong to exactly one entry, each entry is in one bucket; all memory is allocated
 * at the start and stays, with `reservedBytes` for the owner, within `capacityBytes`.
 * Source: memcached's item header and hash table.
 */
import { assert } from "../../../kit/assert.ts";
import { hash32 } from "../../../kit/hash.ts";
import { CellArena, cellBytes, cellsFor, cellWords } from "./cell-arena.ts";
import { powerOfTwoUpTo } from "./write-epochs.ts";

const hashWord = 0;
const metaWord = 1;
const valueLengthWord = 2;
export const newerWord = 3;
export const olderWord = 4;
const bucketWord = 5;

const keyLengthMask = 0xf_ffff;
const segmentShift = 20;
const segmentMask = 3 << segmentShift;
const expiresBit = 1 << 22;
const stampShift = 23;
/** Stamps are counted up to here, and then from 0 again. */
export const stampMask = 0x1ff;
const placeMask = segmentMask | (stampMask << stampShift);

const bucketBytes = 4;
const expiryBytes = 8;
const valueBytesInitial = 4096;
/** Entries above this share of the cells are not admitted: one of them would cost too many others. */
const entryShareMax = 1 / 8;

export class EntryTable {
  readonly words: Int32Array;
  readonly cells: number;
  /** Cells that one entry may take. */
  readonly entryCellsMax: number;
  entries = 0;
  readonly #arena: CellArena;
  readonly #buckets: Int32Array;
  readonly #bucketMask: number;
  readonly #seed: number;
  /** Where values are put together; bytes and words of one buffer. */
  #value = new Uint8Array(valueBytesInitial);
  #valueWords = new Int32Array(this.#value.buffer);
  /** The beginning of `#value` that was given out last: values of one length need no new view. */
  #view = this.#value;
  readonly #expiry = new Float64Array(1);
  readonly #expiryAsBytes = new Uint8Array(this.#expiry.buffer);
  readonly #expiryAsWords = new Int32Array(this.#expiry.buffer);

  /** `bytes` for cells and buckets. */
  constructor(bytes: number, seed: number) {
    const room = Math.max(0, bytes);
    const buckets = powerOfTwoUpTo(room / cellBytes / 2);
    // One cell more than can be used is allocated, as number 0 means none.
    this.cells = Math.max(0, Math.floor((room - buckets * bucketBytes) / cellBytes) - 1);
    this.entryCellsMax = Math.floor(this.cells * entryShareMax);
    this.#arena = new CellArena(this.cells);
    this.words = this.#arena.words;
    this.#buckets = new Int32Array(buckets);
    this.#bucketMask = buckets - 1;
    this.#seed = seed;
  }

  /** Of buckets, the cell that is never used, and cells in use. */
  get sizeBytes(): number {
    return this.#buckets.length * bucketBytes + cellBytes + this.#arena.usedCells * cellBytes;
  }

  get usedCells(): number {
    return this.#arena.usedCells;
  }

  get freeCells(): number {
    return this.#arena.freeCells;
  }

  hash(key: Uint8Array): number {
    return hash32(key, this.#seed) | 0;
  }

  /** The entry of a key, or 0. */
  find(key: Uint8Array, hash: number): number {
    const words = this.words;
    // A cache too small for buckets has an empty table; reading it gives undefined, which is no entry.
    let entry = this.#buckets[hash & this.#bucketMask] ?? 0;
    while (entry !== 0) {
      const at = entry * cellWords;
      if (words[at + hashWord] === hash && (words[at + metaWord] & keyLengthMask) === key.length) {
        if (this.#arena.startsWith(entry, key)) return entry;
      }
      entry = words[at + bucketWord];
    }
    return 0;
  }

  /** Cells that an entry would take; Infinity for what no table takes. */
  cellsOf(key: Uint8Array, value: Uint8Array, expiresAtMs: number): number {
    if (key.length > keyLengthMask) return Number.POSITIVE_INFINITY;
    return cellsFor(padded(key.length) + (expiresAtMs < Infinity ? expiryBytes : 0) + value.length);
  }

  /** Adds an entry whose key is not there; its cells must be free. It is in no list and in segment 0. */
  insert(key: Uint8Array, value: Uint8Array, hash: number, expiresAtMs: number): number {
    const entry = this.#arena.allocate(this.cellsOf(key, value, expiresAtMs));
    const at = entry * cellWords;
    const bucket = hash & this.#bucketMask;
    this.words[at + hashWord] = hash;
    this.words[at + metaWord] = key.length;
    this.words[at + bucketWord] = this.#buckets[bucket];
    this.#buckets[bucket] = entry;
    this.#arena.write(entry, 0, key);
    this.#writeValue(entry, key.length, value, expiresAtMs);
    this.entries++;
    return entry;
  }

  /** Replaces value and expiry where they take as many cells as before; false where they do not. */
  overwrite(entry: number, key: Uint8Array, value: Uint8Array, expiresAtMs: number): boolean {
    if (this.cellsOf(key, value, expiresAtMs) !== this.cellsUsedBy(entry)) return false;
    this.#writeValue(entry, key.length, value, expiresAtMs);
    return true;
  }

  /** Takes an entry out of its bucket and frees its cells; returns how many. The owner has unlinked it. */
  remove(entry: number): number {
    const words = this.words;
    const next = words[entry * cellWords + bucketWord];
    const bucket = words[entry * cellWords + hashWord] & this.#bucketMask;
    let before = this.#buckets[bucket];
    if (before === entry) this.#buckets[bucket] = next;
    else {
      while (words[before * cellWords + bucketWord] !== entry) before = words[before * cellWords + bucketWord];
      words[before * cellWords + bucketWord] = next;
    }
    this.entries--;
    return this.#arena.release(entry);
  }

  clear(): void {
    this.#arena.clear();
    this.#buckets.fill(0);
    this.entries = 0;
  }

  /** A copy of the value, valid until the next call. */
  value(entry: number): Uint8Array {
    const at = entry * cellWords;
    const length = this.words[at + valueLengthWord];
    if (length > this.#value.length) this.#growValue(length);
    this.#arena.read(entry, valueOffset(this.words[at + metaWord]), padded(length) >>> 2, this.#valueWords);
    if (this.#view.length !== length) this.#view = this.#value.subarray(0, length);
    return this.#view;
  }

  isExpired(entry: number, nowMs: number): boolean {
    const meta = this.words[entry * cellWords + metaWord];
    if ((meta & expiresBit) === 0) return false;
    this.#arena.read(entry, padded(meta & keyLengthMask), 2, this.#expiryAsWords);
    return this.#expiry[0] <= nowMs;
  }

  hashOf(entry: number): number {
    return this.words[entry * cellWords + hashWord];
  }

  segmentOf(entry: number): number {
    return (this.words[entry * cellWords + metaWord] & segmentMask) >>> segmentShift;
  }

  stampOf(entry: number): number {
    return this.words[entry * cellWords + metaWord] >>> stampShift;
  }

  /** What the policy knows of an entry beside its links. */
  setPlace(entry: number, segment: number, stamp: number): void {
    const at = entry * cellWords + metaWord;
    const place = (segment << segmentShift) | ((stamp & stampMask) << stampShift);
    this.words[at] = (this.words[at] & ~placeMask) | place;
  }

  cellsUsedBy(entry: number): number {
    const at = entry * cellWords;
    return cellsFor(valueOffset(this.words[at + metaWord]) + this.words[at + valueLengthWord]);
  }

  #writeValue(entry: number, keyLength: number, value: Uint8Array, expiresAtMs: number): void {
    assert(!Number.isNaN(expiresAtMs), "an entry expires at a time or not at all");
    const at = entry * cellWords;
    const expires = expiresAtMs < Infinity;
    const meta = this.words[at + metaWord];
    this.words[at + metaWord] = expires ? meta | expiresBit : meta & ~expiresBit;
    this.words[at + valueLengthWord] = value.length;
    if (expires) {
      this.#expiry[0] = expiresAtMs;
      this.#arena.write(entry, padded(keyLength), this.#expiryAsBytes);
    }
    this.#arena.write(entry, padded(keyLength) + (expires ? expiryBytes : 0), value);
  }

  #growValue(length: number): void {
    this.#value = new Uint8Array(padded(2 * length));
    this.#valueWords = new Int32Array(this.#value.buffer);
    this.#view = this.#value;
  }
}

/** Where the value begins in the chain. */
function valueOffset(meta: number): number {
  return padded(meta & keyLengthMask) + ((meta & expiresBit) === 0 ? 0 : expiryBytes);
}

/** What follows begins at a word, so that it can be copied by words. */
function padded(length: number): number {
  return (length + 3) & ~3;
}
