/**
 * Screening: which candidates are worth a confirmation. Cheap (one or two launches), by any means, and
 *   keeps nothing.
 *
 * Algorithm:
 *   1. Estimate: the mean log ratio so far; optimistic bound: estimate + 1.645 · noise/√n (a candidate
 *      whose true effect is `effectMin` fails it in one of 20 looks). The first look of several uses 2.576
 *      (one of 200): a single launch may be an outlier, and the noise of a few A/A launches is itself known
 *      only roughly.
 *   2. Optimistic bound below `effectMin`: drop. Estimate at or above it: confirm. Else one more launch,
 *      if any is left.
 *   3. At the last screening launch the estimate must be at least half of `effectMin`.
 * Screening launches never count as confirmation launches: the best of many noisy estimates is biased
 *   upwards.
 */
import { mean } from "./summary.ts";

export interface ScreeningOptions {
  readonly noise: number;
  readonly effectMin: number;
  /** Launches that screening may spend on one candidate; 2 by default. */
  readonly launchesMax?: number | undefined;
}

export interface ScreeningDecision {
  readonly decision: "confirm" | "drop" | "more";
  readonly estimate: number;
}

const optimism = 1.645;
const optimismAtFirst = 2.576;

export function screen(logRatios: readonly number[], options: ScreeningOptions): ScreeningDecision {
  const { noise, effectMin, launchesMax = 2 } = options;
  const estimate = mean(logRatios);
  const deviations = logRatios.length === 1 && launchesMax > 1 ? optimismAtFirst : optimism;
  const optimistic = estimate + (deviations * noise) / Math.sqrt(logRatios.length);
  if (optimistic < effectMin) return { decision: "drop", estimate };
  if (estimate >= effectMin) return { decision: "confirm", estimate };
  if (logRatios.length < launchesMax) return { decision: "more", estimate };
  return { decision: estimate >= effectMin / 2 ? "confirm" : "drop", estimate };
}

/**
 * An estimate drawn towards zero by how little is known of it, for ranking candidates with different
 * numbers of launches. The prior is a normal effect around zero with a standard deviation of `effectMin`.
 */
export function shrunkenEstimate(logRatios: readonly number[], options: ScreeningOptions): number {
  const variance = options.noise ** 2 / logRatios.length;
  return (mean(logRatios) * options.effectMin ** 2) / (options.effectMin ** 2 + variance);
}
