/**
 * WriteStall: the engine's back-pressure, decided from the blackboard (write-pressure.ts).
 *
 *   1. Under a pressure of 1 writers wait for room.
 *   2. Under less, what was applied is charged to a rate; a writer that comes before its time sleeps the difference.
 *   3. Both are counted, by cause, and timed.
 * A writer that does not ask is refused once memory would grow beyond `overrunFactor` times what the options allow.
 * Source: RocksDB's write_controller.cc.
 */
import type { Clock } from "../../../../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../../../../kit/errors.ts";
import { Histogram } from "../../../../../../kit/histogram.ts";
import type { AgentRunner } from "./agent-runner.ts";
import type { Blackboard } from "./blackboard.ts";
import type { BackPressure } from "./coordination.ts";
import { type PressureCause, rateUnder, type WritePressure, writePressure } from "./write-pressure.ts";

const overrunFactor = 4;
/** Debts of time smaller than this are not slept off: timers are no finer. */
const sleepMinUs = 1000;
/** No writer is put to sleep for longer at a time; it looks again then. */
const sleepMaxUs = 1e6;

type CountByCause = Record<PressureCause, number>;

export class WriteStall implements BackPressure {
  /** Times that writers were put to sleep, and that they had to wait, by what made them. */
  readonly slowdowns: CountByCause = { memtables: 0, level0: 0, debt: 0 };
  readonly stalls: CountByCause = { memtables: 0, level0: 0, debt: 0 };
  readonly slowdownUs = new Histogram();
  readonly stallUs = new Histogram();
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

  get present(): WritePressure {
    const { immutables, memtable, versions, compactionHalted, tuning } = this.#board;
    const view = {
      immutableCount: immutables.length,
      memtableBytes: memtable.sizeBytes,
      l0Files: versions.current.levels[0].length,
      debtBytes: this.#board.debtBytes(),
      halted: compactionHalted !== undefined,
    };
    return writePressure(view, tuning);
  }

  get isStalled(): boolean {
    return this.present.pressure >= 1;
  }

  /** Undefined while writers may go on. */
  wait(): Promise<void> | undefined {
    const { pressure, cause } = this.present;
    if (pressure >= 1) return this.#waitForRoom(cause);
    if (pressure === 0) return undefined;
    const delayUs = Math.min(sleepMaxUs, this.#slowUntilUs - this.#clock.monotonicUs());
    if (delayUs < sleepMinUs) return undefined;
    this.slowdowns[cause]++;
    this.slowdownUs.record(delayUs);
    return new Promise((resolve) => this.#clock.setTimer(Math.ceil(delayUs / 1000), resolve).keepAlive());
  }

  /** Charges a batch to the rate of slowed writers. */
  charge(bytes: number): void {
    const { pressure } = this.present;
    if (pressure === 0 || pressure >= 1) return;
    const costUs = (bytes * 1e6) / rateUnder(pressure, this.#board.tuning);
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

  async #waitForRoom(cause: PressureCause): Promise<void> {
    if (this.#waiting++ === 0) {
      this.#stalledSinceUs = this.#clock.monotonicUs();
      this.stalls[cause]++;
    }
    try {
      await this.#runner.waitUntil(() => !this.isStalled);
    } catch (error) {
      throw troubleError(error);
    } finally {
      if (--this.#waiting === 0) this.stallUs.record(this.#clock.monotonicUs() - this.#stalledSinceUs);
    }
  }
}

export function troubleError(cause: unknown): LatheError {
  const code = errorCodeOf(cause) ?? "IO_ERROR";
  if (code === "CLOSED") return cause as LatheError;
  const what =
    code === "DISK_FULL" ? "the disk is full; make room, the store goes on by itself" : "writing files fails";
  return new LatheError(code, `no more writes for now: ${what} (${(cause as Error).message})`, { cause });
}
