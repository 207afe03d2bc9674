/**
 * RangeRead: `SELECT` and `COUNT(*)` over ranges of the primary key.
 *
 * Steps: the ranges of the path (`key-ranges.ts`), in key order; what they hold is sent by `ordered-rows.ts`.
 * COUNT(*) may walk any number of rows, except where all must be within one turn. A statement has one cursor open at a
 * time.
 */
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { CommandStep, StepResult } from "../../../../concurrency/transaction/command.ts";
import type { Operand } from "../../../../parser/statement.ts";
import type { ResultShape, ResultSink } from "../../../executor.ts";
import type { AccessPath } from "./access-path.ts";
import { keyRanges } from "./key-ranges.ts";
import { sendRows } from "./ordered-rows.ts";
import { PacedRead, type RunOptions } from "./paced-read.ts";
import type { ReadPlan, RunDoors } from "./plan.ts";
import { addReadSteps, answerRows, bindConditions } from "./read-steps.ts";
import { type OrderedRows, RowWalk } from "./row-walk.ts";
import { countShape, type SelectedColumns } from "./selected-columns.ts";
import { bindCut } from "./value-source.ts";

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
    options: RunOptions,
  ): Promise<void> | undefined {
    const doors = this.#doors;
    const ranges = keyRanges(doors.layout, this.table, this.#path, parameters, base);
    const conditions = bindConditions(this.#path.filters, parameters, base);
    const { limit, offset } = bindCut(this.#limit, this.#offset, parameters, base);
    const source = new PacedRead(doors, options.view ?? doors.engine, options);
    const read = { doors, table: this.table, source, ranges, conditions };
    if (!this.#counts) {
      const reverse = this.#reverse;
      return source.run(sendRows({ ...read, limit, offset, reverse }, this.shape, sink), sink);
    }
    if (limit === 0 || offset > 0) return this.#answerNothing(sink);
    const all = { ...read, limit: Number.POSITIVE_INFINITY, offset: 0, reverse: false };
    return source.run(this.#count(all, options.atOnce, sink), sink);
  }

  *#count(read: OrderedRows, bounded: boolean, sink: ResultSink): Generator<undefined, void> {
    let rows = 0;
    const walk = new RowWalk(read, bounded, () => rows++);
    try {
      while (walk.slice()) if (read.source.isOver()) yield;
    } finally {
      walk.close();
    }
    this.#answerCount(rows, sink);
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
}
