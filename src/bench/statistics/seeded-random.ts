/**
 * A seeded stream of random numbers for the harness: coins, resampling and simulation. The same seed gives
 * the same stream on every machine, so that a decision can be replayed.
 *
 * Source: splitmix32 (a 32-bit variant of Steele, Lea and Flood's SplitMix), Box and Muller for normal
 *   numbers.
 */
export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed ^ 0x5bd1e995, 0x27d4eb2d) >>> 0;
  }

  u32(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let mixed = this.state ^ (this.state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  /** Uniform in [0, 1), with 32 bits. */
  next(): number {
    return this.u32() / 0x1_0000_0000;
  }

  /** Uniform integer in [0, bound). */
  integer(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  coin(): boolean {
    return this.u32() >= 0x8000_0000;
  }

  /** Standard normal. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** A stream of its own, which does not disturb this one beyond one draw. */
  fork(): SeededRandom {
    return new SeededRandom(this.u32());
  }
}
