/**
 * Proposer: makes candidates from a view of the study so far. Pure apart from the random stream it
 * is handed, so that a study can be replayed.
 */
import type { Knob } from "../knobs/knob.ts";
import type { Candidate } from "./candidate.ts";

export interface Proposer {
  readonly name: string;
  /** Undefined when the space is exhausted. Never proposes a candidate that was tried. */
  propose(view: StudyView, random: RandomStream): Candidate | undefined;
}

/** All that may vary. */
export interface Space {
  /** The knobs that a candidate may set. */
  readonly knobs: readonly Knob[];
  /**
   * Every knob of the product: those outside the space keep their default, and their constraints
   * bind as well.
   */
  readonly table: readonly Knob[];
}

export interface StudyView {
  readonly space: Space;
  readonly incumbent: Candidate;
  readonly trials: readonly TrialView[];
}

export interface TrialView {
  readonly candidate: Candidate;
  /** The incumbent that it was compared with. */
  readonly incumbent: Candidate;
  readonly outcome: "kept" | "dropped" | "rejected" | "failed";
  /** Screening estimate of the log ratio against the incumbent of its time, where it got so far. */
  readonly estimate?: number | undefined;
}

/** A seeded stream of numbers; each proposer gets one of its own. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
}
