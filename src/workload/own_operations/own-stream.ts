/**
 * OwnStream: the operations that one client does, one after the other; see `own-workload.ts` for how they are drawn.
 *
 * Where the steps of a transaction share rows or values (`transaction-plan.ts`), a statement's place is not drawn:
 *   1. The same row is the place of the other statement.
 *   2. A value found tells the group of rows that has it; which row of the group is drawn.
 *   3. A value stored replaces the one that the new row would have. In a key it leaves the last column to tell rows
 *      apart: that gets a number beyond those of loaded rows, which no client uses twice.
 */
import type { OperationSpec } from "../../contract/contract.ts";
import { stepOperation } from "../../contract/own-operations.ts";
import { AliasTable } from "../alias-table.ts";
import type { KeyDistribution } from "../key-distribution.ts";
import { RandomStream } from "../random-stream.ts";
import type { BoundColumns, CellValue, Operation, OperationStep, OperationStream } from "../workload.ts";
import type { OwnTable } from "./own-table.ts";
import { type PlannedStatement, transactionPlan } from "./transaction-plan.ts";

const scanLengthMax = 100;
const statementsDefault = 2;
export const rowsMax = 2 ** 30;

/** What a client has inserted into and deleted from a table. */
interface Progress {
  inserted: number;
  /** Rows whose key has a value of another step. */
  attached: number;
  deleted: number;
  deletedLoaded: number;
}

/** Where a statement works: the row of a number, or one that was inserted with values of other steps. */
interface Place {
  readonly table: OwnTable;
  readonly number: number;
  readonly row?: readonly CellValue[] | undefined;
}

interface Placed {
  readonly step: OperationStep;
  readonly place: Place;
}

/** How the keys of an operation are drawn, from a table's first `rows` rows. */
export type DrawKeys = (operation: OperationSpec, table: OwnTable, rows: number) => KeyDistribution;

export interface OwnClient {
  readonly seed: number;
  readonly number: number;
  readonly count: number;
}

export class OwnStream implements OperationStream {
  readonly #random: RandomStream;
  readonly #tables: readonly OwnTable[];
  readonly #updated: readonly OwnTable[];
  readonly #anyTable: AliasTable;
  readonly #anyUpdated: AliasTable | undefined;
  readonly #operations: readonly OperationSpec[];
  readonly #anyOperation: AliasTable;
  readonly #keysOf: DrawKeys;
  readonly #keys = new Map<OperationSpec, Map<OwnTable, KeyDistribution>>();
  readonly #steps: ReadonlyMap<OperationSpec, readonly OperationSpec[]>;
  readonly #plans: ReadonlyMap<OperationSpec, readonly PlannedStatement[] | undefined>;
  readonly #progress: ReadonlyMap<OwnTable, Progress>;
  readonly #client: OwnClient;
  #version: number;

  constructor(
    tables: readonly OwnTable[], operations: readonly OperationSpec[], keysOf: DrawKeys, client: OwnClient,
  ) {
    this.#random = new RandomStream(client.seed, 0x0e4a, client.number);
    this.#tables = tables;
    this.#updated = tables.filter(({ updatable }) => updatable.length > 0);
    this.#anyTable = new AliasTable(tables.map(({ rows }) => rows));
    this.#anyUpdated = this.#updated.length === 0 ? undefined : new AliasTable(this.#updated.map(({ rows }) => rows));
    this.#operations = operations;
    this.#anyOperation = new AliasTable(operations.map(({ weight }) => weight));
    this.#keysOf = keysOf;
    this.#steps = new Map(operations.map((one) => [one, expandedSteps(one)]));
    this.#plans = new Map(operations.map((one) => [one, transactionPlan(one, tables)]));
    const none = { inserted: 0, attached: 0, deleted: 0, deletedLoaded: 0 };
    this.#progress = new Map(tables.map((table) => [table, { ...none }]));
    this.#client = client;
    this.#version = 1 + client.number;
  }

