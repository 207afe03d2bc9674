/**
 * Simulated studies: a toy space whose truth is known, and everything else as in a real study.
 *
 * Used by the tests of this room, by `report` for its sample, and by the long simulations of the
 * measurement law.
 */
import type { Contract } from "../contract/contract.ts";
import type { Entry, StudyHeader } from "../journal/entry.ts";
import type { Knob, KnobValue } from "../knobs/knob.ts";
import type { Candidate } from "../search/candidate.ts";
import { createSpace } from "../search/space.ts";
import type { Conclusion } from "./conclusion.ts";
import type { Progress } from "./progress.ts";
import { runStudy } from "./run-study.ts";
import {
  createStudyHeader,
  defaultSettings,
  type StudyDefinition,
  type StudyFacts,
  type StudySettings,
} from "./settings.ts";
import { SimulatedEvaluator, type SimulationOptions, type Truth } from "./simulated-evaluator.ts";
import { MemoryJournal, type StudyJournal } from "./study-journal.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What each value of each knob changes; the effects of several knobs add up. */
export type Effects = Readonly<Record<string, Readonly<Record<string, number | Truth>>>>;

export interface SimulatedStudyOptions {
  readonly seed: number;
  readonly effects?: Effects | undefined;
  readonly knobs?: readonly Knob[] | undefined;
  readonly proposer?: string | undefined;
  readonly budgetSeconds?: number | undefined;
  readonly alpha?: number | undefined;
  readonly settings?: Partial<StudySettings> | undefined;
  readonly simulation?: Partial<SimulationOptions> | undefined;
  readonly facts?: Partial<StudyFacts> | undefined;
  /** Goes on with a study; its header must be that of the same options. */
  readonly journal?: StudyJournal | undefined;
  readonly clock?: VirtualClock | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface SimulatedStudy {
  readonly conclusion: Conclusion;
  readonly journal: StudyJournal;
  readonly evaluator: SimulatedEvaluator;
  readonly clock: VirtualClock;
}

/** One knob with five values besides its default. */
export const toyKnobs: readonly Knob[] = [
  {
    name: "toy.mode",
    type: "choice",
    leaf: "toy",
    description: "a choice whose effect is known",
    default: "plain",
    choices: ["plain", "a", "b", "c", "d", "fast"],
    impact: "high",
    risk: "none",
    effect: "restart",
    constraints: [],
  },
];

export async function runSimulation(options: SimulatedStudyOptions): Promise<SimulatedStudy> {
  const clock = options.clock ?? new VirtualClock();
  const journal = options.journal ?? new MemoryJournal([studyStarted(options)]);
  const evaluator = new SimulatedEvaluator({
    clock,
    noise: 0.02,
    truthOf: (candidate) => truthOf(candidate, options.effects ?? {}),
    ...options.simulation,
  });
  const { signal, onProgress } = options;
  const conclusion = await runStudy({ journal, evaluator, clock, signal, onProgress });
  return { conclusion, journal, evaluator, clock };
}

/** The first entry of such a study's journal. */
export function studyStarted(options: SimulatedStudyOptions): Entry {
  return { ...studyHeaderOf(options), kind: "study_started", format: "lathe-journal", version: 1 };
}

export function studyHeaderOf(options: SimulatedStudyOptions): StudyHeader {
  return createStudyHeader(definitionOf(options), { ...simulatedFacts(), ...options.facts });
}

export function definitionOf(options: SimulatedStudyOptions): StudyDefinition {
  const {
    seed,
    knobs = toyKnobs,
    proposer = "random",
    budgetSeconds = 600,
    alpha = 0.05,
    settings,
  } = options;
  const targets = { p99RatioMax: 1.1, memoryRatioMax: 1.1, memoryMiBMax: 128 };
  return {
    seed,
    alpha,
    proposer,
    budgetSeconds,
    space: createSpace(knobs),
    settings: { ...defaultSettings, targets, ...settings },
  };
}

function truthOf(candidate: Candidate, effects: Effects): Truth {
  const truths = Object.entries(candidate.knobs).map(([name, value]) =>
    truthOfValue(effects[name], value),
  );
  const sum = (of: (truth: Truth) => number | undefined) =>
    truths.some((truth) => of(truth) !== undefined)
      ? truths.reduce((total, truth) => total + (of(truth) ?? 0), 0)
      : undefined;
  return {
    logThroughput: sum((truth) => truth.logThroughput),
    logP99: sum((truth) => truth.logP99),
    memoryMiB: truths.find(({ memoryMiB }) => memoryMiB !== undefined)?.memoryMiB,
    behaviour: truths.find(({ behaviour }) => behaviour !== undefined)?.behaviour,
  };
}

function truthOfValue(effects: Effects[string] | undefined, value: KnobValue): Truth {
  const effect = effects?.[String(value)];
  return typeof effect === "number" ? { logThroughput: Math.log1p(effect) } : (effect ?? {});
}

function simulatedFacts(): StudyFacts {
  return {
    contract: simulatedContract,
    product: { name: "simulated", hash: "0".repeat(64) },
    versions: { lathe: "simulated", node: process.version },
    environment: {
      host: "simulated",
      operatingSystem: "none",
      kernel: "none",
      architecture: "none",
      cpuModel: "simulated",
      cores: 2,
      memoryMiB: 4096,
      fileSystem: "none",
      dataInMemory: true,
      nodeVersion: process.version,
    },
    commit: null,
  };
}

const simulatedContract: Contract = {
  version: 1,
  name: "simulated",
  description: "a system whose truth is known",
  data: { tables: [], keyEncoding: "order_preserving" },
  sharding: { shards: 1, locality: "none" },
  replication: { nodes: 1, consensus: "none" },
  consistency: { reads: "linearizable", transactions: "one_shot", isolation: "serializable" },
  storage: { durability: "every_commit", placement: "auto", checksums: true },
  caching: { rowCache: "none" },
  surface: { protocols: ["mysql"], transactions: "multi_statement_packet" },
  failure: { tolerates: ["process_crash"], recoverySecondsMax: 10 },
  workload: { benchmark: "taobench", profile: "o", scale: 500_000, clients: 8, loop: "closed" },
  targets: { memoryMiBMax: 128, p99RatioMax: 1.1, memoryRatioMax: 1.1 },
  invariants: [],
  nonGoals: [],
};
