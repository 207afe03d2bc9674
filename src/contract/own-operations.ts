/**
 * Whether the operations that a contract lists are driven over its own tables, and what of them cannot be yet.
 *
 * A contract names the benchmark that its mix is nearest to. Where it lists other operations or other tables than that
 * benchmark has, those are what is driven (`workload/own_operations/`), not the benchmark.
 */
import { findProfile } from "./benchmarks.ts";
import { isWide, keyLetters } from "./key-column.ts";
import { linksOf, sharedColumns, undrivenShares } from "./shared-columns.ts";
import type {
  Column, OperationSpec, OperationTarget, TableSpec, TransactionStepSpec, WorkloadSpec,
} from "./contract.ts";

export const ownOperationNames = [
  "READ", "UPDATE", "INSERT", "DELETE", "SCAN", "READ-MODIFY-WRITE", "READTRANSACTION", "WRITETRANSACTION",
] as const;

/** Letters that carry a version in a value of text. */
export const versionLetters = 8;
/** As many columns as a driver looks at. */
const columnsMax = 64;

type Subject = Pick<WorkloadSpec, "benchmark" | "profile" | "operations">;

/** Whether the operations or the tables are others than the benchmark's. */
export function isOwn(workload: Subject, tables: readonly TableSpec[]): boolean {
  const targeted = (workload.operations ?? []).some(({ table, steps }) => table !== undefined || steps !== undefined);
  return targeted || differingOperations(workload).length > 0 || differsFromBenchmark(workload, tables);
}

/** Operations whose share is not the profile's. */
export function differingOperations({ benchmark, profile: name, operations }: Subject): string[] {
  const profile = findProfile(benchmark, name);
  if (profile === undefined) return [];
  const listed = operations ?? profile.operations;
  const share = (some: readonly OperationSpec[], one: string) => {
    const total = some.reduce((sum, operation) => sum + operation.weight, 0);
    return some.reduce((sum, { name: own, weight }) => sum + (own === one ? weight : 0), 0) / total;
  };
  const names = new Set([...listed, ...profile.operations].map((operation) => operation.name));
  return [...names].filter((one) => Math.abs(share(listed, one) - share(profile.operations, one)) > 1e-6);
}

function differsFromBenchmark({ benchmark, profile }: Subject, tables: readonly TableSpec[]): boolean {
  const shape = (some: readonly TableSpec[]) => JSON.stringify(
    some.map((table) => [table.name, table.primaryKey, table.columns.map(({ name, type }) => [name, type])]),
  );
  const known = findProfile(benchmark, profile);
  return known !== undefined && shape(known.tables(1)) !== shape(tables);
}

/** Why operations of the contract's own cannot be driven, as noun phrases; none where they can. */
export function undrivenOwn(workload: Subject, tables: readonly TableSpec[], packets: boolean): string[] {
  const { benchmark, operations = [] } = workload;
  if (benchmark !== "ycsb") return [`another mix or other tables beside ${benchmark}`];
  const used = operations.filter(({ weight }) => weight > 0);
  const names: readonly string[] = ownOperationNames;
  const found = used.filter(({ name }) => !names.includes(name)).map(({ name }) => `the operation ${name}`);
  if (used.some(({ distribution }) => distribution === "sharded")) found.push("a sharded distribution");
  if (!packets && used.some(({ name }) => name.endsWith("TRANSACTION"))) found.push("transactions without packets");
  if (tables.length === 0) found.push("operations without a table");
  for (const table of tables) found.push(...undrivenTable(table));
  const targets = used.flatMap(targetsOf);
  found.push(...targets.flatMap((target) => undrivenTarget(target, tables)));
  found.push(...used.flatMap((operation) => undrivenTransaction(operation, targets, tables)));
  const toUpdate = (table: TableSpec) => updatableColumns(table, usedKeys(targets, table.name)).length > 0;
  const updates = targets.filter(({ name }) => name === "UPDATE" || name === "READ-MODIFY-WRITE");
  const unnamed = updates.some(({ table }) => table === undefined);
  const dull = tables.filter((table) => updates.some((one) => one.table === table.name) && !toUpdate(table));
  const what = `without a column to update (a number, or text of ${versionLetters} letters or more)`;
  if (unnamed && tables.length > 0 && !tables.some(toUpdate)) found.push(`updates of tables ${what}`);
  found.push(...dull.map(({ name }) => `updates of table ${name}, which is ${what},`));
  return [...new Set(found)];
}

