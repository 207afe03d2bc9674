/**
 * Use case: a study over a product that is there, with every choice in the caller's hand.
 */
import { LatheError } from "../kit/errors.ts";
import type { Budget, RunResult } from "./run.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface EvolveRequest {
  readonly productDirectory: string;
  /** Undefined: `.lathe/studies/<time>` of the product. An existing study is resumed. */
  readonly studyDirectory: string | undefined;
  readonly budget: Budget;
  readonly policy: "greedy" | "random";
  readonly seed: number;
  /** Names of knobs that may vary; empty: those of high impact. */
  readonly knobs: readonly string[];
  /** Chance of keeping what is no gain, over the whole study. */
  readonly alpha: number;
}

/** Errors: those of the measurement; CANCELLED. */
export async function evolveProduct(request: EvolveRequest, context: UseCaseContext): Promise<RunResult> {
  void context;
  throw new LatheError("UNAVAILABLE", `studies are not wired to the command line yet (${request.productDirectory})`);
}
