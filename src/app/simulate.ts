/**
 * `lathe sim`: simulated lives of engine, log and node, from seeds and at every I/O call, on several processes.
 *
 *   seeds   a scenario is drawn from each seed (`simulation/scenario.ts`); the subjects take turns
 *   sessions  several sessions with open transactions, ended at calls of the run (`simulation/session-trial.ts`)
 *   points  a fixed scenario of each subject, in which the n-th call fails, for every n and every kind of fault
 * Work is cut into tasks that processes take as they become free (`simulation/worker-pool.ts`). With a record the seeds
 * are done in rounds, each of which is written down when all of it is done (`simulation/simulation-record.ts`).
 */
import { Coverage, type CoverageCounts } from "../simulation/coverage.ts";
import {
  crashesAfter, faultModes, fixedScenario, modesBeforeCrash, parsePoint, recoveryFaults,
} from "../simulation/every-call.ts";
import type { Scenario } from "../simulation/scenario.ts";
import type { SimulationFailure, SimulationTask, TaskOutcome } from "../simulation/task.ts";
import { addRound, readRecord, writeRecord } from "./simulation/simulation-record.ts";
import { fixedKnobs, replayOf, sessionsName } from "./simulation/simulation-task.ts";
import { makeSubject, subjectNames } from "./simulation/subjects.ts";
import { WorkerPool } from "./simulation/worker-pool.ts";
import { hashOfSources } from "./source-hash.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface SimulateRequest {
  readonly seeds: number;
  /** Undefined: behind what the record has, or 1. */
  readonly firstSeed: number | undefined;
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
  /** A file that results are added to. */
  readonly record: string | undefined;
}

export interface SimulateResult {
  readonly seeds: number;
  readonly points: number;
  readonly failures: readonly (SimulationFailure & { readonly replay: string })[];
  readonly coverage: CoverageCounts;
  /** Seeds and points in which power was lost or the process killed at least once. */
  readonly crashed: number;
  readonly events: number;
  readonly lives: number;
  readonly seconds: number;
  readonly runsPerSecond: number;
  readonly firstSeed: number;
  readonly determinismChecked: boolean;
  /** Whether Ctrl-C ended it: the numbers are of what was done by then. */
  readonly stopped: boolean;
}

const seedsPerTask = 20;
const tasksPerRound = 20;
/** Every so many calls of a run with open transactions. */
const sessionStride = 7;
const failuresMax = 20;
/** What is simulated and what simulates. */
const simulatedRooms = ["kit", "parts", "simulation", "app/simulation"];

/** Errors: INVALID_ARGUMENT, JOB_LOST where a process died. */
export async function simulate(request: SimulateRequest, context: UseCaseContext): Promise<SimulateResult> {
  return new Simulation(request, context).run();
}

class Simulation {
  readonly #request: SimulateRequest;
  readonly #context: UseCaseContext;
  readonly #subjects: readonly string[];
  readonly #firstSeed: number;
  /** As they are when the processes begin: they may change meanwhile. */
  readonly #sourceHash = hashOfSources(simulatedRooms);
  readonly #startedMs = performance.now();
  readonly #endMs: number;
  readonly #total = new Tally();
  #round = new Tally();

  constructor(request: SimulateRequest, context: UseCaseContext) {
    this.#request = request;
    this.#context = context;
    const { scenario, minutes, record } = request;
    const named = scenario === undefined || scenario === sessionsName ? [] : [makeSubject(scenario).name];
    this.#subjects = scenario === undefined ? subjectNames : named;
    this.#firstSeed = request.firstSeed ?? (record === undefined ? 1 : readRecord(record).nextSeed);
    this.#endMs = minutes === undefined ? Infinity : this.#startedMs + minutes * 60_000;
  }

