/**
 * RecordHeap: versions of entries as cells of a slab arena.
 *
 * A cell (offsets in bytes; words are little-endian as the machine's, they never reach the disk):
 *
 *   | offset | size | field                                                            |
 *   |-------:|-----:|------------------------------------------------------------------|
 *   |      0 |    4 | next older version of the key, as a reference; 0: none           |
 *   |      4 |    4 | index of the batch, low 32 bits                                  |
 *   |      8 |    3 | index, high 21 bits                                              |
 *   |     11 |    1 | kind: as in a batch, 5 for a separator of the ordered index;      |
 *   |        |      | 64 is added where key and value lie in a buffer of their own      |
 *   |     12 |    4 | length of the value, with the time of a put that expires          |
 *   |     16 |    2 | length of the key                                                |
 *   |     18 |    k | key, then value; of a large one, at 20: the number of its buffer |
 *
 * What is larger than a cell has a buffer of its own outside the arena, which is freed at once with the record.
 * Invariant: bytes of a cell change only while no view can see it (record-store.ts).
 */
import { releaseBuffer } from "../../../../kit/buffer-release.ts";
import { RangeCopier } from "../../../../kit/range-copier.ts";
import { batchKindDelete } from "../../write-batch.ts";
import { cellBytesMax, cellBytesOf, type SlabArena } from "./slab-arena.ts";

export const kindSeparator = 5;
export const cellHeaderBytes = 18;
const largeFlag = 64;
const kindMask = 63;
const largeCellBytes = 24;
const largeWord = 5;
/** What a key costs beside its cell, about: its slots in the hash index and in the ordered one. */
const indexBytesPerKey = 28;

export class RecordHeap {
  readonly arena: SlabArena;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly #copier = new RangeCopier();
  #large: (Uint8Array | undefined)[] = [];
  #largeFree: number[] = [];
  #largeBytes = 0;
  /** The most bytes that key and value of a record ever had. */
  lengthHighest = 0;

  constructor(arena: SlabArena) {
    this.arena = arena;
    this.bytes = arena.bytes;
    this.words = arena.words;
  }

  /** Bytes of records that have buffers of their own. */
  get largeBytes(): number {
    return this.#largeBytes;
  }

  /** Makes a record of a range of `source`. */
  make(
    kind: number, source: Uint8Array, keyStart: number, keyEnd: number, valueEnd: number, index: number, older: number,
  ): number {
    const length = valueEnd - keyStart;
    if (length > this.lengthHighest) this.lengthHighest = length;
    const large = cellHeaderBytes + length > cellBytesMax;
    const ref = this.arena.take(large ? largeCellBytes : cellHeaderBytes + length);
    const { words } = this;
    const word = ref * 2;
    words[word] = older;
    words[word + 3] = valueEnd - keyEnd;
    this.bytes[ref * 8 + 16] = keyEnd - keyStart;
    this.bytes[ref * 8 + 17] = (keyEnd - keyStart) >>> 8;
    if (large) words[word + largeWord] = this.#keepLarge(source.slice(keyStart, valueEnd));
    else this.#copier.copy(source, keyStart, valueEnd, this.bytes, ref * 8 + cellHeaderBytes);
    this.stamp(ref, large ? kind + largeFlag : kind, index);
    return ref;
  }

  /** Puts another value in the place of the one there, where it has a cell of the same size; returns whether it did. */
  overwrite(
    ref: number, kind: number, source: Uint8Array, keyStart: number, keyEnd: number, valueEnd: number, index: number,
  ): boolean {
    const needed = cellHeaderBytes + valueEnd - keyStart;
    if (this.isLarge(ref) || needed > cellBytesMax || cellBytesOf(needed) !== this.arena.sizeOf(ref)) return false;
    this.words[ref * 2 + 3] = valueEnd - keyEnd;
    this.#copier.copy(source, keyEnd, valueEnd, this.bytes, ref * 8 + cellHeaderBytes + keyEnd - keyStart);
    this.stamp(ref, kind, index);
    return true;
  }

  /** Turns a record into a tombstone where it is; its cell stays as large as it was. */
  bury(ref: number, index: number): void {
    this.words[ref * 2 + 3] = 0;
    this.stamp(ref, this.isLarge(ref) ? batchKindDelete + largeFlag : batchKindDelete, index);
  }

  stamp(ref: number, kind: number, index: number): void {
    this.words[ref * 2 + 1] = index | 0;
    this.words[ref * 2 + 2] = Math.floor(index / 4294967296) | (kind << 24);
  }

  free(ref: number): void {
    if (this.isLarge(ref)) {
      const number = this.words[ref * 2 + largeWord];
      const buffer = this.#large[number] as Uint8Array;
      this.#largeBytes -= buffer.length;
      releaseBuffer(buffer);
      this.#large[number] = undefined;
      this.#largeFree.push(number);
    }
    this.arena.free(ref);
  }

  olderOf(ref: number): number {
    return this.words[ref * 2] >>> 0;
  }

  setOlder(ref: number, older: number): void {
    this.words[ref * 2] = older;
  }

  indexOf(ref: number): number {
    return (this.words[ref * 2 + 2] & 0x1fffff) * 4294967296 + (this.words[ref * 2 + 1] >>> 0);
  }

  kindOf(ref: number): number {
    return this.bytes[ref * 8 + 11] & kindMask;
  }

  isLarge(ref: number): boolean {
    return this.bytes[ref * 8 + 11] >= largeFlag;
  }

  /** The bytes that key and value lie in, one behind the other. */
  sourceOf(ref: number): Uint8Array {
    return this.isLarge(ref) ? (this.#large[this.words[ref * 2 + largeWord]] as Uint8Array) : this.bytes;
  }

  keyStartOf(ref: number): number {
    return this.isLarge(ref) ? 0 : ref * 8 + cellHeaderBytes;
  }

  keyLengthOf(ref: number): number {
    return this.bytes[ref * 8 + 16] | (this.bytes[ref * 8 + 17] << 8);
  }

  valueLengthOf(ref: number): number {
    return this.words[ref * 2 + 3];
  }

  /** Whether the record's key is `source[start, end)`. */
  hasKey(ref: number, source: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.keyLengthOf(ref) !== length) return false;
    const own = this.sourceOf(ref);
    const ownStart = this.keyStartOf(ref);
    for (let i = 0; i < length; i++) if (own[ownStart + i] !== source[start + i]) return false;
    return true;
  }

  /** What a live record counts against the memory limit: a matter of its lengths alone. */
  weightOf(ref: number): number {
    if (this.kindOf(ref) === batchKindDelete) return 0;
    return weightFor(this.keyLengthOf(ref) + this.valueLengthOf(ref));
  }

  #keepLarge(buffer: Uint8Array): number {
    this.#largeBytes += buffer.length;
    const number = this.#largeFree.pop() ?? this.#large.length;
    this.#large[number] = buffer;
    return number;
  }
}

/** What key and value of together so many bytes count against the memory limit. */
export function weightFor(length: number): number {
  const bytes = cellHeaderBytes + length;
  return (bytes > cellBytesMax ? largeCellBytes + length : cellBytesOf(bytes)) + indexBytesPerKey;
}
