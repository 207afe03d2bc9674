/**
 * Memtable: the newest versions of keys, in memory, ordered, and found by hash.
 *
 * Structure: keys and values lie in one byte arena; a skiplist over an arena of 32-bit words orders the
 * keys; each key has one skiplist node and a chain of versions, newest first; an open-addressing table maps
 * the key's hash to its node.
 *   1. A read probes the hash table (one or two cache misses) and walks the chain to the wanted index.
 *   2. Overwriting a key prepends a version; only a new key descends the skiplist, from the place of the last
 *      insertion where it comes soon behind that.
 *   3. Both arenas are shared memory of fixed capacity. The pages of the rest of the arena are never touched
 *      and so not resident. Once frozen, a memtable is immutable and a flush job on another thread reads it
 *      in place.
 *
 * Words of a node (offset in words from the node):
 *
 *   | word  | field                                              |
 *   |-------|----------------------------------------------------|
 *   | 0     | key: offset in the byte arena                      |
 *   | 1     | key: length                                        |
 *   | 2     | key hash                                           |
 *   | 3     | newest version                                     |
 *   | 4     | node before this one (level 0), 0: the head        |
 *   | 5 + i | next node on level i, 0: none                      |
 *
 * Words of a version:
 *
 *   | word  | field                                              |
 *   |-------|----------------------------------------------------|
 *   | 0     | index, low 32 bits                                 |
 *   | 1     | index, high 21 bits                                |
 *   | 2     | kind                                               |
 *   | 3     | value: offset in the byte arena                    |
 *   | 4     | value: length                                      |
 *   | 5     | next older version, 0: none                        |
 *
 * Invariants: indexes in a chain descend; a batch is in one memtable as a whole; the hash table probes at most
 * `probesMax` slots, so that keys made to collide cost a descent, not a scan.
 * Source: Pugh 1990; LevelDB's memtable and arena; RocksDB's memtable_whole_key_filtering for the idea that
 * a read should not descend a skiplist in order to learn that the key is not there; the splice of Pebble's arenaskl
 * and RocksDB's InsertWithHint.
 */
import { assert } from "../../../../../../kit/assert.ts";
import { compareRanges, equalRanges } from "../../../../../../kit/compare.ts";
import type { MemtableArena } from "./memtable-arena.ts";
import { MemtableRanges } from "./memtable-ranges.ts";
import type { RangeSpan } from "./range-tombstones.ts";

const heightMax = 12;
export const headNode = 1;
export const nodeKeyStart = 0;
export const nodeKeyLength = 1;
const nodeHash = 2;
export const nodeVersion = 3;
export const nodeBefore = 4;
export const nodeNext = 5;
const versionWords = 6;
export const versionOlder = 5;
const firstFreeWord = headNode + nodeNext + heightMax;
const probesMax = 32;
/** A key is near the last one if it is found within so many levels: some 4⁶ nodes on. */
const nearLevelsMax = 6;
/** After so many misses in a row, so many insertions do not look near the last one. */
const nearMissesMax = 8;
const nearPause = 64;
const slotsInitial = 1024;
/** The words that one operation can need at most: a node of full height and a version. */
export const operationWordsMax = nodeNext + heightMax + versionWords;
/** The words that a memtable of so many operations can need at most. */
export const memtableWordsMax = (operations: number): number =>
  firstFreeWord + operations * operationWordsMax;

/** The shared, immutable form of a frozen memtable: what a flush job gets. */
export interface FrozenMemtable {
  readonly bytes: SharedArrayBuffer;
  readonly words: SharedArrayBuffer;
  readonly keyCount: number;
  readonly versionCount: number;
  /** Index of the last batch in it. */
  readonly lastIndex: number;
  readonly sizeBytes: number;
  /** The store's expiry time (ms) when it was frozen. */
  readonly timeMs: number;
  /** Its range tombstones, as they were added. */
  readonly ranges: readonly RangeSpan[];
}

export class Memtable {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly arena: MemtableArena;
  /** Cursors that walk the memtable; while there are any its arena is not used again. */
  pins = 0;
  /** Set when its table is in the current version. */
  isRetired = false;
  /** The store's expiry time (ms) when it was frozen. */
  timeMs = 0;
  readonly ranges = new MemtableRanges();
  #bytesUsed = 0;
  #wordsUsed = firstFreeWord;
  #height = 1;
  #slots = new Int32Array(slotsInitial);
  /** Nodes that found no slot within `probesMax`; while it is 0 a probe that fails is final. */
  #unhashed = 0;
  #keyCount = 0;
  #versionCount = 0;
  #lastIndex = 0;
  #randomState = 0x2545f491;
  #nearMisses = 0;
  #nearPause = 0;
  /** The path of the last descent: the node before the key on every level; after an insertion, to behind its node. */
  readonly #path = new Int32Array(heightMax);

