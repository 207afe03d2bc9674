/**
 * ExpiryClock: the time by which a store judges whether an entry has expired. It never goes backwards.
 *
 *   1. `clock`: the highest time that the environment's clock has shown, or that the store remembers from
 *      earlier runs. An entry is gone from its expiry time on, in every read, through snapshots and cursors too,
 *      so that a flush or compaction may turn it into a tombstone whoever is reading.
 *   2. `entry`: the highest time among the log entries applied; the environment's clock is not asked. Replicas
 *      that applied the same entries then agree on what has expired. Files are only ever judged by the time of the
 *      last entry that is in them: a replica that starts again applies the entries behind it, each at its own time,
 *      and must find what it found the first time.
 *
 * After a restart with the clock set back: the store keeps the time of the last flush, compaction or orderly
 * close, and what had expired by then stays gone. What expired between that and a crash is judged anew, by the
 * clock as it then is. A clock that once ran ahead keeps the store at the time it showed until the world catches
 * up; opening a store whose time is ahead of the clock is logged.
 * Source: the high-water mark of Lamport's and of hybrid logical clocks (Kulkarni et al. 2014).
 */
import type { Clock } from "../../kit/env/env.ts";

export type ExpiryTime = "clock" | "entry";

export class ExpiryClock {
  readonly source: ExpiryTime;
  readonly #clock: Clock;
  #highMs: number;
  /** Whether the time decided about an entry; only then it is worth writing down at the close. */
  wasAsked = false;

  /** `floorMs` is the time that the store remembers. */
  constructor(clock: Clock, source: ExpiryTime, floorMs: number) {
    this.#clock = clock;
    this.source = source;
    this.#highMs = floorMs;
  }

  nowMs(): number {
    if (this.source === "entry") return this.#highMs;
    const nowMs = this.#clock.nowMs();
    if (nowMs > this.#highMs) this.#highMs = nowMs;
    return this.#highMs;
  }

  /** Whether an entry with this expiry is gone. */
  isPast(expiresAtMs: number): boolean {
    this.wasAsked = true;
    return expiresAtMs <= this.nowMs();
  }

  /** Notes the time of an entry that is being applied. */
  advance(timeMs: number): void {
    if (this.source === "entry" && timeMs > this.#highMs) this.#highMs = timeMs;
  }
}
