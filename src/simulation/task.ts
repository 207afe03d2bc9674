/**
 * What a simulating process is asked, and what it answers: the vocabulary of `lathe sim`, which runs stores of this
 * source, and of the simulation gate, which runs those of a product.
 */
import type { CoverageCounts } from "./coverage.ts";
import type { Scenario } from "./scenario.ts";

export type SimulationTask =
  | {
      readonly kind: "seeds";
      readonly subject: string;
      readonly seeds: readonly number[];
      readonly checkDeterminism: boolean;
      /** Failures are shrunk; not where only their being there counts. */
      readonly shrink: boolean;
    }
  /**
   * Every call of one fault mode; with `recovery`, every `stride`-th, and after it every call of the next life; with
   * `crashAfter`, power goes so many calls after the fault.
   */
  | {
      readonly kind: "points";
      readonly subject: string;
      readonly mode: number;
      readonly recovery: number;
      readonly stride: number;
      readonly crashAfter?: number;
    }
  /** Of each seed every `stride`-th call of a run with open transactions, or one point of it (`session-trial.ts`). */
  | { readonly kind: "sessions"; readonly seeds: readonly number[]; readonly stride: number; readonly point?: string }
  | { readonly kind: "scenario"; readonly scenario: Scenario };

export interface SimulationFailure {
  readonly subject: string;
  /** Undefined for a point or a kept scenario. */
  readonly seed: number | undefined;
  readonly point: string | undefined;
  readonly message: string;
  readonly scenario: Scenario;
}

export interface TaskOutcome {
  runs: number;
  /** Runs in which power was lost or the process was killed at least once. */
  crashed: number;
  events: number;
  lives: number;
  /** Processor time is not told apart from waiting: a worker does nothing else. */
  seconds: number;
  readonly failures: SimulationFailure[];
  readonly coverage: CoverageCounts;
}
