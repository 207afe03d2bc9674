/**
 * A study as a script: a generator that asks for steps and states decisions, and does nothing
 * itself.
 *
 * Purpose: one text, in `procedure.ts`, is the study, its resumption and its replay. Whoever runs
 * the script answers each
 *   step with the journal entries that came of it, and checks or writes each decision:
 *   - `run-study.ts` answers from the journal as far as that goes (a resumption), then from an
 *     evaluator;
 *   - `replay.ts` answers from the journal only and compares every decision with the recorded one.
 * Invariants: a script depends on its definition and its answers alone: no clock, no randomness but
 * seeds derived from
 *   the study's, no state outside of it. Time is what the entries' `elapsedSeconds` say.
 * Source: durable execution (Temporal, AWS SWF): deterministic code over a recorded history.
 */
import type { Entry } from "../journal/entry.ts";
import type { Candidate } from "../search/candidate.ts";
import type { LaunchPurpose } from "./evaluator.ts";
import type { Progress } from "./progress.ts";

/** Something to be done outside. Its answer is one entry, or several for gates. */
export type Step =
  | {
      readonly kind: "gate";
      readonly stage: "product" | "candidate";
      readonly candidate: Candidate;
      readonly seed: number;
    }
  | { readonly kind: "prepare"; readonly candidate: Candidate; readonly workloadSeed: number }
  | LaunchStep;

export interface LaunchStep {
  readonly kind: "launch";
  readonly purpose: LaunchPurpose;
  readonly incumbent: Candidate;
  readonly candidate: Candidate;
  readonly seed: number;
  readonly workloadSeed: number;
  /** Which confirmation of the study it belongs to. */
  readonly confirmation?: number | undefined;
  readonly against?: "baseline" | "expert" | undefined;
}

export type ScriptRequest =
  | { readonly ask: Step; readonly progress: Progress }
  /** A decision, made from answers alone. */
  | { readonly state: Entry };

/** What a step gives: the entries that answer it. For decisions: nothing. */
export type ScriptAnswer = readonly Entry[];

export type Script<T> = Generator<ScriptRequest, T, ScriptAnswer>;

/** Thrown into a script where a person stopped the study: it concludes with what there is. */
export class StudyInterrupted extends Error {
  readonly code = "CANCELLED";

  constructor(reason: string) {
    super(reason);
    this.name = "StudyInterrupted";
  }
}
