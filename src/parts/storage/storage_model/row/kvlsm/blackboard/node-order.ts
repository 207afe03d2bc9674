/**
 * NodeOrder: sorts the nodes of a memtable by key.
 *
 * Algorithm (most significant bytes first, eight at a time, zero-padded):
 *   1. Few nodes: insertion sort by whole keys.
 *   2. Else the prefix that all keys of the range share is passed over, and the next eight bytes of each key, as two
 *      big-endian words beside the node, are sorted byte by byte from the last to the first: every pass keeps the order
 *      of the one before, and makes no comparison. A byte that is the same in all keys takes no pass.
 *   3. Nodes whose words tie form ranges of their own: those whose keys end within the words come first, by length; the
 *      others are sorted in turn by what follows. Ranges wait on a list, not on the call stack, for keys may be long.
 * Invariants: keys are distinct; every round passes over eight bytes of each key at least, so the effort is bounded by
 * the bytes of the keys.
 * Source: McIlroy, Bostic, McIlroy 1993 (radix sort of strings); Graefe 2006 (poor man's normalized keys).
 */
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";
import { compareRanges } from "../../../../../../kit/compare.ts";

/** Words of a node that tell its key; see memtable.ts. */
const keyStartWord = 0;
const keyLengthWord = 1;
const wordBytes = 4;
const headBytes = 2 * wordBytes;
const byteValues = 256;
const fewMax = 24;

/** Nodes, and beside each the eight bytes of its key that it is sorted by. */
interface Columns {
  readonly high: Int32Array;
  readonly low: Int32Array;
  readonly nodes: Int32Array;
}

export class NodeOrder {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #nodes: Int32Array;
  /** Ranges to be sorted: first node, the one behind the last, bytes that their keys are known to share. */
  readonly #ranges: number[] = [];
  /** A pass goes from the one to the other. Made when they are wanted: few nodes need none. */
  #front: Columns | undefined = undefined;
  #back: Columns | undefined = undefined;
  /** How often each value stands at each of the eight places. */
  readonly #counts = new Int32Array(headBytes * byteValues);

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
      else this.#sortByBytes(start, end, this.#sharedBytes(start, end, shared));
    }
    for (const columns of [this.#front, this.#back]) {
      if (columns !== undefined) for (const column of Object.values(columns)) releaseBuffer(column as Int32Array);
    }
    this.#front = this.#back = undefined;
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

  #sortByBytes(start: number, end: number, shared: number): void {
    const count = end - start;
    let from = (this.#front ??= columnsOf(this.#nodes.length));
    let to = (this.#back ??= columnsOf(this.#nodes.length));
    this.#readHeads(from, start, count, shared);
    for (let place = headBytes - 1; place >= 0; place--) {
      if (!this.#toStarts(place, count, from)) continue;
      this.#pass(place, count, from, to);
      [from, to] = [to, from];
    }
    const { high, low } = from;
    this.#nodes.set(from.nodes.subarray(0, count), start);
    let first = 0;
    for (let i = 1; i <= count; i++) {
      if (i < count && high[i] === high[first] && low[i] === low[first]) continue;
      if (i - first > 1) this.#splitTies(start + first, start + i, shared);
      first = i;
    }
  }

  /** Notes the eight bytes behind the shared ones of every key, and counts them. */
  #readHeads({ high, low, nodes }: Columns, start: number, count: number, shared: number): void {
    const words = this.#words;
    const counts = this.#counts.fill(0);
    for (let i = 0; i < count; i++) {
      const node = this.#nodes[start + i];
      const key = words[node + keyStartWord];
      const end = key + words[node + keyLengthWord];
      const one = this.#wordAt(key + shared, end);
      const two = this.#wordAt(key + shared + wordBytes, end);
      nodes[i] = node;
      high[i] = one;
      low[i] = two;
      counts[one >>> 24]++;
      counts[byteValues + ((one >>> 16) & 0xff)]++;
      counts[2 * byteValues + ((one >>> 8) & 0xff)]++;
      counts[3 * byteValues + (one & 0xff)]++;
      counts[4 * byteValues + (two >>> 24)]++;
      counts[5 * byteValues + ((two >>> 16) & 0xff)]++;
      counts[6 * byteValues + ((two >>> 8) & 0xff)]++;
      counts[7 * byteValues + (two & 0xff)]++;
    }
  }

  /** Turns the counts of a place into where each value's nodes begin; false where all have the same value. */
  #toStarts(place: number, count: number, { high, low }: Columns): boolean {
    const counts = this.#counts;
    const base = place * byteValues;
    const [word] = place < wordBytes ? high : low;
    if (counts[base + ((word >>> shiftOf(place)) & 0xff)] === count) return false;
    let before = 0;
    for (let value = base; value < base + byteValues; value++) {
      const here = counts[value];
      counts[value] = before;
      before += here;
    }
    return true;
  }

  #pass(place: number, count: number, from: Columns, to: Columns): void {
    const starts = this.#counts;
    const base = place * byteValues;
    const shift = shiftOf(place);
    const { high, low, nodes } = from;
    const { high: toHigh, low: toLow, nodes: toNodes } = to;
    const sorted = place < wordBytes ? high : low;
    for (let i = 0; i < count; i++) {
      const at = starts[base + ((sorted[i] >>> shift) & 0xff)]++;
      toHigh[at] = high[i];
      toLow[at] = low[i];
      toNodes[at] = nodes[i];
    }
  }

  /** Keys that end within the words are told from each other by their length alone: the zeros are the padding. */
  #splitTies(start: number, end: number, shared: number): void {
    if (end - start <= fewMax) {
      this.#sortFew(start, end);
      return;
    }
    const nodes = this.#nodes;
    const next = shared + headBytes;
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
      return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    let word = 0;
    for (let i = 0; i < wordBytes; i++) word = (word << 8) | (at + i < end ? bytes[at + i] : 0);
    return word;
  }

  #compare(a: number, b: number): number {
    const words = this.#words;
    const aStart = words[a + keyStartWord];
    const bStart = words[b + keyStartWord];
    const aEnd = aStart + words[a + keyLengthWord];
    return compareRanges(this.#bytes, aStart, aEnd, this.#bytes, bStart, bStart + words[b + keyLengthWord]);
  }
}

function columnsOf(count: number): Columns {
  return { high: new Int32Array(count), low: new Int32Array(count), nodes: new Int32Array(count) };
}

/** How far the byte of a place stands from the low end of its word. */
function shiftOf(place: number): number {
  return (wordBytes - 1 - (place % wordBytes)) * 8;
}
