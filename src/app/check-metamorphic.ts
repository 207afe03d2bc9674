/**
 * Use case: metamorphic runs over the engine of a contract's product, as many as are wanted; and one recorded program
 * again. With a record the programs run in rounds, each of which is written down when all of it has run
 * (`metamorphic-record.ts`).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildProduct } from "../foundry/build.ts";
import { generatorVersion } from "../gates/metamorphic/operation-generator.ts";
import { type MetamorphicTask, type ReplayOutcome, runOnWorker } from "../gates/metamorphic/metamorphic-task.ts";
import type { MetamorphicFailure, TrialOutcome } from "../gates/metamorphic/metamorphic-trial.ts";
import { LatheError } from "../kit/errors.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { openWork } from "./check.ts";
import { patchedCopy } from "./check-patch.ts";
import { loadServedContract } from "./contract.ts";
import {
  addPrograms, readMetamorphicRecord, type RecordedPrograms, writeMetamorphicRecord,
} from "./metamorphic-record.ts";
import { hashOfSources } from "./source-hash.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface MetamorphicRequest {
  readonly contractFile: string;
  readonly patchFile: string | undefined;
  readonly seed: number;
  /** Programs, one per seed from `seed` on. Undefined: as many as fit into the minutes. */
  readonly seeds: number | undefined;
  readonly minutes: number | undefined;
  /** Under how many knob sets each program runs, drawn by its seed; undefined: all. */
  readonly knobSets: number | undefined;
  /** A file that results are added to; programs then begin behind what it holds. */
  readonly recordFile: string | undefined;
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
/** Programs between two writings of a record. */
const programsPerRound = 50;
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
    if (recorded === undefined) return await new Hunt(request, context, contract.name, root, work.path).run();
    const task: MetamorphicTask = { kind: "replay", root, workDirectory: work.path, text: recorded };
    const reply = await runOnWorker(task, context.signal);
    if (reply.kind !== "replayed") throw new LatheError("INVALID_ARGUMENT", messageOf(reply));
    return resultOfReplay(contract.name, request, reply.outcome);
  } finally {
    work.remove();
  }
}

/** New programs, in one round or, with a record, in many. */
class Hunt {
  readonly #request: MetamorphicRequest;
  readonly #context: UseCaseContext;
  readonly #contract: string;
  readonly #root: string;
  readonly #workDirectory: string;
  readonly #startedMs = performance.now();
  /** As it was when the product was built: the sources may change while programs run. */
  readonly #sourceHash = hashOfSources(["kit", "parts", "simulation", "gates/metamorphic"]);
  readonly #total = { programs: 0, runs: 0, operations: 0 };

  constructor(
    request: MetamorphicRequest, context: UseCaseContext, contract: string, root: string, workDirectory: string,
  ) {
    this.#request = request;
    this.#context = context;
    this.#contract = contract;
    this.#root = root;
    this.#workDirectory = workDirectory;
  }

  /** Errors: INVALID_ARGUMENT, CANCELLED. */
  async run(): Promise<MetamorphicResult> {
    const { seed, seeds, minutes, recordFile } = this.#request;
    const limit = seeds ?? (minutes === undefined ? seedsDefault : Infinity);
    let record = recordFile === undefined ? undefined : readMetamorphicRecord(recordFile);
    let next = Math.max(seed, record?.nextSeed ?? 0);
    for (let left = limit; left > 0; ) {
      const roundMs = performance.now();
      const outcome = await this.#round(next, recordFile === undefined ? left : Math.min(left, programsPerRound));
      const { failure, programs } = outcome;
      if (recordFile !== undefined && programs > 0) {
        const seconds = (performance.now() - roundMs) / 1000;
        const round = roundOf(outcome, next, seconds);
        const command = commandOf(this.#request);
        record = addPrograms(record, round, { sourceHash: this.#sourceHash, command, generatorVersion });
        writeMetamorphicRecord(recordFile, record);
      }
      if (failure !== undefined) return this.#rejected(failure);
      next += programs;
      left -= programs;
      if (this.#minutesLeft() <= 0 || recordFile === undefined) break;
    }
    return { contract: this.#contract, ...this.#total, verdict: "admit", failure: undefined };
  }

  async #round(firstSeed: number, seeds: number): Promise<TrialOutcome> {
    const minutes = this.#request.minutes === undefined ? undefined : this.#minutesLeft();
    const counts = { firstSeed, seeds, seedsMin: 0, minutes, knobSets: this.#request.knobSets, shrinkAttempts };
    const task: MetamorphicTask = { kind: "hunt", root: this.#root, workDirectory: this.#workDirectory, ...counts };
    const { programs: before } = this.#total;
    const reply = await runOnWorker(task, this.#context.signal, (programs, seed) => {
      const done = before + programs;
      const seconds = Math.round((performance.now() - this.#startedMs) / 1000);
      if (done % 25 === 0) this.#context.progress(`seed ${seed}: ${done} programs in ${seconds} s`);
    });
    if (reply.kind !== "hunted") throw new LatheError("INVALID_ARGUMENT", messageOf(reply));
    this.#total.programs += reply.outcome.programs;
    this.#total.runs += reply.outcome.runs;
    this.#total.operations += reply.outcome.operations;
    return reply.outcome;
  }

  #minutesLeft(): number {
    const { minutes } = this.#request;
    return minutes === undefined ? Infinity : minutes - (performance.now() - this.#startedMs) / 60_000;
  }

  #rejected({ seed, text, knobs, difference }: MetamorphicFailure): MetamorphicResult {
    const file = resolve(`metamorphic-${seed}.ops`);
    writeFileSync(file, text);
    const { operation, expected, got } = difference;
    const command = replayCommand(this.#request, file);
    const failure = { seed, knobs: knobs.name, operation, expected, got, file, command };
    return { contract: this.#contract, ...this.#total, verdict: "reject", failure };
  }
}

function roundOf(outcome: TrialOutcome, firstSeed: number, seconds: number): RecordedPrograms {
  const { failure, ...counts } = outcome;
  const failures = failure === undefined ? [] : [failureOf(failure)];
  return { ...counts, seconds, firstSeed, lastSeed: firstSeed + counts.programs - 1, failures };
}

function commandOf({ contractFile, knobSets }: MetamorphicRequest): string {
  const sets = knobSets === undefined ? "" : ` --knob-sets ${knobSets}`;
  return `lathe check ${contractFile} --metamorphic${sets} --record FILE`;
}

function failureOf({ seed, knobs, difference }: MetamorphicFailure): RecordedPrograms["failures"][number] {
  const { operation, expected, got } = difference;
  return { seed, knobs: knobs.name, operation, expected, got };
}

function messageOf(reply: Awaited<ReturnType<typeof runOnWorker>>): string {
  return reply.kind === "failed" ? reply.message : `the thread of programs answered with ${reply.kind}`;
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
