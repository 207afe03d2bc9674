/**
 * The nodes of the ordered index: cells of the arena of 512 bytes, read and written as 128 words of 32 bits.
 *
 *   | word         | of a leaf                       | of an inner node                                |
 *   |--------------|---------------------------------|-------------------------------------------------|
 *   | 0            | number of entries; level × 65536 above that, 0 for a leaf                         |
 *   | 1            | how many bytes all keys of the node share at their beginning, or fewer             |
 *   | 2            | next leaf                       | child before the first separator                |
 *   | 3            | leaf before this one            | —                                               |
 *   | 4 … 7        | the first 16 bytes of what they share                                              |
 *   | 8 + i        | the four bytes behind the shared ones, as a number whose order is theirs           |
 *   | 8 + max + i  | record                          | separator: a record without value               |
 *   | 8 + 2max + i | —                               | child whose keys are ≥ the separator             |
 *
 * Searches and insertions compare what stands in the node, and look at a record only where words tie or more than 16
 * bytes are shared: a record is a cache line that is most often far away. Source: Graefe, "Modern B-Tree Techniques"
 * (2011), section 3.5 (poor man's normalized keys, prefix truncation).
 */
import { commonPrefixLength, compareRanges } from "../../../../kit/compare.ts";
import { wordAt } from "../../../../kit/key-word.ts";
import type { RecordHeap } from "./record-heap.ts";

export const nodeBytes = 512;
export const leafMax = 60;
export const innerMax = 40;
const nodeShared = 1;
/** Of a leaf the next one, of an inner node its first child. */
export const nodeNext = 2;
export const nodeBefore = 3;
const prefixWord = 4;
const prefixBytes = 16;
const firstEntry = 8;

/** Where a node begins, in words. */
export function nodeAt(node: number): number {
  return node * 2;
}

export class OrderedNodes {
  readonly heap: RecordHeap;
  readonly words: Int32Array;

  constructor(heap: RecordHeap) {
    this.heap = heap;
    this.words = heap.words;
  }

  make(level: number): number {
    const node = this.heap.arena.take(nodeBytes);
    const at = nodeAt(node);
    this.words.fill(0, at, at + firstEntry);
    this.words[at] = level << 16;
    return node;
  }

  free(node: number): void {
    this.heap.arena.free(node);
  }

  countOf(node: number): number {
    return this.words[nodeAt(node)] & 0xffff;
  }

  setCount(node: number, count: number): void {
    const at = nodeAt(node);
    this.words[at] = (this.words[at] & ~0xffff) | count;
  }

  levelOf(node: number): number {
    return this.words[nodeAt(node)] >>> 16;
  }

