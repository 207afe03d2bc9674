/**
 * RowPipeline: what becomes of the rows of a SELECT that cannot be sent as they come: DISTINCT, ORDER BY other than the
 * key's order, aggregates.
 *
 *   aggregates  one row: COUNT, SUM, MIN, MAX, AVG, each over all values that are not NULL, or over different ones
 *   rows        1. project  2. drop what was there already (DISTINCT)  3. sort  4. OFFSET and LIMIT
 *
 * Types are MySQL's: COUNT a bigint; SUM and AVG of integers exact decimals, AVG with four digits after the point,
 * rounded half away from zero; SUM and AVG of doubles doubles; MIN and MAX the column's. Of no values all but COUNT are
 * NULL. Rows that sort alike stay in the order in which they came.
 * Memory: the rows that are kept; the caller bounds them (`resultRowsMax`, `resultBytesMax`) before they come here.
 * Source: MySQL's Item_sum and filesort, as far as one table needs them.
 */
import type { Column, ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { AggregateFunction, SelectItem, SelectStatement } from "../../../../parser/statement.ts";
import { notSelected, type ResultColumn, type ResultShape, type ResultSink, SqlError } from "../../../executor.ts";
import { findColumn } from "./access-path.ts";
import { rowsPerSlice } from "./row-walk.ts";
import { selectedColumns } from "./selected-columns.ts";
import { compareSorted } from "../../../../concurrency/transaction/value-order.ts";

const averageDigits = 4;

export interface PipelinePlan {
  readonly shape: ResultShape;
  start(): RowPipeline;
}

export interface Pace {
  isOver(): boolean;
}

export interface RowPipeline {
  /** A row with one value per column of the table. */
  add(row: readonly ColumnValue[]): void;
  /** Asks the pace, if there is one, and yields where others are to have their turn. */
  send(sink: ResultSink, limit: number, offset: number, pace: Pace | undefined): Generator<undefined, void>;
}

/** Throws SqlError. */
export function planPipeline(table: Table, statement: SelectStatement): PipelinePlan {
  const { items } = statement;
  if (typeof items === "object" && items.some(({ aggregate }) => aggregate !== undefined)) {
    return planAggregates(table, items);
  }
  return planRows(table, statement);
}

function planRows(table: Table, statement: SelectStatement): PipelinePlan {
  const { values: shape, ordinals } = selectedColumns(table, statement.items);
  const distinct = statement.distinct === true;
  const order = statement.orderBy.map(({ column, descending }) => ({ ordinal: findColumn(table, column), descending }));
  if (distinct && order.some(({ ordinal }) => !ordinals.includes(ordinal))) {
    throw new SqlError("syntax", "with SELECT DISTINCT, ORDER BY takes columns of the SELECT list only");
  }
  return { shape, start: () => new SortedRows(shape, ordinals, order, distinct) };
}

interface SortColumn {
  readonly ordinal: number;
  readonly descending: boolean;
}

class SortedRows implements RowPipeline {
  readonly #shape: ResultShape;
  readonly #ordinals: readonly number[];
  readonly #order: readonly SortColumn[];
  readonly #seen: Set<string> | undefined;
  /** Whole rows, so that they can be sorted by columns that are not selected. */
  readonly #rows: (readonly ColumnValue[])[] = [];

  constructor(shape: ResultShape, ordinals: readonly number[], order: readonly SortColumn[], distinct: boolean) {
    this.#shape = shape;
    this.#ordinals = ordinals;
    this.#order = order;
    this.#seen = distinct ? new Set() : undefined;
  }

  add(row: readonly ColumnValue[]): void {
    if (this.#seen !== undefined) {
      const identity = identityOf(this.#ordinals.map((ordinal) => row[ordinal]));
      if (this.#seen.has(identity)) return;
      this.#seen.add(identity);
    }
    this.#rows.push(row);
  }

  *send(sink: ResultSink, limit: number, offset: number, pace: Pace | undefined): Generator<undefined, void> {
    const order = this.#order;
    const compare = (a: readonly ColumnValue[], b: readonly ColumnValue[]) => compareRows(order, a, b);
    const rows = order.length === 0 ? this.#rows : yield* sortInTurns(this.#rows, compare, pace);
    sink.rows(this.#shape);
    const end = Math.min(rows.length, offset + limit);
    for (let i = offset; i < end; i++) {
      if (i % rowsPerSlice === rowsPerSlice - 1 && pace?.isOver() === true) yield;
      const row = rows[i];
      sink.valueRow(this.#ordinals.map((ordinal) => row[ordinal]));
    }
    sink.end();
  }
}

/** So many rows are sorted at once. */
const runLength = 2048;

/** As `sort`, stable: runs that are sorted at once, then merged two by two with turns for others between. */
export function* sortInTurns<Row>(
  rows: Row[],
  compare: (a: Row, b: Row) => number,
  pace: Pace | undefined,
): Generator<undefined, Row[]> {
  if (rows.length <= runLength) return rows.sort(compare);
  let runs: Row[][] = [];
  for (let from = 0; from < rows.length; from += runLength) {
    if (pace?.isOver() === true) yield;
    runs.push(rows.slice(from, from + runLength).sort(compare));
  }
  while (runs.length > 1) {
    const merged: Row[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [left, right = []] = runs.slice(i, i + 2);
      const both: Row[] = [];
      for (let at = 0, other = 0; at < left.length || other < right.length; ) {
        if (both.length % rowsPerSlice === rowsPerSlice - 1 && pace?.isOver() === true) yield;
        const first = other >= right.length || (at < left.length && compare(left[at], right[other]) <= 0);
        both.push(first ? left[at++] : right[other++]);
      }
      merged.push(both);
    }
    runs = merged;
  }
  return runs[0];
}

function compareRows(order: readonly SortColumn[], a: readonly ColumnValue[], b: readonly ColumnValue[]): number {
  for (const { ordinal, descending } of order) {
    const compared = compareSorted(a[ordinal], b[ordinal]);
    if (compared !== 0) return descending ? -compared : compared;
  }
  return 0;
}

/** A text that is equal for equal values and no others. */
function identityOf(values: readonly ColumnValue[]): string {
  return JSON.stringify(values.map((value) => {
    if (typeof value === "bigint") return `i${value}`;
    if (value instanceof Uint8Array) return `b${Buffer.from(value).toString("latin1")}`;
    return typeof value === "string" ? `t${value}` : value === 0 ? 0 : value;
  }));
}

interface AggregateColumn {
  readonly aggregate: AggregateFunction;
  /** -1 for `COUNT(*)`. */
  readonly ordinal: number;
  readonly distinct: boolean;
  readonly column: Column | undefined;
}

function planAggregates(table: Table, items: readonly SelectItem[]): PipelinePlan {
  const aggregates = items.map(({ aggregate, column: name, distinct }): AggregateColumn => {
    const ordinal = name === "*" ? -1 : findColumn(table, name);
    const column = table.columns[ordinal];
    const text = column?.type === "varchar" || column?.type === "varbinary";
    if (text && (aggregate === "SUM" || aggregate === "AVG")) {
      throw notSelected("parser/syntax/expression/cast", `${aggregate} of a column of text`);
    }
    return { aggregate: aggregate as AggregateFunction, ordinal, distinct: distinct === true, column };
  });
  const columns = aggregates.map((each, i) => aggregateColumn(each, items[i].alias as string));
  const shape: ResultShape = { columns };
  return { shape, start: () => new AggregatedRows(shape, aggregates) };
}

function aggregateColumn({ aggregate, column }: AggregateColumn, name: string): ResultColumn {
  const base = { name, lengthMax: undefined, nullable: true, tableName: "" };
  if (aggregate === "COUNT") return { ...base, type: "bigint", nullable: false };
  const type = (column as Column).type;
  if (aggregate === "MIN" || aggregate === "MAX") return { ...base, type, lengthMax: column?.lengthMax };
  if (type === "double") return { ...base, type };
  return { ...base, type: "decimal", decimals: aggregate === "AVG" ? averageDigits : 0 };
}

class AggregatedRows implements RowPipeline {
  readonly #shape: ResultShape;
  readonly #tallies: readonly Tally[];

  constructor(shape: ResultShape, aggregates: readonly AggregateColumn[]) {
    this.#shape = shape;
    this.#tallies = aggregates.map((each) => new Tally(each));
  }

  add(row: readonly ColumnValue[]): void {
    for (const tally of this.#tallies) tally.add(row);
  }

  // oxlint-disable-next-line require-yield -- one row is sent at once
  *send(sink: ResultSink, limit: number, offset: number): Generator<undefined, void> {
    sink.rows(this.#shape);
    if (limit > 0 && offset === 0) sink.valueRow(this.#tallies.map((tally) => tally.value()));
    sink.end();
  }
}

class Tally {
  readonly #of: AggregateColumn;
  readonly #seen: Set<string> | undefined;
  #count = 0;
  #sum = 0n;
  #doubleSum = 0;
  #most: ColumnValue = null;

  constructor(of: AggregateColumn) {
    this.#of = of;
    this.#seen = of.distinct ? new Set() : undefined;
  }

  add(row: readonly ColumnValue[]): void {
    const { aggregate, ordinal, column } = this.#of;
    const value = ordinal < 0 ? 0 : row[ordinal];
    if (value === null) return;
    if (this.#seen !== undefined) {
      const identity = identityOf([value]);
      if (this.#seen.has(identity)) return;
      this.#seen.add(identity);
    }
    this.#count++;
    if (aggregate === "SUM" || aggregate === "AVG") {
      if (column?.type === "double") this.#doubleSum += Number(value);
      else this.#sum += BigInt(value as bigint | number);
    } else if (aggregate !== "COUNT") {
      const order = this.#most === null ? 0 : compareSorted(value, this.#most);
      if (this.#most === null || (aggregate === "MIN" ? order < 0 : order > 0)) this.#most = value;
    }
  }

  value(): ColumnValue {
    const { aggregate, column } = this.#of;
    if (aggregate === "COUNT") return BigInt(this.#count);
    if (aggregate === "MIN" || aggregate === "MAX") return this.#most;
    if (this.#count === 0) return null;
    if (column?.type === "double") return aggregate === "SUM" ? this.#doubleSum : this.#doubleSum / this.#count;
    return aggregate === "SUM" ? this.#sum.toString() : average(this.#sum, BigInt(this.#count));
  }
}

/** Exact to four digits, rounded half away from zero. */
function average(sum: bigint, count: bigint): string {
  const scale = 10n ** BigInt(averageDigits);
  const size = sum < 0n ? -sum : sum;
  const scaled = (size * scale * 2n + count) / (count * 2n);
  const digits = `${scaled / scale}.${(scaled % scale).toString().padStart(averageDigits, "0")}`;
  return sum < 0n && scaled > 0n ? `-${digits}` : digits;
}
