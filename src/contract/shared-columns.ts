/**
 * What the steps of a transaction share: the row that was read is the one that is updated, lines are of the order that
 * was inserted.
 *
 * A driver can make it so in three ways; what is none of them is refused by name.
 *   1. The same row: the whole primary key is that of an earlier step on the same table.
 *   2. The same value: one column by which rows are found is that of an earlier step. Such a column holds the number of
 *      a group of rows, the same way in every table (`workload/own_operations/own-table.ts`).
 *   3. A stored value: an INSERT stores what an earlier step has found or stored, in a column outside its key or in the
 *      first one of a key that has others.
 */
import type { Column, TableSpec, TransactionStepSpec } from "./contract.ts";
import { isWide, keyLettersMax } from "./key-column.ts";

interface KeyedTable {
  readonly columns: readonly { readonly name: string }[];
  readonly primaryKey: readonly string[];
}

export interface Link {
  /** The step whose value it is, from 0. */
  readonly source: number;
  readonly from: string;
  readonly to: string;
}

export function linksOf({ shares = [] }: TransactionStepSpec): Link[] {
  return shares.map(({ column, step, of }) => ({ source: step - 1, from: of ?? column, to: column }));
}

/** Columns by which a step finds its rows; of an INSERT those that it stores. */
export function touchedColumns(
  { operation, key }: { readonly operation: string; readonly key?: readonly string[] | undefined },
  { columns, primaryKey }: KeyedTable,
): readonly string[] {
  if (operation === "INSERT") return columns.map(({ name }) => name);
  return key ?? (operation === "SCAN" ? [] : primaryKey);
}

/** By table, the columns outside of keys that steps share, from either side. */
export function sharedColumns(steps: readonly TransactionStepSpec[]): { table: string; column: string }[] {
  return steps.flatMap((step) => linksOf(step).flatMap(({ source, from, to }) => [
    { table: step.table ?? "", column: to }, { table: steps[source]?.table ?? "", column: from },
  ]));
}

/** The step whose very row this one touches, from 0. */
export function sameRowAs(
  step: TransactionStepSpec, steps: readonly TransactionStepSpec[], tables: readonly TableSpec[],
): number | undefined {
  const table = tables.find(({ name }) => name === step.table);
  const byKey = step.operation !== "INSERT" && step.operation !== "SCAN" && step.key === undefined;
  if (table === undefined || !byKey) return undefined;
  const links = linksOf(step);
  const [first] = links;
  const source = first === undefined ? undefined : steps[first.source];
  if (source === undefined || source === step || source.table !== step.table) return undefined;
  const found = touchedColumns(source, table);
  const whole = table.primaryKey.every((column) => found.includes(column) &&
    links.some((link) => link.to === column && link.from === column && link.source === first.source));
  return whole && links.length === table.primaryKey.length ? first.source : undefined;
}

/** Why a driver could not make the steps of a transaction share what they are to share; nothing where it can. */
export function undrivenShares(steps: readonly TransactionStepSpec[], tables: readonly TableSpec[]): string[] {
  return steps.flatMap((step, at) => {
    const links = linksOf(step);
    if (links.length === 0 || sameRowAs(step, steps, tables) !== undefined) return [];
    const what = `step ${at + 1} (${step.operation} ${step.table ?? "of any table"})`;
    if (step.operation !== "INSERT" && links.length > 1) return [`${what}, which shares more than one column,`];
    return links.flatMap((link) => {
      const why = undrivenLink(link, step, steps, tables);
      const whose = `whose ${link.to} is the ${link.from} of step ${link.source + 1}`;
      return why === undefined ? [] : [`${what}, ${whose}, ${why},`];
    });
  });
}

function undrivenLink(
  { source: number, from, to }: Link, step: TransactionStepSpec, steps: readonly TransactionStepSpec[],
  tables: readonly TableSpec[],
): string | undefined {
  const source = steps[number];
  const table = tables.find(({ name }) => name === step.table);
  const other = tables.find(({ name }) => name === source?.table);
  if (table === undefined || other === undefined) return "where no table is named";
  const column = table.columns.find(({ name }) => name === to);
  const origin = other.columns.find(({ name }) => name === from);
  if (column === undefined || origin === undefined) return "which is no column";
  if (!holdsGroups(origin, other) || !holdsGroups(column, table)) {
    return "which is neither the first column of its key nor one of a number or of 6 letters or more outside of it";
  }
  if (formatOf(column) !== formatOf(origin)) return "which is of another type";
  if (!touchedColumns(source, other).includes(from)) return "which that step neither compares nor stores";
  if (step.operation !== "INSERT") {
    if (!touchedColumns(step, table).includes(to)) return "which it does not compare";
    return source.operation === "INSERT" && step.operation !== "SCAN" ? "of which there is no row yet" : undefined;
  }
  if (!table.primaryKey.includes(to)) return undefined;
  const last = table.primaryKey.findLast((one) => one !== to);
  const narrow = table.columns.find(({ name }) => name === last);
  return narrow !== undefined && isWide(narrow) ? undefined : "where nothing else in the key can tell rows apart";
}

/** Whether a column holds numbers of groups of rows, if operations find rows by it. */
function holdsGroups(column: Column, { columns, primaryKey }: TableSpec): boolean {
  if (!primaryKey.includes(column.name)) return column.type === "double" || isWide(column);
  const first = primaryKey.find((name) => columns.some((one) => one.name === name && isWide(one)));
  return first === column.name;
}

function formatOf({ type, lengthMax = 0 }: Column): string {
  return type === "varchar" || type === "varbinary" ? `text ${Math.min(lengthMax, keyLettersMax)}` : "number";
}
