/**
 * Use case: the gates, over the product of a contract, its mutants, or a stranger's patch.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { buildProduct } from "../foundry/build.ts";
import { candidateGates, productGates } from "../gates/gate-table.ts";
import type { Gate, GateVerdict } from "../gates/gate.ts";
import { loadMutants, type Mutant, plantMutant } from "../gates/mutant.ts";
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
  readonly verdict: GateVerdict["verdict"];
  /** The first gate that did not admit it, and why. */
  readonly gate: string | undefined;
  readonly reason: string;
  /** The gates of which one must be the first to reject a planted fault. */
  readonly expectedGates: readonly string[];
  /** A planted fault was rejected by an expected gate; a benign variant was admitted by all. */
  readonly right: boolean;
  readonly seconds: number;
}

/** What runs when, for people: one line per gate. */
export function describeGates(): { readonly product: readonly string[]; readonly candidate: readonly string[] } {
  const line = ({ name, description }: Gate) => `${name.padEnd(20)} ${description}`;
  return { product: productGates().map(line), candidate: candidateGates().map(line) };
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
    const chosen = request.mutants ? chooseMutants(request.names) : [];
    for (const mutant of chosen) {
      if (context.signal.aborted) throw new LatheError("CANCELLED", "stopped by request");
      context.progress(`${mutant.planted ? "mutant" : "benign variant"} ${mutant.name}: ${mutant.description}`);
      const result = await judgeMutant(mutant, product, work.path, request, context);
      mutants.push(result);
      context.progress(`  ${result.right ? "right" : "WRONG"}: ${result.verdict} (${result.seconds.toFixed(1)} s)`);
    }
    return { contract: contract.name, verdict: isAdmitted(gates) ? "admit" : "reject", gates, mutants };
  } finally {
    work.remove();
  }
}

/** Those of the names, or all. Errors: NOT_FOUND. */
function chooseMutants(names: readonly string[]): Mutant[] {
  const all = loadMutants();
  const unknown = names.find((name) => !all.some((mutant) => mutant.name === name));
  if (unknown !== undefined) throw new LatheError("NOT_FOUND", `there is no mutant ${unknown}`);
  return all.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** Plants one mutant and stops at the first gate that does not admit it. */
async function judgeMutant(
  mutant: Mutant,
  product: string,
  work: string,
  request: CheckRequest,
  context: UseCaseContext,
): Promise<MutantResult> {
  const startedAt = performance.now();
  const { name, planted, expectedGates } = mutant;
  const directory = join(work, `mutant-${name}`);
  plantMutant(product, mutant, directory);
  const verdicts = await judge(directory, work, request, context, false);
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  const last = verdicts.find(({ verdict }) => verdict !== "admit");
  const verdict = last?.verdict ?? (verdicts.length > 0 ? "admit" : "inconclusive");
  return {
    name,
    planted,
    verdict,
    gate: last?.gate,
    reason: last?.reason ?? "every gate admitted it",
    expectedGates,
    right: planted ? verdict === "reject" && expectedGates.includes(last?.gate ?? "") : verdict === "admit",
    seconds: Math.round(performance.now() - startedAt) / 1000,
  };
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

/** A directory to work in, and how to be rid of it. Errors: ALREADY_EXISTS. */
export function openWork(asked: string | undefined): { path: string; remove: () => void } {
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
export function applyPatch(product: string, patchFile: string, work: string): string {
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
