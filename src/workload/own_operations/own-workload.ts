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
 *   4. A transaction does its steps in order, and what they share they share (`own-stream.ts`); without any a read
 *      transaction is of reads, a write transaction of reads and updates by turns, the last one an update. As many rows
 *      have a shared value in common as there are, on average, for each value of the other table.
 * Invariant: the same seed gives the same operations; clients never insert or delete the same key.
 */
import type { OperationSpec, TableSpec, WorkloadSpec } from "../../contract/contract.ts";
import { type DrivenTarget, targetsOf, undrivenOwn } from "../../contract/own-operations.ts";
import { linksOf, sameRowAs } from "../../contract/shared-columns.ts";
import { LatheError } from "../../kit/errors.ts";
import { AliasTable } from "../alias-table.ts";
import { type KeyDistribution, LatestKeys, UniformKeys, zeta, ZipfianKeys } from "../key-distribution.ts";
import type { CellValue, LoadBatch, OperationStream, Verifier, Workload } from "../workload.ts";
import { OwnStream, rowsMax } from "./own-stream.ts";
import { OwnTable } from "./own-table.ts";
import { OwnVerifier } from "./own-verifier.ts";

export const ownLoadRows = 64;
const loadBytesMax = 256 << 10;
const rowBytesDefault = 100;
const prefixRowsDefault = 8;
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
    const rowsOf = (table: TableSpec) => Math.max(1, Math.round((scale * table.rows) / most));
    const shared = new Map(tables.map((table) => [table.name, { ...sharedRows(targets, table), rows: rowsOf(table) }]));
    for (const operation of this.#operations) shareLinked(operation, tables, shared);
    this.tables = tables.map((table) => {
      const rowBytes = bytesOf(operations, table.name, "INSERT", "READ", "SCAN") ?? rowBytesDefault;
      const updateBytes = bytesOf(operations, table.name, "UPDATE", "READ-MODIFY-WRITE") ?? rowBytes;
      this.#rowBytes = Math.max(this.#rowBytes, rowBytes);
      const { prefixRows = prefixRowsDefault, ...found } = shared.get(table.name) as SharedRows;
      const takesShared = this.#operations.some(({ steps = [] }) =>
        steps.some((step) => step.table === table.name && step.operation === "INSERT" && step.shares !== undefined));
      return new OwnTable(table, { rowBytes, updateBytes, prefixRows, takesShared, ...found });
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
    const draws = (operation: OperationSpec, table: OwnTable, rows: number) => this.#keysOf(operation, table, rows);
    return new OwnStream(this.tables, this.#operations, draws, { seed, number: clientNumber, count: clientCount });
  }

  verifier(fresh = true): Verifier {
    return new OwnVerifier(new Map(this.tables.map((table) => [table.name, table])), fresh);
  }

  /** What takes long to sum up is summed up once for all clients. */
  #keysOf({ distribution, skew = 0, key }: OperationSpec, table: OwnTable, most: number): KeyDistribution {
    const rows = Math.ceil(most / (key === undefined ? 1 : table.rowsSharing(key)));
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

interface SharedRows {
  readonly rows: number;
  readonly keyed: Map<string, number>;
  /** Undefined where nothing tells. */
  prefixRows?: number | undefined;
}

/** How many rows share the values by which scans find them, so that these are as long as they are said to be. */
function sharedRows(targets: readonly DrivenTarget[], { name, primaryKey }: TableSpec): Omit<SharedRows, "rows"> {
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
  return { keyed, prefixRows };
}

/** Where steps share a value, as many rows have it as make the values of both tables equally many. */
function shareLinked(
  { steps = [] }: OperationSpec, tables: readonly TableSpec[], shared: ReadonlyMap<string, SharedRows>,
): void {
  const tableOf = (name: string | undefined) => tables.find((table) => table.name === name);
  for (const step of steps) {
    const table = tableOf(step.table);
    if (table === undefined || sameRowAs(step, steps, tables) !== undefined) continue;
    for (const { source, from, to } of linksOf(step)) {
      const other = tableOf(steps[source].table);
      const [mine, its] = [shared.get(table.name), shared.get(other?.name ?? "")];
      if (other === undefined || mine === undefined || its === undefined) continue;
      const isKey = other.primaryKey.includes(from);
      if (!isKey && !its.keyed.has(from)) its.keyed.set(from, 1);
      const prefix = other.primaryKey.length > 1 ? (its.prefixRows ?? prefixRowsDefault) : 1;
      const values = its.rows / (isKey ? prefix : (its.keyed.get(from) ?? 1));
      const rows = Math.max(1, Math.round(mine.rows / values));
      if (!table.primaryKey.includes(to)) mine.keyed.set(to, mine.keyed.get(to) ?? rows);
      else mine.prefixRows ??= rows;
    }
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
