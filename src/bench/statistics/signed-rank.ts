/**
 * Wilcoxon's signed-rank statistic: its exact null distribution, and the Walsh averages that turn it into
 * an interval.
 *
 * Purpose: bounds on the centre of launch estimates that hold for any noise which the harness's coin makes
 *   symmetric.
 * Algorithm:
 *   1. Under the null each rank 1…n is positive with probability ½, independently; W is the sum of the
 *      positive ones. P(W = w) follows by adding one rank at a time.
 *   2. The Walsh averages (x_i + x_j)/2, i ≤ j, sorted: the centre is below the (k+1)-th smallest with
 *      probability P(W ≤ k), and above the (k+1)-th largest likewise. Their median is Hodges and Lehmann's
 *      estimate.
 * Source: Hollander and Wolfe, "Nonparametric Statistical Methods", §3.1–3.3.
 */
import { LatheError } from "../../kit/errors.ts";
import { median, requireSample } from "./summary.ts";

const sampleMax = 500;

/** P(W ≤ w) for w = 0 … n(n+1)/2. */
export function signedRankCumulative(sampleSize: number): Float64Array {
  let probabilities = Float64Array.of(1);
  for (let rank = 1; rank <= sampleSize; rank++) {
    const next = new Float64Array(probabilities.length + rank);
    for (let sum = 0; sum < probabilities.length; sum++) {
      next[sum] += probabilities[sum] / 2;
      next[sum + rank] += probabilities[sum] / 2;
    }
    probabilities = next;
  }
  for (let sum = 1; sum < probabilities.length; sum++) probabilities[sum] += probabilities[sum - 1];
  return probabilities;
}

/** Sorted Walsh averages. Errors: LIMIT_EXCEEDED above 500 values. */
export function walshAverages(values: readonly number[]): Float64Array {
  requireSample(values);
  if (values.length > sampleMax) {
    const message = `signed-rank bounds take at most ${sampleMax} launches, not ${values.length}`;
    throw new LatheError("LIMIT_EXCEEDED", message);
  }
  const averages = new Float64Array((values.length * (values.length + 1)) / 2);
  let position = 0;
  for (let i = 0; i < values.length; i++) {
    for (let j = i; j < values.length; j++) averages[position++] = (values[i] + values[j]) / 2;
  }
  return averages.sort();
}

export interface OneSidedBound {
  readonly bound: number;
  /** P(the centre is beyond the bound): the largest attainable value below the tail asked for, if any. */
  readonly tail: number;
}

/** Bounds on the centre, each with a tail of at most `tail` where the sample suffices, else of 2^−n. */
export function centreBounds(
  values: readonly number[],
  tail: number,
): { low: OneSidedBound; high: OneSidedBound; estimate: number } {
  const averages = walshAverages(values);
  const cumulative = signedRankCumulative(values.length);
  let skipped = 0;
  while (skipped + 1 < averages.length / 2 && cumulative[skipped + 1] <= tail) skipped++;
  return {
    low: { bound: averages[skipped], tail: cumulative[skipped] },
    high: { bound: averages[averages.length - 1 - skipped], tail: cumulative[skipped] },
    estimate: median([...averages]),
  };
}
