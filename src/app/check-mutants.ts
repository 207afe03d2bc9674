/**
 * Use case: every mutant through the gates, and a record of it that can be gone on with.
 *
 *   1. A planted fault goes through the gates that are to find it, the cheapest first, up to the first rejection. Only
 *      where none of them rejects it do the others follow, to tell what happens.
 *   2. A benign variant must be admitted by all gates.
 *   3. A mutant that says nothing about the product (`gates/mutant-scope.ts`) is left out by name.
 *   4. After each mutant the record is written anew. A line of it is taken over by a later run if nothing that it
 *      stands on has changed: the product, the mutant, the gates with the simulation, seed and effort.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { sourceRoot } from "../foundry/part-descriptor.ts";
import { gatesOf } from "../gates/gate-table.ts";
import type { GateVerdict } from "../gates/gate.ts";
import { loadMutants, type Mutant, plantMutant } from "../gates/mutant.ts";
import { mutantScope } from "../gates/mutant-scope.ts";
import { LatheError } from "../kit/errors.ts";
import { describeMachine, machineText } from "../kit/machine.ts";
import type { CheckRequest, CheckResult, Judge } from "./check.ts";
import { directoryHash } from "./check-patch.ts";
import { readRecordFile, writeRecordFile } from "./record-file.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface MutantResult {
  readonly name: string;
  /** Whether a fault was planted; false for benign variants. */
  readonly planted: boolean;
  readonly description: string;
  /** Whose product it was planted in. */
  readonly contract: string;
  readonly verdict: GateVerdict["verdict"];
  /** The first gate that did not admit it, and why. */
  readonly gate: string | undefined;
  readonly reason: string;
  /** The gates of which one must reject a planted fault. */
  readonly expectedGates: readonly string[];
  /** A planted fault was rejected by an expected gate; a benign variant was admitted by all. */
  readonly right: boolean;
  readonly seconds: number;
  /** Of the gate that did not admit it; of all gates where all did. */
  readonly gateSeconds: number;
  /** What the line stands on. */
  readonly fingerprint: string;
}

export interface SkippedMutant {
  readonly name: string;
  readonly reason: string;
}

/** `--record FILE` as FILE.json. */
export interface MutantsRecord {
  readonly version: 1;
  readonly contract: string;
  readonly verdict: CheckResult["verdict"];
  readonly gates: readonly Pick<GateVerdict, "gate" | "verdict" | "reason" | "seconds">[];
  readonly seed: number;
  readonly effort: number;
  readonly machine: string;
  readonly mutants: readonly MutantResult[];
  /** Those that say nothing about this product. */
  readonly skipped?: readonly SkippedMutant[];
}

export interface ProductIdentity {
  readonly name: string;
  readonly protocols: readonly string[];
}

/** What the checking of products lends. */
export interface MutantBench {
  readonly contract: string;
  readonly product: string;
  readonly work: string;
  readonly verdict: CheckResult["verdict"];
  readonly gates: readonly GateVerdict[];
  /** What the product speaks. */
  readonly protocols: readonly string[];
  readonly buildFor: (contractFile: string, directory: string) => ProductIdentity;
  readonly protocolsOf: (contractFile: string) => readonly string[];
  readonly judge: Judge;
}

/** Errors: NOT_FOUND for a name; INVALID_ARGUMENT for a record that is none; those of build; CANCELLED. */
export async function judgeMutants(
  request: CheckRequest,
  context: UseCaseContext,
  bench: MutantBench,
): Promise<{ mutants: MutantResult[]; skipped: SkippedMutant[]; record: MutantsRecord }> {
  const { chosen, skipped } = chooseMutants(request.names, bench);
  const kept = request.recordFile === undefined ? undefined : readRecord(request.recordFile);
  const products = new Products(bench);
  const gatesHash = hashOfGates();
  const results = new Map((kept?.mutants ?? []).map((result) => [result.name, result]));
  const mutants: MutantResult[] = [];
  const keepRecord = (): MutantsRecord => {
    const { recordFile } = request;
    const made = recordOf(request, bench, kept, results, skipped);
    if (recordFile !== undefined) writeRecordFile(recordFile, made, mutantTable(made, recordFile));
    return made;
  };
  for (const mutant of chosen) {
    if (context.signal.aborted) throw new LatheError("CANCELLED", "stopped by request; what was judged is recorded");
    const product = products.of(mutant);
    const { expectedGates, reason } = mutantScope(mutant, product.directory, product.protocols);
    if (reason !== undefined) {
      context.progress(`mutant ${mutant.name}: left out, ${reason}`);
      skipped.push({ name: mutant.name, reason });
      continue;
    }
    const fingerprint = fingerprintOf(mutant, product.hash, gatesHash, request);
    const before = results.get(mutant.name);
    const isKept = before?.fingerprint === fingerprint;
    const kind = mutant.planted ? "mutant" : "benign variant";
    context.progress(`${kind} ${mutant.name}: ${isKept ? "as recorded" : mutant.description}`);
    const judged = { ...mutant, expectedGates: [...expectedGates] };
    const result = isKept ? before : await judgeMutant(judged, product, fingerprint, request, context, bench);
    const { right, verdict, seconds } = result;
    if (!isKept) context.progress(`  ${right ? "right" : "WRONG"}: ${verdict} (${seconds} s)`);
    mutants.push(result);
    results.set(mutant.name, result);
    keepRecord();
  }
  // With those that were left out last.
  const record = keepRecord();
  return { mutants, skipped, record };
}

