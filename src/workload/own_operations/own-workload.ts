/**
 * OwnWorkload: the operations that a contract lists, over its own tables.
 *
 *   1. Rows: the largest table has `scale` of them, the others in proportion to what the contract expects.
 *   2. An operation is drawn by weight. Its table is the one that it names, else drawn by the shares of the rows; its
 *      key is drawn by its distribution: uniform, zipfian (Gray's approximation below a constant of 1, an alias table
 *      over at most a million ranks from there on) or latest, over the loaded rows and those that the client has
 *      inserted itself. Where rows share the values by which a scan finds them, what is drawn is such a group of rows.
 *   3. DELETE takes the oldest row that the client has inserted, else the next loaded row from the end (the one that
 *      is used least) of those that no other client deletes; deletes of what is gone change nothing.
 *   4. A transaction does its steps in order; without any a read transaction is of reads, a write transaction of reads
 *      and updates by turns, the last one an update.
 * Invariant: the same seed gives the same operations; clients never insert or delete the same key.
 */
import type { OperationSpec, TableSpec, WorkloadSpec } from "../../contract/contract.ts";
import { type DrivenTarget, stepOperation, targetsOf, undrivenOwn } from "../../contract/own-operations.ts";
import { LatheError } from "../../kit/errors.ts";
import { AliasTable } from "../alias-table.ts";
import { type KeyDistribution, LatestKeys, UniformKeys, zeta, ZipfianKeys } from "../key-distribution.ts";
import { RandomStream } from "../random-stream.ts";
import type {
  BoundColumns, CellValue, LoadBatch, Operation, OperationStep, OperationStream, Verifier, Workload,
} from "../workload.ts";
import { OwnTable } from "./own-table.ts";
import { OwnVerifier } from "./own-verifier.ts";

export const ownLoadRows = 64;
const loadBytesMax = 256 << 10;
const scanLengthMax = 100;
const statementsDefault = 2;
const rowBytesDefault = 100;
const prefixRowsDefault = 8;
const rowsMax = 2 ** 30;
const ranksMax = 1_000_000;

export class OwnWorkload implements Workload {
  readonly name = "own_operations";
  readonly interactive: boolean;
  readonly tables: readonly OwnTable[];
  readonly #operations: readonly OperationSpec[];
  #rowBytes = 1;
  readonly #draws = new Map<string, () => KeyDistribution>();

  /** Errors: INVALID_ARGUMENT for what cannot be driven, and for more than 2^30 rows. */
  constructor({ scale, operations = [], ...spec }: WorkloadSpec, tables: readonly TableSpec[]) {
    const undriven = undrivenOwn({ ...spec, operations }, tables, true);
    if (undriven.length > 0) throw new LatheError("INVALID_ARGUMENT", `no driver drives ${undriven.join(" and ")} yet`);
    if (!Number.isInteger(scale) || scale < 1 || scale > rowsMax) {
      throw new LatheError("INVALID_ARGUMENT", `the largest table needs 1 to ${rowsMax} rows, not ${scale}`);
    }
    this.interactive = spec.interactive === true;
    this.#operations = operations.filter(({ weight }) => weight > 0);
    const targets = this.#operations.flatMap(targetsOf);
    const most = Math.max(1, ...tables.map(({ rows }) => rows));
    this.tables = tables.map((table) => {
      const rows = Math.max(1, Math.round((scale * table.rows) / most));
      const rowBytes = bytesOf(operations, table.name, "INSERT", "READ", "SCAN") ?? rowBytesDefault;
      const updateBytes = bytesOf(operations, table.name, "UPDATE", "READ-MODIFY-WRITE") ?? rowBytes;
      this.#rowBytes = Math.max(this.#rowBytes, rowBytes);
      return new OwnTable(table, { rows, rowBytes, updateBytes, ...sharedRows(targets, table) });
    });
  }

