/**
 * BlockRecorder: what happened in one block: latencies by operation, errors, wrong answers, and how long
 * the event loop was busy at a time.
 *
 * The event loop's delay is measured by its turns: the first answer of a turn notes the time and asks for
 * a callback after the turn's I/O; the time between is how long the last answer of that turn had waited.
 * It costs one immediate per turn and resolves microseconds, where a timer resolves a millisecond.
 */
import { Histogram } from "../kit/histogram.ts";
import type { Outcome } from "./clients/operation-session.ts";
import type { BlockResult } from "./driver-protocol.ts";

const complaintsMax = 5;

export class BlockRecorder {
  #operations = 0;
  #errors = 0;
  #conflicts = 0;
  #verificationFailures = 0;
  readonly #latencies = new Map<string, Histogram>();
  readonly #errorsByOperation = new Map<string, number>();
  readonly #complaints: string[] = [];
  readonly #turns = new Histogram();
  #turnStart = 0;
  readonly #cpuAtStart = process.cpuUsage();
  readonly #startedAt = performance.now();
  #lastCompletion = this.#startedAt;

  record(name: string, intendedStartMs: number, nowMs: number, outcome: Outcome): void {
    this.#lastCompletion = nowMs;
    if (this.#turnStart === 0) {
      this.#turnStart = nowMs;
      setImmediate(this.#endTurn);
    }
    this.#conflicts += outcome.conflicts ?? 0;
    if (outcome.wrong !== undefined) {
      this.#verificationFailures++;
      this.#complain(outcome.wrong);
    }
    if (outcome.error !== undefined) {
      this.#errors++;
      this.#errorsByOperation.set(name, (this.#errorsByOperation.get(name) ?? 0) + 1);
      this.#complain(outcome.error.message);
      return;
    }
    this.#operations++;
    let histogram = this.#latencies.get(name);
    if (histogram === undefined) this.#latencies.set(name, (histogram = new Histogram()));
    histogram.record((nowMs - intendedStartMs) * 1e6);
  }

  get operations(): number {
    return this.#operations;
  }

  result(connectionsLost: number): BlockResult {
    const { user, system } = process.cpuUsage(this.#cpuAtStart);
    return {
      operations: this.#operations,
      errors: this.#errors,
      conflicts: this.#conflicts,
      verificationFailures: this.#verificationFailures,
      seconds: (this.#lastCompletion - this.#startedAt) / 1000,
      latencies: Object.fromEntries([...this.#latencies].map(([name, histogram]) => [name, histogram.snapshot()])),
      errorsByOperation: Object.fromEntries(this.#errorsByOperation),
      complaints: this.#complaints,
      connectionsLost,
      eventLoopDelayP99Ms: this.#turns.percentile(99) / 1e6,
      driverCpuUs: user + system,
    };
  }

  readonly #endTurn = (): void => {
    this.#turns.record((performance.now() - this.#turnStart) * 1e6);
    this.#turnStart = 0;
  };

  #complain(what: string): void {
    if (this.#complaints.length < complaintsMax) this.#complaints.push(what);
  }
}
