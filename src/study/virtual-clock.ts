/**
 * Time that passes only where somebody says so: studies of hours run in milliseconds, and the same
 * way every time.
 */
import type { Clock, Timer } from "../kit/env/env.ts";
import { LatheError } from "../kit/errors.ts";

interface PendingTimer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Far beyond every timeout. */
const hangMs = 1e9;

export class VirtualClock implements Clock {
  private now: number;
  private readonly timers = new Set<PendingTimer>();

  constructor(nowMs = 0) {
    this.now = nowMs;
  }

  nowMs(): number {
    return this.now;
  }

  monotonicUs(): number {
    return this.now * 1000;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.now + delayMs, callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer), keepAlive: () => undefined };
  }

  defer(callback: () => void): void {
    queueMicrotask(callback);
  }

  /** Lets time pass; timers that fall due are called in order, at their time. */
  advance(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (;;) {
      const next = [...this.timers]
        .filter(({ atMs }) => atMs <= until)
        .sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.timers.delete(next);
      this.now = Math.max(this.now, next.atMs);
      next.callback();
    }
    this.now = until;
  }

  /**
   * A call that never answers: the next timer goes off, and what has not been given up by then
   * rejects on its signal.
   */
  hang(signal: AbortSignal): Promise<never> {
    const stopped = Promise.withResolvers<never>();
    const reject = () => stopped.reject(new LatheError("CANCELLED", "stopped by its signal"));
    signal.addEventListener("abort", reject, { once: true });
    const next = Math.min(hangMs, ...[...this.timers].map(({ atMs }) => atMs - this.now));
    this.advance(next);
    return stopped.promise;
  }
}
