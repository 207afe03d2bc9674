/**
 * OwnWorkload: the operations that a contract lists, over its own tables.
 *
 *   1. Rows: the largest table has `scale` of them, the others in proportion to what the contract expects.
 *   2. An operation is drawn by weight, its table by the shares of the rows, its key by the operation's distribution:
 *      uniform, zipfian (Gray's approximation below a constant of 1, an alias table over at most a million ranks from
 *      there on) or latest, over the loaded rows and those that the client has inserted itself.
 *   3. DELETE takes the oldest row that the client has inserted, else the next loaded row from the end (the one that
 *      is used least) of those that no other client deletes; deletes of what is gone change nothing.
 *   4. A read transaction is of reads, a write transaction of reads and updates by turns, the last one an update.
 * Invariant: the same seed gives the same operations; clients never insert or delete the same key.
 */
import type { OperationSpec, TableSpec, WorkloadSpec } from "../../contract/contract.ts";
import { undrivenOwn } from "../../contract/own-operations.ts";
import { LatheError } from "../../kit/errors.ts";
import { AliasTable } from "../alias-table.ts";
import { type KeyDistribution, LatestKeys, UniformKeys, zeta, ZipfianKeys } from "../key-distribution.ts";
import { RandomStream } from "../random-stream.ts";
import type {
  CellValue, LoadBatch, Operation, OperationStep, OperationStream, Verifier, Workload,
} from "../workload.ts";
import { OwnTable } from "./own-table.ts";
import { OwnVerifier } from "./own-verifier.ts";

export const ownLoadRows = 64;
const loadBytesMax = 256 << 10;
const scanLengthMax = 100;
const statementsDefault = 2;
const rowBytesDefault = 100;
const rowsMax = 2 ** 30;
const ranksMax = 1_000_000;

export class OwnWorkload implements Workload {
  readonly name = "own_operations";
  readonly tables: readonly OwnTable[];
  readonly #operations: readonly OperationSpec[];
  readonly #rowBytes: number;
  readonly #draws = new Map<string, () => KeyDistribution>();

  /** Errors: INVALID_ARGUMENT for what cannot be driven, and for more than 2^30 rows. */
  constructor({ scale, operations = [], ...spec }: WorkloadSpec, tables: readonly TableSpec[]) {
    const undriven = undrivenOwn({ ...spec, operations }, tables, true);
    if (undriven.length > 0) throw new LatheError("INVALID_ARGUMENT", `no driver drives ${undriven.join(" and ")} yet`);
    if (!Number.isInteger(scale) || scale < 1 || scale > rowsMax) {
      throw new LatheError("INVALID_ARGUMENT", `the largest table needs 1 to ${rowsMax} rows, not ${scale}`);
    }
    const bytesOf = (...names: string[]) =>
      names.map((name) => operations.find((one) => one.name === name)?.valueBytes).find((bytes) => bytes !== undefined);
    this.#operations = operations.filter(({ weight }) => weight > 0);
    this.#rowBytes = bytesOf("INSERT", "READ", "SCAN") ?? rowBytesDefault;
    const most = Math.max(1, ...tables.map(({ rows }) => rows));
    this.tables = tables.map((table) => {
      const rows = Math.max(1, Math.round((scale * table.rows) / most));
      return new OwnTable(table, rows, this.#rowBytes, bytesOf("UPDATE", "READ-MODIFY-WRITE") ?? this.#rowBytes);
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
  #keysOf({ distribution, skew = 0 }: OperationSpec, { name, rows }: OwnTable): KeyDistribution {
    const draw = `${name} ${distribution} ${skew}`;
    let create = this.#draws.get(draw);
    if (create === undefined) this.#draws.set(draw, create = keysFor(distribution, skew, rows));
    return create();
  }
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
  readonly #keys = new Map<OperationSpec, ReadonlyMap<OwnTable, KeyDistribution>>();
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
    for (const one of operations) this.#keys.set(one, new Map(tables.map((table) => [table, keysOf(one, table)])));
    this.#progress = new Map(tables.map((table) => [table, { inserted: 0, deleted: 0, deletedLoaded: 0 }]));
    this.#clientNumber = clientNumber;
    this.#clientCount = clientCount;
    this.#version = 1 + clientNumber;
  }

  next(): Operation {
    const operation = this.#operations[this.#anyOperation.next(this.#random)];
    const { name } = operation;
    const transaction = name.endsWith("TRANSACTION");
    return { name, transaction, steps: this.#stepsOf(operation) };
  }

  #stepsOf(operation: OperationSpec): OperationStep[] {
    const read = () => this.#read(operation, this.#table());
    switch (operation.name) {
      case "UPDATE":
        return [this.#update(operation)];
      case "INSERT":
        return [this.#insert()];
      case "DELETE":
        return [this.#delete()];
      case "SCAN": {
        const table = this.#table();
        const limit = 1 + this.#random.below(scanLengthMax);
        return [{ kind: "scan", table: table.name, from: table.key(this.#number(operation, table)), limit }];
      }
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

  #table(): OwnTable {
    return this.#tables[this.#anyTable.next(this.#random)];
  }

  #read(operation: OperationSpec, table: OwnTable): OperationStep {
    return { kind: "read", table: table.name, key: table.key(this.#number(operation, table)) };
  }

  #update(operation: OperationSpec) {
    const table = this.#updated[(this.#anyUpdated as AliasTable).next(this.#random)];
    const key = table.key(this.#number(operation, table));
    const at = table.updatable[this.#random.below(table.updatable.length)];
    const version = this.#version;
    this.#version += this.#clientCount;
    const value = table.value(table.hashOf(key), at, version);
    const column = table.columns[at].name;
    return { kind: "update", table: table.name, key, timestamp: BigInt(version), value, column } as const;
  }

  #insert(): OperationStep {
    const table = this.#table();
    const progress = this.#progress.get(table) as Progress;
    const number = this.#insertedNumber(table, progress.inserted++);
    return { kind: "insert", table: table.name, row: table.row(number) };
  }

  #delete(): OperationStep {
    const table = this.#table();
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
    const keys = this.#keys.get(operation)?.get(table) as KeyDistribution;
    const drawn = keys.next(this.#random, table.rows + inserted * this.#clientCount);
    if (drawn < table.rows) return drawn;
    return this.#insertedNumber(table, Math.floor((drawn - table.rows) / this.#clientCount));
  }
}