function undrivenTransaction(
  { name, steps = [] }: OperationSpec, targets: readonly DrivenTarget[], tables: readonly TableSpec[],
): string[] {
  const found = undrivenShares(steps, tables);
  for (const step of steps.filter(({ operation }) => operation === "INSERT")) {
    const stored = linksOf(step).map(({ to }) => to);
    const read = targets.find((one) =>
      one.name === "READ" && one.table === step.table && one.key?.some((column) => stored.includes(column)));
    if (read === undefined) continue;
    found.push(`READ of ${step.table} by ${read.key?.join(", ")}, which inserts of ${name} give to several rows,`);
  }
  return found;
}

/** What a statement of an operation, or of a step of it, is and touches. */
export interface DrivenTarget extends OperationTarget {
  readonly name: string;
  /** Columns whose values it has in common with other steps. */
  readonly shared?: readonly string[];
}

export function targetsOf(operation: OperationSpec): DrivenTarget[] {
  const { steps } = operation;
  if (steps !== undefined) {
    const shared = sharedColumns(steps);
    return steps.map((step) => {
      const columns = shared.flatMap(({ table, column }) => (table === step.table ? column : []));
      return { ...step, name: step.operation, ...(columns.length > 0 ? { shared: columns } : {}) };
    });
  }
  if (operation.name === "WRITETRANSACTION") return [{ name: "READ" }, { name: "UPDATE" }];
  return operation.name === "READTRANSACTION" ? [{ name: "READ" }] : [operation];
}

/** A step as an operation of its own. */
export function stepOperation(transaction: OperationSpec, step: TransactionStepSpec): OperationSpec {
  const { operation: name, skew, shares: _, ...target } = step;
  const { distribution, weight, valueBytes } = transaction;
  if (skew === undefined) return { name, weight, distribution, skew: transaction.skew, valueBytes, ...target };
  return { name, weight, distribution: skew === 0 ? "uniform" : "zipfian", skew, valueBytes, ...target };
}

/** Columns outside the primary key by which operations find rows of a table: their values follow from the row. */
export function usedKeys(targets: readonly DrivenTarget[], table: string): Set<string> {
  const mine = targets.filter((target) => target.table === table);
  return new Set(mine.flatMap(({ key = [], range, shared = [] }) =>
    [...key, ...(range === undefined ? [] : [range]), ...shared]));
}

/** Columns that updates may set so that every read tells which of them it has seen. */
export function updatableColumns(table: TableSpec, keys: ReadonlySet<string>): Column[] {
  return table.columns.filter((column) => isVersioned(column, table) && !keys.has(column.name));
}

/** Why a driver could not find rows by these columns; nothing where it can. */
export function undrivenTarget(target: DrivenTarget, tables: readonly TableSpec[]): string[] {
  const { name, table: wanted, key = [], range } = target;
  const table = tables.find((one) => one.name === wanted);
  const columns = range === undefined ? key : [...key, range];
  if (table === undefined || columns.length === 0) return [];
  const what = `${name} of ${table.name} by ${columns.join(", ")}`;
  const listed = [table.primaryKey, ...(table.indexes ?? []).map((index) => index.columns)];
  const found = listed.find((one) =>
    key.every((column) => one.indexOf(column) >= 0 && one.indexOf(column) < key.length) &&
    (range === undefined || one[key.length] === range) && (name !== "READ" || one.length === key.length));
  if (found === undefined) return [`${what}, which no key or index begins with,`];
  const others = table.columns.filter((one) => columns.includes(one.name) && !table.primaryKey.includes(one.name));
  const narrow = others.find((one) => one.type !== "double" && !isWide(one));
  return narrow === undefined ? [] : [`${what}, of which ${narrow.name} is shorter than ${keyLetters} letters,`];
}

function undrivenTable({ name, columns, primaryKey }: TableSpec): string[] {
  const found: string[] = [];
  const keys = columns.filter((column) => primaryKey.includes(column.name));
  if (columns.length > columnsMax) found.push(`table ${name} with more than ${columnsMax} columns`);
  if (keys.some(({ type }) => type === "double")) found.push(`table ${name}, whose key has a double,`);
  if (!keys.some(isWide)) found.push(`table ${name}, whose key is shorter than ${keyLetters} letters,`);
  const bounded = columns.find(({ valueMin, valueMax }) => valueMin !== undefined || valueMax !== undefined);
  if (bounded !== undefined) found.push(`column ${name}.${bounded.name} with value_min or value_max`);
  return found;
}

/** Whether a column can be updated so that every read tells which update it has seen. */
export function isVersioned({ name, type, lengthMax = 0 }: Column, { primaryKey }: TableSpec): boolean {
  if (primaryKey.includes(name)) return false;
  return (type !== "varchar" && type !== "varbinary") || lengthMax >= versionLetters;
}
