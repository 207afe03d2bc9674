/**
 * Reproducible random numbers for samples: SplitMix32, and uniform integers below any bound without bias.
 * Source: SplitMix (Steele, Lea, Flood 2014), its 32-bit form.
 */
export class RandomNumbers {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  u32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  /** An integer from 0 to below `bound`, which is at most 2^32. */
  below(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const drawn = this.u32();
      if (drawn < limit) return drawn % bound;
    }
  }

  /** An integer from 0 to below `bound`, of any size. */
  bigBelow(bound: bigint): bigint {
    const bits = bound.toString(2).length;
    for (;;) {
      let drawn = 0n;
      for (let have = 0; have < bits; have += 32) drawn = (drawn << 32n) | BigInt(this.u32());
      drawn &= (1n << BigInt(bits)) - 1n;
      if (drawn < bound) return drawn;
    }
  }

  chance(probability: number): boolean {
    return this.u32() < probability * 2 ** 32;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }

  shuffle<T>(list: T[]): T[] {
    for (let at = list.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      [list[at], list[other]] = [list[other], list[at]];
    }
    return list;
  }
}
