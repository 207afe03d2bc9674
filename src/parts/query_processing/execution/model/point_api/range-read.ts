/**
 * RangeRead: `SELECT` and `COUNT(*)` over ranges of the primary key.
 *
 * Steps: the ranges of the path (`key-ranges.ts`), in key order; what they hold is sent by `ordered-rows.ts`.
 * COUNT(*) goes in slices of `sliceRows` with other work between them; its cursor, and a snapshot for the ranges behind
 * it, see the state of its beginning. A statement has one cursor open at a time.
 */
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { ColumnCondition, CommandStep, StepResult } from "../../../../concurrency/transaction/command.ts";
import { segmentHas } from "../../../../concurrency/transaction/key-segments.ts";
import { rowMatches } from "../../../../concurrency/transaction/row-condition.ts";
import type { Operand } from "../../../../parser/statement.ts";
import type { ResultShape, ResultSink } from "../../../executor.ts";
import type { Cursor, Snapshot } from "../../../../storage/engine.ts";
import type { AccessPath } from "./access-path.ts";
import { type KeyRange, keyRanges } from "./key-ranges.ts";
import { sendRows, tooLarge } from "./ordered-rows.ts";
import type { ReadPlan, RowView, RunDoors } from "./plan.ts";
import { addReadSteps, answerRows, bindConditions } from "./read-steps.ts";
import { countShape, type SelectedColumns } from "./selected-columns.ts";
import { bindCut } from "./value-source.ts";

const sliceRows = 4096;

export interface RangeOptions {
  readonly limit?: Operand | undefined;
  readonly offset?: Operand | undefined;
  /** From the last row to the first. */
  readonly reverse?: boolean | undefined;
  /** For COUNT(*): what it is called. */
  readonly countName?: string | undefined;
}

export class RangeRead implements ReadPlan {
  readonly kind = "read";
  readonly label = "select";
  readonly shape: ResultShape;
  readonly #doors: RunDoors;
  readonly table: Table;
  locks = false;
  readonly #path: AccessPath;
  readonly #columns: SelectedColumns;
  readonly #limit: Operand | undefined;
  readonly #counts: boolean;
  readonly #offset: Operand | undefined;
  readonly #reverse: boolean;

  constructor(
    doors: RunDoors,
    table: Table,
    path: AccessPath,
    columns: SelectedColumns,
    { limit, offset, reverse, countName }: RangeOptions,
  ) {
    this.#doors = doors;
    this.table = table;
    this.#path = path;
    this.#columns = columns;
    this.#limit = limit;
    this.#counts = countName !== undefined;
    this.#offset = offset;
    this.#reverse = reverse === true;
    this.shape = countName === undefined ? columns.stored : countShape(countName);
  }