  next(): Operation {
    const operation = this.#operations[this.#anyOperation.next(this.#random)];
    const { name } = operation;
    const transaction = name.endsWith("TRANSACTION");
    const plan = this.#plans.get(operation);
    const listed = this.#steps.get(operation) ?? [];
    const steps = plan !== undefined ? this.#planned(plan)
      : listed.length > 0 ? listed.flatMap((step) => this.#stepsOf(step)) : this.#stepsOf(operation);
    return { name, transaction, steps };
  }

  #stepsOf(operation: OperationSpec): OperationStep[] {
    const { name } = operation;
    const read = () => this.#placed("READ", operation, this.#chosen("READ", operation)).step;
    const update = () => this.#placed("UPDATE", operation, this.#chosen("UPDATE", operation)).step;
    switch (name) {
      case "INSERT":
        return [this.#insert(operation, []).step];
      case "READ-MODIFY-WRITE": {
        const place = this.#chosen("UPDATE", operation);
        const written = this.#placed("UPDATE", operation, place).step;
        return [{ kind: "read", table: place.table.name, key: keyOf(place) }, written];
      }
      case "READTRANSACTION":
        return Array.from({ length: this.#statements(operation) }, read);
      case "WRITETRANSACTION": {
        const count = this.#statements(operation);
        return Array.from({ length: count }, (_, at) => ((count - at) % 2 === 1 ? update() : read()));
      }
      default:
        return [this.#placed(name, operation, this.#chosen(name, operation)).step];
    }
  }

  #planned(plan: readonly PlannedStatement[]): OperationStep[] {
    const placed: Placed[] = [];
    for (const statement of plan) placed.push(this.#plannedStatement(statement, placed.map(({ place }) => place)));
    return placed.map(({ step }) => step);
  }

  #plannedStatement(
    { operation, sameRow, values, rowsMax: most, chosenAsDeleted }: PlannedStatement, places: readonly Place[],
  ): Placed {
    const { name } = operation;
    const given = values.map(({ statement, from, to }) => ({ to, value: cellOf(places[statement], from) }));
    if (name === "INSERT") return this.#insert(operation, given);
    if (sameRow !== undefined) return this.#placed(name, operation, places[sameRow]);
    if (chosenAsDeleted) {
      const place = this.#deletable(this.#table(operation));
      // What never was cannot be read first.
      if (place.number < rowsMax) return this.#placed(name, operation, place);
    }
    const [found] = given;
    if (found === undefined) return this.#placed(name, operation, this.#chosen(name, operation, most));
    const table = this.#table(operation);
    const shared = table.rowsSharing([found.to]);
    const first = shared * table.groupOf(found.value);
    const number = first + this.#random.below(Math.max(1, Math.min(shared, table.rows - first)));
    return this.#placed(name, operation, { table, number });
  }

  #statements({ statementsMin, statementsMax }: OperationSpec): number {
    const least = statementsMin ?? Math.min(statementsDefault, statementsMax ?? statementsDefault);
    return least + this.#random.below(Math.max(least, statementsMax ?? least) - least + 1);
  }

  #table({ table }: OperationSpec): OwnTable {
    if (table !== undefined) return this.#named(table);
    return this.#tables[this.#anyTable.next(this.#random)];
  }

  #named(name: string): OwnTable {
    return this.#tables.find((table) => table.name === name) as OwnTable;
  }

  /** `most`: how many rows there are to choose from. */
  #chosen(name: string, operation: OperationSpec, most = Infinity): Place {
    if (name === "DELETE") return this.#deletable(this.#table(operation));
    const table = name === "UPDATE" && operation.table === undefined
      ? this.#updated[(this.#anyUpdated as AliasTable).next(this.#random)]
      : this.#table(operation);
    return { table, number: this.#number(operation, table, most) };
  }

  #placed(name: string, operation: OperationSpec, place: Place): Placed {
    const { table } = place;
    switch (name) {
      case "SCAN":
        return { place, step: this.#scan(operation, place) };
      case "UPDATE":
        return { place, step: this.#update(place) };
      case "DELETE":
        return { place, step: { kind: "delete", table: table.name, key: keyOf(place), timestamp: 0n } };
      default:
        return { place, step: { kind: "read", table: table.name, key: keyOf(place), by: bound(operation, place) } };
    }
  }

  #scan(operation: OperationSpec, place: Place): OperationStep {
    const { key, range, rows } = operation;
    const { table } = place;
    const by = bound(operation, place);
    const start = range === undefined ? keyOf(place) : [cellOf(place, range)];
    const from = key !== undefined && range === undefined ? [] : start;
    const limit = rows ?? 1 + this.#random.below(scanLengthMax);
    return { kind: "scan", table: table.name, from, limit, by, range };
  }

