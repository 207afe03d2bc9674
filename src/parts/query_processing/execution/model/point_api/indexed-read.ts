/**
 * IndexedRead: `SELECT` and `COUNT(*)` by a secondary index.
 *
 * Steps: ranges of index entries, in order; each entry leads to its row (row cache, else engine); filters; LIMIT. Rows
 * come in the order of the index: by its columns, then by primary key, so that `WHERE col = ? AND key > ? ORDER BY key
 * LIMIT n` is one short range per page. A count without filters never leaves the entries.
 * An entry without a row breaks the index's first invariant and is reported as corruption, never skipped. Limits are
 * those of RangeRead: where LIMIT does not promise a bounded result, a first pass counts without sending.
 * Source: TiDB's IndexLookUpReader, MySQL's "using index condition".
 */
import type { ColumnValue, Table, TableIndex } from "../../../../architecture/catalog/table.ts";
import type { ColumnCondition, CommandStep, StepResult } from "../../../../concurrency/transaction/command.ts";
import { rowMatches } from "../../../../concurrency/transaction/row-condition.ts";
import type { SecondaryIndexes } from "../../../../indexing/secondary-indexes.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { Operand } from "../../../../parser/statement.ts";
import { type ResultShape, type ResultSink, SqlError } from "../../../executor.ts";
import { type AccessPath, notSelected } from "./access-path.ts";
import { type KeyRange, keyRanges } from "./key-ranges.ts";
import type { ReadPlan, RunDoors } from "./plan.ts";
import { bindConditions } from "./read-steps.ts";
import type { SelectedColumns } from "./selected-columns.ts";
import { bindLimit } from "./value-source.ts";

const promisedRows = 4096;

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
  readonly #doors: RunDoors;
  readonly #target: IndexTarget;
  readonly #path: AccessPath;
  readonly #limit: Operand | undefined;
  #rowKey = new Uint8Array(256);

  constructor(
    doors: RunDoors,
    target: IndexTarget,
    path: AccessPath,
    columns: SelectedColumns,
    limit: Operand | undefined,
  ) {
    this.#doors = doors;
    this.#target = target;
    this.#path = path;
    this.#limit = limit;
    this.shape = columns.stored;
  }

  run(parameters: readonly ColumnValue[], base: number, sink: ResultSink): undefined {
    const { layout, bounds } = this.#doors;
    const ranges = keyRanges(layout, this.#target.entries, this.#path, parameters, base);
    const conditions = bindConditions(this.#path.filters, parameters, base);
    const limit = this.#limit === undefined ? Number.POSITIVE_INFINITY : bindLimit(this.#limit, parameters, base);
    const promised = limit <= Math.min(bounds.resultRowsMax, promisedRows) && conditions.length === 0;
    if (!promised) this.#visit(ranges, conditions, limit, true, undefined);
    sink.rows(this.shape);
    this.#visit(ranges, conditions, limit, false, sink);
    sink.end();
  }

  addSteps(_parameters: readonly ColumnValue[], _base: number, _steps: CommandStep[]): void {
    throw notSelected("query_processing/scans/ref_lookup", "a read by an index in a transaction that writes");
  }

  answer(_results: readonly StepResult[], _from: number, _count: number, _sink: ResultSink): void {
    throw notSelected("query_processing/scans/ref_lookup", "a read by an index in a transaction that writes");
  }

  /** Visits the rows in order. Throws limit_exceeded where `bounded`. */
  #visit(
    ranges: readonly KeyRange[],
    conditions: readonly ColumnCondition[],
    limit: number,
    bounded: boolean,
    sink: ResultSink | undefined,
  ): void {
    const { layout, engine, bounds } = this.#doors;
    const { table } = this.#target;
    let rows = 0;
    let examined = 0;
    let bytes = 0;
    for (const range of ranges) {
      if (rows >= limit) return;
      const cursor = engine.scan(range);
      try {
        while (rows < limit && cursor.next()) {
          if (bounded && ++examined > bounds.resultRowsMax) throw this.#tooLarge(`${bounds.resultRowsMax} rows`);
          const key = this.#keyOf(cursor.key);
          const value = this.#valueOf(key);
          if (conditions.length > 0 && !rowMatches(layout, table, conditions, key, value)) continue;
          rows++;
          bytes += key.length + value.length;
          if (bounded && bytes > bounds.resultBytesMax) throw this.#tooLarge(`${bounds.resultBytesMax} bytes`);
          sink?.storedRow(key, value);
        }
      } finally {
        cursor.close();
      }
    }
  }

  /** The row's key, in bytes of our own: the cursor's are gone with the next call on the engine. */
  #keyOf(entryKey: Uint8Array): Uint8Array {
    if (this.#rowKey.length < entryKey.length + 4) this.#rowKey = new Uint8Array(entryKey.length * 2);
    const { indexes, table, index } = this.#target;
    const length = indexes.writeRowKey(this.#doors.layout, table, index, entryKey, this.#rowKey);
    return this.#rowKey.subarray(0, length);
  }

  #valueOf(key: Uint8Array): Uint8Array {
    const { cache, engine } = this.#doors;
    const value = cache?.get(key) ?? engine.getSync(key);
    if (value !== undefined) return value;
    const { table, index } = this.#target;
    throw new LatheError("CORRUPTION", `index ${index.name} of table ${table.name} has an entry without a row`, {
      details: { tableId: table.id, indexId: index.id },
    });
  }

  #tooLarge(what: string): SqlError {
    const { name } = this.#target.table;
    return new SqlError("limit_exceeded", `a SELECT from ${name} goes over more than ${what}; add a LIMIT`);
  }
}
