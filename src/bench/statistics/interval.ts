/**
 * The fixed-size comparison behind every gain that Lathe quotes: launches of the final incumbent against
 * the original baseline, as many as were planned, then one estimate and one interval.
 *
 * Purpose: an interval that covers the true effect at the stated level, under skewed noise, drift and
 *   autocorrelation.
 * Algorithm: Hodges and Lehmann's estimate with the exact signed-rank interval (`signed-rank.ts`). The coin
 *   of the harness makes d_i − effect symmetric given the other launches, which is all that the
 *   signed-rank distribution needs, so the level holds for any noise. Student's t was the alternative: in
 *   simulation it covers as well, but nothing guarantees it; it is a fifth narrower at six launches and no
 *   narrower from twelve on (`scripts/statistics-bars.ts` prints both).
 * Invariants: the number of launches is fixed before the first; none of them took part in a decision. With
 *   fewer than six launches no interval has a level of 95 %; `level` says what was achieved.
 */
import { LatheError } from "../../kit/errors.ts";
import { centreBounds } from "./signed-rank.ts";

export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** The probability that such an interval covers the effect; at least `confidence` where attainable. */
  readonly level: number;
  readonly method: string;
}

/** Errors: INVALID_ARGUMENT (no launches, a number that is none, a wrong confidence), LIMIT_EXCEEDED. */
export function fixedSizeInterval(logRatios: readonly number[], confidence: number): Interval {
  if (!(confidence > 0 && confidence < 1)) {
    throw new LatheError("INVALID_ARGUMENT", `a confidence lies in (0, 1), not ${confidence}`);
  }
  const { low, high, estimate } = centreBounds(logRatios, (1 - confidence) / 2);
  const level = 1 - low.tail - high.tail;
  const shortfall = level < confidence ? `; ${logRatios.length} launches reach no higher level` : "";
  return {
    estimate,
    low: low.bound,
    high: high.bound,
    level,
    method:
      `Hodges-Lehmann estimate, exact signed-rank interval over ${logRatios.length} launches${shortfall}`,
  };
}
