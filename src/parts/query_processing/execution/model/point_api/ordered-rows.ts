/**
 * OrderedRows: answers a `SELECT` with rows in the order of what they are read from: the primary key, or an index.
 *
 * A result must fit `resultRowsMax` and `resultBytesMax`. Where LIMIT does not promise that, a first pass counts
 * without sending anything, so that a refusal comes instead of a torn result. Both passes see one state, also where
 * they take several turns (`paced-read.ts`).
 */
import type { ResultShape, ResultSink } from "../../../executor.ts";
import { type OrderedRows, RowWalk, tooLarge } from "./row-walk.ts";

/** So many rows are taken to fit, whatever their size. */
const promisedRows = 4096;

/** Errors: SqlError limit_exceeded, before anything was sent; time_exceeded; those of the source. */
export function* sendRows(read: OrderedRows, shape: ResultShape, sink: ResultSink): Generator<undefined, void> {
  let walk = isPromised(read) ? undefined : countingWalk(read);
  try {
    while (walk?.slice() === true) if (read.source.isOver()) yield;
    sink.rows(shape);
    walk = new RowWalk(read, false, (key, value) => sink.storedRow(key, value));
    while (walk.slice()) if (read.source.isOver()) yield;
    sink.end();
  } finally {
    walk?.close();
  }
}

function isPromised({ doors, conditions, ranges, limit, offset }: OrderedRows): boolean {
  if (conditions.length > 0 || limit + offset > Math.min(doors.bounds.resultRowsMax, promisedRows)) return false;
  return !ranges.some(({ anyOf }) => anyOf !== undefined);
}

/** Throws limit_exceeded where rows or bytes are too many. */
function countingWalk(read: OrderedRows): RowWalk {
  const { resultBytesMax } = read.doors.bounds;
  let bytes = 0;
  return new RowWalk(read, true, (key, value) => {
    bytes += key.length + value.length;
    if (bytes > resultBytesMax) throw tooLarge(read.table, `${resultBytesMax} bytes`);
  });
}
