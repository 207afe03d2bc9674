/**
 * WriteStall: the engine's back-pressure, decided from the blackboard.
 *
 *   stalled   `immutableMemtablesMax` frozen memtables wait, or level 0 has `l0StallTrigger` files: writers
 *   wait. slowed    level 0 has `l0SlowdownTrigger` files: writers are let through at `slowdownBytesPerSecond`.
 * A writer that does not ask is refused once memory would grow beyond `overrunFactor` times what the options
 * allow.
 * Source: RocksDB's write_controller.cc.
 */
import type { Clock } from "../../../../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../../../../kit/errors.ts";
import type { AgentRunner } from "./agent-runner.ts";
import type { Blackboard } from "./blackboard.ts";

const overrunFactor = 4;
/** Debts of time smaller than this are not slept off: timers are no finer. */
const sleepMinUs = 1000;

export class WriteStall {
  readonly #board: Blackboard;
  readonly #runner: AgentRunner;
  readonly #clock: Clock;
  #waiting = 0;
  #stalledSinceUs = 0;
  #slowUntilUs = 0;

  constructor(board: Blackboard, runner: AgentRunner, clock: Clock) {
    this.#board = board;
    this.#runner = runner;
    this.#clock = clock;
  }

  get isStalled(): boolean {
    const { tuning, immutables, versions, compactionHalted } = this.#board;
    if (immutables.length >= tuning.immutableMemtablesMax) return true;
    // Without compactions level 0 would never shrink; then reads get slower instead of writes impossible.
    return versions.current.levels[0].length >= tuning.l0StallTrigger && compactionHalted === undefined;
  }

  get isSlowed(): boolean {
    return this.#board.versions.current.levels[0].length >= this.#board.tuning.l0SlowdownTrigger;
  }

  /** Undefined while writers may go on. */
  wait(): Promise<void> | undefined {
    if (this.isStalled) return this.#waitForRoom();
    if (!this.isSlowed) return undefined;
    const nowUs = this.#clock.monotonicUs();
    const delayUs = this.#slowUntilUs - nowUs;
    if (delayUs < sleepMinUs) return undefined;
    this.#board.work.slowdowns++;
    return new Promise((resolve) => this.#clock.setTimer(Math.ceil(delayUs / 1000), resolve));
  }

  /** Charges a batch to the rate of slowed writers. */
  charge(bytes: number): void {
    if (!this.isSlowed) return;
    const costUs = (bytes * 1e6) / this.#board.tuning.slowdownBytesPerSecond;
    this.#slowUntilUs = Math.max(this.#slowUntilUs, this.#clock.monotonicUs()) + costUs;
  }

  /** Errors: what made background work fail for good, or BACKPRESSURE, where memory must not grow any more. */
  refuseOverrun(): void {
    const { tuning, immutables } = this.#board;
    const max = overrunFactor * tuning.immutableMemtablesMax;
    if (immutables.length < max) return;
    const trouble = this.#runner.lastingTrouble();
    if (trouble !== undefined) throw troubleError(trouble);
    throw new LatheError(
      "BACKPRESSURE",
      `${immutables.length} memtables wait to be flushed, the limit is ${max}; await backpressure() first`,
    );
  }

  async #waitForRoom(): Promise<void> {
    if (this.#waiting++ === 0) {
      this.#stalledSinceUs = this.#clock.monotonicUs();
      this.#board.work.stalls++;
    }
    try {
      await this.#runner.waitUntil(() => !this.isStalled);
    } catch (error) {
      throw troubleError(error);
    } finally {
      if (--this.#waiting === 0)
        this.#board.work.stalledUs += this.#clock.monotonicUs() - this.#stalledSinceUs;
    }
  }
}

function troubleError(cause: unknown): LatheError {
  const code = errorCodeOf(cause) ?? "IO_ERROR";
  if (code === "CLOSED") return cause as LatheError;
  const what =
    code === "DISK_FULL" ? "the disk is full; make room, the store goes on by itself" : "writing files fails";
  return new LatheError(code, `no more writes for now: ${what} (${(cause as Error).message})`, { cause });
}
