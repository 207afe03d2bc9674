/**
 * A whole study on a simulated machine: calibrate, screen every candidate, confirm, re-measure. Made of
 * the same functions as a real study, so that the rate of false keeps, the power and the coverage of the
 * quoted interval can be counted.
 *
 * Other rules stand beside Lathe's so that the simulation can show that it would notice: `keep_if_better`
 * is what most tuning loops do, `peeking` a t-test at 5 % that is looked at after every launch.
 */
import type { LaunchSample } from "../measurement.ts";
import { alphaForConfirmation, confirmationIndex } from "./alpha-spending.ts";
import { calibrate } from "./calibration.ts";
import type { Interval } from "./interval.ts";
import { fixedSizeInterval } from "./interval.ts";
import { screen } from "./screening.ts";
import { SeededRandom } from "./seeded-random.ts";
import { createSequentialTest } from "./sequential-test.ts";
import type { SimulatedMachine } from "./simulated-machine.ts";
import { recordedMachine } from "./simulated-machine.ts";
import { mean, standardDeviation } from "./summary.ts";

export type KeepRule = "lathe" | "keep_if_better" | "peeking";

export interface SimulatedStudyOptions {
  /** True log ratio of each candidate against the shipped defaults; gains of candidates do not add up. */
  readonly effects: readonly number[];
  readonly alpha: number;
  readonly rule?: KeepRule | undefined;
  /** False confirms every candidate, which is the hardest case for the rate of false keeps. */
  readonly screening?: boolean | undefined;
  readonly calibrationLaunches?: number | undefined;
  /** What the budget buys for one confirmation. */
  readonly confirmationLaunches?: number | undefined;
  readonly remeasurementLaunches?: number | undefined;
}

export interface SimulatedStudy {
  /** Indices of the candidates that became the incumbent, in order. */
  readonly kept: readonly number[];
  /** Those of them that were no better than the incumbent of their time. */
  readonly falseKeeps: number;
  readonly confirmations: number;
  readonly launches: number;
  /** Re-measured log ratio of the final incumbent against the defaults, and what it truly is. */
  readonly interval: Interval;
  readonly truth: number;
  /** The smallest effect that calibration promised to confirm. */
  readonly effectMin: number;
}

export function simulateStudy(machine: SimulatedMachine, options: SimulatedStudyOptions): SimulatedStudy {
  const { effects, alpha, rule = "lathe", calibrationLaunches = 8, remeasurementLaunches = 8 } = options;
  let launches = 0;
  const launch = (effect: number): number => {
    launches++;
    return machine.launch(effect);
  };
  const aa = Array.from({ length: calibrationLaunches }, () => launch(0));
  const budgetSeconds = options.confirmationLaunches ?? 14;
  const kept: number[] = [];
  const outcomes: boolean[] = [];
  let falseKeeps = 0;
  let truth = 0;
  effects.forEach((effect, candidate) => {
    const gain = effect - truth;
    const confirmation = confirmationIndex(outcomes);
    const budget = { launchSeconds: 1, budgetSeconds, alpha, confirmation };
    const { noise, effectMin, launchesMax } = calibrate(aa, budget);
    const design: Design = {
      noise,
      effectMin: Math.min(effectMin, 1),
      launchesMax,
      alpha: alphaForConfirmation(confirmation, alpha),
      screening: options.screening ?? true,
    };
    const verdict = rules[rule](() => launch(gain), design);
    if (verdict !== "dropped") outcomes.push(verdict === "kept");
    if (verdict !== "kept") return;
    kept.push(candidate);
    if (gain <= 0) falseKeeps++;
    truth = effect;
  });
  const again = Array.from({ length: remeasurementLaunches }, () => launch(truth));
  const interval = fixedSizeInterval(again, 0.95);
  const { effectMin } = calibrate(aa, { launchSeconds: 1, budgetSeconds, alpha });
  return { kept, falseKeeps, confirmations: outcomes.length, launches, interval, truth, effectMin };
}

/**
 * One null study over recorded A/A launches with random labels: whatever it keeps is false.
 * `launches` are launch samples (their log throughput is used) or log ratios.
 */
export function resampleNull(
  launches: readonly (LaunchSample | number)[],
  seed: number,
  options: Partial<SimulatedStudyOptions> = {},
): SimulatedStudy {
  const logRatios = launches.map((launch) =>
    typeof launch === "number" ? launch : launch.logRatios.throughput,
  );
  const machine = recordedMachine(logRatios, new SeededRandom(seed));
  return simulateStudy(machine, { effects: [0, 0, 0, 0, 0, 0, 0, 0], alpha: 0.05, ...options });
}

interface Design {
  readonly noise: number;
  readonly effectMin: number;
  readonly launchesMax: number;
  readonly alpha: number;
  readonly screening: boolean;
}

type Verdict = "dropped" | "kept" | "not_kept";

function screened(launch: () => number, { noise, effectMin }: Design): "confirm" | "drop" {
  const seen: number[] = [];
  for (;;) {
    seen.push(launch());
    const { decision } = screen(seen, { noise, effectMin });
    if (decision !== "more") return decision;
  }
}

const rules: Readonly<Record<KeepRule, (launch: () => number, design: Design) => Verdict>> = {
  lathe(launch, design) {
    if (design.screening && screened(launch, design) === "drop") return "dropped";
    const test = createSequentialTest(design);
    while (test.decision === "continue") test.observe(launch());
    return test.decision === "keep" ? "kept" : "not_kept";
  },
  keep_if_better: (launch) => (launch() > 0 ? "kept" : "not_kept"),
  peeking(launch, design) {
    const seen = [launch()];
    while (seen.length < design.launchesMax) {
      seen.push(launch());
      if (mean(seen) / (standardDeviation(seen) / Math.sqrt(seen.length)) > 1.645) return "kept";
    }
    return "not_kept";
  },
};