  #update(place: Place): OperationStep {
    const { table } = place;
    const key = keyOf(place);
    const at = table.updatable[this.#random.below(table.updatable.length)];
    const version = this.#version;
    this.#version += this.#client.count;
    const value = table.value(table.hashOf(key), at, version);
    const column = table.columns[at].name;
    return { kind: "update", table: table.name, key, timestamp: BigInt(version), value, column };
  }

  /** `given`: values that the rows are to have. The place is that of the first row. */
  #insert(operation: OperationSpec, given: readonly { to: string; value: CellValue }[]): Placed {
    const table = this.#table(operation);
    const cells = new Map(given.map(({ to, value }) => [table.columnNumber(to), value]));
    const places = Array.from({ length: operation.rows ?? 1 }, () => this.#insertedPlace(table, cells));
    const rows = places.map(({ number, row }) => row ?? table.row(number));
    const [place] = places;
    if (rows.length === 1) return { place, step: { kind: "insert", table: table.name, row: rows[0] } };
    return { place, step: { kind: "insertRows", table: table.name, rows } };
  }

  #insertedPlace(table: OwnTable, cells: ReadonlyMap<number, CellValue>): Place {
    const progress = this.#progress.get(table) as Progress;
    if (cells.size === 0) return { table, number: this.#insertedNumber(table, progress.inserted++) };
    if (!table.keyAt.some((at) => cells.has(at))) {
      const number = this.#insertedNumber(table, progress.inserted++);
      return { table, number, row: table.rowWith(number, cells) };
    }
    const number = progress.attached++ * this.#client.count + this.#client.number;
    return { table, number, row: table.attachedRow(number, cells) };
  }

  /** The oldest row that the client has inserted, else the next loaded one from the end. */
  #deletable(table: OwnTable): Place {
    const progress = this.#progress.get(table) as Progress;
    if (progress.deleted < progress.inserted) {
      return { table, number: this.#insertedNumber(table, progress.deleted++) };
    }
    const number = table.rows - 1 - this.#client.number - progress.deletedLoaded * this.#client.count;
    // Nothing is left: what was deleted, or never was, is deleted again.
    if (number < 0) return { table, number: rowsMax + this.#client.number };
    progress.deletedLoaded++;
    return { table, number };
  }

  #insertedNumber({ rows }: OwnTable, count: number): number {
    return rows + count * this.#client.count + this.#client.number;
  }

  /** A loaded row, or one that this client has inserted. */
  #number(operation: OperationSpec, table: OwnTable, most: number): number {
    const { inserted } = this.#progress.get(table) as Progress;
    const rows = Math.min(most, table.rows);
    let byTable = this.#keys.get(operation);
    if (byTable === undefined) this.#keys.set(operation, byTable = new Map<OwnTable, KeyDistribution>());
    let keys = byTable.get(table);
    if (keys === undefined) byTable.set(table, keys = this.#keysOf(operation, table, rows));
    const shared = operation.key === undefined ? 1 : table.rowsSharing(operation.key);
    if (shared > 1) return shared * keys.next(this.#random, Math.ceil(rows / shared));
    if (most < Infinity) return keys.next(this.#random, rows);
    const drawn = keys.next(this.#random, rows + inserted * this.#client.count);
    if (drawn < table.rows) return drawn;
    return this.#insertedNumber(table, Math.floor((drawn - table.rows) / this.#client.count));
  }
}

function keyOf({ table, number, row }: Place): CellValue[] {
  return row === undefined ? table.key(number) : table.keyAt.map((at) => row[at]);
}

function cellOf({ table, number, row }: Place, column: string): CellValue {
  const at = table.columnNumber(column);
  return row === undefined ? table.cell(number, at) : row[at];
}

/** The steps of a transaction as operations, each as often as it comes. */
function expandedSteps(transaction: OperationSpec): OperationSpec[] {
  return (transaction.steps ?? []).flatMap((step) =>
    Array<OperationSpec>(step.times ?? 1).fill(stepOperation(transaction, step)));
}

function bound({ key }: OperationSpec, place: Place): BoundColumns | undefined {
  if (key === undefined) return undefined;
  return { columns: key, values: key.map((name) => cellOf(place, name)) };
}
