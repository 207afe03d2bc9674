/**
 * FrequentKeys: which keys are used most, in bounded memory, and how skewed their use is.
 *
 * SpaceSaving with 4096 counters: the least counter gives way to a new key, which inherits its count as a possible
 * error; any count is too large by at most n/4096. With no more keys than counters it is exact.
 * Skew: the constant s of the Zipf distribution whose chance that two uses hit the same key (Σp²) is the one that was
 * seen. Of n uses, Σc(c−1)/n(n−1) is an unbiased estimate of it, so a small sample does not look skewed by chance.
 * Counts are taken without their possible error, which makes the estimate a lower bound where keys outnumber counters.
 * Two halves of the uses are estimated apart, too: what they differ by is the error that is stated.
 * Source: Metwally, Agrawal, El Abbadi, Efficient Computation of Frequent and Top-k Elements in Data Streams (2005).
 */
import { DistinctCount, hashText } from "./distinct-count.ts";
import { ownText } from "./own-text.ts";

export interface KeyUse {
  readonly uses: number;
  readonly keys: number;
  /** Uses of the key used most, and of the ten used most, as shares of all. */
  readonly topShare: number;
  readonly topTenShare: number;
  /** Zipf constant over `population` keys; 0 is uniform. */
  readonly skew: number;
  /** What halves of the uses give. */
  readonly skewHalves: readonly [number, number];
  /** How much a single count may be too large, as a share of all uses. */
  readonly countError: number;
}

const counterMax = 4096;
const skewMax = 3;

interface Counter {
  count: number;
  error: number;
  odd: number;
}

export class FrequentKeys {
  /** The uses that several have counted, together. */
  static together(some: readonly FrequentKeys[]): FrequentKeys {
    if (some.length === 1) return some[0];
    const all = new FrequentKeys();
    for (const one of some) all.#merge(one);
    return all;
  }

  #counters = new Map<string, Counter>();
  #uses = 0;
  #evicted = false;
  readonly #distinct = new DistinctCount();

  add(key: string): void {
    this.#uses++;
    const odd = this.#uses & 1;
    const counter = this.#counters.get(key);
    if (counter !== undefined) {
      counter.count++;
      counter.odd += odd;
      return;
    }
    this.#distinct.add(hashText(key));
    if (this.#counters.size >= 2 * counterMax) this.#shrink();
    // Whatever was dropped before had at most the count at which keys were dropped.
    const error = this.#floor;
    // A copy: the key may be a slice of a chunk of a file, which it would keep in memory.
    this.#counters.set(ownText(key), { count: error + 1, error, odd });
  }

  #floor = 0;

  /** Keeps the larger half; as SpaceSaving does, but many at once, so that an addition costs a constant on average. */
  #shrink(): void {
    const kept = [...this.#counters].sort(([, one], [, other]) => other.count - one.count);
    this.#floor = Math.max(this.#floor, kept[counterMax][1].count);
    this.#counters = new Map(kept.slice(0, counterMax));
    this.#evicted = true;
  }

  #merge(other: FrequentKeys): void {
    this.#uses += other.#uses;
    this.#distinct.merge(other.#distinct);
    for (const [key, { count, error, odd }] of other.#counters) {
      const counter = this.#counters.get(key);
      if (counter === undefined) this.#counters.set(key, { count, error, odd });
      else {
        counter.count += count;
        counter.error += error;
        counter.odd += odd;
      }
    }
    // What one of them has dropped may be missing in the sum.
    this.#floor += other.#floor;
    if (other.#evicted) this.#evicted = true;
    if (this.#counters.size > 2 * counterMax) this.#shrink();
  }

  /** `population`: how many keys there are, where it is known; otherwise those that were seen. */
  use(population?: number): KeyUse {
    const counters = [...this.#counters.values()].sort((one, other) => other.count - one.count);
    const uses = this.#uses;
    const seen = this.#evicted ? this.#distinct.estimate : counters.length;
    const keys = Math.max(seen, population ?? seen);
    const sure = counters.map(({ count, error }) => count - error);
    const odd = counters.map((counter) => counter.odd);
    const even = sure.map((count, at) => count - odd[at]);
    const top = (count: number) => sure.slice(0, count).reduce((sum, one) => sum + one, 0) / Math.max(1, uses);
    const oddUses = Math.ceil(uses / 2);
    return {
      uses, keys: seen, topShare: top(1), topTenShare: top(10),
      skew: skewOf(sure, uses, keys),
      skewHalves: [skewOf(odd, oddUses, keys), skewOf(even, uses - oddUses, keys)],
      countError: this.#evicted ? this.#floor / uses : 0,
    };
  }
}

function skewOf(counts: readonly number[], uses: number, keys: number): number {
  if (uses < 2 || keys < 2) return 0;
  const collision = counts.reduce((sum, count) => sum + count * (count - 1), 0) / (uses * (uses - 1));
  let low = 0;
  let high = skewMax;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    const harmonic = generalHarmonic(keys, middle);
    if (generalHarmonic(keys, 2 * middle) / harmonic ** 2 < collision) low = middle;
    else high = middle;
  }
  return Math.round(low * 1000) / 1000;
}

/** Σ i^-s for i = 1…n: the first thousand one by one, the rest as an integral. */
function generalHarmonic(n: number, s: number): number {
  const exact = Math.min(n, 1000);
  let sum = 0;
  for (let i = 1; i <= exact; i++) sum += i ** -s;
  if (n <= exact) return sum;
  const from = exact + 0.5;
  const to = n + 0.5;
  return sum + (Math.abs(s - 1) < 1e-9 ? Math.log(to / from) : (to ** (1 - s) - from ** (1 - s)) / (1 - s));
}
