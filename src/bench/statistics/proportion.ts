/**
 * Exact confidence bounds of a proportion, for claims such as "no more than 5.5 % of the studies kept
 * falsely".
 * Source: Clopper and Pearson (1934), by bisection on the binomial distribution.
 */
import { LatheError } from "../../kit/errors.ts";

/** The largest rate that is compatible with `hits` of `trials` at one-sided `confidence`. */
export function proportionUpper(hits: number, trials: number, confidence: number): number {
  requireCounts(hits, trials);
  if (hits === trials) return 1;
  return bisect((rate) => binomialCumulative(hits, trials, rate) > 1 - confidence);
}

/** The smallest rate that is compatible with `hits` of `trials` at one-sided `confidence`. */
export function proportionLower(hits: number, trials: number, confidence: number): number {
  return 1 - proportionUpper(trials - hits, trials, confidence);
}

/** P(X ≤ hits) for a binomial X, summed in logarithms so that large `trials` do not underflow. */
function binomialCumulative(hits: number, trials: number, rate: number): number {
  if (rate <= 0) return 1;
  if (rate >= 1) return hits >= trials ? 1 : 0;
  const step = Math.log(rate) - Math.log1p(-rate);
  let term = trials * Math.log1p(-rate);
  let sum = 0;
  for (let k = 0; k <= hits; k++) {
    sum += Math.exp(term);
    term += step + Math.log((trials - k) / (k + 1));
  }
  return Math.min(1, sum);
}

/** Where `holds` turns from true to false on [0, 1]. */
function bisect(holds: (rate: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return high;
}

function requireCounts(hits: number, trials: number): void {
  if (Number.isInteger(hits) && Number.isInteger(trials) && hits >= 0 && hits <= trials && trials > 0) return;
  throw new LatheError("INVALID_ARGUMENT", `not a proportion: ${hits} of ${trials}`);
}