/**
 * Those of the names, or all: planted ones first, because they are cheap. Of all, those of examples that speak
 * something else are left out: their own `lathe check` judges them. Errors: NOT_FOUND.
 */
function chooseMutants(names: readonly string[], bench: MutantBench): { chosen: Mutant[]; skipped: SkippedMutant[] } {
  const all = loadMutants();
  const unknown = names.find((name) => !all.some((mutant) => mutant.name === name));
  if (unknown !== undefined) throw new LatheError("NOT_FOUND", `there is no mutant ${unknown}`);
  const foreign = new Set<string>();
  for (const example of new Set(all.flatMap(({ contract }) => contract ?? []))) {
    if (example === bench.contract) continue;
    if (bench.protocolsOf(contractOf(example)).join() !== bench.protocols.join()) foreign.add(example);
  }
  const isForeign = ({ contract }: Mutant) => names.length === 0 && contract !== undefined && foreign.has(contract);
  const chosen = all.filter((mutant) => (names.length === 0 || names.includes(mutant.name)) && !isForeign(mutant));
  const skipped = all.filter(isForeign).map(({ name, contract }) => {
    return { name, reason: `\`lathe check examples/${contract}/contract.yaml --mutants\` judges it` };
  });
  return { chosen: [...chosen.filter(({ planted }) => planted), ...chosen.filter(({ planted }) => !planted)], skipped };
}

function contractOf(example: string): string {
  return join(sourceRoot, "..", "examples", example, "contract.yaml");
}

interface BuiltProduct {
  readonly contract: string;
  readonly directory: string;
  readonly protocols: readonly string[];
  readonly hash: string;
}

/** One build per contract. */
class Products {
  readonly #bench: MutantBench;
  readonly #built = new Map<string, BuiltProduct>();

  constructor(bench: MutantBench) {
    this.#bench = bench;
  }

  of({ contract }: Mutant): BuiltProduct {
    const key = contract ?? "";
    let built = this.#built.get(key);
    if (built === undefined) this.#built.set(key, (built = this.#build(contract)));
    return built;
  }

  #build(example: string | undefined): BuiltProduct {
    const { product, contract, protocols, work, buildFor } = this.#bench;
    if (example === undefined || example === contract) {
      return { contract, directory: product, protocols, hash: directoryHash(product) };
    }
    const directory = join(work, `product-${example}`);
    const built = buildFor(contractOf(example), directory);
    return { contract: built.name, directory, protocols: built.protocols, hash: directoryHash(directory) };
  }
}

async function judgeMutant(
  mutant: Mutant,
  product: BuiltProduct,
  fingerprint: string,
  request: CheckRequest,
  context: UseCaseContext,
  { work, judge }: MutantBench,
): Promise<MutantResult> {
  const startedAt = performance.now();
  const { name, planted, description, expectedGates } = mutant;
  const directory = join(work, `mutant-${name}`);
  plantMutant(product.directory, mutant, directory);
  const gates = gatesOf(product.protocols, "product", request.effort);
  const first = gates.filter((gate) => expectedGates.includes(gate.name));
  const others = gates.filter((gate) => !expectedGates.includes(gate.name));
  const verdicts = await judge([...first, ...others], directory, work, request, context, false);
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  const last = verdicts.find(({ verdict }) => verdict !== "admit");
  const verdict = last?.verdict ?? (verdicts.length === gates.length ? "admit" : "inconclusive");
  return {
    name,
    planted,
    description,
    contract: product.contract,
    verdict,
    gate: last?.gate,
    reason: last?.reason ?? "every gate admitted it",
    expectedGates,
    right: planted ? verdict === "reject" && expectedGates.includes(last?.gate ?? "") : verdict === "admit",
    seconds: round((performance.now() - startedAt) / 1000),
    gateSeconds: round(last?.seconds ?? verdicts.reduce((sum, { seconds }) => sum + seconds, 0)),
    fingerprint,
  };
}