  refAt(node: number, entry: number): number {
    return this.words[nodeAt(node) + firstEntry + this.#max(node) + entry] >>> 0;
  }

  setRef(node: number, entry: number, ref: number): void {
    this.words[nodeAt(node) + firstEntry + this.#max(node) + entry] = ref;
  }

  /** The child behind `entry` separators. */
  childAt(node: number, entry: number): number {
    const at = nodeAt(node);
    return entry === 0 ? this.words[at + nodeNext] >>> 0 : this.words[at + firstEntry + 2 * innerMax + entry - 1] >>> 0;
  }

  link(node: number, word: number): number {
    return this.words[nodeAt(node) + word] >>> 0;
  }

  setLink(node: number, word: number, target: number): void {
    this.words[nodeAt(node) + word] = target;
  }

  /** How many entries of the node are below the key; with `orEqual`, or equal to it. */
  rank(node: number, source: Uint8Array, start: number, end: number, orEqual: boolean): number {
    const { words, heap } = this;
    const at = nodeAt(node);
    const count = words[at] & 0xffff;
    if (count === 0) return 0;
    const shared = words[at + nodeShared];
    const refs = at + firstEntry + ((words[at] >>> 16) === 0 ? leafMax : innerMax);
    if (shared > 0) {
      const order = this.#compareShared(at, shared, words[refs] >>> 0, source, start, end);
      if (order !== 0) return order < 0 ? 0 : count;
    }
    const rest = start + shared;
    const word = wordAt(source, rest, end);
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = words[at + firstEntry + middle];
      let isBelow = other < word;
      if (other === word) {
        const ref = words[refs + middle] >>> 0;
        const keyStart = heap.keyStartOf(ref);
        const keyEnd = keyStart + heap.keyLengthOf(ref);
        const order = compareRanges(heap.sourceOf(ref), keyStart + shared, keyEnd, source, rest, end);
        isBelow = order < 0 || (orEqual && order === 0);
      }
      if (isBelow) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Puts a record (of an inner node: a separator with the child behind it) at a place; there must be room. */
  insertAt(node: number, entry: number, ref: number, child: number): void {
    const { words } = this;
    const at = nodeAt(node) + firstEntry;
    const count = this.countOf(node);
    const max = this.#max(node);
    // Calls into the engine's own copy cost more than these few words.
    for (let to = at + count; to > at + entry; to--) {
      words[to] = words[to - 1];
      words[to + max] = words[to + max - 1];
    }
    words[at + max + entry] = ref;
    if (this.levelOf(node) > 0) {
      const children = at + 2 * max;
      words.copyWithin(children + entry + 1, children + entry, children + count);
      words[children + entry] = child;
    }
    this.setCount(node, count + 1);
    this.#noteKey(node, entry, count);
  }

  /** Puts a record behind all others of a leaf, where there must be room; returns whether its key is above theirs. */
  append(leaf: number, ref: number): boolean {
    const { words, heap } = this;
    const at = nodeAt(leaf);
    const count = words[at] & 0xffff;
    const last = at + firstEntry + count - 1;
    const source = heap.sourceOf(ref);
    const start = heap.keyStartOf(ref);
    const end = start + heap.keyLengthOf(ref);
    let isAbove = count === 0;
    if (!isAbove && this.#commonOf(leaf, words[last + leafMax] >>> 0, ref) === words[at + nodeShared]) {
      const word = wordAt(source, start + words[at + nodeShared], end);
      if (word > words[last]) {
        words[last + 1] = word;
        words[last + 1 + leafMax] = ref;
        words[at] = count + 1;
        return true;
      }
      if (word < words[last]) return false;
    }
    if (!isAbove) {
      const before = words[last + leafMax] >>> 0;
      const keyStart = heap.keyStartOf(before);
      const keyEnd = keyStart + heap.keyLengthOf(before);
      isAbove = compareRanges(heap.sourceOf(before), keyStart, keyEnd, source, start, end) < 0;
    }
    if (isAbove) this.insertAt(leaf, count, ref, 0);
    return isAbove;
  }

  /** Takes an entry out, of an inner node with the child behind it. */
  removeAt(node: number, entry: number): void {
    const { words } = this;
    const at = nodeAt(node) + firstEntry;
    const count = this.countOf(node);
    const max = this.#max(node);
    for (const base of this.levelOf(node) === 0 ? [at, at + max] : [at, at + max, at + 2 * max]) {
      words.copyWithin(base + entry, base + entry + 1, base + count);
    }
    this.setCount(node, count - 1);
  }

  /** Moves the entries from `from` on into the empty node `target` of the same level. */
  moveFrom(node: number, from: number, target: number): void {
    const { words } = this;
    const max = this.#max(node);
    const count = this.countOf(node);
    const source = nodeAt(node);
    const to = nodeAt(target);
    for (const base of this.levelOf(node) === 0 ? [0, max] : [0, max, 2 * max]) {
      const begin = source + firstEntry + base;
      words.copyWithin(to + firstEntry + base, begin + from, begin + count);
    }
    words.copyWithin(to + prefixWord, source + prefixWord, source + firstEntry);
    words[to + nodeShared] = words[source + nodeShared];
    this.setCount(node, from);
    this.setCount(target, count - from);
    this.#renew(node);
    this.#renew(target);
  }

  #max(node: number): number {
    return this.levelOf(node) === 0 ? leafMax : innerMax;
  }

  #sharedWith(first: number, ref: number): number {
    const { heap } = this;
    const one = heap.keyStartOf(first);
    const other = heap.keyStartOf(ref);
    return commonPrefixLength(
      heap.sourceOf(first), one, one + heap.keyLengthOf(first),
      heap.sourceOf(ref), other, other + heap.keyLengthOf(ref),
    );
  }

  /** How a key compares with what all keys of a node share: 0 where it begins with that. */
  #compareShared(
    at: number, shared: number, first: number, source: Uint8Array, start: number, end: number,
  ): number {
    const { heap } = this;
    const { bytes } = heap;
    const prefix = (at + prefixWord) * 4;
    const inNode = shared < prefixBytes ? shared : prefixBytes;
    for (let i = 0; i < inNode; i++) {
      // A key that ends here is a beginning of theirs, and so below them.
      if (start + i >= end) return -1;
      const order = source[start + i] - bytes[prefix + i];
      if (order !== 0) return order;
    }
    if (shared <= prefixBytes) return 0;
    const keyStart = heap.keyStartOf(first);
    const keyEnd = end < start + shared ? end : start + shared;
    return compareRanges(source, start, keyEnd, heap.sourceOf(first), keyStart, keyStart + shared);
  }

