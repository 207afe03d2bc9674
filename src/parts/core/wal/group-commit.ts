/**
 * GroupCommit: many waiters, one device flush at a time.
 *
 *   1. A request while nothing is in flight starts a flush at once (or after `delayUs`, to gather more).
 *   2. Requests during a flush wait together for the next one, which starts as soon as the present one
 *   ends: what arrives during a flush is not known to be in it.
 *   3. With an agent (`batch-agent.ts`) a group that is smaller than planned is held back until enough wait, or the
 *   plan's time is over. The agent sees every group and may change the plan then.
 *   A failure is final: it rejects those in flight, those waiting and everyone who comes later.
 * Source: DeWitt et al. 1984 (group commit); the leader and followers of LevelDB's and RocksDB's write queue.
 */
import type { Clock } from "../../../kit/env/env.ts";
import { type BatchAgent, type BatchPlan, noBatchPlan } from "./batch-agent.ts";

interface Group {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitOptions {
  readonly clock: Clock;
  /** How long every group waits for more to join it. */
  readonly delayUs: number;
  /** Makes durable what was appended before it is called; rejects when that failed for good. */
  readonly flush: () => Promise<void>;
  /** Decides how long a group is held back; without one `delayUs` alone does. */
  readonly agent?: BatchAgent | undefined;
  /** Told of every change of the plan. */
  readonly onPlan?: ((plan: BatchPlan, before: BatchPlan) => void) | undefined;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #clock: Clock;
  readonly #delayUs: number;
  #next: Group | undefined;
  /** Requests in `#next`. */
  #waiting = 0;
  #running = false;
  /** Ends a hold as soon as enough wait. */
  #wake: (() => void) | undefined;
  plan: BatchPlan = noBatchPlan;
  planChanges = 0;
  /** Groups that were held back, those of them that were filled, and for how long altogether. */
  heldGroups = 0;
  filledGroups = 0;
  heldUs = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#delayUs = options.delayUs;
  }

  request(): Promise<void> {
    this.#next ??= Promise.withResolvers<void>();
    this.#waiting++;
    if (this.#waiting >= this.plan.commits) this.#wake?.();
    const { promise } = this.#next;
    if (!this.#running) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#next !== undefined) {
      if (this.#delayUs > 0) await this.#gather();
      const filled = this.#waiting < this.plan.commits ? await this.#hold() : undefined;
      const group: Group = this.#next;
      const commits = this.#waiting;
      this.#next = undefined;
      this.#waiting = 0;
      const startUs = this.#clock.monotonicUs();
      try {
        await this.#options.flush();
        group.resolve();
        this.#consult(commits, startUs, filled);
      } catch (error) {
        group.reject(error);
      }
    }
    this.#running = false;
  }

  #consult(commits: number, startUs: number, filled: boolean | undefined): void {
    const { agent, onPlan } = this.#options;
    if (agent === undefined) return;
    const nowUs = this.#clock.monotonicUs();
    const before = this.plan;
    const plan = agent.step({ nowUs, commits, arrived: this.#waiting, flushUs: nowUs - startUs, filled });
    if (plan === undefined) return;
    this.plan = plan;
    this.planChanges++;
    onPlan?.(plan, before);
  }

  /** Waits until as many commits wait as planned, or the plan's time is over; returns whether they do. */
  async #hold(): Promise<boolean> {
    const { commits, holdUs } = this.plan;
    const startUs = this.#clock.monotonicUs();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#afterUs(holdUs, resolve, () => this.#wake === undefined);
    });
    this.#wake = undefined;
    this.heldUs += this.#clock.monotonicUs() - startUs;
    this.heldGroups++;
    const filled = this.#waiting >= commits;
    if (filled) this.filledGroups++;
    return filled;
  }

  #gather(): Promise<void> {
    return new Promise((resolve) => this.#afterUs(this.#delayUs, resolve, () => false));
  }

  /**
   * Calls `done` after a time, or never once `isOver`. Timers are no finer than a millisecond, so shorter delays are
   * turns of the event loop.
   */
  #afterUs(delayUs: number, done: () => void, isOver: () => boolean): void {
    const delayMs = delayUs / 1000;
    if (delayMs >= 1) return this.#clock.setTimer(delayMs, done).keepAlive();
    const endUs = this.#clock.monotonicUs() + delayUs;
    let turnsLeft = delayUs;
    const turn = () => {
      if (isOver()) return;
      if (this.#clock.monotonicUs() >= endUs || turnsLeft-- <= 0) done();
      else this.#clock.defer(turn);
    };
    turn();
  }
}
