/**
 * Key distributions: which of n keys the next operation touches. Keys are numbered from 0.
 *
 * Algorithms, as in YCSB's core so that its published test vectors hold:
 *   uniform            floor(u·n)
 *   zipfian            Gray et al. 1994 with θ = 0.99; rank 0 is the most popular
 *   scrambled zipfian  a rank from a zipfian over 10^10 + 1 items, hashed by FNV onto the keys: popular
 *   keys lie apart latest             the newest key minus a zipfian rank
 *   hotspot            a share of operations on a share of the keys, uniform inside both
 *   exponential        the newest key minus an exponential whose 95th percentile lies at a share of the
 *                      keys
 * Source: YCSB core/generator; J. Gray et al., "Quickly generating billion-record synthetic databases",
 * SIGMOD 1994.
 */
import { FnvHash } from "./fnv-hash.ts";
import type { RandomStream } from "./random-stream.ts";

export interface KeyDistribution {
  /** A key number in [0, count); `count` may grow from call to call. */
  next(random: RandomStream, count: number): number;
}

export class UniformKeys implements KeyDistribution {
  next(random: RandomStream, count: number): number {
    return Math.floor(random.float() * count);
  }
}

export const zipfianTheta = 0.99;

/** ζ(n) = Σ 1/i^θ, from item `from` (exclusive) with the sum so far, so that it can grow with n. */
export function zeta(count: number, theta = zipfianTheta, from = 0, sum = 0): number {
  let total = sum;
  for (let item = from; item < count; item++) total += 1 / Math.pow(item + 1, theta);
  return total;
}

export class ZipfianKeys implements KeyDistribution {
  readonly #theta: number;
  readonly #alpha: number;
  readonly #zeta2: number;
  #count: number;
  #zetaN: number;
  #eta: number;

  /** `zetaN` may be given where summing n terms would take too long. */
  constructor(count: number, theta = zipfianTheta, zetaN = zeta(count, theta)) {
    this.#theta = theta;
    this.#alpha = 1 / (1 - theta);
    this.#zeta2 = zeta(2, theta);
    this.#count = count;
    this.#zetaN = zetaN;
    this.#eta = this.#etaOf(count);
  }

  next(random: RandomStream, count: number): number {
    if (count > this.#count) {
      this.#zetaN = zeta(count, this.#theta, this.#count, this.#zetaN);
      this.#count = count;
      this.#eta = this.#etaOf(count);
    }
    return Math.min(this.rank(random.float()), count - 1);
  }

  /** The rank at the quantile `u` in [0, 1). */
  rank(u: number): number {
    const scaled = u * this.#zetaN;
    if (scaled < 1) return 0;
    if (scaled < 1 + Math.pow(0.5, this.#theta)) return 1;
    return Math.floor(this.#count * Math.pow(this.#eta * u - this.#eta + 1, this.#alpha));
  }

  #etaOf(count: number): number {
    return (1 - Math.pow(2 / count, 1 - this.#theta)) / (1 - this.#zeta2 / this.#zetaN);
  }
}

/** YCSB fixes the ranks of its scrambled zipfian to 0..10^10 inclusive, with this ζ. */
const scrambledItems = 10_000_000_001;
const scrambledZeta = 26.46902820178302;

export class ScrambledZipfianKeys implements KeyDistribution {
  readonly #ranks = new ZipfianKeys(scrambledItems, zipfianTheta, scrambledZeta);
  readonly #hash = new FnvHash();

  next(random: RandomStream, count: number): number {
    return this.key(this.#ranks.rank(random.float()), count);
  }

  key(rank: number, count: number): number {
    this.#hash.update(rank);
    return this.#hash.modulo(count);
  }

  rank(u: number): number {
    return this.#ranks.rank(u);
  }
}

export class LatestKeys implements KeyDistribution {
  readonly #ranks: ZipfianKeys;

  constructor(count: number) {
    this.#ranks = new ZipfianKeys(count);
  }

  next(random: RandomStream, count: number): number {
    return count - 1 - this.#ranks.next(random, count);
  }
}

export class HotspotKeys implements KeyDistribution {
  readonly #dataFraction: number;
  readonly #operationFraction: number;

  constructor(dataFraction = 0.2, operationFraction = 0.8) {
    this.#dataFraction = dataFraction;
    this.#operationFraction = operationFraction;
  }

  next(random: RandomStream, count: number): number {
    const hot = Math.max(1, Math.floor(count * this.#dataFraction));
    if (hot >= count || random.float() < this.#operationFraction) return random.below(Math.min(hot, count));
    return hot + random.below(count - hot);
  }
}

export class ExponentialKeys implements KeyDistribution {
  readonly #percentile: number;
  readonly #fraction: number;

  constructor(percentile = 95, fraction = 0.8571428571) {
    this.#percentile = percentile;
    this.#fraction = fraction;
  }

  next(random: RandomStream, count: number): number {
    const gamma = -Math.log(1 - this.#percentile / 100) / (count * this.#fraction);
    for (;;) {
      const distance = Math.floor(random.exponential() / gamma);
      if (distance < count) return count - 1 - distance;
    }
  }
}
