/**
 * Power-loss gate: the product's own code on a simulated disk that loses power at I/O calls of a short scenario.
 *
 * The scenario (`power-loss-scenario.ts`) runs on a worker thread: a product that never comes to an end is
 * stopped there when the gate's time is up, and its modules are given back with the thread.
 * Steps:
 *   1. Open the product through its `open`, with a simulated environment. Run the scenario once without faults
 *      and count the disk's calls.
 *   2. For calls spread over the scenario: run it again and lose power at that call. What of the unsynced
 *      writes is left is up to the seed (any subset, torn at sectors): several disks are made of each loss, and
 *      the product is opened on each of them.
 *   3. What was acknowledged must be there; a transaction is whole or absent; the store must open.
 * Limits: only what is durable is examined, on one connection; the timing of real devices and threads is not here.
 * Source: SQLite's crash tests (fail at the n-th call, for every n), FoundationDB's non-durable files.
 */
import { Worker } from "node:worker_threads";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import type { PowerLossOutcome, PowerLossTask } from "./power-loss-scenario.ts";
import { verdictOf } from "./run-gates.ts";
import { shrunkKnobs } from "./shrunk-knobs.ts";

const name = "power-loss";

export function powerLossGate(options: { points: number; fates: number }): Gate {
  return {
    name,
    description:
      `power lost at ${options.points} I/O calls of a scenario, ${options.fates} times each; ` +
      "what was acknowledged is there, and whole",
    stage: "product",
    timeoutMs: 30_000 + options.points * 1000,
    run: (subject) => runPowerLoss(options, subject),
  };
}

async function runPowerLoss(
  options: { points: number; fates: number },
  subject: GateSubject,
): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const { productDirectory, seed } = subject;
  const outcome = await runOnThread(
    { productDirectory, seed, knobs: shrunkKnobs(subject), ...options },
    subject.signal,
  );
  return verdict[outcome.verdict](outcome.reason, outcome.evidence);
}

/** `.ts` when run from source, `.js` when run from emitted code. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

function runOnThread(task: PowerLossTask, signal: AbortSignal | undefined): Promise<PowerLossOutcome> {
  const url = new URL(`./power-loss-worker${extension}`, import.meta.url);
  const worker = new Worker(url, { workerData: task, stdout: true, stderr: true });
  const stop = () => void worker.terminate();
  signal?.addEventListener("abort", stop);
  return new Promise<PowerLossOutcome>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("its thread ended without an answer")));
  }).finally(() => {
    signal?.removeEventListener("abort", stop);
    return worker.terminate();
  });
}
