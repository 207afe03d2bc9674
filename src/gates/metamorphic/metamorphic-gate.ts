/**
 * Metamorphic gate: random programs on the product's own engine, under many knob sets, against a map.
 *
 * A program writes, reads, scans, holds cursors and snapshots open, flushes, compacts, copies, closes, loses power and
 * changes agents; under every knob set each answer must be that of a map. What fails is shrunk; the evidence holds the
 * operation file.
 * Limits: it sees what answers show. What costs (memory, device flushes under real files, stalls) is for other gates.
 */
import type { Gate, GateSubject, GateVerdict } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import { runOnWorker } from "./metamorphic-task.ts";

const name = "metamorphic";

export function metamorphicGate(options: { programs: number; knobSets: number }): Gate {
  return {
    name,
    description:
      `${options.programs} random programs under ${options.knobSets} knob sets each on the product's engine; ` +
      "every answer equals a map's",
    stage: "product",
    timeoutMs: 60_000 + options.programs * 2000,
    run: (subject) => runMetamorphic(options, subject),
  };
}

async function runMetamorphic(
  { programs, knobSets }: { programs: number; knobSets: number },
  subject: GateSubject,
): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const { productDirectory: root, workDirectory, seed, signal } = subject;
  const firstSeed = seed * 1000;
  const counts = { firstSeed, seeds: programs, minutes: undefined, knobSets, shrinkAttempts: 300 };
  const reply = await runOnWorker({ kind: "hunt", root, workDirectory, ...counts }, signal);
  if (reply.kind === "failed") return verdict.inconclusive(reply.message);
  if (reply.kind !== "hunted") return verdict.inconclusive(`its thread answered with ${reply.kind}`);
  const { failure, runs, operations } = reply.outcome;
  const evidence = { programs: reply.outcome.programs, runs, operations };
  if (failure !== undefined) {
    const { difference, knobs } = failure;
    const reason =
      `under "${knobs.name}" \`${difference.operation}\` gave ${difference.got} where ${difference.expected} was due`;
    return verdict.reject(reason, { ...evidence, seed: failure.seed, operationFile: failure.text });
  }
  if (runs < programs) return verdict.inconclusive(`only ${runs} runs for ${programs} programs`, evidence);
  const done = `${reply.outcome.programs} programs, ${runs} runs, ${operations} operations`;
  return verdict.admit(`${done}: every answer as due`, evidence);
}
