/**
 * Runs the tasks of simulation workers (`simulation/task.ts`): some seeds, or the n-th-call loop of one fault mode.
 *
 * A failure is shrunk where it is found and comes back as a scenario that can be run again.
 */
import { Coverage } from "../../simulation/coverage.ts";
import { faultModes, fixedScenario, pointText, recoveryFaults } from "../../simulation/every-call.ts";
import type { Fault } from "../../simulation/fault-plan.ts";
import { drawScenario, type Scenario } from "../../simulation/scenario.ts";
import { shrinkScenario } from "../../simulation/shrink.ts";
import { type RunResult, runScenario } from "../../simulation/store-run.ts";
import type { StoreSubject } from "../../simulation/store-subject.ts";
import type { SimulationFailure, SimulationTask, TaskOutcome } from "../../simulation/task.ts";
import { plainEngineKnobs } from "./engine-knobs.ts";
import { plainMemoryKnobs } from "./memory-knobs.ts";
import { parseSessionPoint, runSessionTrial } from "./session-trial.ts";
import { makeSubject } from "./subjects.ts";

export function replayOf({ subject, seed, point }: Pick<SimulationFailure, "subject" | "seed" | "point">): string {
  const place = subject === sessionsName && point !== undefined ? ` --point ${point}` : "";
  if (seed !== undefined) return `lathe sim --scenario ${subject} --seed ${seed} --seeds 1${place}`;
  if (point !== undefined) return `lathe sim --scenario ${subject} --point ${point}`;
  return "lathe sim --kept FILE, with the scenario below in it";
}

/** What `--scenario` calls the runs with open transactions. */
export const sessionsName = "sessions";

const failuresMax = 5;
/** Events of all runs that shrink one failure: of those that do not come to an end, few runs are enough to wait for. */
const shrinkEventsMax = 4_000_000;
const unhandled: string[] = [];

/** Errors that nobody waits for are failures of the run under way. Call once, in a process of its own. */
export function watchUnhandled(): void {
  process.on("unhandledRejection", (reason) => unhandled.push(String((reason as Error)?.stack ?? reason)));
  process.on("uncaughtException", (error) => unhandled.push(String(error.stack)));
}

/** `begins` is told of every run, by the command that runs it alone. */
export async function runTask(task: SimulationTask, begins?: (replay: string) => void): Promise<TaskOutcome> {
  const work = new TaskWork(begins);
  const startedMs = performance.now();
  if (task.kind === "seeds") await work.seeds(task);
  else if (task.kind === "points") await work.points(task);
  else if (task.kind === "sessions") await work.sessions(task);
  else await work.one(task.scenario, undefined, undefined, false);
  work.outcome.seconds = (performance.now() - startedMs) / 1000;
  return work.outcome;
}

export async function runOnce(scenario: Scenario): Promise<RunResult> {
  unhandled.length = 0;
  const result = await runScenario(makeSubject(scenario.subject), scenario);
  // Rejections are told a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  if (result.failure !== undefined || unhandled.length === 0) return result;
  return { ...result, failure: { message: `unhandled: ${unhandled[0]}`, life: result.lives - 1, operation: 0 } };
}

class TaskWork {
  readonly #coverage = new Coverage();
  readonly #begins: ((replay: string) => void) | undefined;
  readonly outcome: TaskOutcome = {
    runs: 0, crashed: 0, events: 0, lives: 0, seconds: 0, failures: [], coverage: this.#coverage.counts,
  };

  constructor(begins: ((replay: string) => void) | undefined) {
    this.#begins = begins;
  }

  async seeds({ subject, seeds, checkDeterminism, shrink }: Extract<SimulationTask, { kind: "seeds" }>): Promise<void> {
    for (const seed of seeds) {
      const scenario = drawScenario(makeSubject(subject), seed);
      const result = await this.one(scenario, seed, undefined, shrink);
      if (!checkDeterminism) continue;
      const again = await runOnce(scenario);
      if (again.hash === result.hash) continue;
      const message = `two runs of one seed differ: ${result.hash} and ${again.hash}`;
      this.outcome.failures.push({ subject, seed, point: undefined, message, scenario });
    }
  }