  /** The arena may hold the remains of another memtable. */
  constructor(arena: MemtableArena) {
    this.arena = arena;
    this.bytes = new Uint8Array(arena.bytes);
    this.words = new Int32Array(arena.words);
    this.words.fill(0, 0, firstFreeWord);
  }

  get keyCount(): number {
    return this.#keyCount;
  }

  get versionCount(): number {
    return this.#versionCount;
  }

  /** Index of the last batch noted, 0 when there was none. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Memory in use: what was touched, not what was reserved. */
  get sizeBytes(): number {
    return this.#bytesUsed + this.#wordsUsed * 4 + this.#slots.byteLength + this.ranges.sizeBytes;
  }

  /** Whether `operations` operations with `bytes` bytes of keys and values are sure to fit. */
  fits(operations: number, bytes: number): boolean {
    return (
      this.#bytesUsed + bytes <= this.bytes.length &&
      this.#wordsUsed + operations * operationWordsMax <= this.words.length
    );
  }

  /** Notes that the batch of this index is in the memtable, even if it holds no operation. */
  noteIndex(index: number): void {
    this.#lastIndex = index;
  }

  /** Adds a version of a key. The caller has asked `fits`, and indexes do not descend. */
  add(
    source: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueEnd: number,
    kind: number,
    hash: number,
    index: number,
  ): void {
    const words = this.words;
    const keyLength = keyEnd - keyStart;
    let node = this.#findNode(source, keyStart, keyLength, hash);
    if (node === 0) node = this.#insertNode(source, keyStart, keyLength, hash);
    const version = this.#takeWords(versionWords);
    const valueAt = this.#copy(source, keyEnd, valueEnd);
    words[version] = index | 0;
    words[version + 1] = Math.floor(index / 4294967296);
    words[version + 2] = kind;
    words[version + 3] = valueAt;
    words[version + 4] = valueEnd - keyEnd;
    words[version + versionOlder] = words[node + nodeVersion];
    words[node + nodeVersion] = version;
    this.#versionCount++;
  }

