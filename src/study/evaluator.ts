/**
 * Evaluator: what a study may ask of the system under study. The real one starts servers and drives
 * them; the simulated one draws from known truths. The study itself cannot tell them apart.
 *
 * Contract of an adapter:
 *   1. A call that cannot be done rejects, with a `LatheError` where the reason is known; the study
 *      records it as data. One with `details.machineFailure` stops the study where it is: it says nothing of a
 *      candidate, and the study goes on when the machine works again.
 *   2. When `signal` aborts, a call cleans up after itself (no server stays behind) and rejects
 *      soon.
 *   3. The same request may be made again: after a kill, a step that was under way is repeated.
 *   4. Calls never overlap.
 */
import type { LaunchSample } from "../bench/measurement.ts";
import type { GateVerdict } from "../gates/gate.ts";
import type { Candidate } from "../search/candidate.ts";

export interface Evaluator {
  /**
   * Runs the gates of a stage and returns every verdict; it may stop at the first that does not
   * admit.
   */
  gate(request: GateRequest): Promise<GateVerdict[]>;
  /** Makes the checkpoint from which launches of this candidate start. Idempotent. */
  prepare(request: PrepareRequest): Promise<void>;
  /**
   * Starts both sides from their checkpoints, measures them against one another, and stops them.
   */
  launch(request: LaunchRequest): Promise<LaunchSample>;
  /** Ends whatever is still running. Called once, also after failures. */
  close(): Promise<void>;
}

export interface GateRequest {
  readonly stage: "product" | "candidate";
  readonly candidate: Candidate;
  readonly seed: number;
  readonly signal: AbortSignal;
}

export interface PrepareRequest {
  readonly candidate: Candidate;
  /** Decides keys, values and order of the first content. */
  readonly workloadSeed: number;
  readonly signal: AbortSignal;
}

export type LaunchPurpose = "calibration" | "screening" | "confirmation" | "remeasurement";

export interface LaunchRequest {
  readonly incumbent: Candidate;
  readonly candidate: Candidate;
  /** Of this launch alone: coin, ports, streams of operations. */
  readonly seed: number;
  /** The content that was prepared; a re-measurement has one that the search never saw. */
  readonly workloadSeed: number;
  readonly purpose: LaunchPurpose;
  readonly signal: AbortSignal;
}

/** An error that says nothing of what was asked: the disk is full, whoever asks. */
export function isMachineFailure(error: unknown): boolean {
  return (error as { details?: { machineFailure?: unknown } } | undefined)?.details?.machineFailure === true;
}
