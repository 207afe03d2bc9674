/**
 * NodeOrder: sorts the nodes of a memtable by key.
 *
 * Algorithm (most significant word first; a word is four bytes, big-endian, zero-padded):
 *   1. Few nodes: insertion sort by whole keys.
 *   2. Else the prefix that all keys of the range share is passed over, and word and place of each node become one
 *      number of 53 bits, which the engine's native sort of numbers orders without a call per comparison.
 *   3. Nodes whose words tie form ranges of their own: those whose keys end within the word come first, by length; the
 *      others are sorted in turn by what follows. Ranges wait on a list, not on the call stack, for keys may be long.
 * Invariants: keys are distinct; every round passes over four bytes of each key at least, so the effort is bounded by
 * the bytes of the keys.
 * Source: McIlroy, Bostic, McIlroy 1993 (radix sort of strings); Graefe 2006 (poor man's normalized keys).
 */
import { compareRanges } from "../../../../../../kit/compare.ts";

/** Words of a node that tell its key; see memtable.ts. */
const keyStartWord = 0;
const keyLengthWord = 1;
const wordBytes = 4;
const fewMax = 24;
/** The place of a node within its range takes the low 21 bits of 53. */
const placeSpan = 2 ** 21;

export class NodeOrder {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #nodes: Int32Array;
  /** Ranges to be sorted: first node, the one behind the last, bytes that their keys are known to share. */
  readonly #ranges: number[] = [];

  /** `nodes` is sorted where it is; `bytes` and `words` are the memtable's. */
  constructor(bytes: Uint8Array, words: Int32Array, nodes: Int32Array) {
    this.#bytes = bytes;
    this.#words = words;
    this.#nodes = nodes;
  }

  sort(): void {
    const ranges = this.#ranges;
    ranges.push(0, this.#nodes.length, 0);
    while (ranges.length > 0) {
      const shared = ranges.pop() as number;
      const end = ranges.pop() as number;
      const start = ranges.pop() as number;
      if (end - start <= fewMax) this.#sortFew(start, end);
      else if (end - start < placeSpan) this.#sortByWord(start, end, this.#sharedBytes(start, end, shared));
      else this.#nodes.subarray(start, end).sort((a, b) => this.#compare(a, b));
    }
  }

  #sortFew(start: number, end: number): void {
    const nodes = this.#nodes;
    for (let i = start + 1; i < end; i++) {
      const node = nodes[i];
      let at = i;
      for (; at > start && this.#compare(nodes[at - 1], node) > 0; at--) nodes[at] = nodes[at - 1];
      nodes[at] = node;
    }
  }

  #sortByWord(start: number, end: number, shared: number): void {
    const words = this.#words;
    const nodes = this.#nodes.slice(start, end);
    const marks = new Float64Array(nodes.length);
    for (let i = 0; i < nodes.length; i++) {
      const key = words[nodes[i] + keyStartWord];
      marks[i] = this.#wordAt(key + shared, key + words[nodes[i] + keyLengthWord]) * placeSpan + i;
    }
    marks.sort();
    let first = 0;
    let firstWord = Math.floor(marks[0] / placeSpan);
    for (let i = 0; i < nodes.length; i++) {
      const word = Math.floor(marks[i] / placeSpan);
      this.#nodes[start + i] = nodes[marks[i] - word * placeSpan];
      if (word === firstWord) continue;
      if (i - first > 1) this.#splitTies(start + first, start + i, shared);
      first = i;
      firstWord = word;
    }
    if (nodes.length - first > 1) this.#splitTies(start + first, end, shared);
  }

  /** Keys that end within the word are told from each other by their length alone: the zeros are the padding. */
  #splitTies(start: number, end: number, shared: number): void {
    if (end - start <= fewMax) {
      this.#sortFew(start, end);
      return;
    }
    const nodes = this.#nodes;
    const next = shared + wordBytes;
    let ended = start;
    for (let i = start; i < end; i++) {
      const node = nodes[i];
      if (this.#words[node + keyLengthWord] > next) continue;
      nodes[i] = nodes[ended];
      nodes[ended++] = node;
    }
    this.#sortFew(start, ended);
    this.#ranges.push(ended, end, next);
  }

  /** How many bytes all keys of the range share, of which `known` are known. */
  #sharedBytes(start: number, end: number, known: number): number {
    const bytes = this.#bytes;
    const words = this.#words;
    const nodes = this.#nodes;
    const first = words[nodes[start] + keyStartWord];
    let shared = words[nodes[start] + keyLengthWord];
    for (let i = start + 1; i < end && shared > known; i++) {
      const key = words[nodes[i] + keyStartWord];
      const length = words[nodes[i] + keyLengthWord];
      if (length < shared) shared = length;
      let at = known;
      while (at < shared && bytes[first + at] === bytes[key + at]) at++;
      shared = at;
    }
    return shared;
  }

  #wordAt(at: number, end: number): number {
    const bytes = this.#bytes;
    if (at + wordBytes <= end) {
      return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
    }
    let word = 0;
    for (let i = 0; i < wordBytes; i++) word = (word << 8) | (at + i < end ? bytes[at + i] : 0);
    return word >>> 0;
  }

  #compare(a: number, b: number): number {
    const words = this.#words;
    const aStart = words[a + keyStartWord];
    const bStart = words[b + keyStartWord];
    const aEnd = aStart + words[a + keyLengthWord];
    return compareRanges(this.#bytes, aStart, aEnd, this.#bytes, bStart, bStart + words[b + keyLengthWord]);
  }
}
