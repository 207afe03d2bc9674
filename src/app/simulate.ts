/**
 * `lathe sim`: simulated lives of engine and node, from seeds and at every I/O call, on several processes.
 *
 *   seeds   a scenario is drawn from each seed (`simulation/scenario.ts`); the subjects take turns
 *   points  a fixed scenario of each subject, in which the n-th call fails, for every n and every kind of fault
 * Work is cut into tasks that processes take as they become free; they end with this one.
 */
import { type ChildProcess, fork } from "node:child_process";
import { LatheError } from "../kit/errors.ts";
import { Coverage, type CoverageCounts } from "../simulation/coverage.ts";
import { faultModes, fixedScenario, parsePoint, recoveryFaults } from "../simulation/every-call.ts";
import type { Scenario } from "../simulation/scenario.ts";
import { plainEngineKnobs } from "./simulation/engine-knobs.ts";
import type { SimulationFailure, SimulationTask, TaskOutcome } from "./simulation/simulation-task.ts";
import { makeSubject, subjectNames } from "./simulation/subjects.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface SimulateRequest {
  readonly seeds: number;
  readonly firstSeed: number;
  /** Instead of a number of seeds. */
  readonly minutes: number | undefined;
  /** One subject alone. */
  readonly scenario: string | undefined;
  readonly everyCall: boolean;
  /** One point alone, as text. */
  readonly point: string | undefined;
  /** A kept scenario instead of drawn ones. */
  readonly kept: Scenario | undefined;
  readonly checkDeterminism: boolean;
  readonly workers: number;
}

export interface SimulateResult {
  readonly seeds: number;
  readonly points: number;
  readonly failures: readonly (SimulationFailure & { readonly replay: string })[];
  readonly coverage: CoverageCounts;
  readonly events: number;
  readonly lives: number;
  readonly seconds: number;
  readonly runsPerSecond: number;
  readonly firstSeed: number;
  readonly determinismChecked: boolean;
}

const seedsPerTask = 20;
const failuresMax = 20;

/** Errors: INVALID_ARGUMENT, CANCELLED, JOB_LOST where a process died. */
export async function simulate(request: SimulateRequest, context: UseCaseContext): Promise<SimulateResult> {
  const subjects = request.scenario === undefined ? subjectNames : [makeSubject(request.scenario).name];
  const tasks = tasksOf(request, subjects);
  const started = performance.now();
  const endMs = request.minutes === undefined ? Infinity : started + request.minutes * 60_000;
  const totals = { seeds: 0, points: 0, events: 0, lives: 0 };
  const coverage = new Coverage();
  const failures: SimulationFailure[] = [];
  const take = (): SimulationTask | undefined => {
    context.signal.throwIfAborted();
    if (performance.now() >= endMs || failures.length >= failuresMax) return undefined;
    return tasks.next().value as SimulationTask | undefined;
  };
  const note = (task: SimulationTask, outcome: TaskOutcome) => {
    totals[task.kind === "points" ? "points" : "seeds"] += outcome.runs;
    totals.events += outcome.events;
    totals.lives += outcome.lives;
    coverage.add(outcome.coverage);
    failures.push(...outcome.failures);
    const seconds = (performance.now() - started) / 1000;
    const rate = Math.round((totals.seeds + totals.points) / seconds);
    const text = `${totals.seeds} seeds, ${totals.points} points, ${failures.length} failures, ${rate} runs/s`;
    context.status({
      stage: "simulating", trial: 0, of: undefined, secondsLeft: undefined, incumbent: { knobs: {} }, text,
    });
  };
  await Promise.all(Array.from({ length: request.workers }, () => workOff(take, note, context.signal)));
  const seconds = (performance.now() - started) / 1000;
  return {
    ...totals,
    failures: failures.map((failure) => ({ ...failure, replay: replayOf(failure) })),
    coverage: Object.fromEntries(Object.entries(coverage.counts).sort(([one], [other]) => (one < other ? -1 : 1))),
    seconds,
    runsPerSecond: (totals.seeds + totals.points) / seconds,
    firstSeed: request.firstSeed,
    determinismChecked: request.checkDeterminism,
  };
}

function* tasksOf(request: SimulateRequest, subjects: readonly string[]): Generator<SimulationTask, undefined> {
  const { kept, point } = request;
  if (kept !== undefined) return void (yield { kind: "scenario", scenario: kept });
  if (point !== undefined) {
    for (const name of subjects) yield { kind: "scenario", scenario: pointScenario(name, point) };
    return undefined;
  }
  if (request.everyCall) {
    for (const subject of subjects) {
      for (const mode of faultModes.keys()) yield { kind: "points", subject, mode, recovery: -1, stride: 1 };
    }
    // Compound: the recovery from a loss of power, or from a failed call, meets a fault as well.
    for (const subject of subjects) {
      for (const recovery of recoveryFaults.keys()) {
        for (const mode of [0, 2]) yield { kind: "points", subject, mode, recovery, stride: 61 };
      }
    }
    return undefined;
  }
  const { firstSeed, checkDeterminism, seeds } = request;
  const last = request.minutes === undefined ? firstSeed + seeds : Infinity;
  // Each subject takes the seeds that are its own by their remainder.
  for (let from = firstSeed; from < last; from += seedsPerTask * subjects.length) {
    for (const [place, subject] of subjects.entries()) {
      const mine: number[] = [];
      for (let at = 0; at < seedsPerTask; at++) {
        const seed = from + at * subjects.length + place;
        if (seed < last) mine.push(seed);
      }
      if (mine.length > 0) yield { kind: "seeds", subject, seeds: mine, checkDeterminism, shrink: true };
    }
  }
  return undefined;
}

export function pointScenario(name: string, point: string): Scenario {
  const knobs = name === "node" ? { ...plainEngineKnobs, cacheBytes: 16_384 } : plainEngineKnobs;
  return fixedScenario(makeSubject(name), knobs, parsePoint(point));
}

function replayOf({ subject, seed, point }: SimulationFailure): string {
  if (seed !== undefined) return `lathe sim --scenario ${subject} --seed ${seed} --seeds 1`;
  if (point !== undefined) return `lathe sim --scenario ${subject} --point ${point}`;
  return "lathe sim --kept FILE, with the scenario below in it";
}

/** `.ts` when run from source, `.js` when run from emitted code. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

async function workOff(
  take: () => SimulationTask | undefined,
  note: (task: SimulationTask, outcome: TaskOutcome) => void,
  signal: AbortSignal,
): Promise<void> {
  let worker: ChildProcess | undefined;
  const stop = () => worker?.kill("SIGKILL");
  signal.addEventListener("abort", stop);
  try {
    for (let task = take(); task !== undefined; task = take()) {
      worker ??= fork(new URL(`./simulation/simulation-worker${extension}`, import.meta.url), { execArgv: [] });
      note(task, await ask(worker, task));
    }
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

function ask(worker: ChildProcess, task: SimulationTask): Promise<TaskOutcome> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new LatheError("JOB_LOST", `a simulating process died; it had ${JSON.stringify(task)}`));
    worker.once("exit", lost);
    worker.once("message", (reply: { outcome?: TaskOutcome; error?: string }) => {
      worker.off("exit", lost);
      if (reply.outcome !== undefined) resolve(reply.outcome);
      else reject(new Error(reply.error));
    });
    worker.send(task);
  });
}
