/**
 * Collects the results of SQL text as plain values: the sink of embedded use and of gates.
 * Rows that come as stored bytes are decoded by the row layout.
 */
import type { QueryResult } from "../../kit/product.ts";
import type { ColumnValue } from "../architecture/catalog/table.ts";
import type { RowLayout } from "../storage/layout/row-layout.ts";
import type { Executor, ResultShape, ResultSink, SqlError } from "./executor.ts";

/**
 * One result per statement. Rejects with the first statement's `SqlError`; later statements are not
 * run.
 */
export async function collectResults(
  executor: Pick<Executor, "query">,
  layout: RowLayout,
  sql: string,
): Promise<QueryResult[]> {
  const sink = new CollectingSink(layout);
  await executor.query(sql, sink);
  if (sink.error !== undefined) throw sink.error;
  return sink.results;
}

class CollectingSink implements ResultSink {
  readonly results: QueryResult[] = [];
  error: SqlError | undefined;
  moreResults = false;
  readonly #layout: RowLayout;
  #shape: ResultShape | undefined;
  #rows: ColumnValue[][] = [];

  constructor(layout: RowLayout) {
    this.#layout = layout;
  }

  rows(shape: ResultShape): void {
    this.#shape = shape;
    this.#rows = [];
  }

  storedRow(key: Uint8Array, value: Uint8Array): void {
    const stored = this.#shape?.stored;
    if (stored === undefined) return;
    const row = this.#layout.decodeRow(stored.table, key, value);
    this.#rows.push(stored.ordinals.map((ordinal) => row[ordinal]));
  }

  valueRow(values: readonly ColumnValue[]): void {
    this.#rows.push([...values]);
  }

  end(): void {
    const columns = this.#shape?.columns.map((column) => column.name) ?? [];
    this.results.push({ columns, rows: this.#rows, affectedRows: 0 });
  }

  done(result: { affectedRows: number }): void {
    this.results.push({ columns: [], rows: [], affectedRows: result.affectedRows });
  }

  fail(error: SqlError): void {
    this.error ??= error;
  }
}
