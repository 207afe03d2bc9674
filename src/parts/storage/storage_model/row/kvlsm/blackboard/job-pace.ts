/**
 * JobPace: holds the reads and writes of a job to a rate, so that background work leaves the disk to others.
 *
 *   1. Every read and write moves the moment at which the job may go on by its share of a second.
 *   2. Where that moment is a millisecond or more ahead, the job yields the difference: its thread sleeps so long, in
 *      a simulation the scheduler comes back to it so much later. Time that was not used is not saved up.
 * Source: the token buckets of RocksDB's GenericRateLimiter, without bursts.
 */
import type { Clock } from "../../../../../../kit/env/env.ts";

const pauseMinMs = 1;

export class JobPace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  #nextUs = 0;

  /** `bytesPerSecond` 0: no limit. */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Notes that so many bytes were read or written; returns how many milliseconds to pause. */
  note(bytes: number): number {
    if (this.#bytesPerSecond === 0) return 0;
    const nowUs = this.#clock.monotonicUs();
    this.#nextUs = Math.max(this.#nextUs, nowUs) + (bytes * 1e6) / this.#bytesPerSecond;
    const pauseMs = (this.#nextUs - nowUs) / 1000;
    return pauseMs < pauseMinMs ? 0 : pauseMs;
  }
}
