/**
 * PromptKV's score of one side against a baseline:
 *   T/T_b − λ_L · L/L_b − λ_M · max(0, exp(M/M_0 − 1) − 1).
 *
 * T is throughput, L the p50 latency, M the operating system's memory. The score can be negative, so a
 * study that uses it as its statistic tests differences of scores, never ratios.
 * Source: PromptKV, equation 1, with λ_L = λ_M = 0.5 and M_0 = 100 MiB.
 */
import type { LaunchSample, ScoreOptions, SideSample } from "../measurement.ts";

export const promptKvScoreOptions: ScoreOptions = {
  latencyWeight: 0.5,
  memoryWeight: 0.5,
  memoryBaselineMiB: 100,
};

export type ScoredSide = Pick<SideSample, "opsPerSecond" | "p50Us" | "memoryMiB">;

export function promptKvScore(
  side: ScoredSide,
  baseline: Pick<SideSample, "opsPerSecond" | "p50Us">,
  options: ScoreOptions = promptKvScoreOptions,
): number {
  const throughput = side.opsPerSecond / baseline.opsPerSecond;
  const latency = side.p50Us / baseline.p50Us;
  // The exponent is bounded so that an absurd memory gives an absurd score and not an infinite one, whose
  // difference with another would be no number.
  const memory = Math.max(0, Math.expm1(Math.min(side.memoryMiB / options.memoryBaselineMiB - 1, 600)));
  return throughput - options.latencyWeight * latency - options.memoryWeight * memory;
}

/**
 * Score of the candidate minus that of the incumbent: under the null symmetric about zero, as log
 * ratios.
 */
export function scoreDifference(
  launch: Pick<LaunchSample, "incumbent" | "candidate">,
  baseline: Pick<SideSample, "opsPerSecond" | "p50Us">,
  options: ScoreOptions = promptKvScoreOptions,
): number {
  const { candidate, incumbent } = launch;
  return promptKvScore(candidate, baseline, options) - promptKvScore(incumbent, baseline, options);
}
