/**
 * Indexes gate: what is read by a secondary index is what the rows say, always; and a key is there once.
 *
 * The scenario (`indexes-scenario.ts`) runs on a worker thread, as that of the power-loss gate does.
 * Steps:
 *   1. Open the product on a simulated disk; make a table with two indexes; insert, update and delete at random.
 *   2. After each statement compare a read by an index (equality, page, prefix of two columns) with a model.
 *   3. Close and open: the first INSERT then, with a key that is there, must be refused and leave nothing. Power is
 *      lost at I/O calls of the run: afterwards every value of the indexes gives exactly the rows that have it.
 * A product without the leaf is admitted as having nothing to look at.
 * Source: the bulk loads that trust a flag to say that a table is empty; InnoDB's CHECK TABLE on secondary indexes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import type { IndexesOutcome, IndexesTask } from "./indexes-scenario.ts";
import { verdictOf } from "./run-gates.ts";
import { shrunkKnobs } from "./shrunk-knobs.ts";

const name = "indexes";

export function indexesGate(options: { statements: number; losses: number }): Gate {
  return {
    name,
    description:
      `${options.statements} statements on a table with two secondary indexes, restarts and ${options.losses} losses ` +
      "of power: reads by index equal the rows, duplicates are refused",
    stage: "product",
    timeoutMs: 30_000 + options.statements * 50 + options.losses * 1000,
    run: (subject) => runIndexes(options, subject),
  };
}

async function runIndexes(
  options: { statements: number; losses: number },
  subject: GateSubject,
): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const { productDirectory, seed, signal } = subject;
  // Every product carries the port; only some carry a part behind it.
  const { parts } = JSON.parse(readFileSync(join(productDirectory, "selection.json"), "utf8")) as {
    parts: readonly { readonly path: string }[];
  };
  if (!parts.some(({ path }) => path.startsWith("indexing/"))) {
    return verdict.admit("the product has no secondary indexes: nothing to look at", { looked: false });
  }
  const outcome = await runOnThread({ productDirectory, seed, knobs: shrunkKnobs(subject), ...options }, signal);
  return verdict[outcome.verdict](outcome.reason, outcome.evidence);
}

/** `.ts` when run from source, `.js` when run from emitted code. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

function runOnThread(task: IndexesTask, signal: AbortSignal | undefined): Promise<IndexesOutcome> {
  const url = new URL(`./indexes-worker${extension}`, import.meta.url);
  const worker = new Worker(url, { workerData: task, stdout: true, stderr: true });
  const stop = () => void worker.terminate();
  signal?.addEventListener("abort", stop);
  return new Promise<IndexesOutcome>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("its thread ended without an answer")));
  }).finally(() => {
    signal?.removeEventListener("abort", stop);
    return worker.terminate();
  });
}
