/**
 * Work of a gate on a thread of its own: what never comes to an end is stopped there when the gate's time is up, and
 * the product's modules are given back with the thread.
 *
 *   1. `askThread` starts the thread with a task and waits for its last reply; the thread is gone when it returns.
 *   2. `examineOnThread` does so with a scenario over a product's files (`*-scenario.ts` and the worker beside it), and
 *      makes a verdict of the outcome.
 */
import { Worker } from "node:worker_threads";
import type { KnobValues } from "../kit/product.ts";
import type { GateSubject, GateVerdict } from "./gate.ts";
import { verdictOf } from "./run-gates.ts";
import { shrunkKnobs } from "./shrunk-knobs.ts";

/** What every scenario is given, beside the numbers of its gate. */
export interface ScenarioTask {
  readonly productDirectory: string;
  readonly knobs: KnobValues;
  readonly seed: number;
}

export interface ScenarioOutcome {
  readonly verdict: "admit" | "reject" | "inconclusive";
  readonly reason: string;
  readonly evidence: Record<string, unknown>;
}

/** `.ts` when run from source, `.js` when run from emitted code. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/**
 * Resolves with what `lastOf` makes of the first reply that it takes for the last; of others it makes undefined.
 * `workerPath` is relative to this folder and has no extension. Rejects where the thread fails, or ends without such a
 * reply, as it does where the signal is aborted.
 */
export function askThread<Reply, Last>(
  workerPath: string,
  task: unknown,
  signal: AbortSignal | undefined,
  lastOf: (reply: Reply) => Last | undefined,
): Promise<Last> {
  const url = new URL(`${workerPath}${extension}`, import.meta.url);
  const worker = new Worker(url, { workerData: task, stdout: true, stderr: true });
  const stop = () => void worker.terminate();
  signal?.addEventListener("abort", stop);
  return new Promise<Last>((resolve, reject) => {
    worker.on("message", (reply: Reply) => {
      const last = lastOf(reply);
      if (last !== undefined) resolve(last);
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("its thread ended without an answer")));
  }).finally(() => {
    signal?.removeEventListener("abort", stop);
    return worker.terminate();
  });
}

/** `options` are what the task of `./<gate>-worker` holds beside a `ScenarioTask`. */
export async function examineOnThread<Task extends ScenarioTask>(
  gate: string,
  options: Omit<Task, keyof ScenarioTask>,
  subject: GateSubject,
): Promise<GateVerdict> {
  const verdict = verdictOf(gate, performance.now());
  const { productDirectory, seed, signal } = subject;
  const task = { productDirectory, seed, knobs: shrunkKnobs(subject), ...options };
  const outcome = await askThread(`./${gate}-worker`, task, signal, (reply: ScenarioOutcome) => reply);
  return verdict[outcome.verdict](outcome.reason, outcome.evidence);
}
