/**
 * Use case: metamorphic runs over the engine of a contract's product, as many as are wanted; and one recorded program
 * again.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildProduct } from "../foundry/build.ts";
import { type MetamorphicTask, type ReplayOutcome, runOnWorker } from "../gates/metamorphic/metamorphic-task.ts";
import { LatheError } from "../kit/errors.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { openWork } from "./check.ts";
import { patchedCopy } from "./check-patch.ts";
import { loadServedContract } from "./contract.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface MetamorphicRequest {
  readonly contractFile: string;
  readonly patchFile: string | undefined;
  readonly seed: number;
  /** Programs, one per seed from `seed` on. Undefined: as many as fit into the minutes. */
  readonly seeds: number | undefined;
  readonly minutes: number | undefined;
  /** An operation file to run again, in place of new programs. */
  readonly replayFile: string | undefined;
  readonly workDirectory: string | undefined;
}

/** `check --metamorphic --json`. */
export interface MetamorphicResult {
  readonly contract: string;
  readonly verdict: "admit" | "reject";
  readonly programs: number;
  readonly runs: number;
  readonly operations: number;
  /** What differed, and where its operation file was written; undefined where nothing did. */
  readonly failure:
    | {
        readonly seed: number | undefined;
        readonly knobs: string;
        readonly operation: string;
        readonly expected: string;
        readonly got: string;
        readonly file: string;
        readonly command: string;
      }
    | undefined;
}

const seedsDefault = 50;
const shrinkAttempts = 2000;

/** Errors: those of build; INVALID_ARGUMENT for files; CANCELLED. A difference is no error. */
export async function checkMetamorphic(
  request: MetamorphicRequest,
  context: UseCaseContext,
): Promise<MetamorphicResult> {
  const { contract, text } = loadServedContract(request.contractFile);
  const recorded = request.replayFile === undefined ? undefined : readOperationFile(request.replayFile);
  const work = openWork(request.workDirectory);
  try {
    const product = join(work.path, "product");
    buildProduct({ contract, contractText: text, knobCatalog: loadKnobCatalog() }, product);
    const { patchFile } = request;
    const root = patchFile === undefined ? product : patchedCopy(product, patchFile, work.path).directory;
    const task = taskOf(request, recorded, root, work.path);
    const startedAt = performance.now();
    const reply = await runOnWorker(task, context.signal, (programs, seed) => {
      if (programs % 25 !== 0) return;
      context.progress(`seed ${seed}: ${programs} programs in ${Math.round((performance.now() - startedAt) / 1000)} s`);
    });
    if (reply.kind === "failed") throw new LatheError("INVALID_ARGUMENT", reply.message);
    if (reply.kind === "replayed") return resultOfReplay(contract.name, request, reply.outcome);
    const { failure, programs, runs, operations } = reply.outcome;
    const counts = { contract: contract.name, programs, runs, operations };
    if (failure === undefined) return { ...counts, verdict: "admit", failure };
    const file = resolve(`metamorphic-${failure.seed}.ops`);
    writeFileSync(file, failure.text);
    const { operation, expected, got } = failure.difference;
    const shown = { seed: failure.seed, knobs: failure.knobs.name, operation, expected, got };
    return { ...counts, verdict: "reject", failure: { ...shown, file, command: replayCommand(request, file) } };
  } finally {
    work.remove();
  }
}

function taskOf(
  { seed, seeds, minutes }: MetamorphicRequest,
  recorded: string | undefined,
  root: string,
  workDirectory: string,
): MetamorphicTask {
  if (recorded !== undefined) return { kind: "replay", root, workDirectory, text: recorded };
  const limit = seeds ?? (minutes === undefined ? seedsDefault : Infinity);
  const counts = { firstSeed: seed, seeds: limit, minutes, knobSets: undefined, shrinkAttempts };
  return { kind: "hunt", root, workDirectory, ...counts };
}

function resultOfReplay(
  contract: string,
  request: MetamorphicRequest,
  outcome: ReplayOutcome,
): MetamorphicResult {
  const { operations, runs, difference, knobs } = outcome;
  const counts = { contract, programs: 1, runs, operations };
  if (difference === undefined) return { ...counts, verdict: "admit", failure: undefined };
  const file = resolve(request.replayFile ?? "");
  const { operation, expected, got } = difference;
  const command = replayCommand(request, file);
  const failure = { seed: undefined, knobs: knobs?.name ?? "", operation, expected, got, file, command };
  return { ...counts, verdict: "reject", failure };
}

function replayCommand({ contractFile, patchFile }: MetamorphicRequest, file: string): string {
  const patch = patchFile === undefined ? "" : ` --patch ${patchFile}`;
  return `lathe check ${contractFile}${patch} --replay ${file}`;
}

function readOperationFile(file: string): string {
  try {
    return readFileSync(resolve(file), "utf8");
  } catch (cause) {
    throw new LatheError("NOT_FOUND", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
