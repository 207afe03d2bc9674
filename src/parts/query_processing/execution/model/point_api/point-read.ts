/**
 * PointRead: `SELECT … WHERE` the whole primary key is given, once or by IN.
 *
 * Steps per key: bind and encode it, ask the row cache, then the engine, and offer what the engine had to the cache
 * under the epoch taken before. All of it is synchronous. The row goes on as stored bytes; nothing is decoded unless
 * a filter has to look at it.
 * With IN, keys are sorted and made unique first: rows come in key order, each once.
 */
import { compareBytes } from "../../../../../kit/compare.ts";
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { ColumnCondition, CommandStep, StepResult } from "../../../../concurrency/transaction/command.ts";
import { rowMatches } from "../../../../concurrency/transaction/row-condition.ts";
import type { Operand } from "../../../../parser/statement.ts";
import type { ResultShape, ResultSink } from "../../../executor.ts";
import type { AccessPath } from "./access-path.ts";
import { KeyWriter } from "./key-writer.ts";
import type { RunOptions } from "./paced-read.ts";
import type { ReadPlan, RowView, RunDoors } from "./plan.ts";
import { addReadSteps, answerRows, bindConditions } from "./read-steps.ts";
import type { SelectedColumns } from "./selected-columns.ts";
import { bindLimit, type ValueSource } from "./value-source.ts";

export class PointRead implements ReadPlan {
  readonly kind = "read";
  readonly label = "select";
  readonly shape: ResultShape;
  readonly #doors: RunDoors;
  readonly table: Table;
  locks = false;
  readonly #path: AccessPath;
  readonly #columns: SelectedColumns;
  readonly #limit: Operand | undefined;
  readonly #key: KeyWriter;
  /** The one key's sources where there is no IN and nothing else to look at: the hot path. */
  readonly #simple: readonly ValueSource[] | undefined;

  constructor(doors: RunDoors, table: Table, path: AccessPath, columns: SelectedColumns, limit: Operand | undefined) {
    this.#doors = doors;
    this.table = table;
    this.#path = path;
    this.#columns = columns;
    this.#limit = limit;
    this.#key = new KeyWriter(doors.layout, table);
    this.shape = columns.stored;
    const simple = path.prefixes.length === 1 && path.filters.length === 0 && limit === undefined;
    this.#simple = simple ? path.prefixes[0] : undefined;
  }

  run(
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
    { view }: RunOptions,
  ): undefined {
    if (this.#simple === undefined) return this.#runGeneral(parameters, base, sink, view);
    const key = this.#key.write(this.#simple, parameters, base);
    const value = key === undefined ? undefined : this.#value(key, view);
    sink.rows(this.shape);
    if (value !== undefined) sink.storedRow(key as Uint8Array, value);
    sink.end();
  }

  #runGeneral(
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
    view: RowView | undefined,
  ): undefined {
    const { layout } = this.#doors;
    const conditions: readonly ColumnCondition[] = bindConditions(this.#path.filters, parameters, base);
    const limit = this.#limit === undefined ? Number.POSITIVE_INFINITY : bindLimit(this.#limit, parameters, base);
    const keys: Uint8Array[] = [];
    for (const sources of this.#path.prefixes) {
      const key = this.#key.write(sources, parameters, base);
      if (key !== undefined) keys.push(key.slice());
    }
    sink.rows(this.shape);
    let rows = 0;
    for (const key of sortedUnique(keys)) {
      if (rows >= limit) break;
      const value = this.#value(key, view);
      if (value === undefined || !rowMatches(layout, this.table, conditions, key, value)) continue;
      sink.storedRow(key, value);
      rows++;
    }
    sink.end();
  }

  #value(key: Uint8Array, view: RowView | undefined): Uint8Array | undefined {
    const { cache, engine, counters } = this.#doors;
    if (key.length > engine.capabilities.keyBytesMax) return undefined;
    if (view !== undefined) return view.getSync(key);
    if (cache === undefined) return engine.getSync(key);
    const cached = cache.get(key);
    if (cached !== undefined) {
      counters.rowCacheHits++;
      return cached;
    }
    counters.rowCacheMisses++;
    const epoch = cache.epoch();
    const value = engine.getSync(key);
    if (value !== undefined) cache.fill(key, value, epoch);
    return value;
  }

  addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void {
    addReadSteps({ table: this.table, path: this.#path, limit: this.#limit }, parameters, base, steps);
  }

  answer(results: readonly StepResult[], from: number, count: number, sink: ResultSink): void {
    answerRows(this.#columns, results, from, count, sink);
  }
}

function sortedUnique(keys: Uint8Array[]): Uint8Array[] {
  if (keys.length < 2) return keys;
  keys.sort(compareBytes);
  return keys.filter((key, i) => i === 0 || compareBytes(keys[i - 1], key) !== 0);
}