  async run(): Promise<SimulateResult> {
    const { workers, record, checkDeterminism } = this.#request;
    const { signal } = this.#context;
    const pool = new WorkerPool(workers, signal);
    try {
      for (const { tasks, firstSeed, lastSeed } of this.#rounds()) {
        if (performance.now() >= this.#endMs || this.#total.failures.length >= failuresMax) break;
        await this.#runRound(pool, tasks);
        if (record !== undefined) this.#write(record, firstSeed, lastSeed);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      pool.close();
    }
    const { seeds, points, crashed, events, lives, coverage } = this.#total;
    const seconds = (performance.now() - this.#startedMs) / 1000;
    return {
      seeds, points, crashed, events, lives, seconds,
      failures: this.#total.replayable(),
      coverage: Object.fromEntries(Object.entries(coverage.counts).sort(([one], [other]) => (one < other ? -1 : 1))),
      runsPerSecond: (seeds + points) / seconds,
      firstSeed: this.#firstSeed,
      determinismChecked: checkDeterminism,
      stopped: signal.aborted,
    };
  }

  async #runRound(pool: WorkerPool, tasks: readonly SimulationTask[]): Promise<void> {
    this.#round = new Tally();
    const queue = [...tasks];
    const recorded = this.#request.record !== undefined;
    const take = () => {
      // A round that is recorded is finished, so that the record has no holes.
      const late = performance.now() >= this.#endMs || this.#total.failures.length >= failuresMax;
      return late && !recorded ? undefined : queue.shift();
    };
    await pool.run(take, (task, outcome) => {
      this.#total.add(task, outcome);
      this.#round.add(task, outcome);
      this.#tell();
    });
  }

  #tell(): void {
    const { seeds, points, failures } = this.#total;
    const { everyCall, minutes, seeds: wanted } = this.#request;
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const rate = Math.round((seeds + points) / seconds);
    const of = everyCall || minutes !== undefined ? "" : ` of ${wanted}`;
    const secondsLeft = minutes === undefined ? undefined : Math.max(0, (this.#endMs - performance.now()) / 1000);
    const text = `${seeds}${of} seeds, ${points} points, ${failures.length} failures, ${rate} runs/s`;
    this.#context.status({
      stage: "simulating", trial: 0, of: undefined, secondsLeft, incumbent: { knobs: {} }, text,
    });
  }

  #write(file: string, firstSeed: number | undefined, lastSeed: number | undefined): void {
    const { seeds, points, crashed, events, lives, workerSeconds, coverage } = this.#round;
    const failures = this.#round.replayable();
    const round = {
      seeds, points, crashed, events, lives, workerSeconds, failures, coverage: coverage.counts, firstSeed, lastSeed,
    };
    const command = this.#request.everyCall ? "lathe sim --every-call --record FILE" : "lathe sim --record FILE";
    writeRecord(file, addRound(readRecord(file), round, this.#sourceHash, command));
  }

  *#rounds(): Generator<{ tasks: SimulationTask[]; firstSeed?: number; lastSeed?: number }, undefined> {
    const { kept, point, everyCall, scenario } = this.#request;
    if (scenario === sessionsName) return yield* this.#sessionRounds();
    if (kept !== undefined) return void (yield { tasks: [{ kind: "scenario", scenario: kept }] });
    if (point !== undefined) {
      const tasks = this.#subjects.map((name) => ({ kind: "scenario", scenario: pointScenario(name, point) }) as const);
      return void (yield { tasks });
    }
    if (everyCall) {
      for (const subject of this.#subjects) yield { tasks: pointTasks(subject) };
      return undefined;
    }
    yield* this.#seedRounds();
    return undefined;
  }

  /** One seed a task: each is some fifty runs, or every call of one. */
  *#sessionRounds(): Generator<{ tasks: SimulationTask[]; firstSeed: number; lastSeed: number }, undefined> {
    const { seeds, minutes, everyCall, point } = this.#request;
    const last = minutes === undefined ? this.#firstSeed + seeds : Infinity;
    for (let from = this.#firstSeed; from < last; from += tasksPerRound) {
      const end = Math.min(last, from + tasksPerRound);
      const own = Array.from({ length: end - from }, (_, at) => from + at);
      const places = { stride: everyCall ? 1 : sessionStride, ...(point === undefined ? {} : { point }) };
      const tasks = own.map((seed) => ({ kind: "sessions", seeds: [seed], ...places }) as const);
      yield { tasks, firstSeed: from, lastSeed: end - 1 };
    }
    return undefined;
  }

  *#seedRounds(): Generator<{ tasks: SimulationTask[]; firstSeed: number; lastSeed: number }> {
    const { seeds, minutes, checkDeterminism } = this.#request;
    const last = minutes === undefined ? this.#firstSeed + seeds : Infinity;
    const count = this.#subjects.length;
    const perRound = seedsPerTask * tasksPerRound;
    for (let from = this.#firstSeed; from < last; from += perRound) {
      const end = Math.min(last, from + perRound);
      const tasks: SimulationTask[] = [];
      // Each subject takes the seeds that are its own by their remainder.
      for (let at = from; at < end; at += seedsPerTask * count) {
        for (const [place, subject] of this.#subjects.entries()) {
          const own = Array.from({ length: seedsPerTask }, (_, i) => at + i * count + place);
          const mine = own.filter((one) => one < end);
          if (mine.length > 0) tasks.push({ kind: "seeds", subject, seeds: mine, checkDeterminism, shrink: true });
        }
      }
      yield { tasks, firstSeed: from, lastSeed: end - 1 };
    }
  }
}

/** Sums over tasks. */
class Tally {
  seeds = 0;
  points = 0;
  crashed = 0;
  events = 0;
  lives = 0;
  workerSeconds = 0;
  readonly failures: SimulationFailure[] = [];
  readonly coverage = new Coverage();

  add(task: SimulationTask, outcome: TaskOutcome): void {
    this[task.kind === "points" || task.kind === "sessions" ? "points" : "seeds"] += outcome.runs;
    this.crashed += outcome.crashed;
    this.events += outcome.events;
    this.lives += outcome.lives;
    this.workerSeconds += outcome.seconds;
    this.coverage.add(outcome.coverage);
    this.failures.push(...outcome.failures);
  }

  replayable(): (SimulationFailure & { readonly replay: string })[] {
    return this.failures.map((failure) => ({ ...failure, replay: replayOf(failure) }));
  }
}

function pointTasks(subject: string): SimulationTask[] {
  const single = [...faultModes.keys()].map(
    (mode) => ({ kind: "points", subject, mode, recovery: -1, stride: 1 }) as const,
  );
  // Compound: the recovery from a loss of power, or from a failed call, meets a fault as well.
  const compound = [...recoveryFaults.keys()].flatMap((recovery) =>
    [0, 2].map((mode) => ({ kind: "points", subject, mode, recovery, stride: 61 }) as const),
  );
  const cutShort = modesBeforeCrash.flatMap((mode) =>
    crashesAfter.map((crashAfter) => ({ kind: "points", subject, mode, recovery: -1, stride: 1, crashAfter }) as const),
  );
  return [...single, ...compound, ...cutShort];
}

export function pointScenario(name: string, point: string): Scenario {
  const subject = makeSubject(name);
  return fixedScenario(subject, fixedKnobs(subject), parsePoint(point));
}
