/**
 * The embedded library: a store in the caller's process, with typed tables, and no protocol between.
 *
 *   1. A write becomes a command of the one log, as a statement of a server does: it resolves when it is durable and
 *      applied. A transaction is one command, so it is there as a whole or not at all.
 *   2. Conditions are evaluated when the command is applied; nobody else writes between the look and the change.
 *   3. A read goes to the engine in the caller's turn and sees everything that has resolved.
 *   4. Tables are those of the contract. They are made at the first opening; a directory whose tables have other
 *      columns is refused.
 * Rows and keys are objects with a property per column; what is handed out belongs to the caller.
 * Source: LevelDB's and SQLite's place in the process, DynamoDB's conditional puts.
 */
import { compareBytes } from "../../../../kit/compare.ts";
import { LatheError } from "../../../../kit/errors.ts";
import type { Metric } from "../../../../kit/metric.ts";
import type { Command, CommandCodec, CommandResult, CommandStep } from "../../../concurrency/transaction/command.ts";
import type { ReplicatedLog } from "../../../replication/replicated-log.ts";
import type { StorageEngine } from "../../../storage/engine.ts";
import type { RowLayout } from "../../../storage/layout/row-layout.ts";
import type { CatalogStore } from "../../catalog/catalog-store.ts";
import type { Column, ColumnValue, Table } from "../../catalog/table.ts";

export interface EmbeddedDoors {
  readonly engine: StorageEngine;
  readonly layout: RowLayout;
  readonly catalog: CatalogStore;
  readonly log: ReplicatedLog;
  readonly codec: CommandCodec;
  /** Makes an openable copy of the directory. */
  checkpoint(directory: string): Promise<void>;
  metrics(): Metric[];
  close(): Promise<void>;
}

export interface RowRange<Key> {
  /** Rows whose key begins with these columns. */
  readonly prefix?: Partial<Key>;
  /** First columns of a key: rows from there on. */
  readonly from?: Partial<Key>;
  /** First columns of a key: rows before it. */
  readonly to?: Partial<Key>;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** `absent`: no row has the key. `present`: one has. Else: one has, and these values. */
export type RowCondition<Row> = "absent" | "present" | Partial<Row>;

/** Makes the tables that are missing. Errors: INVALID_ARGUMENT where a table has other columns. */
export async function openTables(doors: EmbeddedDoors, wanted: readonly Table[]): Promise<void> {
  for (const table of wanted) {
    const found = doors.catalog.find(table.name);
    if (found === undefined) await run(doors, [{ kind: "createTable", table, ifNotExists: true }]);
    else if (shapeOf(found) !== shapeOf(table)) {
      throw new LatheError(
        "INVALID_ARGUMENT",
        `table ${table.name} in this directory has other columns than this library: open it with the one that made it`,
      );
    }
  }
}

export class EmbeddedTable<Row extends object, Key extends object> {
  readonly name: string;
  readonly #doors: EmbeddedDoors;
  readonly #table: Table;

  constructor(doors: EmbeddedDoors, name: string) {
    const table = doors.catalog.find(name);
    if (table === undefined) throw new LatheError("NOT_FOUND", `there is no table ${name}`);
    this.name = name;
    this.#doors = doors;
    this.#table = table;
  }

  /** The row of a key, or undefined. */
  get(key: Key): Row | undefined {
    const bytes = this.#doors.layout.encodeKey(this.#table, this.#keyValues(key, true));
    const value = this.#doors.engine.getSync(bytes);
    return value === undefined ? undefined : this.#rowOf(bytes, value);
  }

