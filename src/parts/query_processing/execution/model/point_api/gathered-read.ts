/**
 * GatheredRead: a SELECT whose rows go through a pipeline (`row-pipeline.ts`) before any is sent.
 *
 * Steps: the ranges of the path, of the primary key or of an index; rows that meet the filters are decoded and
 * gathered; the pipeline sends. All of it sees one state, also where it takes several turns (`paced-read.ts`).
 * Limits: it looks at no more than `resultRowsMax` rows, and gathers no more than `resultBytesMax` bytes; beyond, the
 * statement is refused before anything is sent.
 */
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { CommandStep, StepResult } from "../../../../concurrency/transaction/command.ts";
import type { SelectStatement } from "../../../../parser/statement.ts";
import type { ResultShape, ResultSink } from "../../../executor.ts";
import type { AccessPath } from "./access-path.ts";
import { keyRanges } from "./key-ranges.ts";
import { PacedRead, type RowSource, type RunOptions } from "./paced-read.ts";
import type { ReadPlan, RowView, RunDoors } from "./plan.ts";
import { addReadSteps, bindConditions } from "./read-steps.ts";
import { type PipelinePlan, planPipeline } from "./row-pipeline.ts";
import { type OrderedRows, RowWalk, tooLarge } from "./row-walk.ts";
import { bindCut } from "./value-source.ts";

/** What is read: the table's rows by their keys, or by the entries of an index. */
export interface GatheredSource {
  /** Whose keys the path is of. */
  readonly keys: Table;
  open(view: RowView | undefined): RowSource;
  /** The index, where the entries are those of one. */
  readonly indexId: number | undefined;
}

export class GatheredRead implements ReadPlan {
  readonly kind = "read";
  readonly label = "select";
  readonly shape: ResultShape;
  readonly #doors: RunDoors;
  readonly table: Table;
  locks = false;
  readonly #source: GatheredSource;
  readonly #path: AccessPath;
  readonly #statement: SelectStatement;
  readonly #pipeline: PipelinePlan;

  constructor(
    doors: RunDoors,
    table: Table,
    source: GatheredSource,
    path: AccessPath,
    statement: SelectStatement,
  ) {
    this.#doors = doors;
    this.table = table;
    this.#source = source;
    this.#path = path;
    this.#statement = statement;
    this.#pipeline = planPipeline(table, statement);
    this.shape = this.#pipeline.shape;
  }

  run(
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
    options: RunOptions,
  ): Promise<void> | undefined {
    const doors = this.#doors;
    const { table } = this;
    const ranges = keyRanges(doors.layout, this.#source.keys, this.#path, parameters, base);
    const conditions = bindConditions(this.#path.filters, parameters, base);
    const cut = bindCut(this.#statement.limit, this.#statement.offset, parameters, base);
    const source = new PacedRead(doors, this.#source.open(options.view), options);
    const all = { limit: Number.POSITIVE_INFINITY, offset: 0, reverse: false };
    return source.run(this.#steps({ doors, table, source, ranges, conditions, ...all }, cut, sink), sink);
  }

  *#steps(
    read: OrderedRows,
    { limit, offset }: { limit: number; offset: number },
    sink: ResultSink,
  ): Generator<undefined, void> {
    const { layout, bounds } = this.#doors;
    const pipeline = this.#pipeline.start();
    let bytes = 0;
    const walk = new RowWalk(read, true, (key, value) => {
      bytes += key.length + value.length;
      if (bytes > bounds.resultBytesMax) throw tooLarge(this.table, `${bounds.resultBytesMax} bytes`);
      pipeline.add(layout.decodeRow(this.table, key, value));
    });
    try {
      while (walk.slice()) if (read.source.isOver()) yield;
    } finally {
      walk.close();
    }
    yield* pipeline.send(sink, limit, offset, read.source);
  }

  addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void {
    const { indexId } = this.#source;
    addReadSteps({ table: this.table, path: this.#path, indexId }, parameters, base, steps);
  }

  answer(
    results: readonly StepResult[],
    from: number,
    count: number,
    sink: ResultSink,
    parameters: readonly ColumnValue[],
    base: number,
  ): void {
    const pipeline = this.#pipeline.start();
    for (let i = from; i < from + count; i++) {
      const result = results[i];
      if (result.kind !== "rows") continue;
      for (const row of result.rows) pipeline.add(row);
    }
    const cut = bindCut(this.#statement.limit, this.#statement.offset, parameters, base);
    for (const _ of pipeline.send(sink, cut.limit, cut.offset, undefined));
  }
}