  *load(most: number): Iterable<LoadBatch> {
    const batch = Math.max(1, Math.min(most, Math.floor(loadBytesMax / this.#rowBytes)));
    for (const table of this.tables) {
      let rows: CellValue[][] = [];
      for (let number = 0; number < table.rows; number++) {
        rows.push(table.row(number));
        if (rows.length < batch && number + 1 < table.rows) continue;
        yield { table: table.name, rows };
        rows = [];
      }
    }
  }

  client(seed: number, clientNumber: number, clientCount: number): OperationStream {
    const draws = (operation: OperationSpec, table: OwnTable) => this.#keysOf(operation, table);
    return new OwnStream(this.tables, this.#operations, draws, seed, clientNumber, clientCount);
  }

  verifier(fresh = true): Verifier {
    return new OwnVerifier(new Map(this.tables.map((table) => [table.name, table])), fresh);
  }

  /** What takes long to sum up is summed up once for all clients. */
  #keysOf({ distribution, skew = 0, key }: OperationSpec, table: OwnTable): KeyDistribution {
    const rows = Math.ceil(table.rows / (key === undefined ? 1 : table.rowsSharing(key)));
    const draw = `${rows} ${distribution} ${skew}`;
    let create = this.#draws.get(draw);
    if (create === undefined) this.#draws.set(draw, create = keysFor(distribution, skew, rows));
    return create();
  }
}

/** Bytes of the first of these operations that says them: of the table, else of any. */
function bytesOf(operations: readonly OperationSpec[], table: string, ...names: string[]): number | undefined {
  const said = names.flatMap((name) =>
    operations.filter((one) => one.name === name && one.valueBytes !== undefined));
  return (said.find((one) => one.table === table) ?? said.find((one) => one.table === undefined))?.valueBytes;
}

/** How many rows share the values by which scans find them, so that these are as long as they are said to be. */
function sharedRows(targets: readonly DrivenTarget[], { name, primaryKey }: TableSpec) {
  const keyed = new Map<string, number>();
  let prefixRows: number | undefined;
  const mine = targets.filter(({ table, key }) => table === name && key !== undefined);
  for (const target of targets) {
    if (target.table === name && target.range !== undefined) keyed.set(target.range, 1);
  }
  for (const { name: what, key = [], rows = prefixRowsDefault } of mine.filter((one) => one.name === "SCAN")) {
    if (key.every((column) => primaryKey.includes(column))) prefixRows = Math.max(prefixRows ?? 1, rows);
    for (const column of key) keyed.set(column, Math.max(keyed.get(column) ?? 1, what === "SCAN" ? rows : 1));
  }
  // A read finds one row: one of its columns at least is to tell all rows apart.
  for (const { key = [] } of mine.filter((one) => one.name === "READ")) {
    const last = key.findLast((column) => !primaryKey.includes(column));
    for (const column of key) keyed.set(column, keyed.get(column) ?? 1);
    if (last !== undefined) keyed.set(last, 1);
  }
  for (const column of primaryKey) keyed.delete(column);
  return { keyed, prefixRows: prefixRows ?? prefixRowsDefault };
}

function keysFor(distribution: OperationSpec["distribution"], skew: number, rows: number): () => KeyDistribution {
  if (distribution === "latest") return () => new LatestKeys(rows);
  if (distribution !== "zipfian" || skew === 0) return () => new UniformKeys();
  if (skew < 1) {
    const sum = zeta(Math.max(2, rows), skew);
    return () => new ZipfianKeys(Math.max(2, rows), skew, sum);
  }
  const ranks = new AliasTable(Array.from({ length: Math.min(rows, ranksMax) }, (_, rank) => (rank + 1) ** -skew));
  return () => ({ next: (random) => ranks.next(random) });
}

/** What a client has inserted into and deleted from a table. */
interface Progress {
  inserted: number;
  deleted: number;
  deletedLoaded: number;
}

class OwnStream implements OperationStream {
  readonly #random: RandomStream;
  readonly #tables: readonly OwnTable[];
  readonly #updated: readonly OwnTable[];
  readonly #anyTable: AliasTable;
  readonly #anyUpdated: AliasTable | undefined;
  readonly #operations: readonly OperationSpec[];
  readonly #anyOperation: AliasTable;
  readonly #keysOf: (operation: OperationSpec, table: OwnTable) => KeyDistribution;
  readonly #keys = new Map<OperationSpec, Map<OwnTable, KeyDistribution>>();
  readonly #steps: ReadonlyMap<OperationSpec, readonly OperationSpec[]>;
  readonly #progress: ReadonlyMap<OwnTable, Progress>;
  readonly #clientNumber: number;
  readonly #clientCount: number;
  #version: number;

  constructor(
    tables: readonly OwnTable[],
    operations: readonly OperationSpec[],
    keysOf: (operation: OperationSpec, table: OwnTable) => KeyDistribution,
    seed: number,
    clientNumber: number,
    clientCount: number,
  ) {
    this.#random = new RandomStream(seed, 0x0e4a, clientNumber);
    this.#tables = tables;
    this.#updated = tables.filter(({ updatable }) => updatable.length > 0);
    this.#anyTable = new AliasTable(tables.map(({ rows }) => rows));
    this.#anyUpdated = this.#updated.length === 0 ? undefined : new AliasTable(this.#updated.map(({ rows }) => rows));
    this.#operations = operations;
    this.#anyOperation = new AliasTable(operations.map(({ weight }) => weight));
    this.#keysOf = keysOf;
    this.#steps = new Map(operations.map((one) => [one, expandedSteps(one)]));
    this.#progress = new Map(tables.map((table) => [table, { inserted: 0, deleted: 0, deletedLoaded: 0 }]));
    this.#clientNumber = clientNumber;
    this.#clientCount = clientCount;
    this.#version = 1 + clientNumber;
  }

  next(): Operation {
    const operation = this.#operations[this.#anyOperation.next(this.#random)];
    const { name } = operation;
    const transaction = name.endsWith("TRANSACTION");
    const listed = this.#steps.get(operation) ?? [];
    const steps = listed.length > 0 ? listed.flatMap((step) => this.#stepsOf(step)) : this.#stepsOf(operation);
    return { name, transaction, steps };
  }

  #stepsOf(operation: OperationSpec): OperationStep[] {
    const read = () => this.#read(operation, this.#table(operation));
    switch (operation.name) {
      case "UPDATE":
        return [this.#update(operation)];
      case "INSERT":
        return [this.#insert(operation)];
      case "DELETE":
        return [this.#delete(operation)];
      case "SCAN":
        return [this.#scan(operation)];
      case "READ-MODIFY-WRITE": {
        const update = this.#update(operation);
        return [{ kind: "read", table: update.table, key: update.key }, update];
      }
      case "READTRANSACTION":
        return Array.from({ length: this.#statements(operation) }, read);
      case "WRITETRANSACTION": {
        const count = this.#statements(operation);
        return Array.from({ length: count }, (_, at) => ((count - at) % 2 === 1 ? this.#update(operation) : read()));
      }
      default:
        return [read()];
    }
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

  #read(operation: OperationSpec, table: OwnTable): OperationStep {
    const number = this.#number(operation, table);
    return { kind: "read", table: table.name, key: table.key(number), by: bound(operation, table, number) };
  }

  #scan(operation: OperationSpec): OperationStep {
    const { key, range, rows } = operation;
    const table = this.#table(operation);
    const limit = rows ?? 1 + this.#random.below(scanLengthMax);
    const number = this.#number(operation, table);
    const by = bound(operation, table, number);
    const start = range === undefined ? table.key(number) : [table.cell(number, table.columnNumber(range))];
    const from = key !== undefined && range === undefined ? [] : start;
    return { kind: "scan", table: table.name, from, limit, by, range };
  }

  #update(operation: OperationSpec) {
    const table = operation.table === undefined
      ? this.#updated[(this.#anyUpdated as AliasTable).next(this.#random)]
      : this.#named(operation.table);
    const key = table.key(this.#number(operation, table));
    const at = table.updatable[this.#random.below(table.updatable.length)];
    const version = this.#version;
    this.#version += this.#clientCount;
    const value = table.value(table.hashOf(key), at, version);
    const column = table.columns[at].name;
    return { kind: "update", table: table.name, key, timestamp: BigInt(version), value, column } as const;
  }

  #insert(operation: OperationSpec): OperationStep {
    const table = this.#table(operation);
    const progress = this.#progress.get(table) as Progress;
    const next = () => table.row(this.#insertedNumber(table, progress.inserted++));
    const { rows = 1 } = operation;
    if (rows === 1) return { kind: "insert", table: table.name, row: next() };
    return { kind: "insertRows", table: table.name, rows: Array.from({ length: rows }, next) };
  }

  #delete(operation: OperationSpec): OperationStep {
    const table = this.#table(operation);
    const progress = this.#progress.get(table) as Progress;
    let number: number;
    if (progress.deleted < progress.inserted) number = this.#insertedNumber(table, progress.deleted++);
    else {
      number = table.rows - 1 - this.#clientNumber - progress.deletedLoaded * this.#clientCount;
      // Nothing is left: what was deleted, or never was, is deleted again.
      if (number < 0) number = rowsMax + this.#clientNumber;
      else progress.deletedLoaded++;
    }
    return { kind: "delete", table: table.name, key: table.key(number), timestamp: 0n };
  }

  #insertedNumber({ rows }: OwnTable, count: number): number {
    return rows + count * this.#clientCount + this.#clientNumber;
  }

  /** A loaded row, or one that this client has inserted. */
  #number(operation: OperationSpec, table: OwnTable): number {
    const { inserted } = this.#progress.get(table) as Progress;
    let byTable = this.#keys.get(operation);
    if (byTable === undefined) this.#keys.set(operation, byTable = new Map<OwnTable, KeyDistribution>());
    let keys = byTable.get(table);
    if (keys === undefined) byTable.set(table, keys = this.#keysOf(operation, table));
    const shared = operation.key === undefined ? 1 : table.rowsSharing(operation.key);
    if (shared > 1) return shared * keys.next(this.#random, Math.ceil(table.rows / shared));
    const drawn = keys.next(this.#random, table.rows + inserted * this.#clientCount);
    if (drawn < table.rows) return drawn;
    return this.#insertedNumber(table, Math.floor((drawn - table.rows) / this.#clientCount));
  }
}

/** The steps of a transaction as operations, each as often as it comes. */
function expandedSteps(transaction: OperationSpec): OperationSpec[] {
  return (transaction.steps ?? []).flatMap((step) =>
    Array<OperationSpec>(step.times ?? 1).fill(stepOperation(transaction, step)));
}

function bound({ key }: OperationSpec, table: OwnTable, number: number): BoundColumns | undefined {
  if (key === undefined) return undefined;
  return { columns: key, values: key.map((name) => table.cell(number, table.columnNumber(name))) };
}
