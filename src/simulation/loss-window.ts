/**
 * LossWindow: what a store that answers before its flush may lose with the power.
 *
 * The answers that are lost lie within one window, however slow or broken the device is, since a store must not answer
 * on while the oldest of them is older than that. The age of what is lost is not judged here: devices take any time.
 * What the process had handed over when it alone was killed is there at the next opening, unless power goes or the
 * device fails before that has flushed it.
 * One command may be under way when the window ends, so its disk calls are added, and what the schedule makes late.
 */
import type { Schedule } from "./simulated-env.ts";

/** Calls that applying one command may take; each takes a time with a long tail. */
const callsOfCommand = 60;
const marginUs = 1000;

export class LossWindow {
  readonly #windowMs: number;
  readonly #allowedUs: number;
  /** Of the present life, or of the one before until the store was opened again. */
  #answers: { readonly index: number; readonly atUs: number }[] = [];
  /** Whether power was lost, or the device failed, since they were given. */
  #excused = false;
  /** How many answers the last recovery had lost. */
  lastLoss = 0;

  constructor(windowMs: number, schedule: Schedule | undefined) {
    this.#windowMs = windowMs;
    this.#allowedUs = windowMs * 1000 + marginUs + callsOfCommand * (schedule?.callUs ?? 0);
  }

  get answeredIndex(): number {
    return Math.max(0, ...this.#answers.map(({ index }) => index));
  }

  answered(index: number, atUs: number): void {
    this.#answers.push({ index, atUs });
  }

  deviceFailed(): void {
    this.#excused = true;
  }

  /** What is wrong with a recovery up to an index, or undefined. */
  recovered(appliedIndex: number): string | undefined {
    const lost = this.#answers.filter(({ index }) => index > appliedIndex).map(({ atUs }) => atUs);
    const excused = this.#excused;
    this.#answers = [];
    this.#excused = false;
    this.lastLoss = lost.length;
    const spanUs = Math.max(...lost) - Math.min(...lost);
    if (lost.length > 0 && !excused) {
      return `lost: ${lost.length} acknowledged writes are gone though the process alone died (up to ${appliedIndex})`;
    }
    if (lost.length === 0 || spanUs <= this.#allowedUs) return undefined;
    const within = `within ${(spanUs / 1000).toFixed(1)} ms, and the window is ${this.#windowMs} ms`;
    return `lost: ${lost.length} writes that were acknowledged ${within} (it reaches up to ${appliedIndex})`;
  }
}
