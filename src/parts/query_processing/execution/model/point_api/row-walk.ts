/**
 * RowWalk: goes over the rows of ranges, some at a time, and calls for each that counts.
 *
 * Steps: the ranges in order, or from the last to the first and each backwards; rows that do not meet the filters are
 * left out; OFFSET and LIMIT cut. One cursor is open at a time; it is closed at the end of its range, and on an error.
 * The loop over rows is a plain one, kept out of the generators that give way to others: those look in every
 * `rowsPerSlice` rows.
 */
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { ColumnCondition } from "../../../../concurrency/transaction/command.ts";
import { type KeySegment, segmentHas } from "../../../../concurrency/transaction/key-segments.ts";
import { rowMatches } from "../../../../concurrency/transaction/row-condition.ts";
import type { Cursor } from "../../../../storage/engine.ts";
import { SqlError } from "../../../executor.ts";
import type { KeyRange } from "./key-ranges.ts";
import type { PacedRead } from "./paced-read.ts";
import type { RunDoors } from "./plan.ts";

export const rowsPerSlice = 256;

export interface OrderedRows {
  readonly doors: RunDoors;
  readonly table: Table;
  /** Gives the rows of a range, and says when others are to have their turn. */
  readonly source: PacedRead;
  readonly ranges: readonly KeyRange[];
  readonly conditions: readonly ColumnCondition[];
  readonly limit: number;
  readonly offset: number;
  readonly reverse: boolean;
}

/** The bytes are valid during the call. */
export type RowVisitor = (key: Uint8Array, value: Uint8Array) => void;

export class RowWalk {
  readonly #read: OrderedRows;
  readonly #examinedMax: number;
  readonly #row: RowVisitor;
  #nextRange = 0;
  #cursor: Cursor | undefined;
  #anyOf: KeySegment["anyOf"];
  #rows = 0;
  #examined = 0;

  /** Where `bounded`, more than `resultRowsMax` rows to look at are refused. */
  constructor(read: OrderedRows, bounded: boolean, row: RowVisitor) {
    this.#read = read;
    this.#examinedMax = bounded ? read.doors.bounds.resultRowsMax : Number.POSITIVE_INFINITY;
    this.#row = row;
  }

  /** Looks at up to `rowsPerSlice` rows; whether there may be more. A range counts as a row. Throws limit_exceeded. */
  slice(): boolean {
    try {
      for (let left = rowsPerSlice; left > 0; left--) {
        this.#cursor ??= this.#open();
        if (this.#cursor === undefined) return false;
        left -= this.#go(this.#cursor, left);
      }
      return true;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#cursor?.close();
    this.#cursor = undefined;
  }

  #open(): Cursor | undefined {
    const { ranges, reverse, limit, offset, source } = this.#read;
    if (this.#nextRange >= ranges.length || this.#rows >= limit + offset) return undefined;
    const place = reverse ? ranges.length - 1 - this.#nextRange : this.#nextRange;
    const { gte, lt, anyOf } = ranges[place];
    this.#nextRange++;
    this.#anyOf = anyOf;
    return source.scan(reverse ? { gte, lt, reverse } : { gte, lt });
  }

  /** Rows of one range, up to `most`; how many. */
  #go(cursor: Cursor, most: number): number {
    const { table, conditions, limit, offset, doors } = this.#read;
    const { layout } = doors;
    const anyOf = this.#anyOf;
    const end = limit + offset;
    let seen = 0;
    while (seen < most) {
      if (this.#rows >= end || !cursor.next()) {
        this.close();
        break;
      }
      seen++;
      if (++this.#examined > this.#examinedMax) throw tooLarge(table, `${this.#examinedMax} rows`);
      const { key, value } = cursor;
      if (conditions.length > 0 && !rowMatches(layout, table, conditions, key, value)) continue;
      if (anyOf !== undefined && !segmentHas(layout, table, anyOf, key, value)) continue;
      if (++this.#rows > offset) this.#row(key, value);
    }
    return seen;
  }
}

export function tooLarge({ name }: Table, what: string): SqlError {
  return new SqlError("limit_exceeded", `a SELECT from ${name} goes over more than ${what}; add a LIMIT`);
}
