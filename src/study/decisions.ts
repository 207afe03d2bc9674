/**
 * The decisions of a study, each a pure function of launches: no clock, no state. What they rest on
 * is recorded beside them, so anyone can make them again (`replay.ts` does).
 *
 * Which launch counts:
 *   1. A launch with verification failures, errors on one side or a ratio that is no number is not
 *      valid: it has no estimate.
 *   2. A launch that was bound by its driver says nothing about throughput; for server CPU per
 *      operation it counts.
 */
import type { LaunchSample, ScoreOptions, Statistic } from "../bench/measurement.ts";
import { type Calibration, calibrate, withinLaunchNoise } from "../bench/statistics/calibration.ts";
import { guardMemory, guardNonInferiority, type GuardVerdict } from "../bench/statistics/guard.ts";
import { fixedSizeInterval, type Interval } from "../bench/statistics/interval.ts";
import { promptKvScore, scoreDifference } from "../bench/statistics/score.ts";
import { median, percentOf } from "../bench/statistics/summary.ts";
import type { GuardTargets, StudySettings } from "./settings.ts";

/** What a study may test; the others guard and inform. */
export type TestedStatistic = "throughput" | "cost";

export const confidence = 0.95;

/** Why a launch is not valid, or undefined. */
export function launchProblem(
  launch: LaunchSample,
): { readonly code: string; readonly message: string } | undefined {
  for (const side of ["incumbent", "candidate"] as const) {
    const { verificationFailures, errors, opsPerSecond } = launch[side];
    if (verificationFailures > 0) {
      const code = side === "candidate" ? "WRONG_VALUES" : "WRONG_VALUES_OF_INCUMBENT";
      return {
        code,
        message:
          `the ${side} answered ${verificationFailures} reads with values that were never ` +
          `written`,
      };
    }
    if (errors > 0)
      return { code: "OPERATION_ERRORS", message: `${errors} operations of the ${side} failed` };
    if (!(opsPerSecond > 0))
      return { code: "NO_OPERATIONS", message: `the ${side} completed no operation` };
  }
  const bad = Object.entries(launch.logRatios).find(([, value]) => !Number.isFinite(value));
  return bad === undefined
    ? undefined
    : { code: "NOT_A_NUMBER", message: `the log ratio of ${bad[0]} is ${bad[1]}` };
}

/** The log ratios of the launches that say something about a statistic. */
export function usableRatios(launches: readonly LaunchSample[], statistic: Statistic): number[] {
  return launches
    .filter((launch) => statistic !== "throughput" || !launch.driver.driverBound)
    .map((launch) => launch.logRatios[statistic]);
}

/**
 * Whether at least half of the launches were bound by their driver, so that throughput decides
 * nothing.
 */
export function isDriverBound(launches: readonly LaunchSample[]): boolean {
  const bound = launches.filter(({ driver }) => driver.driverBound).length;
  return bound > 0 && 2 * bound >= launches.length;
}

/**
 * Declared after calibration and before the search; a trial whose screening was driver-bound is
 * confirmed on cost.
 */
export function chooseStatistic(
  launches: readonly LaunchSample[],
  asked: StudySettings["statistic"],
): TestedStatistic {
  if (asked !== "auto") return asked;
  return isDriverBound(launches) ? "cost" : "throughput";
}

export interface CalibrationInput {
  readonly launchSeconds: number;
  readonly budgetSeconds: number;
  readonly alpha: number;
}

/** The calibration of each statistic that a confirmation may use. */
export function calibrateStatistics(
  launches: readonly LaunchSample[],
  input: CalibrationInput,
): Readonly<Record<TestedStatistic, Calibration>> {
  const within = launches
    .map(({ blocks }) => withinLaunchNoise(blocks))
    .filter((noise) => noise !== undefined);
  const of = (statistic: TestedStatistic) =>
    calibrate(
      launches.map(({ logRatios }) => logRatios[statistic]),
      {
        ...input,
        withinLaunchNoise:
          within.length > 0 && statistic === "throughput" ? median(within) : undefined,
      },
    );
  return { throughput: of("throughput"), cost: of("cost") };
}

/** p99 and memory: a candidate may be worse by the contract's margins and no more. */
export function judgeGuards(
  launches: readonly LaunchSample[],
  targets: GuardTargets,
): Readonly<Record<"p99" | "memory", GuardVerdict>> {
  const ratios = (statistic: Statistic) => launches.map(({ logRatios }) => logRatios[statistic]);
  const memory = launches.map(({ candidate }) => candidate.memoryMiB);
  return {
    p99: guardNonInferiority(ratios("p99"), targets.p99RatioMax),
    memory: guardMemory(ratios("memory"), targets.memoryRatioMax, memory, targets.memoryMiBMax),
  };
}

/**
 * Beyond these, screening need not wait for a guard's proof: memory hardly varies between launches.
 */
