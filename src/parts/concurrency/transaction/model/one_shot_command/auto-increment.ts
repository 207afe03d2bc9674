/**
 * AutoIncrement: the numbers that a table gives to rows without one, as a row of table 4294967294.
 *
 *   | column        | type    | meaning                                                   |
 *   |---------------|---------|-----------------------------------------------------------|
 *   | table_id      | bigint  | the table's id, the primary key                           |
 *   | last          | bigint  | the highest number that was given or came with a row      |
 *
 * Numbers are given when a command is applied, from the state alone, so that replicas give equal ones; the counter
 * changes in the batch of the rows. A number is not given twice, also where its row was deleted or the server
 * restarted.
 * Source: InnoDB's persistent auto-increment counter (MySQL 8.0).
 */
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import type { NumberSource, StepReader } from "../../step-runner.ts";
import type { Overlay } from "./overlay.ts";
import { StepRefused } from "./step-refused.ts";

/** Ids of tables are given from 1 upwards and never come near. */
export const counterTable: Table = {
  id: 0xffff_fffe,
  name: "lathe_counters",
  columns: [
    { name: "table_id", type: "bigint", nullable: false },
    { name: "last", type: "bigint", nullable: false },
  ],
  primaryKey: [0],
};

/** The counter of one table during one step. */
export class AutoIncrement {
  readonly #table: Table;
  readonly #ordinal: number;
  readonly #max: bigint;
  readonly #before: bigint;
  readonly #source: NumberSource | undefined;
  #last: bigint;
  /** The first number given, and the last one that came with a row. */
  first: bigint | undefined;
  given: bigint | undefined;

  /** With a `source` numbers come from there, and the counter is left alone. */
  constructor(table: Table, ordinal: number, last: bigint, source?: NumberSource) {
    this.#table = table;
    this.#source = source;
    this.#ordinal = ordinal;
    this.#max = table.columns[ordinal].type === "int" ? 2n ** 31n - 1n : 2n ** 63n - 1n;
    this.#before = this.#last = last;
  }

  /** The counter as overlay and engine have it. */
  static read(
    layout: RowLayout,
    table: Table,
    ordinal: number,
    overlay: Overlay,
    reader: Pick<StepReader, "getSync">,
  ): AutoIncrement {
    const key = layout.encodeKey(counterTable, [BigInt(table.id)]);
    overlay.stageBytes(key);
    const entry = overlay.find();
    const value = entry >= 0 ? overlay.valueOf(entry) : reader.getSync(key);
    const last = value === undefined ? 0n : (layout.decodeRow(counterTable, key, value)[1] as bigint);
    return new AutoIncrement(table, ordinal, last);
  }

  /** The row with a number where it has none. */
  number(row: readonly ColumnValue[]): readonly ColumnValue[] {
    const value = row[this.#ordinal];
    if (value !== null && value !== 0 && value !== 0n) {
      const came = BigInt(value as bigint | number);
      if (came > this.#last) this.#last = came;
      this.#source?.came(this.#table, came);
      this.given = came;
      return row;
    }
    const next = this.#next();
    this.first ??= next;
    const numbered = [...row];
    numbered[this.#ordinal] = this.#table.columns[this.#ordinal].type === "int" ? Number(next) : next;
    return numbered;
  }

  /** Whether numbers were set aside before. */
  get reserved(): boolean {
    return this.#source !== undefined;
  }

  /** Sets up to `count` numbers above `above` aside. */
  reserve(count: number, above: bigint): { first: bigint; rows: number } {
    if (above > this.#last) this.#last = above;
    const first = this.#next();
    const more = this.#max - this.#last;
    const rest = more < BigInt(count - 1) ? more : BigInt(count - 1);
    this.#last += rest;
    return { first, rows: Number(rest) + 1 };
  }

  #next(): bigint {
    const next = this.#source === undefined ? this.#last + 1n : this.#source.next(this.#table);
    if (next === undefined || next > this.#max) {
      throw new StepRefused("out_of_range", `Failed to read auto-increment value of table ${this.#table.name}`);
    }
    if (this.#source === undefined) this.#last = next;
    return next;
  }

  /** Puts the counter into the overlay where it has changed. */
  write(layout: RowLayout, overlay: Overlay): void {
    if (this.#last === this.#before || this.reserved) return;
    overlay.stageKey(layout, counterTable, [BigInt(this.#table.id)]);
    overlay.putRow(layout, counterTable, [BigInt(this.#table.id), this.#last]);
  }
}
