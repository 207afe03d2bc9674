/**
 * Simulation gate: the product's own engine, log and node in the deterministic simulation, with faults.
 *
 * Steps:
 *   1. Lay out a source tree: the workshop's `simulation/` and the stores that it knows (`app/simulation/`), the
 *      product's `kit/` and `parts/`, and, for parts that the product lacks, the workshop's. A candidate brings no
 *      simulation of its own.
 *   2. On processes of their own, draw scenarios from seeds for each store in turn: writes, snapshots, flushes,
 *      compactions, checkpoints, and in between losses of power, failed and torn calls, full disks, lying devices.
 *   3. Beside them, the fixed scenario in which one bit of the n-th write is another, for every `flipStride`-th n.
 *   4. Where a product has open transactions: several sessions, ended at calls of the run (`session-trial.ts`).
 *   5. The first failure is a rejection; the evidence holds its scenario, for `lathe sim --kept`.
 * Limits: virtual time and one thread; what answers and files show, not what costs.
 * Source: FoundationDB's simulation, TigerBeetle's VOPR, SQLite's loop over I/O calls.
 */
import type { ChildProcess } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { releaseProcess, spawnGuarded } from "../foundry/orphan-guard.ts";
import { sourceRoot } from "../foundry/part-descriptor.ts";
import { faultModes } from "../simulation/every-call.ts";
import type { SimulationFailure, SimulationTask, TaskOutcome } from "../simulation/task.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { lossWindowOf } from "./loss-window.ts";
import { isInMemory } from "./product-engine.ts";
import { verdictOf } from "./run-gates.ts";
import { hasOpenTransactions } from "./transaction-writers.ts";

const name = "simulation";
/** Weights of the stores: what holds most of the machinery gets most seeds. */
const strictSubjects = ["bare-engine", "log", "node", "engine", "bare-engine", "log"] as const;
/** Of products that may lose a window of answers. */
const relaxedSubjects = ["bare-engine", "relaxed-node", "relaxed-node", "engine", "relaxed-node", "log"] as const;
/** Of products with all data in memory: nodes of this kind are strict or relaxed, by the seed. */
const memorySubjects = ["memory", "log", "memory-node", "memory-node", "memory", "log"] as const;
const seedsPerTask = 5;
const processes = 2;
/** Of a product with open transactions: for so many seeds one of its runs, ended at every so many calls. */
const seedsPerSession = 20;
const sessionStride = 11;
const flipStride = 5;

type DrawnTask = Exclude<SimulationTask, { kind: "scenario" }>;

export interface SimulationGateOptions {
  readonly seeds: number;
}

export function simulationGate(options: SimulationGateOptions): Gate {
  return {
    name,
    description:
      `${options.seeds} seeds of the simulation on the product's engine, log and node, with crashes, failing and ` +
      "lying disks; a flipped bit in writes",
    stage: "product",
    timeoutMs: 240_000 + options.seeds * 500,
    run: (subject) => runSimulation(options, subject),
  };
}

async function runSimulation({ seeds }: SimulationGateOptions, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const root = layOut(subject);
  const subjects = subjectsOf(subject.productDirectory);
  const transactions = hasOpenTransactions(subject.productDirectory);
  const tasks = tasksOf(subjects, subject.seed * 1000, seeds, transactions ? Math.ceil(seeds / seedsPerSession) : 0);
  const counts = { seeds: 0, points: 0, sessions: 0, lives: 0, events: 0 };
  const found: SimulationFailure[] = [];
  const stop = new AbortController();
  const signal = subject.signal === undefined ? stop.signal : AbortSignal.any([subject.signal, stop.signal]);
  const workOff = async () => {
    const worker = new SimulatingProcess(root, signal);
    try {
      for (const task of tasks) {
        const { runs, lives, events, failures } = await worker.ask(task);
        counts[task.kind] += runs;
        counts.lives += lives;
        counts.events += events;
        found.push(...failures);
        if (found.length > 0) return stop.abort();
      }
    } catch (error) {
      // The other process has found something: what this one was about no longer counts.
      if (found.length === 0) throw error;
    } finally {
      worker.end();
    }
  };
  await Promise.all(Array.from({ length: processes }, workOff));
  const [failure] = found;
  if (failure !== undefined) {
    const { subject: store, seed, point, message, scenario } = failure;
    const place = [
      ...(seed === undefined ? [] : [`seed ${seed}`]), ...(point === undefined ? [] : [`point ${point}`]),
    ].join(", ");
    return verdict.reject(`${store}, ${place}: ${message.slice(0, 300)}`, { ...counts, store, seed, point, scenario });
  }
  if (counts.seeds < seeds) return verdict.inconclusive(`only ${counts.seeds} of ${seeds} seeds were run`, counts);
  const ended = counts.sessions === 0 ? "" : `, ${counts.sessions} ends of runs with open transactions`;
  const runs = `${counts.seeds} seeds and ${counts.points} flipped writes${ended}`;
  return verdict.admit(`${runs}, ${counts.lives} lives, ${counts.events} events: nothing lost or wrong`, counts);
}

