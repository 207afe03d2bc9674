/**
 * WriteController: whether writers go on, are delayed, or stop.
 *
 *   1. Whoever changes what it depends on calls `recalculate`: a memtable was frozen, a version was installed, options
 *      were changed, compactions stopped. Writers look at the outcome only.
 *   2. While the last memtable fills there is a ramp along its bytes, and every write recalculates.
 *   3. Delayed writers pay for their bytes at the rate of the pressure; stopped ones wait for the condition.
 * How close the store is to its limits, and the rate, are decided by the engine's own write-pressure.ts.
 * Source: RocksDB's write_controller.cc, ColumnFamilyData::RecalculateWriteStallConditions and DBImpl::DelayWrite.
 */
import type { Clock } from "../../kit/env/env.ts";
import { LatheError } from "../../kit/errors.ts";
import { Histogram } from "../../kit/histogram.ts";
import type { Blackboard } from "../../parts/storage/storage_model/row/kvlsm/blackboard/blackboard.ts";
import type { BackPressure } from "../../parts/storage/storage_model/row/kvlsm/blackboard/coordination.ts";
import {
  type PressureCause, rateUnder, type WritePressure, writePressure,
} from "../../parts/storage/storage_model/row/kvlsm/blackboard/write-pressure.ts";
import { troubleError } from "../../parts/storage/storage_model/row/kvlsm/blackboard/write-stall.ts";
import type { Condition } from "./condition.bench.ts";
import type { ErrorHandler } from "./error-handler.bench.ts";

const overrunFactor = 4;
/** Debts of time smaller than this are not slept off: timers are no finer. */
const sleepMinUs = 1000;
/** No writer is put to sleep for longer at a time; it looks again then. */
const sleepMaxUs = 1e6;

export class WriteController implements BackPressure {
  readonly slowdowns: Record<PressureCause, number> = { memtables: 0, level0: 0, debt: 0 };
  readonly stalls: Record<PressureCause, number> = { memtables: 0, level0: 0, debt: 0 };
  readonly slowdownUs = new Histogram();
  readonly stallUs = new Histogram();
  readonly #board: Blackboard;
  readonly #clock: Clock;
  readonly #errors: ErrorHandler;
  readonly #finished: Condition;
  #state: WritePressure = { pressure: 0, cause: "memtables" };
  /** Whether the memtable that takes writes is the last one that there is room for. */
  #isLastMemtable = false;
  #waiting = 0;
  #stoppedSinceUs = 0;
  #delayedUntilUs = 0;

  constructor(board: Blackboard, clock: Clock, errors: ErrorHandler, finished: Condition) {
    this.#board = board;
    this.#clock = clock;
    this.#errors = errors;
    this.#finished = finished;
    this.recalculate();
  }

  recalculate(): void {
    const { immutables, memtable, versions, tuning } = this.#board;
    this.#isLastMemtable = immutables.length >= tuning.immutableMemtablesMax;
    const view = {
      immutableCount: immutables.length,
      memtableBytes: memtable.sizeBytes,
      l0Files: versions.current.levels[0].length,
      debtBytes: this.#board.debtBytes(),
      halted: this.#errors.compactionHalted !== undefined,
    };
    this.#state = writePressure(view, tuning);
  }

  get present(): WritePressure {
    if (this.#isLastMemtable) this.recalculate();
    return this.#state;
  }

  get isStalled(): boolean {
    return this.#state.pressure >= 1;
  }

  wait(): Promise<void> | undefined {
    const { pressure, cause } = this.#state;
    if (pressure === 0) return undefined;
    return pressure >= 1 ? this.#stop(cause) : this.#delay(cause);
  }

  charge(bytes: number): void {
    const { pressure } = this.present;
    if (pressure === 0 || pressure >= 1) return;
    const costUs = (bytes * 1e6) / rateUnder(pressure, this.#board.tuning);
    this.#delayedUntilUs = Math.max(this.#delayedUntilUs, this.#clock.monotonicUs()) + costUs;
  }

  refuseOverrun(): void {
    const { tuning, immutables } = this.#board;
    const max = overrunFactor * tuning.immutableMemtablesMax;
    if (immutables.length < max) return;
    const trouble = this.#errors.lasting();
    if (trouble !== undefined) throw troubleError(trouble);
    throw new LatheError(
      "BACKPRESSURE",
      `${immutables.length} memtables wait to be flushed, the limit is ${max}; await backpressure() first`,
    );
  }

  #delay(cause: PressureCause): Promise<void> | undefined {
    const delayUs = Math.min(sleepMaxUs, this.#delayedUntilUs - this.#clock.monotonicUs());
    if (delayUs < sleepMinUs) return undefined;
    this.slowdowns[cause]++;
    this.slowdownUs.record(delayUs);
    return new Promise((resolve) => this.#clock.setTimer(Math.ceil(delayUs / 1000), resolve).keepAlive());
  }

  async #stop(cause: PressureCause): Promise<void> {
    if (this.#waiting++ === 0) {
      this.#stoppedSinceUs = this.#clock.monotonicUs();
      this.stalls[cause]++;
    }
    try {
      await this.#finished.wait(() => !this.isStalled);
    } catch (error) {
      throw troubleError(error);
    } finally {
      if (--this.#waiting === 0) this.stallUs.record(this.#clock.monotonicUs() - this.#stoppedSinceUs);
    }
  }
}
