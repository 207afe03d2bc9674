/**
 * Use case: the main job, from a contract to a verdict: build → gates → calibrate → baseline → search → confirm →
 * re-measure → report.
 */
import { LatheError } from "../kit/errors.ts";
import type { KnobValues } from "../kit/product.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface RunRequest {
  readonly contractFile: string;
  /** Where product, journal and report go; a study that is there is resumed. */
  readonly directory: string;
  readonly budget: Budget;
  readonly policy: "greedy" | "random";
  readonly seed: number;
  readonly force: boolean;
}

/** Undefined: no limit of that kind. */
export interface Budget {
  readonly trials: number | undefined;
  readonly minutes: number | undefined;
}

export interface Effect {
  readonly ratio: number;
  readonly interval: readonly [low: number, high: number];
}

/** `run --json`. */
export interface RunResult {
  readonly contract: string;
  readonly outcome: "gain" | "none" | "refused";
  readonly baseline: object;
  readonly winner: { readonly knobs: KnobValues } | undefined;
  readonly gain: Readonly<Record<"throughput" | "p50" | "p99" | "memory" | "score", Effect>> | undefined;
  readonly gates: readonly object[];
  readonly trials: readonly object[];
  /** Path of the HTML report. */
  readonly report: string;
  /** The report for a terminal. */
  readonly summary: string;
}

/** Errors: those of build and of the measurement; CANCELLED. A study without gain is no error. */
export async function runContract(request: RunRequest, context: UseCaseContext): Promise<RunResult> {
  void context;
  throw new LatheError("UNAVAILABLE", `studies are not wired to the command line yet (${request.contractFile})`);
}
