/**
 * What a study is told before it starts: everything that its decisions depend on besides
 * measurements. It goes into the journal's first entry, so that a resumption or a replay needs
 * nothing else.
 */
import type { ScoreOptions } from "../bench/measurement.ts";
import { promptKvScoreOptions } from "../bench/statistics/score.ts";
import type { StudyHeader } from "../journal/entry.ts";
import { LatheError } from "../kit/errors.ts";
import type { Knob } from "../knobs/knob.ts";
import { type Candidate, createCandidate } from "../search/candidate.ts";
import type { Space } from "../search/proposer.ts";
import { limitMemory } from "../search/space.ts";

export interface StudySettings {
  /** A/A launches of the calibration. */
  readonly calibrationLaunches: number;
  /** Launches that screening may spend on one candidate. */
  readonly screeningLaunchesMax: number;
  /**
   * Launches that one confirmation may take, where the budget pays for more; 12 by default where
   * time is not limited.
   */
  readonly confirmationLaunchesMax?: number | undefined;
  /** Launches of the final comparison; six are the fewest that give an interval at 95 %. */
  readonly remeasurementLaunches: number;
  /** How long each side of a launch serves before it is measured, where that was asked for. */
  readonly warmUpMs?: number | undefined;
  /** The search ends after so many candidates, whatever time is left. */
  readonly trialsMax?: number | undefined;
  /** `auto`: throughput, or server CPU per operation where calibration was bound by the driver. */
  readonly statistic: "auto" | "throughput" | "cost";
  readonly targets: GuardTargets;
  readonly score: ScoreOptions;
  /**
   * A configuration that an expert would have chosen; the winner is compared with it where it is
   * given.
   */
  readonly expert?: ExpertConfiguration | undefined;
  readonly timeouts: StepTimeouts;
  /** So many candidates in a row that fail say that the machine is broken, not the candidates. */
  readonly failuresInRowMax: number;
}

/** Margins within which a candidate may be worse, from the contract. */
export interface GuardTargets {
  readonly p99RatioMax: number;
  readonly memoryRatioMax: number;
  readonly memoryMiBMax: number;
}

export interface ExpertConfiguration {
  readonly knobs: Candidate["knobs"];
  /** Where it is documented. */
  readonly source: string;
}

export interface StepTimeouts {
  readonly productGatesSeconds: number;
  readonly candidateGatesSeconds: number;
  readonly prepareSeconds: number;
  readonly launchSeconds: number;
}

export const defaultSettings: Omit<StudySettings, "targets"> = {
  calibrationLaunches: 8,
  screeningLaunchesMax: 2,
  remeasurementLaunches: 10,
  statistic: "auto",
  score: promptKvScoreOptions,
  timeouts: {
    productGatesSeconds: 900,
    candidateGatesSeconds: 60,
    prepareSeconds: 600,
    launchSeconds: 180,
  },
  failuresInRowMax: 5,
};

/** The fewest launches that give an interval at 95 %. */
export const remeasurementLaunchesMin = 6;

/** Longer than any study: the limit of one that is bounded by its trials alone. */
export const unlimitedSeconds = 24 * 3600;

/** Launches of one confirmation where only trials are counted: a single one must not take forever. */
export const untimedConfirmationLaunches = 12;

/** A study as its procedure sees it. */
export interface StudyDefinition {
  readonly seed: number;
  readonly alpha: number;
  readonly proposer: string;
  readonly budgetSeconds: number;
  readonly space: Space;
  readonly settings: StudySettings;
}

/** What was studied, on what. */
export type StudyFacts = Pick<
  StudyHeader,
  "contract" | "product" | "versions" | "environment" | "commit"
>;

/**
 * The first entry of the journal of a study. The space that it records, and that is searched, ends
 * where a knob by itself would break the memory guard.
 */
export function createStudyHeader(definition: StudyDefinition, facts: StudyFacts): StudyHeader {
  const { seed, alpha, proposer, budgetSeconds, space, settings } = definition;
  requireDefinition(definition);
  return {
    ...facts,
    seed,
    alpha,
    proposer,
    budget: { seconds: budgetSeconds },
    space: limitMemory(space, settings.targets.memoryMiBMax * 2 ** 20).knobs,
    knobTable: space.table,
    settings: { ...settings },
  };
}

/**
 * Inverse of `createStudyHeader`. Errors: FORMAT_UNKNOWN where the header lacks what a study needs.
 */
export function readStudyDefinition(header: StudyHeader): StudyDefinition {
  const settings = header.settings as StudySettings | undefined;
  if (settings === undefined || header.knobTable === undefined) {
    throw new LatheError(
      "FORMAT_UNKNOWN",
      "the journal's first entry has no settings; this version cannot go on with its study",
    );
  }
  const definition: StudyDefinition = {
    seed: header.seed,
    alpha: header.alpha,
    proposer: header.proposer,
    budgetSeconds: header.budget.seconds,
    space: { knobs: header.space as Knob[], table: header.knobTable as Knob[] },
    settings,
  };
  requireDefinition(definition);
  return definition;
}

export function expertCandidate(definition: StudyDefinition): Candidate | undefined {
  const { expert } = definition.settings;
  return expert === undefined ? undefined : createCandidate(expert.knobs, definition.space.table);
}

function requireDefinition({ budgetSeconds, settings }: StudyDefinition): void {
  const limits: readonly [name: string, value: number, min: number, max: number][] = [
    ["budget seconds", budgetSeconds, 1, 30 * 24 * 3600],
    ["calibrationLaunches", settings.calibrationLaunches, 2, 500],
    ["screeningLaunchesMax", settings.screeningLaunchesMax, 1, 20],
    ["remeasurementLaunches", settings.remeasurementLaunches, remeasurementLaunchesMin, 500],
    ["confirmationLaunchesMax", settings.confirmationLaunchesMax ?? 6, 6, 500],
    ["trialsMax", settings.trialsMax ?? 1, 1, 1_000_000],
    ["warmUpMs", settings.warmUpMs ?? 4000, 1, 600_000],
  ];
  for (const [name, value, min, max] of limits) {
    if (value >= min && value <= max) continue;
    throw new LatheError(
      "INVALID_ARGUMENT",
      `${name} of a study lies between ${min} and ${max}, not at ${value}`,
    );
  }
}
