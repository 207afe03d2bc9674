/**
 * Damage gate: one bit of a stopped product's files is flipped; what it answers then is right or an error.
 *
 * The scenario (`damage-scenario.ts`) runs on a worker thread, as that of the power-loss gate does.
 * Steps:
 *   1. Open the product through its `open` on a simulated disk; write rows so that several SSTables, a manifest and
 *      segments of the log are there; close it.
 *   2. For places spread over all files: flip one bit of a copy of the disk, open the product, and read every row by
 *      its key and all rows by a scan.
 *   3. A store that does not open, or a read that fails, must say CORRUPTION or that the format is unknown. A row that
 *      is read must have the value that was written; a row that is missing, without an error, is a rejection. Damage in
 *      the log may cost its tail, because nothing later speaks of the last group that was flushed.
 * Limits: one bit at a time, at rest; what lying devices do while the product runs is in the simulation gate.
 * Source: SQLite's malformed-database tests, RocksDB's corruption_test.
 */
import { Worker } from "node:worker_threads";
import type { DamageOutcome, DamageTask } from "./damage-scenario.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { verdictOf } from "./run-gates.ts";
import { shrunkKnobs } from "./shrunk-knobs.ts";

const name = "damage";

export function damageGate(options: { flips: number }): Gate {
  return {
    name,
    description: `${options.flips} times one bit of its files flipped: each answer is right, or says what is damaged`,
    stage: "product",
    timeoutMs: 30_000 + options.flips * 500,
    run: (subject) => runDamage(options, subject),
  };
}

async function runDamage(options: { flips: number }, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const { productDirectory, seed, signal } = subject;
  const outcome = await runOnThread({ productDirectory, seed, knobs: shrunkKnobs(subject), ...options }, signal);
  return verdict[outcome.verdict](outcome.reason, outcome.evidence);
}

/** `.ts` when run from source, `.js` when run from emitted code. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

function runOnThread(task: DamageTask, signal: AbortSignal | undefined): Promise<DamageOutcome> {
  const url = new URL(`./damage-worker${extension}`, import.meta.url);
  const worker = new Worker(url, { workerData: task, stdout: true, stderr: true });
  const stop = () => void worker.terminate();
  signal?.addEventListener("abort", stop);
  return new Promise<DamageOutcome>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("its thread ended without an answer")));
  }).finally(() => {
    signal?.removeEventListener("abort", stop);
    return worker.terminate();
  });
}
