/**
 * RandomStream: a fast, seeded, splittable source of randomness for workloads and schedules.
 *
 * Algorithm:
 *   1. sfc32 (small fast counting, four 32-bit words): passes PractRand, a few additions per number, no
 *      big integers.
 *   2. The four words come from splitmix32 over the seed's two halves and the words of a label, so that
 *      streams of one seed with different labels (client 0, client 1, load) are independent; twelve rounds
 *      are thrown away.
 * Invariant: the same seed and labels give the same numbers on every machine.
 * Source: Chris Doty-Humphrey's PractRand (sfc32); Steele, Lea and Flood, "Fast splittable pseudorandom
 * number generators".
 */
export class RandomStream {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `labels` tell streams of one seed apart. */
  constructor(seed: number, ...labels: readonly number[]) {
    let state = mix(seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32) + 0x5bd1e995);
    for (const label of labels) state = mix((state ^ mix(label + 0x632be5ab)) + 0x9e3779b9);
    this.#a = mix(state + 0x9e3779b9);
    this.#b = mix(state + 0x3c6ef372);
    this.#c = mix(state + 0xdaa66d2b);
    for (let round = 0; round < 12; round++) this.u32();
  }

  /** A uniform integer in [0, 2^32). */
  u32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** A uniform integer in [0, limit), limit ≤ 2^32. The bias is below limit / 2^32. */
  below(limit: number): number {
    return Math.floor((this.u32() / 4294967296) * limit);
  }

  /** A uniform number in [0, 1) with 53 random bits. */
  float(): number {
    return ((this.u32() >>> 5) * 67108864 + (this.u32() >>> 6)) / 9007199254740992;
  }

  /** An exponential with mean 1: gaps of a Poisson process. */
  exponential(): number {
    return -Math.log(1 - this.float());
  }
}

/** The finaliser of splitmix32: every bit of the input reaches every bit of the output. */
export function mix(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
  word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
  return (word ^ (word >>> 15)) >>> 0;
}
