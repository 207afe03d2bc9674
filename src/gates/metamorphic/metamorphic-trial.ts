/**
 * A metamorphic trial: one program under many knob sets, each compared with the model, which makes them equal to one
 * another; and what to show of a failure.
 *
 * Limits: a program runs under each knob set once; with threads, another run may go another way.
 * Source: Pebble's metamorphic tests.
 */
import { seededNumbers } from "../../simulation/simulated-env.ts";
import { generateOperations, type GeneratorOptions } from "./operation-generator.ts";
import { formatOperationFile } from "./operation-file.ts";
import type { OperationFile } from "./operation.ts";
import { answersOf, type Difference, runOperations } from "./operation-run.ts";
import { treeKnobSets } from "./knob-sets.ts";
import { type Failing, shrink } from "./shrink.ts";
import type { KnobSet, KnobSets, StoreMaker } from "./store-under-test.ts";

export interface TrialOptions {
  /** Knob sets per program; undefined: all (see `knobSetsOf`). */
  readonly knobSets?: number | undefined;
  readonly length?: GeneratorOptions["length"];
  /** Runs that shrinking a failure may take. */
  readonly shrinkAttempts: number;
  /** Whether there is time to shrink on; without it the attempts alone count. */
  readonly mayShrink?: (() => boolean) | undefined;
  readonly onProgram?: ((seed: number, programs: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface MetamorphicFailure {
  readonly seed: number;
  readonly knobs: KnobSet;
  readonly difference: Difference;
  /** The program, shrunk, as an operation file that says what differs. */
  readonly text: string;
  readonly operations: number;
}

export interface TrialOutcome {
  readonly programs: number;
  readonly runs: number;
  readonly operations: number;
  readonly failure: MetamorphicFailure | undefined;
}

const randomSetsPerProgram = 3;

/**
 * Knob sets of a program: every simulated standard one, one of those with threads (they wait for a disk), and random
 * ones. Where `count` is given, so many of them, drawn by the seed.
 */
export function knobSetsOf(seed: number, count: number | undefined, sets: KnobSets = treeKnobSets): KnobSet[] {
  const next = seededNumbers(seed ^ 0x5eed);
  const simulated = sets.standard.filter(({ world }) => world !== "real");
  const real = sets.standard.filter(({ world }) => world === "real");
  const random = Array.from({ length: randomSetsPerProgram }, (_, number) =>
    sets.draw(`random ${number} of seed ${seed}`, next),
  );
  const all = [...simulated, real[seed % real.length], ...random];
  if (count === undefined || count >= all.length) return all;
  return Array.from({ length: count }, () => all.splice(Math.floor(next() * all.length), 1)[0]);
}

/**
 * Seeds of programs one after the other: `seedsMin` of them in any case, up to `seeds` while there is time. So a slow
 * machine runs the first ones of those that a fast one runs.
 */
export function* programSeeds(
  { firstSeed, seeds, seedsMin }: { firstSeed: number; seeds: number; seedsMin: number },
  hasTime: () => boolean,
): Generator<number> {
  for (let number = 0; number < seeds && (number < seedsMin || hasTime()); number++) yield firstSeed + number;
}

/** Runs programs of the seeds given, until one fails. */
export async function runTrials(
  maker: StoreMaker,
  seeds: Iterable<number>,
  options: TrialOptions,
): Promise<TrialOutcome> {
  let [programs, runs, operations] = [0, 0, 0];
  for (const seed of seeds) {
    if (options.signal?.aborted) break;
    const file = generateOperations(seed, { features: maker.features, length: options.length });
    const answers = answersOf(file);
    options.onProgram?.(seed, programs);
    programs++;
    for (const knobs of knobSetsOf(seed, options.knobSets, maker.knobSets)) {
      runs++;
      operations += file.operations.length;
      const difference = await runOperations(file, answers, maker.create(knobs, seed));
      if (difference === undefined) continue;
      const failure = await explain(maker, file, knobs, difference, options);
      return { programs, runs, operations, failure };
    }
  }
  return { programs, runs, operations, failure: undefined };
}

/** Runs one program under one knob set. */
export function replay(maker: StoreMaker, file: OperationFile, knobs: KnobSet): Promise<Difference | undefined> {
  return runOperations(file, answersOf(file), maker.create(knobs, file.seed));
}

async function explain(
  maker: StoreMaker,
  file: OperationFile,
  knobs: KnobSet,
  first: Difference,
  { shrinkAttempts, mayShrink = () => true }: TrialOptions,
): Promise<MetamorphicFailure> {
  const run = ({ operations, knobs: set }: Failing) => replay(maker, { ...file, operations }, set);
  // What comes after the difference has no part in it.
  const upTo = { operations: file.operations.slice(0, first.at + 1), knobs };
  const fails = async (candidate: Failing) => mayShrink() && sameKind(await run(candidate), first);
  const start = (await fails(upTo)) ? upTo : { operations: file.operations, knobs };
  const small = await shrink(start, fails, shrinkAttempts);
  const difference = (small !== start || mayShrink() ? await run(small) : undefined) ?? first;
  const lines = [
    formatOperationFile({ ...file, operations: small.operations }).trimEnd(),
    `# knobs ${JSON.stringify(small.knobs)}`,
    `# at operation ${difference.at + 1}: ${difference.operation}`,
    `# expected ${difference.expected}`,
    `# got      ${difference.got}`,
    "",
  ];
  const { length } = small.operations;
  return { seed: file.seed, knobs: small.knobs, difference, text: lines.join("\n"), operations: length };
}

/** Errors by their code, other answers by being none, so that shrinking does not slip to another failure. */
function sameKind(one: Difference | undefined, other: Difference): boolean {
  const codeOf = ({ got }: Difference) => /^error (\S+):/.exec(got)?.[1];
  return one !== undefined && one.at < 0 === other.at < 0 && codeOf(one) === codeOf(other);
}

/** The knob set that a failing file names in its comment; undefined where it names none. */
export function knobSetIn(text: string): KnobSet | undefined {
  const line = /^# knobs (\{.*\})$/m.exec(text)?.[1];
  return line === undefined ? undefined : (JSON.parse(line) as KnobSet);
}