  /**
   * The version of `key` to be read at `indexMax` (Infinity: the newest), or 0. Its fields: `kindOf`,
   * `valueStartOf`.
   */
  find(key: Uint8Array, hash: number, indexMax: number): number {
    const node = this.#findNode(key, 0, key.length, hash);
    if (node === 0) return 0;
    const words = this.words;
    let version = words[node + nodeVersion];
    if (indexMax >= this.#lastIndex) return version;
    while (version !== 0 && versionIndex(words, version) > indexMax) {
      version = words[version + versionOlder];
    }
    return version;
  }

  kindOf(version: number): number {
    return this.words[version + 2];
  }

  valueStartOf(version: number): number {
    return this.words[version + 3];
  }

  valueLengthOf(version: number): number {
    return this.words[version + 4];
  }

  freeze(): FrozenMemtable {
    return {
      bytes: this.arena.bytes,
      words: this.arena.words,
      keyCount: this.#keyCount,
      versionCount: this.#versionCount,
      lastIndex: this.#lastIndex,
      sizeBytes: this.sizeBytes,
      timeMs: this.timeMs,
      ranges: this.ranges.spans,
    };
  }

  #findNode(source: Uint8Array, keyStart: number, keyLength: number, hash: number): number {
    const slots = this.#slots;
    const words = this.words;
    const mask = slots.length - 1;
    for (let probe = 0; probe < probesMax; probe++) {
      const node = slots[(hash + probe) & mask];
      if (node === 0) return 0;
      if (
        words[node + nodeHash] === hash &&
        words[node + nodeKeyLength] === keyLength &&
        equalRanges(this.bytes, words[node + nodeKeyStart], source, keyStart, keyLength)
      ) {
        return node;
      }
    }
    if (this.#unhashed === 0) return 0;
    const node = firstNodeFrom(this.bytes, words, source, keyStart, keyStart + keyLength);
    if (node === 0 || words[node + nodeKeyLength] !== keyLength) return 0;
    const same = equalRanges(this.bytes, words[node + nodeKeyStart], source, keyStart, keyLength);
    return same ? node : 0;
  }

  #insertNode(source: Uint8Array, keyStart: number, keyLength: number, hash: number): number {
    if ((this.#keyCount + 1) * 2 > this.#slots.length) this.#growSlots();
    const words = this.words;
    const path = this.#path;
    if (!this.#descendNear(source, keyStart, keyStart + keyLength)) {
      this.#descend(source, keyStart, keyStart + keyLength, headNode, this.#height);
    }
    const height = this.#randomHeight();
    for (let level = this.#height; level < height; level++) path[level] = headNode;
    if (height > this.#height) this.#height = height;
    const node = this.#takeWords(nodeNext + height);
    words[node + nodeKeyLength] = keyLength;
    words[node + nodeKeyStart] = this.#copy(source, keyStart, keyStart + keyLength);
    words[node + nodeHash] = hash;
    words[node + nodeVersion] = 0;
    for (let level = 0; level < height; level++) {
      const before = path[level] + nodeNext + level;
      words[node + nodeNext + level] = words[before];
      words[before] = node;
    }
    words[node + nodeBefore] = path[0] === headNode ? 0 : path[0];
    // The path is now the one to whatever comes right behind this node.
    for (let level = 0; level < height; level++) path[level] = node;
    const after = words[node + nodeNext];
    // The head's own "before" word is the last node, so that a walk backwards starts without a search.
    words[(after === 0 ? headNode : after) + nodeBefore] = node;
    this.#keyCount++;
    this.#hashIn(this.#slots, node, hash);
    return node;
  }

  /**
   * Descends from where the last insertion ended, if the key comes not far behind it: bulk loads and batches whose keys
   * were sorted need a comparison or two instead of a whole descent. False where it is not near; `#path` is unchanged.
   * Where keys come in no order it soon costs one try in `nearPause` insertions.
   */
  #descendNear(source: Uint8Array, keyStart: number, keyEnd: number): boolean {
    if (this.#nearPause > 0) {
      this.#nearPause--;
      return false;
    }
    const path = this.#path;
    const levels = Math.min(this.#height, nearLevelsMax);
    if (this.#keyCount > 0 && this.#isBefore(path[0], source, keyStart, keyEnd)) {
      for (let level = 0; level < levels; level++) {
        const next = this.words[path[level] + nodeNext + level];
        if (next !== 0 && this.#isBefore(next, source, keyStart, keyEnd)) continue;
        // On this level, and so on all above it, the path is that of the key too.
        this.#descend(source, keyStart, keyEnd, path[level], level);
        this.#nearMisses = 0;
        return true;
      }
    }
    if (++this.#nearMisses > nearMissesMax) this.#nearPause = nearPause;
    return false;
  }

  #isBefore(node: number, source: Uint8Array, keyStart: number, keyEnd: number): boolean {
    if (node === headNode) return true;
    const start = this.words[node + nodeKeyStart];
    return compareRanges(this.bytes, start, start + this.words[node + nodeKeyLength], source, keyStart, keyEnd) < 0;
  }

  /** Leaves the last node before the key in `#path` on every level below `levels`; `from` is before the key. */
  #descend(source: Uint8Array, keyStart: number, keyEnd: number, from: number, levels: number): void {
    let node = from;
    for (let level = levels - 1; level >= 0; level--) {
      for (;;) {
        const next = this.words[node + nodeNext + level];
        if (next === 0 || !this.#isBefore(next, source, keyStart, keyEnd)) break;
        node = next;
      }
      this.#path[level] = node;
    }
  }

  #hashIn(slots: Int32Array, node: number, hash: number): void {
    const mask = slots.length - 1;
    for (let probe = 0; probe < probesMax; probe++) {
      const slot = (hash + probe) & mask;
      if (slots[slot] === 0) {
        slots[slot] = node;
        return;
      }
    }
    this.#unhashed++;
  }

  #growSlots(): void {
    const words = this.words;
    const larger = new Int32Array(this.#slots.length * 2);
    this.#unhashed = 0;
    let node = words[headNode + nodeNext];
    while (node !== 0) {
      this.#hashIn(larger, node, words[node + nodeHash]);
      node = words[node + nodeNext];
    }
    this.#slots = larger;
  }

  #randomHeight(): number {
    let state = this.#randomState;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#randomState = state;
    // A quarter of the nodes reaches the next level.
    const height = 1 + (Math.clz32((state >>> 0) | 0x100) >>> 1);
    return height < heightMax ? height : heightMax;
  }

  #takeWords(count: number): number {
    const at = this.#wordsUsed;
    this.#wordsUsed = at + count;
    assert(this.#wordsUsed <= this.words.length, "a memtable's words fit its arena");
    return at;
  }

  #copy(source: Uint8Array, start: number, end: number): number {
    const at = this.#bytesUsed;
    const length = end - start;
    assert(at + length <= this.bytes.length, "a memtable's bytes fit its arena");
    const bytes = this.bytes;
    if (length > 64) bytes.set(source.subarray(start, end), at);
    else for (let i = 0; i < length; i++) bytes[at + i] = source[start + i];
    this.#bytesUsed = at + length;
    return at;
  }
}

export function versionIndex(words: Int32Array, version: number): number {
  return words[version + 1] * 4294967296 + (words[version] >>> 0);
}

/** The first node with a key ≥ the given one, or 0. Works on a frozen memtable too, from any thread. */
export function firstNodeFrom(
  bytes: Uint8Array,
  words: Int32Array,
  source: Uint8Array,
  keyStart: number,
  keyEnd: number,
): number {
  let node = headNode;
  let next = 0;
  for (let level = heightMax - 1; level >= 0; level--) {
    for (;;) {
      next = words[node + nodeNext + level];
      if (next === 0) break;
      const start = words[next + nodeKeyStart];
      const end = start + words[next + nodeKeyLength];
      if (compareRanges(bytes, start, end, source, keyStart, keyEnd) >= 0) break;
      node = next;
    }
  }
  return next;
}
