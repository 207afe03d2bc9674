/** Plants a fault in a copy of the sources and lets the copy's own simulation look for it. */
import { type ChildProcess, fork } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SimulationTask, TaskOutcome } from "../../src/simulation/task.ts";
import type { WorkerReply } from "../../src/app/simulation/worker-pool.ts";
import { faultModes } from "../../src/simulation/every-call.ts";
import type { FaultKind } from "../../src/simulation/fault-plan.ts";
import type { Scenario } from "../../src/simulation/scenario.ts";

export interface PlantedFault {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  readonly subject: string;
  /** The first failure must come within so many seeds. */
  readonly seedsMax: number;
  /** Looked at first: it has found the fault before. */
  readonly knownSeed?: number;
  /** Instead of seeds: this fault at every call of the fixed scenario. */
  readonly everyCall?: FaultKind;
  /** With `everyCall`: power goes so many calls after the fault. */
  readonly crashAfter?: number;
  /** Instead of seeds: this scenario of test/regressions/seeds, which once showed the very fault. */
  readonly kept?: string;
}

const root = join(import.meta.dirname, "..", "..");
const seedsPerTask = 10;

/** The first seed or point that found it, with what it said; or undefined. */
export async function findPlanted(
  fault: PlantedFault,
): Promise<{ place: string; message: string; runs: number } | undefined> {
  const copy = mkdtempSync(join(tmpdir(), "lathe-planted-"));
  let worker: ChildProcess | undefined;
  try {
    for (const room of ["kit", "parts", "simulation", "app/simulation"]) {
      cpSync(join(root, "src", room), join(copy, "src", room), { recursive: true });
    }
    writeFileSync(join(copy, "package.json"), '{ "type": "module" }');
    for (const { file, find, replace } of fault.edits) plant(join(copy, "src", file), find, replace);
    worker = fork(join(copy, "src/app/simulation/simulation-worker.ts"), { execArgv: [] });
    let runs = 0;
    for (const task of tasksOf(fault)) {
      const { failures, runs: done } = await ask(worker, task);
      runs += done;
      if (failures.length === 0) continue;
      const { seed, point, message } = failures[0];
      const place = seed === undefined ? (point === undefined ? "kept" : `point ${point}`) : `seed ${seed}`;
      return { place, message, runs };
    }
    return undefined;
  } finally {
    worker?.kill("SIGKILL");
    rmSync(copy, { recursive: true, force: true });
  }
}

function* tasksOf(fault: PlantedFault): Generator<SimulationTask> {
  const { subject, seedsMax, knownSeed, everyCall, crashAfter, kept } = fault;
  if (kept !== undefined) {
    const text = readFileSync(join(root, "test/regressions/seeds", `${kept}.json`), "utf8");
    yield { kind: "scenario", scenario: JSON.parse(text) as Scenario };
  }
  if (subject === "sessions") {
    for (let seed = 1; seed <= seedsMax; seed++) yield { kind: "sessions", seeds: [seed], stride: 23 };
    return;
  }
  const drawn = (seeds: number[]): SimulationTask =>
    ({ kind: "seeds", subject, seeds, checkDeterminism: false, shrink: false });
  if (knownSeed !== undefined) yield drawn([knownSeed]);
  const mode = faultModes.findIndex(({ kind }) => kind === everyCall);
  if (mode >= 0) {
    // What can be found at many calls is found by some of them sooner.
    for (const stride of [11, 1]) {
      const points = { kind: "points", subject, mode, recovery: -1, stride } as const;
      yield crashAfter === undefined ? points : { ...points, crashAfter };
    }
  }
  for (let from = 1; from <= seedsMax; from += seedsPerTask) {
    yield drawn(Array.from({ length: seedsPerTask }, (_, at) => from + at));
  }
}

function plant(file: string, find: string, replace: string): void {
  const text = readFileSync(file, "utf8");
  if (!text.includes(find)) throw new Error(`${file} has no ${find}: plant the fault where that went`);
  writeFileSync(file, text.replace(find, replace));
}

function ask(worker: ChildProcess, task: SimulationTask): Promise<TaskOutcome> {
  return new Promise((resolve, reject) => {
    worker.once("exit", (code) => reject(new Error(`the simulating process ended with ${code}`)));
    worker.once("message", ({ outcome, error }: WorkerReply) => {
      worker.removeAllListeners("exit");
      if (outcome === undefined) reject(new Error(error));
      else resolve(outcome);
    });
    worker.send(task);
  });
}
