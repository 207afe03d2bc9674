/**
 * Use case: the gates, over the product of a contract, its mutants, or a stranger's patch.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { buildProduct } from "../foundry/build.ts";
import { productGates } from "../gates/gate-table.ts";
import type { GateVerdict } from "../gates/gate.ts";
import { loadMutants, plantMutant } from "../gates/mutant.ts";
import { isAdmitted, runGates } from "../gates/run-gates.ts";
import { LatheError } from "../kit/errors.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { loadServedContract } from "./contract.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface CheckRequest {
  readonly contractFile: string;
  /** Also builds and checks every mutant and benign variant. */
  readonly mutants: boolean;
  /** Only the mutants of these names; empty: all. */
  readonly names: readonly string[];
  /** A unified diff over the product; undefined: as built. */
  readonly patchFile: string | undefined;
  readonly seed: number;
  /** Multiplies what is random in the gates. */
  readonly effort: number;
  /** Undefined: a temporary directory on the disk of the work directory. */
  readonly workDirectory: string | undefined;
}

/** `check --json`. */
export interface CheckResult {
  readonly contract: string;
  readonly verdict: "admit" | "reject";
  readonly gates: readonly GateVerdict[];
  readonly mutants: readonly MutantResult[];
}

export interface MutantResult {
  readonly name: string;
  /** Whether a fault was planted; false for benign variants. */
  readonly planted: boolean;
  readonly verdict: "reject" | "admit";
  /** The gate that rejected it, and why. */
  readonly gate: string | undefined;
  readonly reason: string;
}

/** Errors: those of build; INVALID_ARGUMENT for a patch that does not apply; CANCELLED. A rejection is no error. */
export async function checkProduct(request: CheckRequest, context: UseCaseContext): Promise<CheckResult> {
  const { contract, text } = loadServedContract(request.contractFile);
  const work = openWork(request.workDirectory);
  try {
    const product = join(work.path, "product");
    buildProduct({ contract, contractText: text, knobCatalog: loadKnobCatalog() }, product);
    const subject = request.patchFile === undefined ? product : applyPatch(product, request.patchFile, work.path);
    context.progress(`${contract.name}${request.patchFile === undefined ? "" : ` with ${request.patchFile}`}`);
    const gates = await judge(subject, work.path, request, context, true);
    const mutants: MutantResult[] = [];
    const chosen = request.mutants
      ? loadMutants().filter(({ name }) => request.names.length === 0 || request.names.includes(name))
      : [];
    for (const mutant of chosen) {
      if (context.signal.aborted) throw new LatheError("CANCELLED", "stopped by request");
      context.progress(`${mutant.planted ? "mutant" : "benign variant"} ${mutant.name}: ${mutant.description}`);
      const directory = join(work.path, `mutant-${mutant.name}`);
      plantMutant(product, mutant, directory);
      const verdicts = await judge(directory, work.path, request, context, false);
      const rejected = verdicts.find(({ verdict }) => verdict !== "admit");
      mutants.push({
        name: mutant.name,
        planted: mutant.planted,
        verdict: rejected === undefined ? "admit" : "reject",
        gate: rejected?.gate,
        reason: rejected?.reason ?? "every gate admitted it",
      });
      rmSync(directory, { recursive: true, force: true });
    }
    return { contract: contract.name, verdict: isAdmitted(gates) ? "admit" : "reject", gates, mutants };
  } finally {
    work.remove();
  }
}

async function judge(
  productDirectory: string,
  workDirectory: string,
  request: CheckRequest,
  context: UseCaseContext,
  all: boolean,
): Promise<GateVerdict[]> {
  const directory = mkdtempSync(join(workDirectory, "gates-"));
  try {
    return await runGates(
      productGates(request.effort),
      { productDirectory, knobs: {}, seed: request.seed, workDirectory: directory, signal: context.signal },
      {
        all,
        onVerdict: ({ gate, verdict, reason, seconds }) =>
          context.progress(`  ${verdict === "admit" ? "✓" : "✗"} ${gate} (${seconds.toFixed(1)} s): ${reason}`),
      },
    );
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

function openWork(asked: string | undefined): { path: string; remove: () => void } {
  if (asked === undefined) {
    const made = createWorkDirectory("check");
    return { path: made.path, remove: () => made.remove() };
  }
  const path = resolve(asked, `lathe-check-${process.pid}`);
  if (existsSync(path)) throw new LatheError("ALREADY_EXISTS", `${path} exists; remove it or give another --work`);
  mkdirSync(path, { recursive: true });
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Copies the product and applies a unified diff with `git apply`. Errors: INVALID_ARGUMENT, NOT_FOUND. */
function applyPatch(product: string, patchFile: string, work: string): string {
  const patch = resolve(patchFile);
  if (!existsSync(patch)) throw new LatheError("NOT_FOUND", `${patchFile} does not exist`);
  const patched = join(work, "patched");
  cpSync(product, patched, { recursive: true });
  try {
    const environment = { ...process.env, GIT_CEILING_DIRECTORIES: work };
    execFileSync("git", ["apply", "--whitespace=nowarn", patch], { cwd: patched, stdio: "pipe", env: environment });
  } catch (cause) {
    const reason = (cause as { stderr?: Buffer }).stderr?.toString().trim() ?? (cause as Error).message;
    throw new LatheError("INVALID_ARGUMENT", `${patchFile} does not apply to the product: ${reason}`, { cause });
  }
  return patched;
}
