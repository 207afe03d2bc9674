/**
 * The nodes of the ordered index: cells of the arena of 512 bytes, read and written as 128 words of 32 bits.
 *
 *   | word         | of a leaf                       | of an inner node                                |
 *   |--------------|---------------------------------|-------------------------------------------------|
 *   | 0            | number of entries; level × 65536 above that, 0 for a leaf                         |
 *   | 1            | how many bytes all keys of the node share at their beginning                      |
 *   | 2            | next leaf                       | child before the first separator                |
 *   | 3            | leaf before this one            | —                                               |
 *   | 4 + i        | the four bytes behind the shared ones, as a number whose order is theirs           |
 *   | 4 + max + i  | record                          | separator: a record without value               |
 *   | 4 + 2max + i | —                               | child whose keys are ≥ the separator             |
 *
 * Searches compare words, and bytes only where words tie, so that one node costs a look at one record at most, most
 * often. Source: Graefe, "Modern B-Tree Techniques" (2011), section 3.5 (poor man's normalized keys, prefix
 * truncation).
 */
import { commonPrefixLength, compareRanges } from "../../../../kit/compare.ts";
import { wordAt } from "../../../../kit/key-word.ts";
import type { RecordHeap } from "./record-heap.ts";

export const nodeBytes = 512;
export const leafMax = 62;
export const innerMax = 41;
export const nodeShared = 1;
/** Of a leaf the next one, of an inner node its first child. */
export const nodeNext = 2;
export const nodeBefore = 3;
const firstEntry = 4;

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
      const first = words[refs] >>> 0;
      const keyStart = heap.keyStartOf(first);
      const keyEnd = end < start + shared ? end : start + shared;
      const order = compareRanges(source, start, keyEnd, heap.sourceOf(first), keyStart, keyStart + shared);
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
    for (const base of this.levelOf(node) === 0 ? [at, at + max] : [at, at + max, at + 2 * max]) {
      words.copyWithin(base + entry + 1, base + entry, base + count);
    }
    words[at + max + entry] = ref;
    if (this.levelOf(node) > 0) words[at + 2 * max + entry] = child;
    this.setCount(node, count + 1);
    this.#noteKey(node, entry, count);
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
    const source = nodeAt(node) + firstEntry;
    const to = nodeAt(target) + firstEntry;
    for (const base of this.levelOf(node) === 0 ? [max] : [max, 2 * max]) {
      words.copyWithin(to + base, source + base + from, source + base + count);
    }
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

  /** Works out the word of a new entry, and all of them where its key shares less with the others. */
  #noteKey(node: number, entry: number, countBefore: number): void {
    const { words } = this;
    const at = nodeAt(node);
    const ref = this.refAt(node, entry);
    if (countBefore === 0) words[at + nodeShared] = this.heap.keyLengthOf(ref);
    else {
      const common = this.#sharedWith(this.refAt(node, entry === 0 ? 1 : 0), ref);
      if (common < words[at + nodeShared]) {
        words[at + nodeShared] = common;
        this.#renewWords(node);
        return;
      }
    }
    this.#renewWord(node, entry);
  }

  #renew(node: number): void {
    const count = this.countOf(node);
    if (count === 0) return;
    this.words[nodeAt(node) + nodeShared] = this.#sharedWith(this.refAt(node, 0), this.refAt(node, count - 1));
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
