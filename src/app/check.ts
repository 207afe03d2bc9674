/**
 * Use case: the gates, over the product of a contract, its mutants, or a stranger's patch.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { buildProduct } from "../foundry/build.ts";
import {
  candidateGates, gatesOf, httpCandidateGates, httpProductGates, libraryGates, productGates,
} from "../gates/gate-table.ts";
import type { Gate, GateVerdict } from "../gates/gate.ts";
import type { PatchSummary } from "../gates/patch/apply-patch.ts";
import { isAdmitted, runGates } from "../gates/run-gates.ts";
import { LatheError } from "../kit/errors.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import {
  judgeMutants, type MutantResult, type MutantsRecord, type ProductIdentity, type SkippedMutant,
} from "./check-mutants.ts";
import { describePatches, directoryHash, patchedCopy, patchGates, type PatchLimits } from "./check-patch.ts";
import { loadServedContract } from "./contract.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface CheckRequest {
  readonly contractFile: string;
  /** Also builds and checks every mutant and benign variant. */
  readonly mutants: boolean;
  /** Only the mutants of these names, and not the product itself; empty: all. */
  readonly names: readonly string[];
  /** Where the table of mutants is kept, as FILE.json and FILE.md; lines that still hold are not run again. */
  readonly recordFile?: string | undefined;
  /** A unified diff over the product; undefined: as built. */
  readonly patchFile: string | undefined;
  readonly patchLimits?: PatchLimits | undefined;
  readonly seed: number;
  /** Multiplies what is random in the gates. */
  readonly effort: number;
  /** Undefined: a temporary directory on the disk of the work directory. */
  readonly workDirectory: string | undefined;
}

/** `check --json`. */
export interface CheckResult {
  readonly contract: string;
  /** Of the product or the patch; undefined where only mutants were asked for. */
  readonly verdict: "admit" | "reject" | undefined;
  readonly gates: readonly GateVerdict[];
  readonly mutants: readonly MutantResult[];
  /** Mutants that say nothing about this product, and why. */
  readonly skipped: readonly SkippedMutant[];
  readonly record: MutantsRecord | undefined;
  /** What a patch changes; its gates stop at the first that does not admit it. */
  readonly patch: PatchSummary | undefined;
}

/** What runs when, for people: one line per gate, and the rules of patches. */
export function describeGates(): Readonly<
  Record<"product" | "http" | "library" | "candidate" | "patch" | "patchRules", readonly string[]>
> {
  const line = ({ name, description }: Gate) => `${name.padEnd(20)} ${description}`;
  const { gates, rules } = describePatches();
  return {
    product: productGates().map(line),
    http: httpProductGates(1, false).map(line),
    library: libraryGates().map(line),
    candidate: [...candidateGates(), ...httpCandidateGates()].map(line),
    patch: gates.map(line),
    patchRules: rules,
  };
}

/** Errors: those of build; INVALID_ARGUMENT for a patch that is refused; CANCELLED. A rejection is no error. */
export async function checkProduct(request: CheckRequest, context: UseCaseContext): Promise<CheckResult> {
  const work = openWork(request.workDirectory);
  try {
    const product = join(work.path, "product");
    const { name: contract, protocols } = buildFor(request.contractFile, product);
    if (request.patchFile !== undefined) return await checkPatch(contract, product, work.path, request, context);
    let gates: GateVerdict[] = [];
    if (request.names.length === 0) {
      context.progress(contract);
      gates = await judge(gatesFor(request), product, work.path, request, context, true);
    }
    const verdict: CheckResult["verdict"] = gates.length === 0 ? undefined : isAdmitted(gates) ? "admit" : "reject";
    const nothing = { mutants: [], skipped: [], record: undefined };
    const bench = { contract, protocols, product, work: work.path, verdict, gates, buildFor, protocolsOf, judge };
    const { mutants, skipped, record } = request.mutants ? await judgeMutants(request, context, bench) : nothing;
    return { contract, verdict, gates, mutants, skipped, record, patch: undefined };
  } finally {
    work.remove();
  }
}

/** The gates of the surfaces that the contract asks for. */
function gatesFor({ contractFile, effort }: CheckRequest): Gate[] {
  return gatesOf(protocolsOf(contractFile), "product", effort);
}

function protocolsOf(contractFile: string): readonly string[] {
  return loadServedContract(contractFile).contract.surface.protocols;
}

/** Builds the product of a contract. */
function buildFor(contractFile: string, directory: string): ProductIdentity {
  const { contract, text } = loadServedContract(contractFile);
  buildProduct({ contract, contractText: text, knobCatalog: loadKnobCatalog() }, directory);
  return { name: contract.name, protocols: contract.surface.protocols };
}

/** The patch is judged on a copy, until a gate does not admit it; the product itself must stay as it was built. */
async function checkPatch(
  contract: string,
  product: string,
  work: string,
  request: CheckRequest,
  context: UseCaseContext,
): Promise<CheckResult> {
  const { directory, summary } = patchedCopy(product, request.patchFile ?? "", work);
  const { files, linesAdded, linesRemoved } = summary;
  context.progress(`${contract} with ${request.patchFile}: ${files.length} files, +${linesAdded} -${linesRemoved}`);
  const before = { product: directoryHash(product, false), patched: directoryHash(directory) };
  const all = [...patchGates(product, summary, request.patchLimits ?? {}), ...gatesFor(request)];
  const gates = await judge(all, directory, work, request, context, false);
  if (directoryHash(product, false) !== before.product || directoryHash(directory) !== before.patched) {
    const reason = "while the gates ran, sources changed: of the product, or of the copy with the patch";
    gates.push({ gate: "containment", verdict: "reject", reason, evidence: {}, seconds: 0 });
  }
  const verdict = isAdmitted(gates) ? "admit" : "reject";
  return { contract, verdict, gates, mutants: [], skipped: [], record: undefined, patch: summary };
}

export type Judge = typeof judge;

async function judge(
  gates: readonly Gate[],
  productDirectory: string,
  workDirectory: string,
  request: CheckRequest,
  context: UseCaseContext,
  all: boolean,
): Promise<GateVerdict[]> {
  const directory = mkdtempSync(join(workDirectory, "gates-"));
  try {
    return await runGates(
      gates,
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
