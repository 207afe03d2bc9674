/**
 * OwnVerifier: judges reads of tables of a contract, where updates overwrite one another without a condition.
 *
 * Rules, with a logical clock that ticks at every event of the driver:
 *   1. Every column outside the key holds a value of its key and column (`own-table.ts`); a row that was looked for by
 *      other columns has in them what was asked for.
 *   2. No version is stale (`version-history.ts`).
 *   3. A key that was loaded, or whose insert was acknowledged before the read began, is there, unless its delete was
 *      sent; one whose delete was acknowledged before the read began is not.
 *   4. Within a transaction: a column that it has updated holds that version, a row that it has deleted is not there,
 *      one that it has inserted is.
 *   5. A row that was inserted with values of other steps' rows has these in the columns by which rows are found; they
 *      are kept from the insert on, since the row's number does not tell them.
 * Invariant: deleted keys are not inserted again.
 */
import type { RowView } from "../row-view.ts";
import { VersionHistory } from "../version-history.ts";
import type { CellValue, Floor, Operation, OperationStep, ReadStep, ScanStep, Verifier } from "../workload.ts";
import type { OwnTable } from "./own-table.ts";

/** When a read began, and what its transaction has written before: versions by column, else one of the marks below. */
interface OwnFloor {
  readonly clock: number;
  readonly own: ReadonlyMap<string, number>;
}

const deleted = -1;
const inserted = -2;
const nothing: ReadonlyMap<string, number> = new Map();

export class OwnVerifier implements Verifier {
  readonly #tables: ReadonlyMap<string, OwnTable>;
  readonly #fresh: boolean;
  #clock = 0;
  readonly #written = new VersionHistory();
  readonly #insertedAt = new Map<string, number>();
  /** Rows of tables that get values of other tables' rows, by their names. */
  readonly #stored = new Map<string, readonly CellValue[]>();
  /** When a delete was acknowledged; Infinity while it is not. */
  readonly #deletedAt = new Map<string, number>();

  constructor(tables: ReadonlyMap<string, OwnTable>, fresh: boolean) {
    this.#tables = tables;
    this.#fresh = fresh;
  }

  issued({ steps }: Operation): void {
    this.#clock++;
    for (const step of steps) {
      if (step.kind === "update") this.#written.issue(columnName(step), Number(step.timestamp), this.#clock);
      else if (step.kind === "insert" || step.kind === "insertRows") this.#inserted(step, Infinity);
      else if (step.kind === "delete") this.#deletedAt.set(rowName(step.table, step.key), Infinity);
    }
  }

  acknowledged({ steps }: Operation): void {
    this.#clock++;
    for (const step of steps) {
      if (step.kind === "update") this.#written.acknowledge(columnName(step), Number(step.timestamp), this.#clock);
      else if (step.kind === "insert" || step.kind === "insertRows") this.#inserted(step, this.#clock);
      else if (step.kind === "delete") this.#deletedAt.set(rowName(step.table, step.key), this.#clock);
    }
  }

  failed(): void {
    this.#clock++;
  }

