/** A clock that the test sets by hand. */
import type { Clock, Timer } from "../../../kit/env/env.ts";

export class ManualClock implements Clock {
  ms = 1_700_000_000_000;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.ms;
  }

  monotonicUs(): number {
    return this.ms * 1000;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.ms + delayMs, callback };
    this.#timers.push(timer);
    const cancel = () => void (this.#timers = this.#timers.filter((other) => other !== timer));
    return { cancel, keepAlive: () => undefined };
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Lets time pass and calls what falls due, in order. */
  advance(byMs: number): void {
    const endMs = this.ms + byMs;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.ms = Math.max(this.ms, due.atMs);
      due.callback();
    }
    this.ms = endMs;
  }
}
