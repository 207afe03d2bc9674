/** The thread of metamorphic runs: takes a task, tells how far it is, answers with an outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { errorCodeOf } from "../../kit/errors.ts";
import type { MetamorphicReply, MetamorphicTask, ReplayOutcome } from "./metamorphic-task.ts";
import { knobSetIn, programSeeds, replay, runTrials } from "./metamorphic-trial.ts";
import { parseOperationFile } from "./operation-file.ts";
import { loadProductEngine } from "./product-engine.ts";
import type { StoreMaker } from "./store-under-test.ts";

const task = workerData as MetamorphicTask;
const reply = (message: MetamorphicReply) => parentPort?.postMessage(message);

function hunt(maker: StoreMaker, options: Extract<MetamorphicTask, { kind: "hunt" }>) {
  const { minutes = Infinity, knobSets, shrinkAttempts, shrinkEndMs = Infinity } = options;
  const startedMs = performance.now();
  const passedMs = () => performance.now() - startedMs;
  const seeds = programSeeds(options, () => passedMs() < minutes * 60_000);
  const onProgram = (seed: number, programs: number) => reply({ kind: "progress", programs, seed });
  const mayShrink = () => passedMs() < shrinkEndMs;
  return runTrials(maker, seeds, { knobSets, shrinkAttempts, mayShrink, onProgram });
}

/** Under the knob set that the file names, or under every standard one. */
async function replayText(maker: StoreMaker, text: string): Promise<ReplayOutcome> {
  const file = parseOperationFile(text);
  const named = knobSetIn(text);
  let runs = 0;
  for (const knobs of named === undefined ? maker.knobSets.standard : [named]) {
    runs++;
    const difference = await replay(maker, file, knobs);
    if (difference !== undefined) return { operations: file.operations.length, runs, difference, knobs };
  }
  return { operations: file.operations.length, runs, difference: undefined, knobs: undefined };
}

// A store that failed is left as it is, with promises that nobody waits for; what differed is in the outcome.
process.on("unhandledRejection", () => {});

try {
  const maker = await loadProductEngine(task.root, task.workDirectory);
  try {
    if (task.kind === "hunt") reply({ kind: "hunted", outcome: await hunt(maker, task) });
    else reply({ kind: "replayed", outcome: await replayText(maker, task.text) });
  } finally {
    await maker.close();
  }
} catch (error) {
  reply({ kind: "failed", code: errorCodeOf(error), message: (error as Error).message });
}