  floor(step: ReadStep | ScanStep, transaction?: Operation): Floor {
    const clock = this.#clock;
    if (!transaction?.transaction) return { clock, own: nothing };
    const steps = transaction.steps.slice(0, transaction.steps.indexOf(step));
    const writes = steps.filter(({ kind }) => kind === "update" || kind === "delete" || kind.startsWith("insert"));
    return { clock, own: writes.length === 0 ? nothing : this.#ownWrites(writes) };
  }

  checkRow(step: ReadStep | ScanStep, row: RowView, floor: Floor): string | undefined {
    const { clock, own } = floor as OwnFloor;
    const table = this.#tables.get(step.table) as OwnTable;
    if (row.columns !== table.columns.length) return `a row of ${table.name} has ${row.columns} columns`;
    const key = table.keyOf(row);
    const name = rowName(table.name, key);
    if (step.kind === "read" && name !== rowName(table.name, step.key)) return `${name} came for ${step.key.join("/")}`;
    const deletedAt = this.#deletedAt.get(name);
    if (deletedAt !== undefined && deletedAt <= clock) return `${name} is there although it was deleted`;
    if (own.get(name) === deleted) return `${name} is there although its transaction has deleted it`;
    const unwanted = outOfBounds(step, table, row);
    if (unwanted !== undefined) return `${name} came although its ${unwanted} is not what was asked for`;
    const hash = table.hashOf(key);
    const number = table.numberOf(key);
    for (let at = 0; at < table.columns.length; at++) {
      if (table.keyAt.includes(at)) continue;
      const { name: column } = table.columns[at];
      if (table.isKeyed(at)) {
        const stored = this.#stored.get(name);
        if (stored !== undefined && cellText(row, at) === String(stored[at])) continue;
        if (stored === undefined && number >= 0 && cellText(row, at) === String(table.cell(number, at))) continue;
        // A row that an earlier run has inserted.
        if (stored === undefined && !this.#fresh && table.takesShared) continue;
        return `${name} has a value in ${column} that was never written`;
      }
      const version = table.versionOf(hash, at, row);
      if (version < 0) return `${name} has a value in ${column} that was never written`;
      const mine = own.get(`${name}/${column}`);
      if (mine === version) continue;
      if (mine !== undefined) return `${name} has version ${version} in ${column}, where its transaction wrote ${mine}`;
      if (!this.#written.mayRead(`${name}/${column}`, version, clock, this.#fresh)) {
        return `${name} has version ${version} in ${column}, which is stale or was never sent`;
      }
    }
    return undefined;
  }

  checkMissing(step: ReadStep, floor: Floor): string | undefined {
    const { clock, own } = floor as OwnFloor;
    const name = rowName(step.table, step.key);
    if (own.get(name) === deleted) return undefined;
    if (own.get(name) === inserted) return `${name} is missing although its transaction has inserted it`;
    const insertedAt = this.#insertedAt.get(name);
    if (insertedAt !== undefined && insertedAt > clock) return undefined;
    return this.#deletedAt.has(name) || !this.#fresh ? undefined : `${name} is missing although it was inserted`;
  }

  #ownWrites(steps: readonly OperationStep[]): Map<string, number> {
    const own = new Map<string, number>();
    for (const step of steps) {
      if (step.kind === "update") own.set(columnName(step), Number(step.timestamp));
      else if (step.kind === "delete") own.set(rowName(step.table, step.key), deleted);
      else if (step.kind === "insert" || step.kind === "insertRows") {
        for (const name of this.#namesOf(step)) own.set(name, inserted);
      }
    }
    return own;
  }

  #namesOf(step: Extract<OperationStep, { kind: "insert" | "insertRows" }>): string[] {
    const { keyAt } = this.#tables.get(step.table) as OwnTable;
    const rows = step.kind === "insert" ? [step.row] : step.rows;
    return rows.map((row) => rowName(step.table, keyAt.map((at) => row[at])));
  }

  #inserted(step: Extract<OperationStep, { kind: "insert" | "insertRows" }>, clock: number): void {
    const rows = step.kind === "insert" ? [step.row] : step.rows;
    const { takesShared } = this.#tables.get(step.table) as OwnTable;
    for (const [at, name] of this.#namesOf(step).entries()) {
      this.#insertedAt.set(name, clock);
      if (takesShared) this.#stored.set(name, rows[at]);
    }
  }
}

/** The first column in which a row is not what a step has asked for. */
function outOfBounds({ by, ...step }: ReadStep | ScanStep, table: OwnTable, row: RowView): string | undefined {
  const wrong = by?.columns.find((column, at) => cellText(row, table.columnNumber(column)) !== String(by.values[at]));
  if (wrong !== undefined || step.kind !== "scan" || step.from.length === 0) return wrong;
  // What is compared first: behind a greater value there any other value will do.
  const first = step.range ?? table.primaryKey[0];
  const at = table.columnNumber(first);
  const [from] = step.from;
  const text = cellText(row, at);
  const before = typeof from === "string" ? text < from : Number(text) < Number(from);
  return before ? first : undefined;
}

function cellText(row: RowView, at: number): string {
  if (row.isInteger[at] === 1) return String(row.bigint(at));
  return row.isNull(at) ? "" : row.text(at);
}

function rowName(table: string, key: readonly unknown[]): string {
  return `${table} row ${key.join("/")}`;
}

function columnName(step: Extract<OperationStep, { kind: "update" | "delete" }>): string {
  return `${rowName(step.table, step.key)}/${step.column}`;
}
