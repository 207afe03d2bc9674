/**
 * The kinds of entries of a study's journal. A decision is recorded together with everything that it was
 * made from, so that it can be replayed; launches are recorded raw.
 *
 * Fields may be added in later versions: readers check what they know and keep what they do not.
 */
import { z } from "zod";
import type { LaunchSample, Side, SideSample, Statistic } from "../bench/measurement.ts";
import type { GuardVerdict } from "../bench/statistics/guard.ts";
import type { Calibration } from "../bench/statistics/calibration.ts";
import type { Interval } from "../bench/statistics/interval.ts";
import type { SequentialTestState } from "../bench/statistics/sequential-test.ts";
import type { Contract } from "../contract/contract.ts";
import type { GateVerdict } from "../gates/gate.ts";
import type { Knob, KnobValue } from "../knobs/knob.ts";
import type { Environment } from "./environment.ts";

// Measurements may be infinite or no number at all (a side that answered nothing); they are recorded as
// they are.
const number = z.custom<number>((value) => typeof value === "number", "expected a number");
const count = z.int().min(0);
const text = z.string();
const facts = z.record(z.string(), z.unknown());
const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
// Values of other rooms, which check them where they are made.
const contract = z.custom<Contract>(isObject, "expected a contract");
const environment = z.custom<Environment>(isObject, "expected the facts of an environment");
const knob = z.custom<Knob>(isObject, "expected a knob");
const side: z.ZodType<Side> = z.enum(["incumbent", "candidate"]);
const statistic: z.ZodType<Statistic> = z.enum(["throughput", "cost", "p50", "p99", "memory"]);

const operationStatistics = z.looseObject({
  count: number, errors: number, meanUs: number, p50Us: number, p99Us: number, maxUs: number,
});

const sideSample: z.ZodType<SideSample> = z.looseObject({
  opsPerSecond: number,
  operations: z.record(z.string(), operationStatistics),
  p50Us: number,
  p99Us: number,
  serverCpuUsPerOp: number,
  memoryMiB: number,
  drainSeconds: number,
  errors: number,
  verificationFailures: number,
  signals: z.record(z.string(), number),
});

const block = z.looseObject({
  side, position: count, operations: number, errors: number, seconds: number, serverCpuUs: number,
});

export const launchSampleSchema: z.ZodType<LaunchSample> = z.looseObject({
  seed: number,
  first: side,
  blocks: z.array(block),
  incumbent: sideSample,
  candidate: sideSample,
  driver: z.looseObject({
    ceilingOpsPerSecond: number, utilisation: number, eventLoopDelayP99Ms: number, driverBound: z.boolean(),
  }),
  logRatios: z.record(statistic, number),
  startedAtMs: number,
  wallSeconds: number,
});

const gateVerdict: z.ZodType<GateVerdict> = z.looseObject({
  gate: text,
  verdict: z.enum(["admit", "reject", "inconclusive"]),
  reason: text,
  evidence: facts,
  seconds: number,
});

const sequentialState: z.ZodType<SequentialTestState> = z.looseObject({
  options: z.looseObject({ alpha: number, noise: number, effectMin: number, launchesMax: number }),
  logRatios: z.array(number).readonly(),
  wealth: number,
  decision: z.enum(["continue", "keep", "futile"]),
  reason: text,
});

const guardVerdict: z.ZodType<GuardVerdict> = z.looseObject({
  verdict: z.enum(["pass", "fail", "inconclusive"]), estimateRatio: number, upperRatio: number, reason: text,
});

const interval: z.ZodType<Interval> = z.looseObject({
  estimate: number, low: number, high: number, level: number, method: text,
});

/** A calibration without what only its caller needs. */
const calibrated: z.ZodType<Calibration> = z.looseObject({
  noise: number, effectMin: number, launchesMax: count, feasible: z.boolean(), sentence: text,
});

/**
 * Seconds of study time, without the pause between a kill and its resumption: what a budget is
 * measured against.
 */
const elapsedSeconds = number.optional();

/** A point of the search space, as `search/candidate.ts` has it; more may join what makes a candidate. */
export interface RecordedCandidate {
  readonly id: string;
  readonly knobs: Readonly<Record<string, KnobValue>>;
}

const candidate: z.ZodType<RecordedCandidate> = z.looseObject({
  id: text, knobs: z.record(z.string(), z.union([number, text, z.boolean()])),
});

/** Facts that make a study comparable with another: what was studied, with what, on what. */
export const studyHeaderSchema = z.looseObject({
  /** The contract as validated. */
  contract,
  product: z.looseObject({ name: text, hash: text }),
  seed: number,
  /** The knobs that may vary, as in the catalog. */
  space: z.array(knob).readonly(),
  /** Every knob of the product; where it is not there, the space is all that was known. */
  knobTable: z.array(knob).readonly().optional(),
  /** How many launches each step takes, targets and limits (`study/settings.ts`). */
  settings: facts.optional(),
  budget: z.looseObject({ seconds: number }),
  /** False-keep probability of the whole study. */
  alpha: number,
  proposer: text,
  /** Versions by name: lathe, node, catalog, … */
  versions: z.record(z.string(), text),
  /** Host, kernel, processor, file system of the data (`environment.ts`). */
  environment,
  /** Commit of Lathe's own source; null where unknown. */
  commit: text.nullable(),
});

export type StudyHeader = z.infer<typeof studyHeaderSchema>;

