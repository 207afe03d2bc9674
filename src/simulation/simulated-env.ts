/**
 * SimulatedEnv: the ports of `Env` with virtual time, seeded randomness, a disk that forgets, and jobs as generators.
 *
 * Steps (`run`): let every microtask pass; take the next event (`event-queue.ts`); move the clock to it; run it; again.
 * Events are deferred calls, timers, steps of jobs, and the ends of asynchronous disk calls. With a `schedule` each of
 * them takes a time drawn from the seed, several jobs run at once, the wall clock jumps and threads die; without one
 * everything happens as soon as it can, in the order in which it was asked for.
 * Invariants: no real time is read (the globals that would are broken meanwhile); the same seed gives the same
 * sequence of events, which `trace` hashes: every source of a promise (disk, timers, jobs, deferred calls) is resolved
 * here, one at a time. Source: FoundationDB's Sim2, TigerBeetle's VOPR.
 */
import type { Clock, Env, JobReference, Logger, Network, Random, Threads } from "../kit/env/env.ts";
import { LatheError } from "../kit/errors.ts";
import { breakGlobals } from "./broken-globals.ts";
import type { DiskCall } from "./disk-call.ts";
import { EventQueue, type WorldEvent } from "./event-queue.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";
import { seededNumbers } from "./seeded-numbers.ts";
import { TraceHash } from "./trace-hash.ts";

export { seededNumbers } from "./seeded-numbers.ts";

export interface SimulatedEnv extends Env {
  readonly disk: SimulatedDisk;
  readonly trace: TraceHash;
  /**
   * Runs the world until the promise settles. Rejects with TIMEOUT where nothing is left that could settle it, or after
   * `eventsMax` events, and with CANCELLED where the machine lost power.
   */
  run<Value>(promise: Promise<Value>): Promise<Value>;
  /** Numbers from the seed, uniform in [0, 1). */
  next(): number;
  /** The highest that the wall clock has shown, in ms. */
  readonly highestMs: number;
}

/** How long things take, in virtual time, and what else may happen. All drawn from the seed. */
export interface Schedule {
  /** Mean of a disk call. */
  readonly callUs: number;
  /** Mean of the time between two steps of a job, beside its disk calls. */
  readonly jobStepUs: number;
  /** Longest time that a deferred call waits. */
  readonly deferUs: number;
  /** How much later than asked for timers may come. */
  readonly timerLateUs: number;
  /** Jobs that run at once. */
  readonly concurrency: number;
  /** Chance per event that the wall clock jumps, either way. */
  readonly clockJumps: number;
  /** Chance per step that the thread of a job dies. */
  readonly threadDeaths: number;
}

export interface SimulatedEnvOptions {
  readonly seed: number;
  readonly disk: SimulatedDisk;
  readonly schedule?: Schedule;
  /** Told of every line that is logged. */
  readonly onLog?: (event: string, fields: Record<string, unknown> | undefined) => void;
  /** Told of every job that ended well. */
  readonly onJob?: (name: string, input: unknown, output: unknown) => void;
  /** Told of every job that failed. */
  readonly onJobFailed?: (name: string) => void;
  readonly trace?: TraceHash;
  readonly eventsMax?: number;
  /** Where the wall clock begins. */
  readonly startMs?: number;
}

const eventKinds = { defer: 1, timer: 2, jobStep: 3, diskEnd: 4, jobStart: 5, jump: 6 } as const;
const firstMs = 1_700_000_000_000;
const jumpMsMax = 86_400_000;
const eventsMaxDefault = 5_000_000;
/** Real turns of the event loop that are waited for where nothing is left to happen. */
const idleTurnsMax = 50;
const { setImmediate: realSetImmediate } = globalThis;
const { nextTick } = process;

export function createSimulatedEnv(options: SimulatedEnvOptions): SimulatedEnv {
  const next = seededNumbers(options.seed);
  const world = new World(options);
  const random: Random = {
    u32: () => Math.floor(next() * 2 ** 32),
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
  };
  const tell = (event: string, fields?: Record<string, unknown>) => {
    world.trace.noteText(eventKinds.jump + 1, event);
    options.onLog?.(event, fields);
  };
  const log: Logger = { debug: tell, info: tell, warn: tell, error: tell };
  options.disk.world = world;
  return {
    clock: world.clock,
    random,
    disk: options.disk,
    network: noNetwork,
    threads: world.threads,
    log,
    next,
    trace: world.trace,
    run: (promise) => world.run(promise),
    get highestMs() {
      return world.highestMs;
    },
  };
}

