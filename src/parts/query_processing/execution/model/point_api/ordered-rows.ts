/**
 * OrderedRows: answers a `SELECT` with rows in the order of what they are read from: the primary key, or an index.
 *
 * Steps: the ranges in order, or from the last to the first and each backwards; rows that do not meet the filters are
 * left out; OFFSET and LIMIT cut.
 * A result must fit `resultRowsMax` and `resultBytesMax`. Where LIMIT does not promise that, a first pass counts
 * without sending anything, so that a refusal comes instead of a torn result. Both passes run within one turn and see
 * one state.
 */
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { ColumnCondition } from "../../../../concurrency/transaction/command.ts";
import { segmentHas } from "../../../../concurrency/transaction/key-segments.ts";
import { rowMatches } from "../../../../concurrency/transaction/row-condition.ts";
import type { Cursor, ScanRange } from "../../../../storage/engine.ts";
import { type ResultShape, type ResultSink, SqlError } from "../../../executor.ts";
import type { KeyRange } from "./key-ranges.ts";
import type { RunDoors } from "./plan.ts";

/** So many rows are taken to fit, whatever their size. */
const promisedRows = 4096;

export interface RowSource {
  scan(range: ScanRange): Cursor;
}

export interface OrderedRows {
  readonly doors: RunDoors;
  readonly table: Table;
  /** Gives the rows of a range; the engine does where the ranges are of the primary key. */
  readonly source: RowSource;
  readonly ranges: readonly KeyRange[];
  readonly conditions: readonly ColumnCondition[];
  readonly limit: number;
  readonly offset: number;
  readonly reverse: boolean;
}

/** Errors: SqlError limit_exceeded, before anything was sent; those of the source. */
export function sendRows(read: OrderedRows, shape: ResultShape, sink: ResultSink): void {
  const { doors, conditions, limit, offset } = read;
  const filtered = conditions.length > 0 || read.ranges.some(({ anyOf }) => anyOf !== undefined);
  const promised = limit + offset <= Math.min(doors.bounds.resultRowsMax, promisedRows) && !filtered;
  if (!promised) visit(read, true, undefined);
  sink.rows(shape);
  visit(read, false, sink);
  sink.end();
}

export function tooLarge({ name }: Table, what: string): SqlError {
  return new SqlError("limit_exceeded", `a SELECT from ${name} goes over more than ${what}; add a LIMIT`);
}

/** Visits the rows in order. Throws limit_exceeded where `bounded`. */
function visit(read: OrderedRows, bounded: boolean, sink: ResultSink | undefined): void {
  let bytes = 0;
  visitRows(read, bounded, (key, value) => {
    bytes += key.length + value.length;
    const { bounds } = read.doors;
    if (bounded && bytes > bounds.resultBytesMax) throw tooLarge(read.table, `${bounds.resultBytesMax} bytes`);
    sink?.storedRow(key, value);
  });
}

/** Calls for each row that counts. Where `bounded`, more than `resultRowsMax` rows to look at are refused. */
export function visitRows(
  read: OrderedRows,
  bounded: boolean,
  row: (key: Uint8Array, value: Uint8Array) => void,
): void {
  const { source, table, ranges, conditions, limit, offset, reverse } = read;
  const { layout, bounds } = read.doors;
  const end = limit + offset;
  let rows = 0;
  let examined = 0;
  for (let i = 0; i < ranges.length; i++) {
    if (rows >= end) return;
    const { gte, lt, anyOf } = ranges[reverse ? ranges.length - 1 - i : i];
    const cursor = source.scan(reverse ? { gte, lt, reverse } : { gte, lt });
    try {
      while (rows < end && cursor.next()) {
        if (bounded && ++examined > bounds.resultRowsMax) throw tooLarge(table, `${bounds.resultRowsMax} rows`);
        const { key, value } = cursor;
        if (conditions.length > 0 && !rowMatches(layout, table, conditions, key, value)) continue;
        if (anyOf !== undefined && !segmentHas(layout, table, anyOf, key, value)) continue;
        if (++rows > offset) row(key, value);
      }
    } finally {
      cursor.close();
    }
  }
}
