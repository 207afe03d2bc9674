/**
 * Memtable: the newest versions of keys, in memory, ordered, and found by hash.
 *
 * Structure: encoded batches lie whole in one byte arena, each copied at once, and keys and values stay where they are
 * in them; a skiplist over an arena of 32-bit words orders the
 * keys; each key has one skiplist node and a chain of versions, newest first; an open-addressing table maps
 * the key's hash to its node.
 *   1. A read probes the hash table (one or two cache misses) and walks the chain to the wanted index.
 *   2. Overwriting a key prepends a version. A new key is noted in a list, and linked into the skiplist when somebody
 *      asks for the order (`order`: a scan): what was noted since is sorted (node-order.ts) and linked in ascending
 *      order, each from where the one before stands. So writes that nobody scans cost no descent; a flush sorts the
 *      list on its own thread. Once there was a scan, here or in the memtable before, no more than some
 *      `unlinkedMax` are left for the next one to link.
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
 *   | 5 + i | next node on level i, 0: none; before the node is  |
 *   |       | linked, its height (in word 5)                     |
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
 * The list grows from the end of the words downwards, one word per node, in the order of their insertion.
 *
 * Invariants: indexes in a chain descend; a batch is in one memtable as a whole; the hash table probes at most
 * `probesMax` slots, so that keys made to collide cost a descent, not a scan.
 * Source: Pugh 1990; LevelDB's memtable and arena; RocksDB's memtable_whole_key_filtering for the idea that
 * a read should not descend a skiplist in order to learn that the key is not there, and its vector memtable for
 * sorting late; the splice of Pebble's arenaskl.
 */
import { assert } from "../../../../../../kit/assert.ts";
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";
import { compareRanges, equalRanges } from "../../../../../../kit/compare.ts";
import type { MemtableArena } from "./memtable-arena.ts";
import { MemtableRanges } from "./memtable-ranges.ts";
import { NodeOrder } from "./node-order.ts";
import type { RangeSpan } from "./range-tombstones.ts";