function subjectsOf(productDirectory: string): readonly string[] {
  if (isInMemory(productDirectory)) return memorySubjects;
  return lossWindowOf(productDirectory) === undefined ? strictSubjects : relaxedSubjects;
}

/** The tree that the simulating processes run from. */
function layOut({ productDirectory, workDirectory }: GateSubject): string {
  const root = join(workDirectory, "src");
  const isEvidence = (path: string) => /\.(test|fuzz|bench|conformance|fixture)\.ts$/.test(path);
  for (const room of ["kit", "parts", "simulation", "app/simulation"]) {
    cpSync(join(sourceRoot, room), join(root, room), { recursive: true, filter: (path) => !isEvidence(path) });
  }
  for (const room of ["kit", "parts"]) cpSync(join(productDirectory, room), join(root, room), { recursive: true });
  mkdirSync(root, { recursive: true });
  writeFileSync(join(workDirectory, "package.json"), '{ "type": "module" }\n');
  return root;
}

/** One iterator for all processes: each takes the next task when it is free. */
function* tasksOf(
  subjects: readonly string[], firstSeed: number, seeds: number, sessions: number,
): Generator<DrawnTask, undefined> {
  for (let at = 0; at < sessions; at++) yield { kind: "sessions", seeds: [firstSeed + at], stride: sessionStride };
  const mode = faultModes.findIndex(({ kind }) => kind === "flippedWrite");
  let flipsGiven = false;
  for (let from = 0, turn = 0; from < seeds; from += seedsPerTask, turn++) {
    const count = Math.min(seedsPerTask, seeds - from);
    const drawn = Array.from({ length: count }, (_, at) => firstSeed + from + at);
    const subject = subjects[turn % subjects.length];
    yield { kind: "seeds", subject, seeds: drawn, checkDeterminism: false, shrink: false };
    // Dear, and rarely needed: after a first round of seeds.
    if (flipsGiven || turn < subjects.length) continue;
    flipsGiven = true;
    yield { kind: "points", subject: subjects[0], mode, recovery: -1, stride: flipStride };
  }
  return undefined;
}

class SimulatingProcess {
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #stop = () => this.end();

  constructor(root: string, signal: AbortSignal) {
    this.#signal = signal;
    const file = join(root, "app", "simulation", "simulation-worker.ts");
    const line = ["--disable-warning=ExperimentalWarning", file];
    this.#child = spawnGuarded(process.execPath, line, { stdio: ["ignore", "ignore", "ignore", "ipc"] });
    signal.addEventListener("abort", this.#stop);
  }

  ask(task: SimulationTask): Promise<TaskOutcome> {
    const child = this.#child;
    return new Promise<TaskOutcome>((resolve, reject) => {
      const lost = () => reject(new Error(`a simulating process died over ${JSON.stringify(task)}`));
      if (child.exitCode !== null || child.signalCode !== null) return lost();
      const listen = (reply: { readonly outcome?: TaskOutcome; readonly error?: string }) => {
        child.off("exit", lost);
        if (reply.outcome === undefined) reject(new Error(reply.error ?? "no outcome"));
        else resolve(reply.outcome);
      };
      child.once("exit", lost);
      child.once("message", listen);
      child.send(task, (error) => error !== null && reject(error));
    });
  }

  end(): void {
    this.#signal.removeEventListener("abort", this.#stop);
    this.#child.kill("SIGKILL");
    if (this.#child.pid !== undefined) releaseProcess(this.#child.pid);
  }
}
