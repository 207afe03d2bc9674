/**
 * Coordination: what the engine asks of whoever decides which background work is done and when, and how long writers
 * wait for it. Jobs, files, versions and the shape that compactions aim at are none of its business.
 *
 * Products have one, by agents around a blackboard (agent-runner.ts, write-stall.ts). The workshop keeps another, by a
 * scheduler with callbacks, to measure what the first is worth; so the engine knows both by these interfaces only.
 * All calls come from the owner's thread.
 */
import type { Histogram } from "../../../../../../kit/histogram.ts";
import type { Agent } from "./agent.ts";
import type { WorkOptions } from "./background-work.ts";
import type { Tuning } from "./options.ts";
import type { PressureCause, WritePressure } from "./write-pressure.ts";

export interface BackgroundRunner {
  readonly compactionsRunning: number;
  /** The damage after which compactions have stopped for good, or undefined. */
  readonly compactionHalted: unknown;
  /** Sees to what is due, in a later turn: a memtable was frozen, or the store was opened. */
  schedule(): void;
  /** Options other than `before` are in force. */
  retuned(before: Tuning): void;
  /** Puts another compaction agent in the place of the one of that name. */
  replaceAgent(name: string, agent: Agent): void;
  /** Resolves when the condition holds. Rejects on close, and where work has failed for too long. */
  waitUntil(isDone: () => boolean): Promise<void>;
  /** Whether no work runs and none is due. */
  isIdle(): boolean;
  /** Merges all files into one level. */
  compactAll(): Promise<void>;
  /** Lets running jobs end, starts no more, and rejects who still waits. */
  close(): Promise<void>;
}

/** What metrics tell of back-pressure. */
export interface StallFigures {
  readonly slowdowns: Readonly<Record<PressureCause, number>>;
  readonly stalls: Readonly<Record<PressureCause, number>>;
  readonly slowdownUs: Histogram;
  readonly stallUs: Histogram;
  readonly present: WritePressure;
  readonly isStalled: boolean;
}

export interface BackPressure extends StallFigures {
  /** Undefined while writers may go on. */
  wait(): Promise<void> | undefined;
  /** Charges a batch to the rate of slowed writers. */
  charge(bytes: number): void;
  /** Errors: what made background work fail for good, or BACKPRESSURE, where memory must not grow any more. */
  refuseOverrun(): void;
}

export interface Coordination {
  readonly runner: BackgroundRunner;
  readonly stall: BackPressure;
}

export type Coordinate = (options: WorkOptions) => Coordination;