const heightMax = 12;
export const headNode = 1;
export const nodeKeyStart = 0;
export const nodeKeyLength = 1;
/** hash32 of the key, as a signed number. */
export const nodeHash = 2;
export const nodeVersion = 3;
export const nodeBefore = 4;
export const nodeNext = 5;
const versionWords = 6;
export const versionOlder = 5;
const firstFreeWord = headNode + nodeNext + heightMax;
const probesMax = 32;
const slotsInitial = 1024;
const slotBytesLog2 = 2;
/** Where scans are to be expected, a batch that comes while more than these are not linked has them linked first. */
export const unlinkedMax = 1024;
/** Bytes left free before a batch at most. */
export const alignmentMax = 7;
/** The words that one operation can need at most: a node of full height, its place in the list and a version. */
export const operationWordsMax = nodeNext + heightMax + 1 + versionWords;
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
  /** Where the bytes last taken begin. */
  #taken = 0;
  #wordsUsed = firstFreeWord;
  #height = 1;
  #slots: Int32Array;
  /** Nodes that found no slot within `probesMax`; while it is 0 a probe that fails is final. */
  #unhashed = 0;
  #keyCount = 0;
  /** How many nodes of the list, from its beginning, are in the skiplist. */
  #linkedCount = 0;
  #versionCount = 0;
  #lastIndex = 0;
  #randomState = 0x2545f491;
  /** The node that was linked last on every level that it has, on the others the one before it. */
  readonly #path = new Int32Array(heightMax);

  /** Whether the order was asked for. */
  #wasScanned = false;
  readonly #expectsScans: boolean;

  /**
   * The arena may hold the remains of another memtable. Where about as many keys are expected as another one had, the
   * table of hashes has room for them from the beginning, up to an eighth of the arena.
   */
  constructor(arena: MemtableArena, expectsScans = false, keysExpected = 0) {
    this.arena = arena;
    const slotsMax = arena.bytes.byteLength >>> (3 + slotBytesLog2);
    this.#slots = new Int32Array(Math.max(slotsInitial, powerOfTwo(Math.min(keysExpected * 2, slotsMax))));
    this.#expectsScans = expectsScans;
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

  get wasScanned(): boolean {
    return this.#wasScanned;
  }

  /** Nodes that the next scan will have to link. */
  get unlinkedCount(): number {
    return this.#keyCount - this.#linkedCount;
  }

  /** Memory in use: what was touched, not what was reserved. */
  get sizeBytes(): number {
    return this.#bytesUsed + (this.#wordsUsed + this.#keyCount) * 4 + this.#slots.byteLength + this.ranges.sizeBytes;
  }

  /** Whether a batch of `operations` operations and `bytes` encoded bytes is sure to fit. */
  fits(operations: number, bytes: number): boolean {
    return (
      this.#bytesUsed + alignmentMax + bytes <= this.bytes.length &&
      this.#wordsUsed + this.#keyCount + operations * operationWordsMax <= this.words.length
    );
  }

  /** Notes that the batch of this index is in the memtable, even if it holds no operation. */
  noteIndex(index: number): void {
    this.#lastIndex = index;
  }

  /** Copies what the next calls of `add` take keys and values from. The caller has asked `fits`. */
  take(source: Uint8Array): void {
    if (this.unlinkedCount > unlinkedMax && (this.#wasScanned || this.#expectsScans)) this.#linkAdded();
    // Copying into shared memory goes by words only where both sides begin alike within a word.
    const at = this.#bytesUsed + ((source.byteOffset - this.#bytesUsed) & 7);
    assert(at + source.length <= this.bytes.length, "a memtable's bytes fit its arena");
    this.bytes.set(source, at);
    this.#taken = at;
    this.#bytesUsed = at + source.length;
  }

  /** Adds a version of a key; offsets are those within the bytes last taken. Indexes do not descend. */
  add(keyStart: number, keyEnd: number, valueEnd: number, kind: number, hash: number, index: number): void {
    const words = this.words;
    const keyLength = keyEnd - keyStart;
    const keyAt = this.#taken + keyStart;
    let node = this.#findNode(this.bytes, keyAt, keyLength, hash);
    if (node === 0) node = this.#insertNode(keyAt, keyLength, hash);
    const version = this.#takeWords(versionWords);
    words[version] = index | 0;
    words[version + 1] = Math.floor(index / 4294967296);
    words[version + 2] = kind;
    words[version + 3] = this.#taken + keyEnd;
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

  /** Links what was added since into the skiplist; whoever walks the memtable calls it first. */
  order(): void {
    this.#wasScanned = true;
    this.#linkAdded();
  }

  /** To be called when nobody reads it any more; its arena is another's then. */
  release(): void {
    releaseBuffer(this.#slots);
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

  #linkAdded(): void {
    if (this.#linkedCount === this.#keyCount) return;
    const { bytes, words } = this;
    const added = words.slice(words.length - this.#keyCount, words.length - this.#linkedCount);
    new NodeOrder(bytes, words, added).sort();
    for (let i = 0; i < added.length; i++) this.#link(added[i], i === 0);
    this.#linkedCount = this.#keyCount;
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
    this.#linkAdded();
    const node = firstNodeFrom(this.bytes, words, source, keyStart, keyStart + keyLength);
    if (node === 0 || words[node + nodeKeyLength] !== keyLength) return 0;
    const same = equalRanges(this.bytes, words[node + nodeKeyStart], source, keyStart, keyLength);
    return same ? node : 0;
  }

  #insertNode(keyAt: number, keyLength: number, hash: number): number {
    if ((this.#keyCount + 1) * 2 > this.#slots.length) this.#growSlots();
    const words = this.words;
    const height = this.#randomHeight();
    const node = this.#takeWords(nodeNext + height);
    words[node + nodeKeyLength] = keyLength;
    words[node + nodeKeyStart] = keyAt;
    words[node + nodeHash] = hash;
    words[node + nodeVersion] = 0;
    words[node + nodeNext] = height;
    words[words.length - ++this.#keyCount] = node;
    this.#hashIn(this.#slots, node, hash);
    return node;
  }

  /** Links a node; unless it is the `first` in a row, its key is above that of the node linked last. */
  #link(node: number, first: boolean): void {
    const words = this.words;
    const path = this.#path;
    const keyStart = words[node + nodeKeyStart];
    const keyEnd = keyStart + words[node + nodeKeyLength];
    if (first) this.#descend(keyStart, keyEnd);
    else this.#advance(keyStart, keyEnd);
    const height = words[node + nodeNext];
    for (let level = this.#height; level < height; level++) path[level] = headNode;
    if (height > this.#height) this.#height = height;
    words[node + nodeBefore] = path[0] === headNode ? 0 : path[0];
    for (let level = 0; level < height; level++) {
      const before = path[level] + nodeNext + level;
      words[node + nodeNext + level] = words[before];
      words[before] = node;
      path[level] = node;
    }
    const after = words[node + nodeNext];
    // The head's own "before" word is the last node, so that a walk backwards starts without a search.
    words[(after === 0 ? headNode : after) + nodeBefore] = node;
  }

  /** Leaves the last node below the key in `#path` on every level. */
  #descend(keyStart: number, keyEnd: number): void {
    let node = headNode;
    for (let level = this.#height - 1; level >= 0; level--) {
      for (;;) {
        const next = this.words[node + nodeNext + level];
        if (!this.#isBelow(next, keyStart, keyEnd)) break;
        node = next;
      }
      this.#path[level] = node;
    }
  }

  /**
   * The same, from the path of a lower key: climbs while the next node of a level is below the key. On that level and
   * above, the path is that of the key already.
   */
  #advance(keyStart: number, keyEnd: number): void {
    const words = this.words;
    const path = this.#path;
    let level = 0;
    while (level < this.#height && this.#isBelow(words[path[level] + nodeNext + level], keyStart, keyEnd)) level++;
    let passed = 0;
    while (--level >= 0) {
      // What was passed on the level above is behind the path of this one.
      let node = passed === 0 ? path[level] : passed;
      for (;;) {
        const next = words[node + nodeNext + level];
        if (!this.#isBelow(next, keyStart, keyEnd)) break;
        node = passed = next;
      }
      path[level] = node;
    }
  }

  #isBelow(node: number, keyStart: number, keyEnd: number): boolean {
    if (node === 0) return false;
    const start = this.words[node + nodeKeyStart];
    const end = start + this.words[node + nodeKeyLength];
    return compareRanges(this.bytes, start, end, this.bytes, keyStart, keyEnd) < 0;
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
    for (let i = 1; i <= this.#keyCount; i++) {
      const node = words[words.length - i];
      this.#hashIn(larger, node, words[node + nodeHash]);
    }
    releaseBuffer(this.#slots);
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
    assert(this.#wordsUsed + this.#keyCount < this.words.length, "a memtable's words fit its arena");
    return at;
  }
}

/** The least power of two that is not below the number. */
function powerOfTwo(atLeast: number): number {
  return atLeast <= 1 ? 1 : 2 ** (32 - Math.clz32(atLeast - 1));
}

export function versionIndex(words: Int32Array, version: number): number {
  return words[version + 1] * 4294967296 + (words[version] >>> 0);
}

/** The first node with a key ≥ the given one, or 0, of those that are linked. */
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