interface RunningJob {
  readonly name: string;
  readonly input: unknown;
  readonly generator: Generator<number | void, unknown, void>;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

class World {
  readonly trace: TraceHash;
  readonly threads: Threads;
  readonly #options: SimulatedEnvOptions;
  readonly #schedule: Schedule | undefined;
  readonly #disk: SimulatedDisk;
  readonly #next: () => number;
  readonly #queue = new EventQueue();
  readonly #waitingJobs: RunningJob[] = [];
  #runningJobs = 0;
  #nowUs = 0;
  #wallOffsetMs: number;
  highestMs = 0;
  #order = 0;
  #events = 0;
  /** Modules of jobs that are being loaded: nothing may happen meanwhile, for that takes real time. */
  #loading = 0;
  /** Time that the calls of the present step of a job took, or undefined on the owner's thread. */
  #stepUs: number | undefined = undefined;

  constructor(options: SimulatedEnvOptions) {
    this.#options = options;
    this.#schedule = options.schedule;
    this.#disk = options.disk;
    this.#wallOffsetMs = options.startMs ?? firstMs;
    this.trace = options.trace ?? new TraceHash();
    // A stream of its own, so that what a part draws does not change the schedule.
    this.#next = seededNumbers(options.seed ^ 0x5bd1e995);
    this.threads = {
      concurrency: options.schedule?.concurrency ?? 1,
      close: async () => {},
      run: <Input, Output>(job: JobReference, input: Input) => this.#runJob(job, input) as Promise<Output>,
    };
  }