export const entrySchema = z.discriminatedUnion("kind", [
  studyHeaderSchema.extend({
    kind: z.literal("study_started"), format: z.literal("lathe-journal"), version: z.literal(1),
  }),
  /**
   * `candidate` is null for gates on the product as such; `last` closes the verdicts of one run of the
   * gates.
   */
  z.looseObject({
    kind: z.literal("gate_verdict"),
    candidate: text.nullable(),
    verdict: gateVerdict,
    last: z.boolean().optional(),
    elapsedSeconds,
  }),
  /** The checkpoint of a candidate for one content of the tables is ready. */
  z.looseObject({ kind: z.literal("candidate_prepared"), candidate: text, workloadSeed: number, elapsedSeconds }),
  /** Something that was asked of the system did not work: it threw, hung or died. Data, not an end. */
  z.looseObject({
    kind: z.literal("step_failed"), step: text, candidate: text, code: text, message: text, elapsedSeconds,
  }),
  z.looseObject({ kind: z.literal("calibration_launch"), launch: launchSampleSchema, elapsedSeconds }),
  z.looseObject({
    kind: z.literal("calibration_result"),
    noise: number,
    effectMin: number,
    launchesMax: count,
    feasible: z.boolean(),
    sentence: text,
    /** What the study tests, declared before its search; the figures above are of this statistic. */
    statistic: statistic.optional(),
    /** The same figures for each statistic that a confirmation may use. */
    statistics: z.record(z.string(), calibrated).optional(),
  }),
  z.looseObject({ kind: z.literal("candidate_proposed"), candidate, proposer: text, incumbent: text }),
  z.looseObject({ kind: z.literal("search_ended"), reason: text }),
  z.looseObject({ kind: z.literal("screening_launch"), candidate: text, launch: launchSampleSchema, elapsedSeconds }),
  z.looseObject({
    kind: z.literal("screening_decision"),
    candidate: text,
    decision: z.enum(["confirm", "drop", "more"]),
    estimate: number,
  }),
  /** `confirmation`: the j of α_j. */
  z.looseObject({
    kind: z.literal("confirmation_launch"),
    candidate: text,
    confirmation: count,
    launch: launchSampleSchema,
    elapsedSeconds,
  }),
  z.looseObject({
    kind: z.literal("confirmation_decision"),
    candidate: text,
    confirmation: count,
    statistic: text,
    test: sequentialState,
    guards: z.record(z.string(), guardVerdict),
    kept: z.boolean(),
    reason: text,
  }),
  /** How a trial ended; `failed` is a server that died or a launch that was not valid. */
  z.looseObject({
    kind: z.literal("trial_ended"),
    candidate: text,
    outcome: z.enum(["kept", "dropped", "rejected", "failed"]),
    estimate: number.optional(),
    reason: text,
  }),
  z.looseObject({ kind: z.literal("incumbent_changed"), from: text, to: text, reason: text }),
  /**
   * `workload`: the one studied, or the name of a held-out one. `against`: the baseline where nothing
   * is said.
   */
  z.looseObject({
    kind: z.literal("remeasurement_launch"),
    workload: text,
    launch: launchSampleSchema,
    against: z.enum(["baseline", "expert"]).optional(),
    elapsedSeconds,
  }),
  z.looseObject({
    kind: z.literal("remeasurement_result"),
    workload: text,
    against: z.enum(["baseline", "expert"]).optional(),
    intervals: z.record(z.string(), interval),
    launches: count,
  }),
  z.looseObject({
    kind: z.literal("outcome"),
    outcome: z.enum(["gain", "none", "refused"]),
    winner: text.nullable(),
    reason: text,
  }),
  /**
   * One subject driven alone, for the table of the report: `default`, `tuned`, `expert`, or another
   * system. It decides nothing. `configuration` is what the reader needs to set it up alike.
   */
  z.looseObject({
    kind: z.literal("solo_measurement"),
    subject: text,
    label: text,
    sample: sideSample,
    seconds: number,
    driverBound: z.boolean(),
    configuration: facts.optional(),
  }),
  z.looseObject({ kind: z.literal("interrupted"), reason: text, elapsedSeconds }),
  z.looseObject({ kind: z.literal("resumed"), reason: text, environment }),
  /** Written by the journal itself after it had cut a half-written last line. */
  z.looseObject({ kind: z.literal("journal_repaired"), cutBytes: count, cutSha256: text, reason: text }),
  z.looseObject({ kind: z.literal("cost"), stage: text, seconds: number, launches: count.optional() }),
]);

/** What a caller appends. */
export type Entry = z.infer<typeof entrySchema>;
export type EntryKind = Entry["kind"];

/** What the journal adds to each entry; no entry has a field of these names. */
export interface Envelope {
  /** Position in the journal, from 0. */
  readonly seq: number;
  /** Hash of the line before; 64 zeros for the first. */
  readonly previous: string;
  readonly hash: string;
  /** When it was appended, ISO 8601 in UTC. */
  readonly time: string;
}

export type JournalEntry = Entry & Envelope;
export type EntryOfKind<Kind extends EntryKind> = Extract<Entry, { kind: Kind }> & Envelope;

/** Narrows to one kind: `entries.filter(isKind("screening_launch"))`. */
export function isKind<Kind extends EntryKind>(
  kind: Kind,
): (entry: JournalEntry) => entry is EntryOfKind<Kind> {
  return (entry): entry is EntryOfKind<Kind> => entry.kind === kind;
}
