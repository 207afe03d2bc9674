/**
 * SimulatedEnv: the ports of `Env` with virtual time, seeded randomness, a disk that forgets, and jobs
 * as generators.
 *
 * Steps of the scheduler (`settle`): let the microtasks and one real turn of the event loop pass; run
 * what was deferred; step each running job once; when nothing of that is left, move the clock to the
 * next timer. Invariants: no real time is read; the same seed gives the same sequence of events,
 * because every source of a promise (disk, timers, jobs, deferred calls) is resolved here, one at a
 * time. Source: FoundationDB's Sim2, TigerBeetle's VOPR.
 */
import type { Clock, Env, JobReference, Logger, Network, Random, Threads } from "../kit/env/env.ts";
import { LatheError } from "../kit/errors.ts";
import type { SimulatedDisk } from "./simulated-disk.ts";

export interface SimulatedEnv extends Env {
  readonly disk: SimulatedDisk;
  /**
   * Runs the world until the promise settles. Rejects with TIMEOUT where nothing is left that could
   * settle it.
   */
  run<Value>(promise: Promise<Value>): Promise<Value>;
  /** Numbers from the seed, uniform in [0, 1). */
  next(): number;
}

interface PendingTimer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export function createSimulatedEnv(options: { seed: number; disk: SimulatedDisk }): SimulatedEnv {
  const next = seededNumbers(options.seed);
  const world = new World();
  const random: Random = {
    u32: () => Math.floor(next() * 2 ** 32),
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
  };
  const silent = () => {};
  const log: Logger = { debug: silent, info: silent, warn: silent, error: silent };
  return {
    clock: world.clock,
    random,
    disk: options.disk,
    network: noNetwork,
    threads: world.threads(options.disk),
    log,
    next,
    run: (promise) => world.run(promise, options.disk),
  };
}

class World {
  #nowMs = 1_700_000_000_000;
  #order = 0;
  #timers: PendingTimer[] = [];
  #deferred: (() => void)[] = [];
  #jobs: (() => boolean)[] = [];

  readonly clock: Clock = {
    nowMs: () => this.#nowMs,
    monotonicUs: () => this.#nowMs * 1000,
    setTimer: (delayMs, callback) => {
      const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
      this.#timers.push(timer);
      return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) };
    },
    defer: (callback) => {
      this.#deferred.push(callback);
    },
  };

  threads(disk: SimulatedDisk): Threads {
    return {
      concurrency: 1,
      close: async () => {},
      run: <Input, Output>(job: JobReference, input: Input) => this.#runJob<Input, Output>(job, input, disk),
    };
  }

  async run<Value>(promise: Promise<Value>, disk: SimulatedDisk): Promise<Value> {
    let settled = false;
    const mark = () => (settled = true);
    promise.then(mark, mark);
    for (let idle = 0; idle < 50; ) {
      await realTurn();
      if (settled) return promise;
      if (disk.crashed) throw new LatheError("CANCELLED", "the machine lost power");
      idle = this.#step() ? 0 : idle + 1;
    }
    throw new LatheError("TIMEOUT", "nothing is left to happen, but the promise has not settled");
  }

  async #runJob<Input, Output>(job: JobReference, input: Input, disk: SimulatedDisk): Promise<Output> {
    const module = (await import(job.moduleUrl)) as Record<string, (...args: unknown[]) => Generator>;
    const generator = module[job.exportName]({ disk, clock: this.clock }, structuredClone(input));
    return new Promise<Output>((resolve, reject) => {
      this.#jobs.push(() => {
        try {
          const step = generator.next();
          if (step.done === true) resolve(step.value as Output);
          return step.done === true;
        } catch (error) {
          reject(error);
          return true;
        }
      });
    });
  }

  /** Lets the next thing happen; false where nothing is due. */
  #step(): boolean {
    const deferred = this.#deferred;
    const jobs = this.#jobs;
    if (deferred.length > 0 || jobs.length > 0) {
      this.#deferred = [];
      this.#jobs = [];
      for (const callback of deferred) callback();
      const running = jobs.filter((step) => !step());
      this.#jobs.unshift(...running);
      return true;
    }
    const timer = this.#timers.sort((a, b) => a.atMs - b.atMs || a.order - b.order).shift();
    if (timer === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, timer.atMs);
    timer.callback();
    return true;
  }
}

/** A real turn of the event loop, so that promises and dynamic imports make progress. */
function realTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const noNetwork: Network = {
  listen: async () => {
    throw new LatheError("UNAVAILABLE", "this simulation has no network");
  },
  connect: async () => {
    throw new LatheError("UNAVAILABLE", "this simulation has no network");
  },
};

/** mulberry32: small, seeded, good enough for schedules. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
