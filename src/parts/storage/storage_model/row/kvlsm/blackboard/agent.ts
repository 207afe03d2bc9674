/**
 * Agent: decides what background work is due, from a view of the blackboard, and does nothing itself.
 *
 * `step` is pure: the same view gives the same proposal. The runner (agent-runner.ts) shows agents a fresh
 * view after every change, carries out what they propose, and can replace an agent while the engine runs. An
 * agent may have memory of its own (a learning one will), but may not touch the world.
 * Source: the blackboard architecture of Hearsay-II (Erman et al. 1980); SNDV-KV's agents.
 */
import type { FileMeta } from "./file-meta.ts";
import type { Tuning } from "./options.ts";

/** The blackboard at one moment: immutable and small (the file lists are the version's own, not copies). */
export interface BlackboardView {
  /** Files per level; level 0 newest first, the others in key order. */
  readonly levels: readonly (readonly FileMeta[])[];
  /** Frozen memtables that wait and are not being written, oldest first. */
  readonly immutables: readonly ImmutableView[];
  /** Whether as many flushes are under way as may be. */
  readonly flushRunning: boolean;
  /** Compactions under way; their inputs are still in `levels`. */
  readonly compactions: readonly RunningCompaction[];
  /** How many compactions may be under way at once: what the options and the threads allow, 0 after damage. */
  readonly compactionsMax: number;
  readonly tuning: Tuning;
}

export type RunningCompaction = Pick<CompactionProposal, "inputs" | "outputLevel">;

export interface ImmutableView {
  readonly sizeBytes: number;
  readonly versionCount: number;
  readonly lastIndex: number;
}

export type Proposal =
  /** Write the oldest frozen memtable to level 0. */
  { readonly kind: "flush" } | CompactionProposal;

export interface CompactionProposal {
  readonly kind: "compaction";
  /** Sorted runs from the newest to the oldest, with the level that they come from. */
  readonly inputs: readonly { readonly level: number; readonly files: readonly FileMeta[] }[];
  readonly outputLevel: number;
  /** Whether no level below the output holds a key of the inputs' range. */
  readonly bottom: boolean;
  /** True where the files can become part of the output level as they are. */
  readonly move: boolean;
}

export interface Agent {
  readonly name: string;
  step(view: BlackboardView): Proposal | undefined;
}
