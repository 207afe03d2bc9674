/**
 * GroupCommit: many waiters, one device flush at a time.
 *
 *   1. A request while nothing is in flight starts a flush at once (or after `delayUs`, to gather more).
 *   2. Requests during a flush wait together for the next one, which starts as soon as the present one
 *   ends: what arrives during a flush is not known to be in it. A failure is final: it rejects those in
 *   flight, those waiting and everyone who comes later. Source: DeWitt et al. 1984 (group commit); the
 *   leader and followers of LevelDB's and RocksDB's write queue.
 */
import type { Clock } from "../../../kit/env/env.ts";

interface Group {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class GroupCommit {
  readonly #clock: Clock;
  readonly #delayUs: number;
  readonly #flush: () => Promise<void>;
  #next: Group | undefined;
  #running = false;

  /** `flush` makes durable what was appended before it is called; it rejects when that failed for good. */
  constructor(clock: Clock, delayUs: number, flush: () => Promise<void>) {
    this.#clock = clock;
    this.#delayUs = delayUs;
    this.#flush = flush;
  }

  request(): Promise<void> {
    this.#next ??= Promise.withResolvers<void>();
    const { promise } = this.#next;
    if (!this.#running) void this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#next !== undefined) {
      if (this.#delayUs > 0) await this.#gather();
      const group: Group = this.#next;
      this.#next = undefined;
      try {
        await this.#flush();
        group.resolve();
      } catch (error) {
        group.reject(error);
      }
    }
    this.#running = false;
  }

  /** Timers are no finer than a millisecond, so shorter delays are turns of the event loop. */
  #gather(): Promise<void> {
    const delayMs = this.#delayUs / 1000;
    if (delayMs >= 1) return new Promise((resolve) => void this.#clock.setTimer(delayMs, resolve));
    const endUs = this.#clock.monotonicUs() + this.#delayUs;
    let turnsLeft = this.#delayUs;
    return new Promise((resolve) => {
      const turn = () => {
        if (this.#clock.monotonicUs() >= endUs || turnsLeft-- <= 0) resolve();
        else this.#clock.defer(turn);
      };
      turn();
    });
  }
}