const memorySlack = 1.05;

/**
 * Why a candidate is not worth a confirmation although it is fast; undefined where nothing speaks
 * against it.
 */
export function screeningVeto(
  launches: readonly LaunchSample[],
  targets: GuardTargets,
): string | undefined {
  const memoryMiB = median(launches.map(({ candidate }) => candidate.memoryMiB));
  const ratio = Math.exp(median(launches.map(({ logRatios }) => logRatios.memory)));
  if (
    memoryMiB <= targets.memoryMiBMax * memorySlack ||
    ratio <= targets.memoryRatioMax * memorySlack
  )
    return undefined;
  return (
    `it takes ${memoryMiB.toFixed(0)} MiB of ${targets.memoryMiBMax} MiB granted, ` +
    `${ratio.toFixed(2)} times the incumbent's`
  );
}

export function guardsSay(
  guards: Readonly<Record<string, GuardVerdict>>,
): "pass" | "fail" | "inconclusive" {
  const verdicts = Object.values(guards).map(({ verdict }) => verdict);
  if (verdicts.includes("fail")) return "fail";
  return verdicts.includes("inconclusive") ? "inconclusive" : "pass";
}

/** `p99: ratio 1.31, …; memory: …`, of the guards that did not pass. */
export function guardsSentence(guards: Readonly<Record<string, GuardVerdict>>): string {
  return Object.entries(guards)
    .filter(([, { verdict }]) => verdict !== "pass")
    .map(([name, { reason }]) => `${name}: ${reason}`)
    .join("; ");
}

export interface Remeasurement {
  readonly intervals: Readonly<Record<string, Interval>>;
  readonly scores: { readonly reference: number; readonly winner: number };
  readonly guards: Readonly<Record<"p99" | "memory", GuardVerdict>>;
  readonly launches: number;
  readonly driverBoundLaunches: number;
}

/**
 * The fixed-size comparison whose interval is quoted. Every valid launch counts: a driver that was
 * the limit hides a part of a gain and makes none.
 */
export function remeasure(
  launches: readonly LaunchSample[],
  targets: GuardTargets,
  score: ScoreOptions,
): Remeasurement {
  const reference = {
    opsPerSecond: median(launches.map(({ incumbent }) => incumbent.opsPerSecond)),
    p50Us: median(launches.map(({ incumbent }) => incumbent.p50Us)),
    memoryMiB: median(launches.map(({ incumbent }) => incumbent.memoryMiB)),
  };
  const winner = {
    opsPerSecond: median(launches.map(({ candidate }) => candidate.opsPerSecond)),
    p50Us: median(launches.map(({ candidate }) => candidate.p50Us)),
    memoryMiB: median(launches.map(({ candidate }) => candidate.memoryMiB)),
  };
  const statistics = ["throughput", "cost", "p50", "p99", "memory"] as const;
  const intervals = Object.fromEntries(
    statistics.map((statistic) => [
      statistic,
      fixedSizeInterval(
        launches.map(({ logRatios }) => logRatios[statistic]),
        confidence,
      ),
    ]),
  );
  const differences = launches.map((launch) => scoreDifference(launch, reference, score));
  return {
    intervals: { ...intervals, score: fixedSizeInterval(differences, confidence) },
    scores: {
      reference: promptKvScore(reference, reference, score),
      winner: promptKvScore(winner, reference, score),
    },
    guards: judgeGuards(launches, targets),
    launches: launches.length,
    driverBoundLaunches: launches.filter(({ driver }) => driver.driverBound).length,
  };
}

export interface GainVerdict {
  readonly outcome: "gain" | "none";
  readonly reason: string;
}

/**
 * A gain is quoted only where the whole interval lies above zero and no guard fails on the fresh
 * launches.
 */
export function judgeGain(remeasured: Remeasurement, statistic: TestedStatistic): GainVerdict {
  const interval = remeasured.intervals[statistic];
  const quoted =
    `${percentOf(interval.estimate)} ` +
    `${statistic === "cost" ? "operations per server CPU second" : "throughput"} ` +
    `(${percentOf(interval.low)} to ${percentOf(interval.high)}, ` +
    `${(interval.level * 100).toFixed(1)} % interval over ` +
    `${remeasured.launches} fresh launches)`;
  if (interval.level < confidence) {
    return {
      outcome: "none",
      reason: `re-measured: ${quoted}; too few launches for an interval at ${confidence * 100} %`,
    };
  }
  if (interval.low <= 0)
    return { outcome: "none", reason: `the gain did not survive re-measurement: ${quoted}` };
  if (guardsSay(remeasured.guards) === "fail") {
    return {
      outcome: "none",
      reason: `re-measured: ${quoted}, but ${guardsSentence(remeasured.guards)}`,
    };
  }
  return { outcome: "gain", reason: `re-measured: ${quoted}` };
}
