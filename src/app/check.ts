/**
 * Use case: the gates, over the product of a contract, its mutants, or a stranger's patch.
 */
import { LatheError } from "../kit/errors.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface CheckRequest {
  readonly contractFile: string;
  /** Also builds and checks every mutant and benign variant. */
  readonly mutants: boolean;
  /** A unified diff over the product; undefined: as built. */
  readonly patchFile: string | undefined;
  readonly seed: number;
  /** Undefined: a temporary directory on the disk of the work directory. */
  readonly workDirectory: string | undefined;
}

/** `check --json`. */
export interface CheckResult {
  readonly contract: string;
  readonly verdict: "admit" | "reject";
  readonly gates: readonly { readonly gate: string; readonly verdict: string; readonly reason: string; readonly seconds: number }[];
  readonly mutants: readonly {
    readonly name: string;
    /** Whether a fault was planted; false for benign variants. */
    readonly planted: boolean;
    readonly verdict: "reject" | "admit";
  }[];
}

/** Errors: those of build; CANCELLED. A rejection is no error. */
export async function checkProduct(request: CheckRequest, context: UseCaseContext): Promise<CheckResult> {
  void context;
  throw new LatheError("UNAVAILABLE", `gates are not wired to the command line yet (${request.contractFile})`);
}
