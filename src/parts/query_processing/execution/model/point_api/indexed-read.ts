/**
 * IndexedRead: `SELECT` and `COUNT(*)` by a secondary index.
 *
 * Steps: ranges of index entries, in order; each entry leads to its row (row cache, else engine); filters; LIMIT. Rows
 * come in the order of the index: by its columns, then by primary key, so that `WHERE col = ? AND key > ? ORDER BY key
 * LIMIT n` is one short range per page. A count without filters never leaves the entries.
 * An entry without a row breaks the index's first invariant and is reported as corruption, never skipped. Rows are
 * sent by `ordered-rows.ts`.
 * Source: TiDB's IndexLookUpReader, MySQL's "using index condition".
 */
import type { ColumnValue, Table, TableIndex } from "../../../../architecture/catalog/table.ts";
import type { CommandStep, StepResult } from "../../../../concurrency/transaction/command.ts";
import type { SecondaryIndexes } from "../../../../indexing/secondary-indexes.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { Operand } from "../../../../parser/statement.ts";
import type { Cursor, ScanRange } from "../../../../storage/engine.ts";
import type { ResultShape, ResultSink } from "../../../executor.ts";
import type { AccessPath } from "./access-path.ts";
import { keyRanges } from "./key-ranges.ts";
import { sendRows } from "./ordered-rows.ts";
import { PacedRead, type RowSource, type RunOptions } from "./paced-read.ts";
import type { ReadPlan, RowView, RunDoors } from "./plan.ts";
import type { RangeOptions } from "./range-read.ts";
import { addReadSteps, answerRows, bindConditions } from "./read-steps.ts";
import type { SelectedColumns } from "./selected-columns.ts";
import { bindCut } from "./value-source.ts";

/** Where an index leads: the table, the index, and its entries as a table. */
export interface IndexTarget {
  readonly indexes: SecondaryIndexes;
  readonly table: Table;
  readonly index: TableIndex;
  readonly entries: Table;
}

export class IndexedRead implements ReadPlan {
  readonly kind = "read";
  readonly label = "select";
  readonly shape: ResultShape;
  readonly table: Table;
  locks = false;
  readonly #doors: RunDoors;
  readonly #target: IndexTarget;
  readonly #path: AccessPath;
  readonly #columns: SelectedColumns;
  readonly #limit: Operand | undefined;
  readonly #offset: Operand | undefined;
  readonly #reverse: boolean;

  constructor(
    doors: RunDoors,
    target: IndexTarget,
    path: AccessPath,
    columns: SelectedColumns,
    { limit, offset, reverse }: RangeOptions,
  ) {
    this.#doors = doors;
    this.#target = target;
    this.table = target.table;
    this.#path = path;
    this.#columns = columns;
    this.#limit = limit;
    this.#offset = offset;
    this.#reverse = reverse === true;
    this.shape = columns.stored;
  }

  run(
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
    options: RunOptions,
  ): Promise<void> | undefined {
    const doors = this.#doors;
    const { table } = this;
    const ranges = keyRanges(doors.layout, this.#target.entries, this.#path, parameters, base);
    const conditions = bindConditions(this.#path.filters, parameters, base);
    const { limit, offset } = bindCut(this.#limit, this.#offset, parameters, base);
    const source = new PacedRead(doors, new IndexedSource(doors, this.#target, options.view), options);
    const read = { doors, table, source, ranges, conditions, limit, offset, reverse: this.#reverse };
    return source.run(sendRows(read, this.shape, sink), sink);
  }

  addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void {
    const { table, index } = this.#target;
    const cut = { limit: this.#limit, offset: this.#offset, reverse: this.#reverse };
    addReadSteps({ table, path: this.#path, indexId: index.id, ...cut }, parameters, base, steps);
  }

  answer(results: readonly StepResult[], from: number, count: number, sink: ResultSink): void {
    answerRows(this.#columns, results, from, count, sink);
  }
}

/** The rows that the entries of ranges lead to. */
export class IndexedSource implements RowSource {
  readonly #doors: RunDoors;
  readonly #target: IndexTarget;
  /** What entries and rows are read from; undefined: the engine, and the row cache. */
  view: RowView | undefined;
  /** For keys of rows, in bytes of our own: those of an entry are gone with the next call on the engine. */
  readonly #scratch = { bytes: new Uint8Array(256) };

  constructor(doors: RunDoors, target: IndexTarget, view: RowView | undefined) {
    this.#doors = doors;
    this.#target = target;
    this.view = view;
  }

  scan(range: ScanRange): Cursor {
    const entries = (this.view ?? this.#doors.engine).scan(range);
    return new IndexedRows(this.#doors, this.#target, entries, this.#scratch, this);
  }

  /** Cursors that are open see it too: their entries are of the same moment. */
  pin(view: RowView): void {
    this.view = view;
  }
}

/** Entries of an index as a cursor over their rows. A row is looked up when its value is asked for. */
class IndexedRows implements Cursor {
  readonly #doors: RunDoors;
  readonly #target: IndexTarget;
  readonly #entries: Cursor;
  readonly #scratch: { bytes: Uint8Array };
  readonly #source: IndexedSource;
  #key: Uint8Array | undefined;

  constructor(
    doors: RunDoors,
    target: IndexTarget,
    entries: Cursor,
    scratch: { bytes: Uint8Array },
    source: IndexedSource,
  ) {
    this.#doors = doors;
    this.#target = target;
    this.#entries = entries;
    this.#scratch = scratch;
    this.#source = source;
  }

  next(): boolean {
    this.#key = undefined;
    return this.#entries.next();
  }

  get key(): Uint8Array {
    return (this.#key ??= this.#rowKey(this.#entries.key));
  }

  /** Errors: CORRUPTION where there is no such row. */
  get value(): Uint8Array {
    const { cache, engine } = this.#doors;
    const { key } = this;
    const { view } = this.#source;
    const value = view === undefined ? (cache?.get(key) ?? engine.getSync(key)) : view.getSync(key);
    if (value !== undefined) return value;
    const { table, index } = this.#target;
    throw new LatheError("CORRUPTION", `index ${index.name} of table ${table.name} has an entry without a row`, {
      details: { tableId: table.id, indexId: index.id },
    });
  }

  close(): void {
    this.#entries.close();
  }

  #rowKey(entryKey: Uint8Array): Uint8Array {
    const scratch = this.#scratch;
    if (scratch.bytes.length < entryKey.length + 4) scratch.bytes = new Uint8Array(entryKey.length * 2);
    const { indexes, table, index } = this.#target;
    const length = indexes.writeRowKey(this.#doors.layout, table, index, entryKey, scratch.bytes);
    return scratch.bytes.subarray(0, length);
  }
}