function fingerprintOf(mutant: Mutant, product: string, gates: string, { seed, effort }: CheckRequest): string {
  // Which twin a fault names says nothing about how the fault is judged.
  const text = JSON.stringify([{ ...mutant, twin: undefined }, product, gates, seed, effort]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Of everything that judges: gates, simulation, and the conformance suites that stand beside their ports. */
function hashOfGates(): string {
  const hash = createHash("sha256");
  for (const room of ["gates", "simulation", "app/simulation", "bench/clients", "fleet", "parts"]) {
    const files = readdirSync(join(sourceRoot, room), { recursive: true, encoding: "utf8" }).sort();
    const judging = room === "parts" ? /\.(conformance|fixture|test)\.ts$/ : /(?<!\.(test|bench))\.ts$/;
    for (const file of files.filter((one) => judging.test(one))) {
      hash.update(`${file}\0`).update(readFileSync(join(sourceRoot, room, file)));
    }
  }
  return hash.digest("hex");
}

function recordOf(
  { seed, effort }: CheckRequest,
  { contract, verdict, gates }: MutantBench,
  kept: MutantsRecord | undefined,
  results: ReadonlyMap<string, MutantResult>,
  skipped: readonly SkippedMutant[],
): MutantsRecord {
  const present = loadMutants().flatMap(({ name }) => results.get(name) ?? []);
  const judged = gates.map(({ gate, verdict: one, reason, seconds }) => ({ gate, verdict: one, reason, seconds }));
  return {
    version: 1,
    contract,
    verdict: verdict ?? kept?.verdict,
    gates: judged.length > 0 ? judged : (kept?.gates ?? []),
    seed,
    effort,
    machine: machineText(describeMachine()),
    mutants: present,
    ...(skipped.length === 0 ? {} : { skipped }),
  };
}

function readRecord(file: string): MutantsRecord | undefined {
  const isKept = ({ version, mutants }: Partial<MutantsRecord>) => version === 1 && Array.isArray(mutants);
  return readRecordFile<MutantsRecord>(file, isKept, "mutants");
}

/** The record as a page. */
export function mutantTable(record: MutantsRecord, file: string): string {
  const { contract, verdict, gates, seed, effort, machine, mutants, skipped = [] } = record;
  const planted = mutants.filter((one) => one.planted);
  const benign = mutants.filter((one) => !one.planted);
  const right = (list: readonly MutantResult[]) => `${list.filter((one) => one.right).length} of ${list.length}`;
  const row = ({ name, description, contract: whose, verdict: found, gate, seconds, right: isRight }: MutantResult) => {
    const place = whose === contract ? "" : ` (in ${whose})`;
    const wrong = isRight ? "" : " **WRONG**";
    return `| \`${name}\`${place} | ${description} | ${found}${wrong} | ${gate ?? "all"} | ${seconds.toFixed(1)} |`;
  };
  const head = "| name | what is changed | verdict | gate | seconds |\n|---|---|---|---|--:|";
  const product = gates.map((one) => {
    return `| \`${one.gate}\` | ${one.verdict} | ${one.seconds.toFixed(1)} | ${one.reason} |`;
  });
  const command = `lathe check examples/${contract}/contract.yaml --mutants --record examples/bars/${basename(file)}`;
  return [
    "# Mutants",
    "",
    `Written by \`${command}\`; seed ${seed}, effort ${effort}; ${machine}. Seconds of planted faults are those of ` +
      "the gates that are to find them, up to the first rejection, with the copying of the product; those of benign " +
      "variants are of all gates.",
    "",
    `The product itself: **${verdict ?? "not judged"}**. Planted faults rejected: **${right(planted)}**. ` +
      `Benign variants admitted: **${right(benign)}**.`,
    "",
    "## The product",
    "",
    "| gate | verdict | seconds | what it looked at |\n|---|---|--:|---|",
    ...product,
    "",
    "## Planted faults",
    "",
    head,
    ...planted.map(row),
    "",
    "## Benign variants",
    "",
    head,
    ...benign.map(row),
    "",
    ...leftOut(skipped),
  ].join("\n");
}

function leftOut(skipped: readonly SkippedMutant[]): string[] {
  if (skipped.length === 0) return [];
  const rows = skipped.map(({ name, reason }) => `| \`${name}\` | ${reason} |`);
  return ["## Left out", "", "They say nothing about this product.", "", "| name | why |\n|---|---|", ...rows, ""];
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