  /** Writes a row, whether its key is there or not. */
  async put(row: Row): Promise<void> {
    await run(this.#doors, [this.putStep(row)]);
  }

  /** Writes a row where the condition holds; resolves with whether it did. */
  async putIf(row: Row, condition: RowCondition<Row>): Promise<boolean> {
    const { id } = this.#table;
    if (condition === "absent") {
      const step: CommandStep = { kind: "insert", tableId: id, rows: [this.#values(row)], unless: [] };
      const result = await propose(this.#doors, [step]);
      if (!result.ok && result.error.reason === "duplicate_key") return false;
      if (!result.ok) throw refusal(result.error);
      return true;
    }
    const values = this.#values(row);
    const set = values.flatMap((value, ordinal) =>
      this.#table.primaryKey.includes(ordinal) ? [] : [{ ordinal, value }],
    );
    const target = this.#target(row as unknown as Key, condition === "present" ? {} : condition);
    const [result] = await run(this.#doors, [{ kind: "update", target, set }]);
    return result.kind === "changed" && result.matchedRows > 0;
  }

  /** Deletes the row of a key, with a condition only where it has these values; resolves with whether it did. */
  async delete(key: Key, condition: Partial<Row> = {}): Promise<boolean> {
    const [result] = await run(this.#doors, [this.deleteStep(key, condition)]);
    return result.kind === "changed" && result.matchedRows > 0;
  }

  /** Rows in the order of their keys, as they are when the first one is asked for. */
  *scan(range: RowRange<Key> = {}): Generator<Row, void, void> {
    const { engine, layout } = this.#doors;
    const encode = (key: Partial<Key>) => layout.encodeKey(this.#table, this.#keyValues(key, false));
    const prefix = encode(range.prefix ?? {});
    const gte = range.from === undefined ? prefix : higher(prefix, encode(range.from));
    const lt = range.to === undefined ? layout.prefixEnd(prefix) : lower(layout.prefixEnd(prefix), encode(range.to));
    const cursor = engine.scan({ gte, lt, reverse: range.reverse ?? false });
    try {
      for (let left = range.limit ?? Infinity; left > 0 && cursor.next(); left--) {
        yield this.#rowOf(cursor.key, cursor.value);
      }
    } finally {
      cursor.close();
    }
  }

  /** For transactions. */
  putStep(row: Row): CommandStep {
    return { kind: "insert", tableId: this.#table.id, rows: [this.#values(row)], unless: [], onDuplicate: "replace" };
  }

  /** For transactions: a key that is there already refuses all of it. */
  insertStep(row: Row): CommandStep {
    return { kind: "insert", tableId: this.#table.id, rows: [this.#values(row)], unless: [] };
  }

  /** For transactions. */
  deleteStep(key: Key, condition: Partial<Row> = {}): CommandStep {
    return { kind: "delete", target: this.#target(key, condition) };
  }

  #target(key: Key, condition: Partial<Row>) {
    const { columns, id } = this.#table;
    const conditions = Object.entries(condition).map(([name, value]) => {
      const ordinal = columns.findIndex((column) => column.name === name);
      if (ordinal < 0 || value === null || value === undefined) {
        const message = `a condition compares columns of ${this.name} with values; ${name}: ${value} is none`;
        throw new LatheError("INVALID_ARGUMENT", message);
      }
      return { ordinal, comparison: "=" as const, value: checked(columns[ordinal], value, this.name) };
    });
    return { tableId: id, keyPrefix: this.#keyValues(key, true), conditions };
  }

  #values(row: Row): ColumnValue[] {
    const { columns } = this.#table;
    const given = row as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(given)) {
      if (columns.some((column) => column.name === name)) continue;
      throw new LatheError("INVALID_ARGUMENT", `${this.name} has no column ${name}`);
    }
    return columns.map((column) => checked(column, given[column.name] ?? null, this.name));
  }

  /** Of a whole key, or of the columns from the first one on that are given. */
  #keyValues(key: Partial<Key>, whole: boolean): ColumnValue[] {
    const given = key as Readonly<Record<string, unknown>>;
    const values: ColumnValue[] = [];
    for (const ordinal of this.#table.primaryKey) {
      const column = this.#table.columns[ordinal];
      const value = given[column.name];
      if (value === undefined && !whole) break;
      values.push(checked({ ...column, nullable: false }, value ?? null, this.name));
    }
    return values;
  }

  #rowOf(key: Uint8Array, value: Uint8Array): Row {
    const values = this.#doors.layout.decodeRow(this.#table, key, value);
    const pairs = this.#table.columns.map(({ name }, ordinal) => {
      const one = values[ordinal];
      return [name, one instanceof Uint8Array ? one.slice() : one];
    });
    return Object.fromEntries(pairs) as Row;
  }
}

/** The writes of a transaction, in order: all of them happen, or none. */
export class EmbeddedBatch {
  readonly steps: CommandStep[] = [];

  put<Row extends object, Key extends object>(table: EmbeddedTable<Row, Key>, row: Row): this {
    this.steps.push(table.putStep(row));
    return this;
  }

  /** A key that is there already refuses the whole transaction: CONSTRAINT. */
  insert<Row extends object, Key extends object>(table: EmbeddedTable<Row, Key>, row: Row): this {
    this.steps.push(table.insertStep(row));
    return this;
  }

  delete<Row extends object, Key extends object>(table: EmbeddedTable<Row, Key>, key: Key): this {
    this.steps.push(table.deleteStep(key));
    return this;
  }
}

export class EmbeddedStore {
  readonly #doors: EmbeddedDoors;

  constructor(doors: EmbeddedDoors) {
    this.#doors = doors;
  }

  /** Runs `build` at once, and applies what it put into the batch as one. Errors: CONSTRAINT, LIMIT_EXCEEDED. */
  async transaction(build: (batch: EmbeddedBatch) => void): Promise<void> {
    const batch = new EmbeddedBatch();
    build(batch);
    if (batch.steps.length > 0) await run(this.#doors, batch.steps);
  }

  /** Makes an openable copy of everything written so far, in an empty or missing directory on the same file system. */
  checkpoint(directory: string): Promise<void> {
    return this.#doors.checkpoint(directory);
  }

  metrics(): Metric[] {
    return this.#doors.metrics();
  }

  close(): Promise<void> {
    return this.#doors.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function propose({ log, codec }: EmbeddedDoors, steps: readonly CommandStep[]): Promise<CommandResult> {
  const command: Command = { steps };
  return (await log.propose(codec.encode(command))).result as CommandResult;
}

async function run(doors: EmbeddedDoors, steps: readonly CommandStep[]) {
  const result = await propose(doors, steps);
  if (!result.ok) throw refusal(result.error);
  return result.steps;
}

function refusal({ reason, message }: { readonly reason: string; readonly message: string }): LatheError {
  const code = reason === "limit_exceeded" ? "LIMIT_EXCEEDED" : "CONSTRAINT";
  return new LatheError(code, message, { details: { reason } });
}

const kindOfType = {
  bigint: "bigint", int: "number", double: "number", varchar: "string", varbinary: "object",
} as const;

function checked(column: Column, value: unknown, table: string): ColumnValue {
  if (value === null && column.nullable) return null;
  const isBytes = value instanceof Uint8Array;
  const isOfType = typeof value === kindOfType[column.type] && isBytes === (column.type === "varbinary");
  if (isOfType) return value as ColumnValue;
  const due = column.type === "varbinary" ? "a Uint8Array" : `a ${kindOfType[column.type]}`;
  const given = value === null ? "null" : typeof value;
  throw new LatheError("INVALID_ARGUMENT", `${table}.${column.name} takes ${due}, not ${given}`);
}

function shapeOf({ columns, primaryKey }: Table): string {
  const shown = columns.map(({ name, type, lengthMax, nullable }) => [name, type, lengthMax ?? 0, nullable]);
  return JSON.stringify([shown, primaryKey]);
}

function higher(one: Uint8Array, other: Uint8Array): Uint8Array {
  return compareBytes(one, other) >= 0 ? one : other;
}

function lower(one: Uint8Array, other: Uint8Array): Uint8Array {
  return compareBytes(one, other) <= 0 ? one : other;
}