  /** How many of the shared bytes of a node, which has another entry, the key of a record begins with. */
  #commonOf(node: number, other: number, ref: number): number {
    const { heap } = this;
    const { bytes } = heap;
    const at = nodeAt(node);
    const shared = this.words[at + nodeShared];
    if (shared > prefixBytes) return Math.min(shared, this.#sharedWith(other, ref));
    const prefix = (at + prefixWord) * 4;
    const source = heap.sourceOf(ref);
    const start = heap.keyStartOf(ref);
    const end = Math.min(shared, heap.keyLengthOf(ref));
    let common = 0;
    while (common < end && source[start + common] === bytes[prefix + common]) common++;
    return common;
  }

  /** Works out the word of a new entry, and all of them where its key shares less with the others. */
  #noteKey(node: number, entry: number, countBefore: number): void {
    const at = nodeAt(node);
    const ref = this.refAt(node, entry);
    if (countBefore === 0) this.#setShared(node, this.heap.keyLengthOf(ref), ref);
    else {
      const common = this.#commonOf(node, this.refAt(node, entry === 0 ? 1 : 0), ref);
      if (common < this.words[at + nodeShared]) {
        this.#setShared(node, common, ref);
        this.#renewWords(node);
        return;
      }
    }
    this.#renewWord(node, entry);
  }

  /** Of the node, whose keys share so many bytes with the record's. */
  #setShared(node: number, shared: number, ref: number): void {
    const { heap } = this;
    const at = nodeAt(node);
    this.words[at + nodeShared] = shared;
    const prefix = (at + prefixWord) * 4;
    const source = heap.sourceOf(ref);
    const start = heap.keyStartOf(ref);
    const end = shared < prefixBytes ? shared : prefixBytes;
    for (let i = 0; i < end; i++) heap.bytes[prefix + i] = source[start + i];
  }

  /** Half of a node shares as much as the whole did, or more. */
  #renew(node: number): void {
    const count = this.countOf(node);
    if (count === 0) return;
    const first = this.refAt(node, 0);
    const shared = this.#sharedWith(first, this.refAt(node, count - 1));
    if (shared === this.words[nodeAt(node) + nodeShared]) return;
    this.#setShared(node, shared, first);
    this.#renewWords(node);
  }

  #renewWords(node: number): void {
    for (let entry = this.countOf(node) - 1; entry >= 0; entry--) this.#renewWord(node, entry);
  }

  #renewWord(node: number, entry: number): void {
    const { heap, words } = this;
    const at = nodeAt(node);
    const ref = this.refAt(node, entry);
    const start = heap.keyStartOf(ref);
    const rest = start + words[at + nodeShared];
    words[at + firstEntry + entry] = wordAt(heap.sourceOf(ref), rest, start + heap.keyLengthOf(ref));
  }
}
