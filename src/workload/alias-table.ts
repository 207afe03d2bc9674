/**
 * AliasTable: draws from a discrete weighted distribution in constant time.
 *
 * Algorithm (Vose 1991): the weights, scaled to mean 1, are laid out in n columns of height 1, each
 * holding at most two outcomes; a draw picks a column and then one of the two. Invariant: an outcome of
 * weight 0 is never drawn.
 * Source: A. J. Walker 1977; M. D. Vose, "A linear algorithm for generating random numbers with a given
 * distribution".
 */
import { LatheError } from "../kit/errors.ts";
import type { RandomStream } from "./random-stream.ts";

export class AliasTable {
  readonly #threshold: Float64Array;
  readonly #alias: Uint32Array;

  /** Errors: INVALID_ARGUMENT where a weight is negative or none is positive. */
  constructor(weights: readonly number[]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (!(total > 0 && Number.isFinite(total)) || weights.some((weight) => !(weight >= 0))) {
      throw new LatheError("INVALID_ARGUMENT", "weights must be 0 or more, and their sum positive");
    }
    const count = weights.length;
    this.#threshold = new Float64Array(count).fill(1);
    this.#alias = Uint32Array.from({ length: count }, (_, index) => index);
    const heights = weights.map((weight) => (weight * count) / total);
    const low = heights.flatMap((height, index) => (height < 1 ? [index] : []));
    const high = heights.flatMap((height, index) => (height < 1 ? [] : [index]));
    while (low.length > 0 && high.length > 0) {
      const small = low.pop() as number;
      const large = high.at(-1) as number;
      this.#threshold[small] = heights[small];
      this.#alias[small] = large;
      heights[large] -= 1 - heights[small];
      if (heights[large] < 1) low.push(high.pop() as number);
    }
    // Rounding may leave a column of weight 0 without a partner: it must still never be drawn.
    const heaviest = weights.indexOf(Math.max(...weights));
    for (const index of low) {
      if (weights[index] > 0) continue;
      this.#threshold[index] = 0;
      this.#alias[index] = heaviest;
    }
  }

  next(random: RandomStream): number {
    const position = random.float() * this.#threshold.length;
    const column = Math.floor(position);
    return position - column < this.#threshold[column] ? column : this.#alias[column];
  }
}
