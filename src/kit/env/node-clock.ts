/** The real clock. Timers do not keep the process alive, save those that are told to. */
import { performance } from "node:perf_hooks";
import type { Clock, Timer } from "./env.ts";

class NodeTimer implements Timer {
  readonly #handle: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    this.#handle = setTimeout(callback, delayMs).unref();
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  keepAlive(): void {
    this.#handle.ref();
  }
}

export const nodeClock: Clock = {
  nowMs: () => Date.now(),
  monotonicUs: () => performance.now() * 1000,
  setTimer: (delayMs, callback) => new NodeTimer(delayMs, callback),
  // setImmediate runs after the poll phase, so input that has already arrived is handled first.
  defer: (callback) => void setImmediate(callback),
};
