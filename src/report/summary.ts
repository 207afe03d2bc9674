/**
 * What a program gets of a study: the stable fields of `lathe run --json`, from the journal alone.
 */
import type { Interval } from "../bench/statistics/interval.ts";
import type { KnobValue } from "../knobs/knob.ts";
import { operationTable, type SubjectColumn } from "./operation-table.ts";
import type { StudyRecord } from "./study-record.ts";

export interface StudySummary {
  readonly contract: string;
  readonly outcome: "gain" | "none" | "refused";
  readonly reason: string;
  readonly interrupted: boolean;
  readonly baseline: SubjectSummary;
  /** Null where nothing was confirmed. */
  readonly winner: SubjectSummary | null;
  /** Re-measured winner against baseline; null where nothing was re-measured. */
  readonly gain: GainSummary | null;
  readonly gates: readonly { gate: string; verdict: string; reason: string; seconds: number }[];
  readonly trials: readonly TrialSummary[];
  readonly calibration: CalibrationSummary | null;
  /** Path of the HTML report; null where none was written. */
  readonly report: string | null;
}

export interface SubjectSummary {
  readonly knobs: Readonly<Record<string, KnobValue>>;
  readonly opsPerSecond: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly memoryMiB: number | null;
  readonly serverCpuUsPerOp: number | null;
  readonly operations: SubjectColumn["operations"];
}

/** Winner over baseline. */
export interface EffectSummary {
  readonly ratio: number;
  readonly interval: readonly [low: number, high: number];
}

export interface GainSummary {
  readonly statistic: string;
  readonly launches: number;
  readonly throughput: EffectSummary;
  /** Operations per second of server CPU. */
  readonly cost: EffectSummary;
  readonly p50: EffectSummary;
  readonly p99: EffectSummary;
  readonly memory: EffectSummary;
  /** PromptKV's score, which may be negative: a difference, never a ratio. */
  readonly score: {
    readonly baseline: number;
    readonly winner: number;
    readonly difference: number;
    readonly interval: readonly [low: number, high: number];
  };
}

export interface TrialSummary {
  readonly trial: number;
  readonly candidate: string;
  readonly knobs: Readonly<Record<string, KnobValue>>;
  readonly outcome: string;
  /** Ratio that screening estimated against the incumbent of its time. */
  readonly estimate: number | null;
  readonly reason: string;
}

export interface CalibrationSummary {
  readonly statistic: string;
  readonly noise: number;
  /** Null where the budget confirms nothing. */
  readonly effectMinRatio: number | null;
  readonly feasible: boolean;
  readonly sentence: string;
}

export function summarise(record: StudyRecord, reportPath: string | undefined): StudySummary {
  const { calibration, outcome } = record;
  return {
    contract: record.header.contract.name,
    outcome: outcome?.outcome ?? "none",
    reason: outcome?.reason ?? "the study has not come to its end; run it again to go on",
    interrupted: record.interrupted || outcome === undefined,
    baseline: subjectSummary(record, "default", {}),
    winner:
      record.winner === undefined ? null : subjectSummary(record, "tuned", record.winner.knobs),
    gain: gainOf(record),
    gates: record.productGates.map(({ gate, verdict, reason, seconds }) => ({
      gate,
      verdict,
      reason,
      seconds,
    })),
    trials: record.trials.map(({ number, candidate, ended }) => ({
      trial: number,
      candidate: candidate.id,
      knobs: candidate.knobs,
      outcome: ended?.outcome ?? "unfinished",
      estimate: ended?.estimate === undefined ? null : Math.exp(ended.estimate),
      reason: ended?.reason ?? "",
    })),
    calibration:
      calibration === undefined
        ? null
        : {
            statistic: calibration.statistic ?? "throughput",
            noise: calibration.noise,
            effectMinRatio: Number.isFinite(calibration.effectMin)
              ? Math.exp(calibration.effectMin)
              : null,
            feasible: calibration.feasible,
            sentence: calibration.sentence,
          },
    report: reportPath ?? null,
  };
}

/** The re-measured gain, or null. */
export function gainOf(record: StudyRecord): GainSummary | null {
  const result = record.remeasurements.find(({ against }) => against === "baseline")?.result;
  if (result === undefined) return null;
  const effect = (name: string): EffectSummary => effectOf(result.intervals[name]);
  const scores = result["scores"] as { reference: number; winner: number };
  const { estimate, low, high } = result.intervals["score"];
  return {
    statistic: testedStatistic(record),
    launches: result.launches,
    throughput: effect("throughput"),
    cost: effect("cost"),
    p50: effect("p50"),
    p99: effect("p99"),
    memory: effect("memory"),
    score: {
      baseline: scores.reference,
      winner: scores.winner,
      difference: estimate,
      interval: [low, high],
    },
  };
}

export function effectOf(interval: Interval): EffectSummary {
  return {
    ratio: Math.exp(interval.estimate),
    interval: [Math.exp(interval.low), Math.exp(interval.high)],
  };
}

/** On what the winner was confirmed and is quoted. */
export function testedStatistic(record: StudyRecord): "throughput" | "cost" {
  const kept = record.trials.filter(({ ended }) => ended?.outcome === "kept");
  if (kept.some(({ confirmationDecision }) => confirmationDecision?.statistic === "cost"))
    return "cost";
  return record.calibration?.statistic === "cost" ? "cost" : "throughput";
}

function subjectSummary(
  record: StudyRecord,
  subject: "default" | "tuned",
  knobs: Readonly<Record<string, KnobValue>>,
): SubjectSummary {
  const column = operationTable(record)?.columns.find((one) => one.subject === subject);
  const {
    opsPerSecond = null,
    p50Us = null,
    p99Us = null,
    memoryMiB = null,
    serverCpuUsPerOp = null,
  } = column?.total ?? {};
  return {
    knobs,
    opsPerSecond,
    p50Us,
    p99Us,
    memoryMiB,
    serverCpuUsPerOp,
    operations: column?.operations ?? {},
  };
}
