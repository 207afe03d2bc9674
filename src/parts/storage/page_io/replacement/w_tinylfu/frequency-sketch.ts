/**
 * FrequencySketch: how often keys were used lately, as a count-min sketch of 4-bit counters.
 *
 *   1. A key's hash picks a block of 64 bytes, one cache line, and in each of its four segments one counter.
 *   2. `increment` raises the four counters, up to 15. `frequency` is the least of the four: collisions can
 *   only make it too large.
 *   3. Aging: after `sampleSize` increments that raised something, all counters are halved, so that what was
 *   popular once fades; what rounding took away is taken from the size of the sample, too.
 *
 * | bits of a block | field |
 * |----------------:|-------|
 * | 128·s + 4·i | counter i (0 to 31) of segment s (0 to 3) |
 *
 * Invariants: counters are 0 to 15; the estimate of a key is at least its count since the last aging, or 15.
 * Source: Cormode and Muthukrishnan 2005; Einziger, Friedman and Manes 2017 (TinyLFU); the layout in blocks
 * and the arithmetic of aging are Caffeine's FrequencySketch.
 */
import { powerOfTwoUpTo } from "../../write-epochs.ts";

const blockBytes = 64;
const blockWords = 16;
const halvedMask = 0x7777_7777;
const oddMask = 0x1111_1111;

export class FrequencySketch {
  readonly sizeBytes: number;
  readonly #words: Int32Array;
  readonly #blockMask: number;
  #increments = 0;

  /** Takes the largest power of two up to `bytesMax`; below one block it counts nothing. */
  constructor(bytesMax: number) {
    const blocks = powerOfTwoUpTo(bytesMax / blockBytes);
    this.sizeBytes = blocks * blockBytes;
    this.#words = new Int32Array(blocks * blockWords);
    this.#blockMask = blocks - 1;
  }

  /** 0 to 15. */
  frequency(hash: number): number {
    const words = this.#words;
    if (words.length === 0) return 0;
    const spread = spreadOf(hash);
    const counters = countersOf(spread);
    let at = (spread & this.#blockMask) * blockWords;
    let least = 15;
    for (let shift = 0; shift < 32; shift += 8, at += 4) {
      const counter = counters >>> shift;
      const count = (words[at + ((counter >>> 3) & 3)] >>> ((counter & 7) << 2)) & 15;
      if (count < least) least = count;
    }
    return least;
  }

  /** Counts a use; ages all counters once `sampleSize` uses were counted. */
  increment(hash: number, sampleSize: number): void {
    const words = this.#words;
    if (words.length === 0) return;
    const spread = spreadOf(hash);
    const counters = countersOf(spread);
    let at = (spread & this.#blockMask) * blockWords;
    let raised = false;
    for (let shift = 0; shift < 32; shift += 8, at += 4) {
      const counter = counters >>> shift;
      const word = at + ((counter >>> 3) & 3);
      const bits = (counter & 7) << 2;
      if (((words[word] >>> bits) & 15) === 15) continue;
      words[word] += 1 << bits;
      raised = true;
    }
    if (raised && ++this.#increments >= sampleSize) this.#age();
  }

  #age(): void {
    const words = this.#words;
    let odd = 0;
    for (let at = 0; at < words.length; at++) {
      odd += bitCount(words[at] & oddMask);
      words[at] = (words[at] >>> 1) & halvedMask;
    }
    this.#increments = Math.max(0, (this.#increments - (odd >>> 2)) >>> 1);
  }
}

/** Mixes the hash once more: its low bits have picked the bucket already. */
function spreadOf(hash: number): number {
  let mixed = hash ^ (hash >>> 17);
  mixed = Math.imul(mixed, 0xed5ad4bb);
  mixed ^= mixed >>> 11;
  mixed = Math.imul(mixed, 0xac4c1b51);
  return mixed ^ (mixed >>> 15);
}

/** One byte for each of the four segments. */
function countersOf(spread: number): number {
  const mixed = Math.imul(spread, 0x31848bab);
  return mixed ^ (mixed >>> 14);
}

function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  bits = (bits + (bits >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(bits, 0x0101_0101) >>> 24;
}