  async sessions({ seeds, stride, point }: Extract<SimulationTask, { kind: "sessions" }>): Promise<void> {
    const only = point === undefined ? undefined : parseSessionPoint(point);
    for (const seed of seeds) {
      this.#begins?.(replayOf({ subject: sessionsName, seed, point }));
      const { points, events, failure } = await runSessionTrial(seed, stride, only);
      this.outcome.runs += points;
      this.outcome.crashed += points;
      this.outcome.lives += 2 * points;
      this.outcome.events += events;
      if (failure === undefined) continue;
      const nothing = { knobs: {}, schedule: undefined, operations: [], faults: [], capacityBytes: undefined };
      const scenario = { subject: sessionsName, seed, ...nothing };
      this.outcome.failures.push({ subject: sessionsName, seed, ...failure, scenario });
    }
  }

  async points(
    { subject, mode, recovery, stride, crashAfter }: Extract<SimulationTask, { kind: "points" }>,
  ): Promise<void> {
    for (let call = 1; ; call += stride) {
      const first = { ...faultModes[mode], call };
      if (crashAfter !== undefined) {
        const crash = { kind: "crash", call: crashAfter, persistent: false, after: true } as const;
        if (!(await this.#point(subject, [[first, crash]]))) return;
        continue;
      }
      if (recovery < 0) {
        if (!(await this.#point(subject, [[first]]))) return;
        continue;
      }
      const kind = recoveryFaults[recovery];
      for (let second = 1; ; second++) {
        const struck = await this.#point(subject, [[first], [{ kind, call: second, persistent: false }]]);
        if (struck === undefined || !struck) return;
        // The recovery of a store as small as this is over by then.
        if (second >= 24) break;
      }
    }
  }

  /** Returns whether the first fault struck. */
  async #point(name: string, faults: readonly (readonly Fault[])[]): Promise<boolean> {
    const subject = makeSubject(name);
    const scenario = fixedScenario(subject, fixedKnobs(subject), faults);
    const { struck } = await this.one(scenario, undefined, pointText(faults), true);
    if (!struck) this.outcome.runs--;
    return struck;
  }

  async one(
    scenario: Scenario, seed: number | undefined, point: string | undefined, shrink: boolean,
  ): Promise<RunResult> {
    this.#begins?.(replayOf({ subject: scenario.subject, seed, point }));
    const result = await runOnce(scenario);
    this.outcome.runs++;
    if (result.crashes > 0) this.outcome.crashed++;
    this.outcome.events += result.events;
    this.outcome.lives += result.lives;
    this.#coverage.add(result.coverage);
    if (result.failure !== undefined && this.outcome.failures.length < failuresMax) {
      let events = 0;
      const fails = async (candidate: Scenario) => {
        if (events > shrinkEventsMax) return false;
        const { failure, events: more } = await runOnce(candidate);
        events += more;
        return failure !== undefined;
      };
      // One of a task is enough to look at; the others are most often the same.
      const small = shrink && this.outcome.failures.length === 0 ? await shrinkScenario(scenario, fails) : scenario;
      const { message } = (await runOnce(small)).failure ?? result.failure;
      this.outcome.failures.push({ subject: scenario.subject, seed, point, message, scenario: small });
    }
    return result;
  }
}

const relaxedKnobs = { lossWindowMs: 50, unsyncedBytesMax: 1 << 20 };

export function fixedKnobs(subject: StoreSubject) {
  if (subject.name === "relaxed-node") return { ...plainEngineKnobs, cacheBytes: 16_384, ...relaxedKnobs };
  const plain = subject.name.startsWith("memory") ? plainMemoryKnobs : plainEngineKnobs;
  return subject.name.endsWith("node") ? { ...plain, cacheBytes: 16_384 } : plain;
}
