/**
 * PacedRead: a read that walks far, in turns of a few milliseconds with other work between them.
 *
 * Steps:
 *   1. A read is a generator; it asks its pace once in some hundred rows and yields where its turn is over. A shorter
 *      read never looks at the clock.
 *   2. One that ends within its first turn has cost nothing more. Another keeps the moment of that turn as a snapshot,
 *      unless it reads one already, and goes on after the others; between turns its client is asked whether it still
 *      wants the answer (a kill, a client that has gone or reads slowly; see `ResultSink.between`).
 *   3. A time limit, where the session has one, is looked at with the clock.
 * Where all must be within one turn (`atOnce`), or the engine has no snapshots, the generator is run to its end.
 * Invariant: snapshot and cursors are released however it ends.
 * Source: cooperative scheduling of ClickHouse's and CockroachDB's executors; MySQL's max_execution_time.
 */
import type { Cursor, ScanRange, Snapshot } from "../../../../storage/engine.ts";
import { type ResultSink, SqlError } from "../../../executor.ts";
import type { RowView, RunDoors } from "./plan.ts";

const turnUs = 4000;

/** What rows are read from. */
export interface RowSource {
  scan(range: ScanRange): Cursor;
  /** From now on it reads a snapshot. Without it, ranges are read from the snapshot in its place. */
  pin?(view: RowView): void;
}

/** How a read runs, beside what it reads. */
export interface RunOptions {
  /** Within this turn. */
  readonly atOnce: boolean;
  /** The open transaction's view, or that of locks: of one moment already. */
  readonly view?: RowView | undefined;
  readonly timeLimitMs?: number | undefined;
}

export class PacedRead implements RowSource {
  readonly #doors: RunDoors;
  readonly #source: RowSource;
  readonly #options: RunOptions;
  #turnSinceUs = -1;
  #endUs = Number.POSITIVE_INFINITY;
  #pinned: RowView | undefined;
  #snapshot: Snapshot | undefined;

  constructor(doors: RunDoors, source: RowSource, options: RunOptions) {
    this.#doors = doors;
    this.#source = source;
    this.#options = options;
    if (options.timeLimitMs !== undefined) this.#startTime(options.timeLimitMs);
  }

  #startTime(limitMs: number): void {
    this.#turnSinceUs = this.#doors.env.clock.monotonicUs();
    this.#endUs = this.#turnSinceUs + limitMs * 1000;
  }

  scan(range: ScanRange): Cursor {
    return this.#pinned === undefined || this.#source.pin !== undefined
      ? this.#source.scan(range)
      : this.#pinned.scan(range);
  }

  /** To be asked now and then: whether others are to have their turn. Throws SqlError time_exceeded. */
  isOver(): boolean {
    const nowUs = this.#doors.env.clock.monotonicUs();
    if (nowUs > this.#endUs) {
      throw new SqlError("time_exceeded", "Query execution was interrupted, maximum statement execution time exceeded");
    }
    if (this.#turnSinceUs < 0) this.#turnSinceUs = nowUs;
    return nowUs - this.#turnSinceUs >= turnUs;
  }

  /** Runs a read that asks this pace; undefined where it has ended in this turn. Throws what it throws. */
  run(steps: Generator<undefined, void>, sink: ResultSink): Promise<void> | undefined {
    if (steps.next().done === true) return undefined;
    if (!this.#options.atOnce && this.#keepMoment()) return this.#goOn(steps, sink);
    while (steps.next().done !== true);
    return undefined;
  }

  async #goOn(steps: Generator<undefined, void>, sink: ResultSink): Promise<void> {
    const { clock } = this.#doors.env;
    try {
      do {
        const asked = sink.between?.();
        if (asked === undefined) await new Promise<void>((resolve) => clock.defer(resolve));
        else if (!(await asked)) return;
        this.#turnSinceUs = clock.monotonicUs();
      } while (steps.next().done !== true);
    } finally {
      steps.return();
      this.#snapshot?.release();
    }
  }

  /** Call it in the first turn. Whether later turns can see what this one does. */
  #keepMoment(): boolean {
    if (this.#options.view !== undefined) return true;
    const { engine } = this.#doors;
    if (!engine.capabilities.snapshots) return false;
    const snapshot = engine.snapshot();
    this.#snapshot = snapshot;
    this.#pinned = {
      getSync: (key) => engine.getSync(key, snapshot),
      scan: (range) => engine.scan({ ...range, snapshot }),
    };
    this.#source.pin?.(this.#pinned);
    return true;
  }
}
