/**
 * ConnectionPlaces: which connections of a surface are served, and which wait for a place.
 *
 *   1. Up to `placesMax` connections are served. Further ones wait, unread, in the order in which they came; when one
 *   of the others ends, the first of them takes its place, unless it is being sent away meanwhile.
 *   2. One timer for all of them looks after their time limits, a quarter of the shortest apart, and a second at most.
 *      It runs while there is anybody to look after.
 *   3. `drain` sends the waiting away, asks the served to end, and waits for them as long as it may.
 * What a connection is, how many may wait and what those are told who may not is the surface's affair.
 * Source: nginx's worker_connections, MySQL's back_log.
 */
import type { Clock, Timer } from "../../../kit/env/env.ts";

export interface PlacedConnection {
  /** Waits for a place: it reads nothing. */
  hold(): void;
  /** Whether it was told that there is no place for it; it stays until its client has gone. */
  readonly refused: boolean;
  /** Ends when what it is at has been answered. */
  drain(): void;
  destroy(): void;
  /** Looks at the time limits of one that is served. */
  checkTime(nowUs: number): void;
  /** And of one that waits. */
  checkWaitingTime(nowUs: number): void;
}

export interface PlacesOptions<Placed> {
  readonly placesMax: number;
  /** Of all time limits of a connection. */
  readonly shortestLimitMs: number;
  /** It has a place from now on. */
  readonly onServed: (connection: Placed) => void;
}

const sweepMsMax = 1000;

export class ConnectionPlaces<Placed extends PlacedConnection> {
  readonly #clock: Clock;
  readonly #options: PlacesOptions<Placed>;
  readonly #served = new Set<Placed>();
  /** In the order in which they came. */
  readonly #waiting = new Set<Placed>();
  readonly #sweepMs: number;
  #closed = false;
  #sweepTimer: Timer | undefined;
  #emptied: (() => void) | undefined;

  constructor(clock: Clock, options: PlacesOptions<Placed>) {
    this.#clock = clock;
    this.#options = options;
    this.#sweepMs = Math.min(sweepMsMax, Math.ceil(options.shortestLimitMs / 4));
  }

  get served(): number {
    return this.#served.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get areTaken(): boolean {
    return this.#served.size >= this.#options.placesMax;
  }

  /** Serves it, or lets it wait. */
  add(connection: Placed): void {
    if (this.areTaken) {
      connection.hold();
      this.#waiting.add(connection);
    } else this.#serve(connection);
    this.#sweepTimer ??= this.#scheduleSweep();
  }

  /** One that has ended; those that wait move up. Returns whether it was served. */
  remove(connection: Placed): boolean {
    this.#waiting.delete(connection);
    const wasServed = this.#served.delete(connection);
    if (wasServed) this.#moveUp();
    if (this.#served.size === 0) this.#emptied?.();
    if (this.#served.size + this.#waiting.size === 0) this.#stopSweep();
    return wasServed;
  }

  /** Nobody moves up any more. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when all that were served have ended, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    for (const connection of this.#waiting) connection.destroy();
    for (const connection of this.#served) connection.drain();
    if (this.#served.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
      this.#clock.setTimer(timeoutMs, resolve);
    });
  }

  destroyAll(): void {
    this.#stopSweep();
    for (const connection of [...this.#waiting, ...this.#served]) connection.destroy();
  }

  #serve(connection: Placed): void {
    this.#served.add(connection);
    this.#options.onServed(connection);
  }

  #moveUp(): void {
    for (const connection of this.#waiting) {
      if (this.areTaken || this.#closed) return;
      if (connection.refused) continue;
      this.#waiting.delete(connection);
      this.#serve(connection);
    }
  }

  #scheduleSweep(): Timer {
    return this.#clock.setTimer(this.#sweepMs, () => {
      const nowUs = this.#clock.monotonicUs();
      for (const connection of this.#served) connection.checkTime(nowUs);
      for (const connection of this.#waiting) connection.checkWaitingTime(nowUs);
      this.#sweepTimer = this.#served.size + this.#waiting.size > 0 ? this.#scheduleSweep() : undefined;
    });
  }

  #stopSweep(): void {
    this.#sweepTimer?.cancel();
    this.#sweepTimer = undefined;
  }
}
