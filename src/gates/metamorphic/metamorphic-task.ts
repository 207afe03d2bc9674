/**
 * What a metamorphic worker is given and what it answers. Programs run on a worker thread: an engine that never comes
 * to an end is stopped there, and its modules are given back with the thread.
 */
import { Worker } from "node:worker_threads";
import type { KnobSet } from "./store-under-test.ts";
import type { Difference } from "./operation-run.ts";
import type { TrialOutcome } from "./metamorphic-trial.ts";

export type MetamorphicTask =
  | {
      readonly kind: "hunt";
      /** A directory with `kit/` and `parts/`. */
      readonly root: string;
      readonly workDirectory: string;
      readonly firstSeed: number;
      readonly seeds: number;
      /** Undefined: without a limit of time. */
      readonly minutes: number | undefined;
      readonly knobSets: number | undefined;
      readonly shrinkAttempts: number;
    }
  | { readonly kind: "replay"; readonly root: string; readonly workDirectory: string; readonly text: string };

export interface ReplayOutcome {
  readonly operations: number;
  readonly runs: number;
  readonly difference: Difference | undefined;
  /** Under which knobs it differs. */
  readonly knobs: KnobSet | undefined;
}

export type MetamorphicReply =
  | { readonly kind: "progress"; readonly programs: number; readonly seed: number }
  | { readonly kind: "hunted"; readonly outcome: TrialOutcome }
  | { readonly kind: "replayed"; readonly outcome: ReplayOutcome }
  | { readonly kind: "failed"; readonly code: string | undefined; readonly message: string };

/** `.ts` when run from source, `.js` when run from emitted code. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** Resolves with the last reply. Rejects where the thread ends without one, or the signal is aborted. */
export function runOnWorker(
  task: MetamorphicTask,
  signal: AbortSignal | undefined,
  onProgress: (programs: number, seed: number) => void = () => {},
): Promise<Exclude<MetamorphicReply, { kind: "progress" }>> {
  const url = new URL(`./metamorphic-worker${extension}`, import.meta.url);
  const worker = new Worker(url, { workerData: task, stdout: true, stderr: true });
  const stop = () => void worker.terminate();
  signal?.addEventListener("abort", stop);
  return new Promise<Exclude<MetamorphicReply, { kind: "progress" }>>((resolve, reject) => {
    worker.on("message", (reply: MetamorphicReply) => {
      if (reply.kind === "progress") onProgress(reply.programs, reply.seed);
      else resolve(reply);
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(signal?.reason ?? new Error("its thread ended without an answer")));
  }).finally(() => {
    signal?.removeEventListener("abort", stop);
    return worker.terminate();
  });
}
