/**
 * Use case: reproduce every decision of a study from its journal, without measuring anything.
 */
import { LatheError } from "../kit/errors.ts";

export interface ReplayRequest {
  /** A study's directory or its journal file. */
  readonly study: string;
}

/** `replay --json`. */
export interface ReplayResult {
  readonly study: string;
  readonly decisions: number;
  readonly reproduced: number;
  /** What came out differently, one line each. */
  readonly differences: readonly string[];
}

/** Errors: NOT_FOUND, CORRUPTION. */
export async function replayStudy(request: ReplayRequest): Promise<ReplayResult> {
  throw new LatheError("UNAVAILABLE", `replay is not wired to the command line yet (${request.study})`);
}
