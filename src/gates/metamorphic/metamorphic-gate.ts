/**
 * Metamorphic gate: random programs on the product's own engine, under many knob sets, against a map.
 *
 * A program writes, reads, scans, holds cursors and snapshots open, flushes, compacts, copies, closes, loses power and
 * changes agents; under every knob set each answer must be that of a map. What fails is shrunk; the evidence holds the
 * operation file.
 *
 *   1. Programs are those of the seeds from `seed * 1000` on, in their order, on a thread.
 *   2. After a share of the time limit no further program is begun, once the least number was run: a loaded machine
 *      looks at the first programs of those that a quiet one looks at, and the verdict says at how many.
 *   3. A program that fails is shrunk for as long as a larger share has not passed.
 * Limits: it sees what answers show. What costs (memory, device flushes under real files, stalls) is for other gates.
 */
import type { Gate, GateSubject, GateVerdict } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import { runOnWorker } from "./metamorphic-task.ts";

const name = "metamorphic";

export interface MetamorphicGateOptions {
  readonly programs: number;
  /** Fewer than these are no verdict, however slow the machine is. */
  readonly programsMin: number;
  readonly knobSets: number;
  /** Of the time limit, after which no further program is begun. */
  readonly timeShare?: number;
}

/** Of the time limit: the rest is for the program under way, or for shrinking. */
const timeShareDefault = 0.6;
const shrinkShare = 0.85;

export function metamorphicGate(options: MetamorphicGateOptions): Gate {
  const { programs, programsMin, knobSets } = options;
  return {
    name,
    description:
      `${programs} random programs (on a loaded machine ${programsMin} at least) under ${knobSets} knob sets each on ` +
      "the product's engine; every answer equals a map's",
    stage: "product",
    // Programs end by themselves when their share of the time is over; a machine with much to do is late with that.
    timeoutMs: 3 * timeoutMsOf(options),
    run: (subject) => runMetamorphic(options, subject),
  };
}

function timeoutMsOf({ programs }: MetamorphicGateOptions): number {
  return 60_000 + programs * 2000;
}

async function runMetamorphic(options: MetamorphicGateOptions, subject: GateSubject): Promise<GateVerdict> {
  const { programs: planned, programsMin, knobSets, timeShare = timeShareDefault } = options;
  const verdict = verdictOf(name, performance.now());
  const { productDirectory: root, workDirectory, seed, signal } = subject;
  const limitMs = timeoutMsOf(options);
  const reply = await runOnWorker(
    {
      kind: "hunt", root, workDirectory, knobSets, shrinkAttempts: 300, shrinkEndMs: limitMs * shrinkShare,
      firstSeed: seed * 1000, seeds: planned, seedsMin: programsMin, minutes: (limitMs * timeShare) / 60_000,
    },
    signal,
  );
  if (reply.kind === "failed") return verdict.inconclusive(reply.message);
  if (reply.kind !== "hunted") return verdict.inconclusive(`its thread answered with ${reply.kind}`);
  const { failure, programs, runs, operations } = reply.outcome;
  const evidence = { programs, programsPlanned: planned, runs, operations };
  if (failure !== undefined) {
    const { difference, knobs } = failure;
    const reason =
      `program ${programs} of ${planned}: under "${knobs.name}" \`${difference.operation}\` gave ${difference.got} ` +
      `where ${difference.expected} was due`;
    return verdict.reject(reason, { ...evidence, seed: failure.seed, operationFile: failure.text });
  }
  const done = `${programs} of ${planned} programs, ${runs} runs, ${operations} operations`;
  if (programs < programsMin || runs < programs) {
    return verdict.inconclusive(`only ${done}; at least ${programsMin} programs with a run each are due`, evidence);
  }
  return verdict.admit(`${done}: every answer as due`, evidence);
}
