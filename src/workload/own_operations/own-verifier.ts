/**
 * OwnVerifier: judges reads of tables of a contract, where updates overwrite one another without a condition.
 *
 * Rules, with a logical clock that ticks at every event of the driver:
 *   1. Every column outside the key holds a value of its key and column (`own-table.ts`).
 *   2. No version is stale (`version-history.ts`).
 *   3. A key that was loaded, or whose insert was acknowledged before the read began, is there, unless its delete was
 *      sent; one whose delete was acknowledged before the read began is not.
 * Invariant: deleted keys are not inserted again.
 */
import type { RowView } from "../row-view.ts";
import { VersionHistory } from "../version-history.ts";
import type { Floor, Operation, OperationStep, ReadStep, ScanStep, Verifier } from "../workload.ts";
import type { OwnTable } from "./own-table.ts";

export class OwnVerifier implements Verifier {
  readonly #tables: ReadonlyMap<string, OwnTable>;
  readonly #fresh: boolean;
  #clock = 0;
  readonly #written = new VersionHistory();
  readonly #insertedAt = new Map<string, number>();
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
      else if (step.kind === "insert") this.#insertedAt.set(this.#insertName(step.table, step.row), Infinity);
      else if (step.kind === "delete") this.#deletedAt.set(rowName(step.table, step.key), Infinity);
    }
  }

  acknowledged({ steps }: Operation): void {
    this.#clock++;
    for (const step of steps) {
      if (step.kind === "update") this.#written.acknowledge(columnName(step), Number(step.timestamp), this.#clock);
      else if (step.kind === "insert") this.#insertedAt.set(this.#insertName(step.table, step.row), this.#clock);
      else if (step.kind === "delete") this.#deletedAt.set(rowName(step.table, step.key), this.#clock);
    }
  }

  failed(): void {
    this.#clock++;
  }

  floor(): Floor {
    return this.#clock;
  }

  checkRow(step: ReadStep | ScanStep, row: RowView, floor: Floor): string | undefined {
    const table = this.#tables.get(step.table) as OwnTable;
    if (row.columns !== table.columns.length) return `a row of ${table.name} has ${row.columns} columns`;
    const key = table.keyOf(row);
    const name = rowName(table.name, key);
    if (step.kind === "read" && name !== rowName(table.name, step.key)) return `${name} came for ${step.key.join("/")}`;
    const deletedAt = this.#deletedAt.get(name);
    if (deletedAt !== undefined && deletedAt <= (floor as number)) return `${name} is there although it was deleted`;
    const hash = table.hashOf(key);
    for (let at = 0; at < table.columns.length; at++) {
      if (table.keyAt.includes(at)) continue;
      const { name: column } = table.columns[at];
      const version = table.versionOf(hash, at, row);
      if (version < 0) return `${name} has a value in ${column} that was never written`;
      if (!this.#written.mayRead(`${name}/${column}`, version, floor as number, this.#fresh)) {
        return `${name} has version ${version} in ${column}, which is stale or was never sent`;
      }
    }
    return undefined;
  }

  checkMissing(step: ReadStep, floor: Floor): string | undefined {
    const name = rowName(step.table, step.key);
    const insertedAt = this.#insertedAt.get(name);
    if (insertedAt !== undefined && insertedAt > (floor as number)) return undefined;
    return this.#deletedAt.has(name) || !this.#fresh ? undefined : `${name} is missing although it was inserted`;
  }

  #insertName(table: string, row: Extract<OperationStep, { kind: "insert" }>["row"]): string {
    return rowName(table, (this.#tables.get(table) as OwnTable).keyAt.map((at) => row[at]));
  }
}

function rowName(table: string, key: readonly unknown[]): string {
  return `${table} row ${key.join("/")}`;
}

function columnName(step: Extract<OperationStep, { kind: "update" | "delete" }>): string {
  return `${rowName(step.table, step.key)}/${step.column}`;
}