  readonly clock: Clock = {
    nowMs: () => {
      const nowMs = Math.floor(this.#nowUs / 1000) + this.#wallOffsetMs;
      if (nowMs > this.highestMs) this.highestMs = nowMs;
      return nowMs;
    },
    monotonicUs: () => this.#nowUs,
    setTimer: (delayMs, callback) => {
      const lateUs = this.#upTo(this.#schedule?.timerLateUs);
      const event = this.#at(Math.max(0, delayMs) * 1000 + lateUs, eventKinds.timer, callback);
      return { cancel: () => void (event.cancelled = true), keepAlive: () => undefined };
    },
    defer: (callback) => void this.#at(this.#upTo(this.#schedule?.deferUs), eventKinds.defer, callback),
  };


  spend({ kind, path, position, length }: DiskCall): void {
    this.trace.noteText(kindNumbers[kind], path, Math.imul(position, 31) + length);
    const us = this.#mean(this.#schedule?.callUs);
    if (this.#stepUs === undefined) this.#nowUs += us;
    else this.#stepUs += us;
  }

  later(): Promise<void> {
    const schedule = this.#schedule;
    if (schedule === undefined) return Promise.resolve();
    return new Promise((resolve) => void this.#at(this.#mean(schedule.callUs), eventKinds.diskEnd, resolve));
  }

  async run<Value>(promise: Promise<Value>): Promise<Value> {
    let settled = false;
    const mark = () => (settled = true);
    promise.then(mark, mark);
    const { eventsMax = eventsMaxDefault } = this.#options;
    const mend = breakGlobals();
    try {
      // Out of the tick that this may have been called in: further ticks would come before its microtasks.
      await undefined;
      for (let idle = 0; idle < idleTurnsMax; ) {
        await drainMicrotasks();
        if (settled) return await promise;
        if (this.#disk.crashed) throw new LatheError("CANCELLED", "the machine lost power");
        if (this.#loading > 0) await realTurn();
        else if (this.#step()) idle = 0;
        else {
          idle++;
          await realTurn();
        }
        if (this.#events > eventsMax) {
          throw new LatheError("TIMEOUT", `${eventsMax} events have happened, but the promise has not settled`);
        }
      }
    } finally {
      mend();
    }
    throw new LatheError("TIMEOUT", "nothing is left to happen, but the promise has not settled");
  }

  /** Lets the next thing happen; false where nothing is due. */
  #step(): boolean {
    const event = this.#queue.pop();
    if (event === undefined) return false;
    this.#events++;
    this.#nowUs = Math.max(this.#nowUs, event.atUs);
    this.trace.note(event.kind, this.#nowUs, this.#events);
    const jumps = this.#schedule?.clockJumps ?? 0;
    if (jumps > 0 && this.#next() < jumps) {
      this.#wallOffsetMs += Math.floor((this.#next() * 2 - 1) * jumpMsMax);
      this.trace.note(eventKinds.jump, this.#wallOffsetMs, 0);
    }
    event.run();
    return true;
  }

  /** Its start is an event that is due only when its module is there, so that loading one changes no order. */
  #runJob(job: JobReference, input: unknown): Promise<unknown> {
    const cloned: unknown = structuredClone(input);
    if (!jobModules.has(job.moduleUrl)) void this.#load(job.moduleUrl);
    return new Promise((resolve, reject) => {
      this.#at(this.#mean(this.#schedule?.jobStepUs), eventKinds.jobStart, () => {
        const module = jobModules.get(job.moduleUrl);
        if (module === undefined) return reject(new LatheError("NOT_FOUND", `${job.moduleUrl} cannot be loaded`));
        const generator = module[job.exportName]({ disk: this.#disk, clock: this.clock }, cloned);
        this.#waitingJobs.push({ name: job.exportName, input: cloned, generator, resolve, reject });
        this.#startJobs();
      });
    });
  }

  async #load(moduleUrl: string): Promise<void> {
    this.#loading++;
    try {
      jobModules.set(moduleUrl, (await import(moduleUrl)) as JobModule);
    } catch {
      // Whoever wants to run its job is told.
    } finally {
      this.#loading--;
    }
  }

  #startJobs(): void {
    while (this.#runningJobs < (this.#schedule?.concurrency ?? Infinity)) {
      const job = this.#waitingJobs.shift();
      if (job === undefined) return;
      this.#runningJobs++;
      this.trace.noteText(eventKinds.jobStart, job.name);
      this.#at(0, eventKinds.jobStep, () => this.#stepJob(job));
    }
  }

  #stepJob(job: RunningJob): void {
    const deaths = this.#schedule?.threadDeaths ?? 0;
    if (deaths > 0 && this.#next() < deaths) {
      this.#options.onLog?.("simulation.thread_died", { job: job.name });
      return this.#endJob(0, () => job.reject(new LatheError("JOB_LOST", `the thread of ${job.name} died`)));
    }
    this.#stepUs = 0;
    let settle: (() => void) | undefined;
    let pauseUs = 0;
    try {
      const step = job.generator.next();
      if (step.done !== true) pauseUs = (step.value ?? 0) * 1000;
      else {
        const output = structuredClone(step.value);
        this.#options.onJob?.(job.name, job.input, output);
        settle = () => job.resolve(output);
      }
    } catch (error) {
      this.#options.onJobFailed?.(job.name);
      settle = () => job.reject(error);
    }
    const us = this.#stepUs + pauseUs + this.#mean(this.#schedule?.jobStepUs);
    this.#stepUs = undefined;
    if (settle === undefined) this.#at(us, eventKinds.jobStep, () => this.#stepJob(job));
    else this.#endJob(us, settle);
  }

  /** Its outcome comes to the owner's thread in a turn of its own. */
  #endJob(us: number, settle: () => void): void {
    this.#runningJobs--;
    this.#at(us, eventKinds.jobStep, settle);
    this.#startJobs();
  }

  #at(delayUs: number, kind: number, run: () => void): WorldEvent {
    const atUs = this.#nowUs + delayUs;
    // Without a schedule what is asked for first happens first.
    const tie = this.#schedule === undefined ? this.#order++ : this.#next();
    const event: WorldEvent = { atUs, tie, kind, run, cancelled: false };
    this.#queue.push(event);
    return event;
  }

  /** A time drawn with a long tail: most are short, a few are very long. */
  #mean(us: number | undefined): number {
    if (us === undefined || us === 0) return 0;
    return Math.floor(us * -Math.log(1 - this.#next()));
  }

  #upTo(us: number | undefined): number {
    return us === undefined || us === 0 ? 0 : Math.floor(us * this.#next());
  }
}

type JobModule = Record<string, (...args: unknown[]) => Generator<void, unknown, void>>;

const jobModules = new Map<string, JobModule>();

const kindNumbers: Readonly<Record<DiskCall["kind"], number>> = {
  open: 20, create: 21, read: 22, list: 23, write: 24, truncate: 25, sync: 26, syncDirectory: 27, rename: 28,
  unlink: 29, link: 30,
};

/** Ticks run only after every microtask has, those that microtasks made included. */
function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => nextTick(resolve));
}

/** A real turn of the event loop, so that dynamic imports make progress. */
function realTurn(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve));
}

const noNetwork: Network = {
  listenOnPath: async () => {
    throw new LatheError("UNAVAILABLE", "this simulation has no network");
  },
  listen: async () => {
    throw new LatheError("UNAVAILABLE", "this simulation has no network");
  },
  connect: async () => {
    throw new LatheError("UNAVAILABLE", "this simulation has no network");
  },
};
