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

/** Where counters are read: the engine, or a transaction's view of it. */
interface Reader {
  getSync(key: Uint8Array): Uint8Array | undefined;
}

/** The counter of one table during one step. */
export class AutoIncrement {
  readonly #table: Table;
  readonly #ordinal: number;
  readonly #max: bigint;
  readonly #before: bigint;
  #last: bigint;
  /** The first number given, and the last one that came with a row. */
  first: bigint | undefined;
  given: bigint | undefined;

  constructor(table: Table, ordinal: number, last: bigint) {
    this.#table = table;
    this.#ordinal = ordinal;
    this.#max = table.columns[ordinal].type === "int" ? 2n ** 31n - 1n : 2n ** 63n - 1n;
    this.#before = this.#last = last;
  }

  /** The counter as overlay and engine have it. */
  static read(layout: RowLayout, table: Table, ordinal: number, overlay: Overlay, reader: Reader): AutoIncrement {
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
      this.given = came;
      return row;
    }
    if (this.#last >= this.#max) {
      throw new StepRefused("out_of_range", `Failed to read auto-increment value of table ${this.#table.name}`);
    }
    const next = ++this.#last;
    this.first ??= next;
    const numbered = [...row];
    numbered[this.#ordinal] = this.#table.columns[this.#ordinal].type === "int" ? Number(next) : next;
    return numbered;
  }

  /** Puts the counter into the overlay where it has changed. */
  write(layout: RowLayout, overlay: Overlay): void {
    if (this.#last === this.#before) return;
    overlay.stageKey(layout, counterTable, [BigInt(this.#table.id)]);
    overlay.putRow(layout, counterTable, [BigInt(this.#table.id), this.#last]);
  }
}