  run(
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
    atOnce: boolean,
    view?: RowView,
  ): Promise<void> | undefined {
    const ranges = keyRanges(this.#doors.layout, this.table, this.#path, parameters, base);
    const conditions = bindConditions(this.#path.filters, parameters, base);
    const { limit, offset } = bindCut(this.#limit, this.#offset, parameters, base);
    const source = view ?? this.#doors.engine;
    if (this.#counts) {
      if (limit === 0 || offset > 0) return this.#answerNothing(sink);
      return this.#count(source, ranges, conditions, sink, atOnce || view !== undefined);
    }
    const reverse = this.#reverse;
    const read = { doors: this.#doors, table: this.table, source, ranges, conditions, limit, offset, reverse };
    sendRows(read, this.shape, sink);
  }

  addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void {
    const cut = this.#counts ? {} : { limit: this.#limit, offset: this.#offset, reverse: this.#reverse };
    addReadSteps({ table: this.table, path: this.#path, ...cut }, parameters, base, steps);
  }

  answer(
    results: readonly StepResult[],
    from: number,
    count: number,
    sink: ResultSink,
    parameters: readonly ColumnValue[],
    base: number,
  ): void {
    if (!this.#counts) return answerRows(this.#columns, results, from, count, sink);
    const { limit, offset } = bindCut(this.#limit, this.#offset, parameters, base);
    if (limit === 0 || offset > 0) return this.#answerNothing(sink);
    let rows = 0;
    for (let i = from; i < from + count; i++) {
      const result = results[i];
      if (result.kind === "rows") rows += result.rows.length;
    }
    this.#answerCount(rows, sink);
  }

  /** The one row of a count lies outside of LIMIT and OFFSET. */
  #answerNothing(sink: ResultSink): undefined {
    sink.rows(this.shape);
    sink.end();
  }

  #answerCount(rows: number, sink: ResultSink): void {
    sink.rows(this.shape);
    sink.valueRow([BigInt(rows)]);
    sink.end();
  }

  /** COUNT(*): in one turn while it is short, or where it must be at one moment; otherwise in slices. */
  #count(
    source: RowView,
    ranges: readonly KeyRange[],
    conditions: readonly ColumnCondition[],
    sink: ResultSink,
    atOnce: boolean,
  ): Promise<void> | undefined {
    const { bounds } = this.#doors;
    const count = new RangeCount(this.#doors, source, this.table, conditions, ranges);
    let goesOn = false;
    try {
      let more = count.slice(atOnce ? bounds.resultRowsMax : sliceRows);
      if (more && atOnce) throw tooLarge(this.table, `${bounds.resultRowsMax} rows inside a transaction`);
      if (more) {
        goesOn = count.keepMoment();
        if (!goesOn) while (more) more = count.slice(sliceRows);
      }
    } finally {
      if (!goesOn) count.close();
    }
    if (goesOn) return this.#countOn(count, sink);
    this.#answerCount(count.rows, sink);
  }

  async #countOn(count: RangeCount, sink: ResultSink): Promise<void> {
    const { clock } = this.#doors.env;
    try {
      do await new Promise<void>((resolve) => clock.defer(resolve));
      while (count.slice(sliceRows));
    } finally {
      count.close();
    }
    this.#answerCount(count.rows, sink);
  }
}

/**
 * A count under way: one cursor at a time, however many ranges there are. One that goes on in later turns reads them
 * from a snapshot of its first turn.
 */
class RangeCount {
  rows = 0;
  readonly #doors: RunDoors;
  readonly #source: RowView;
  readonly #table: Table;
  readonly #conditions: readonly ColumnCondition[];
  readonly #ranges: readonly KeyRange[];
  #nextRange = 0;
  #cursor: Cursor | undefined;
  #snapshot: Snapshot | undefined;

  constructor(
    doors: RunDoors,
    source: RowView,
    table: Table,
    conditions: readonly ColumnCondition[],
    ranges: readonly KeyRange[],
  ) {
    this.#doors = doors;
    this.#source = source;
    this.#table = table;
    this.#conditions = conditions;
    this.#ranges = ranges;
  }

  /** Looks at up to `rowsMax` rows; whether there are more. A range without rows counts as one: a slice ends. */
  slice(rowsMax: number): boolean {
    const { layout } = this.#doors;
    for (let examined = 0; examined < rowsMax; examined++) {
      if (this.#cursor === undefined) {
        const range = this.#ranges[this.#nextRange++];
        if (range === undefined) return false;
        this.#cursor = this.#source.scan({ gte: range.gte, lt: range.lt, snapshot: this.#snapshot });
      }
      if (!this.#cursor.next()) {
        this.#cursor.close();
        this.#cursor = undefined;
        continue;
      }
      const { key, value } = this.#cursor;
      const { anyOf } = this.#ranges[this.#nextRange - 1];
      if (this.#conditions.length > 0 && !rowMatches(layout, this.#table, this.#conditions, key, value)) continue;
      if (anyOf === undefined || segmentHas(layout, this.#table, anyOf, key, value)) this.rows++;
    }
    return true;
  }

  /** Call it in the first turn. Whether later slices may run in later turns: not over ranges without a snapshot. */
  keepMoment(): boolean {
    if (this.#nextRange >= this.#ranges.length) return true;
    const { engine } = this.#doors;
    if (!engine.capabilities.snapshots) return false;
    this.#snapshot = engine.snapshot();
    return true;
  }

  close(): void {
    this.#cursor?.close();
    this.#cursor = undefined;
    this.#snapshot?.release();
    this.#snapshot = undefined;
  }
}
