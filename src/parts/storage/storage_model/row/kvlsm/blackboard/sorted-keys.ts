/**
 * SortedKeys: an immutable ascending array of keys that answers "the last key that is not above this one".
 *
 * Used for the block index of an SSTable and for the files of a level, where it is on the path of every read.
 * Algorithm:
 *   1. All keys lie in one byte array; `offsets` marks their bounds.
 *   2. The prefix that all keys share is compared once, then skipped.
 *   3. The four bytes behind the prefix are kept as integers, zero-padded and offset so that signed order is
 *      byte order. The binary search compares integers and looks at bytes only where they tie.
 * Invariant: padded words that differ order like the keys, because a missing byte sorts before any byte.
 * Source: the poor man's normalized keys of Graefe, "Modern B-Tree Techniques" (2011), section 3.5.
 */
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";
import { commonPrefixLength, compareRanges } from "../../../../../../kit/compare.ts";
import { wordAt } from "../../../../../../kit/key-word.ts";

export class SortedKeys {
  readonly count: number;
  /** Memory held, for the metrics. */
  readonly sizeBytes: number;
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;
  readonly #words: Int32Array;
  readonly #prefixLength: number;

  /** `bytes` holds the keys one after the other; `offsets` has one more element than there are keys. */
  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    this.count = offsets.length - 1;
    this.#bytes = bytes;
    this.#offsets = offsets;
    const last = this.count - 1;
    this.#prefixLength =
      this.count === 0
        ? 0
        : commonPrefixLength(bytes, offsets[0], offsets[1], bytes, offsets[last], offsets[last + 1]);
    this.#words = new Int32Array(this.count);
    for (let i = 0; i < this.count; i++) {
      this.#words[i] = wordAt(bytes, offsets[i] + this.#prefixLength, offsets[i + 1]);
    }
    this.sizeBytes = bytes.length + offsets.byteLength + this.#words.byteLength;
  }

  static from(keys: readonly Uint8Array[]): SortedKeys {
    const offsets = new Uint32Array(keys.length + 1);
    let total = 0;
    for (let i = 0; i < keys.length; i++) {
      total += keys[i].length;
      offsets[i + 1] = total;
    }
    const bytes = new Uint8Array(total);
    for (let i = 0; i < keys.length; i++) bytes.set(keys[i], offsets[i]);
    return new SortedKeys(bytes, offsets);
  }

  /** Gives the memory back at once; there are no keys to ask for afterwards. */
  release(): void {
    for (const part of [this.#bytes, this.#offsets, this.#words]) releaseBuffer(part);
  }

  /** A copy of the key of that number. */
  keyAt(number: number): Uint8Array {
    return this.#bytes.slice(this.#offsets[number], this.#offsets[number + 1]);
  }

  /** Number of the last key ≤ `key`, or -1. */
  floor(key: Uint8Array): number {
    if (this.count === 0) return -1;
    const bytes = this.#bytes;
    const offsets = this.#offsets;
    const prefixLength = this.#prefixLength;
    const keyLength = key.length;
    const shared = keyLength < prefixLength ? keyLength : prefixLength;
    const first = offsets[0];
    for (let i = 0; i < shared; i++) {
      const difference = key[i] - bytes[first + i];
      if (difference !== 0) return difference < 0 ? -1 : this.count - 1;
    }
    if (keyLength < prefixLength) return -1;
    const words = this.#words;
    const word = wordAt(key, prefixLength, keyLength);
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = words[middle];
      if (other < word) low = middle + 1;
      else if (other > word) high = middle;
      else if (
        compareRanges(
          bytes,
          offsets[middle] + prefixLength,
          offsets[middle + 1],
          key,
          prefixLength,
          keyLength,
        ) <= 0
      ) {
        low = middle + 1;
      } else high = middle;
    }
    return low - 1;
  }
}
