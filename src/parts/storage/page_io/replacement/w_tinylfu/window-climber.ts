/**
 * WindowClimber: how large the window should be, found by hill climbing on the hit ratio.
 *
 *   1. After each sample of reads the hit ratio is compared with the one before. Where it did not fall, the
 *   window moves on in the same direction, else in the other one.
 *   2. The step shrinks by 2 % each time, so that a steady workload comes to rest.
 *   3. A change of 5 points or more means that the workload has changed: the step is as at the start again.
 * Invariant: the result depends on the hits and misses alone.
 * Source: Einziger, Eytan, Friedman and Manes 2018 ("Adaptive Software Cache Management"); the constants are
 * those of Caffeine 3.
 */
const stepShare = 0.0625;
const stepDecay = 0.98;
const restartChange = 0.05;

export class WindowClimber {
  readonly #stepInitial: number;
  #step: number;
  #previousRatio = 0;

  /** `cells` is what is divided between the window and the rest. */
  constructor(cells: number) {
    this.#stepInitial = stepShare * cells;
    // The window starts small; the first step looks whether smaller still is better.
    this.#step = -this.#stepInitial;
  }

  /** By how many cells the window should grow (or shrink, below 0), after a sample of reads. */
  adjustment(hits: number, misses: number): number {
    const ratio = hits / Math.max(1, hits + misses);
    const change = ratio - this.#previousRatio;
    this.#previousRatio = ratio;
    const amount = change >= 0 ? this.#step : -this.#step;
    this.#step = Math.abs(change) >= restartChange ? Math.sign(amount) * this.#stepInitial : stepDecay * amount;
    return Math.trunc(amount);
  }
}
