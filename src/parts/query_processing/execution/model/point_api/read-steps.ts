/**
 * Reads as steps of a command: what a SELECT becomes inside a transaction that also writes, and how its rows come back.
 */
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import {
  type ColumnCondition,
  type CommandStep,
  type KeyAlternative,
  type KeyLimit,
  type RowPredicate,
  type RowSelection,
  type SortedColumn,
  type StepResult,
  unlimitedRows,
} from "../../../../concurrency/transaction/command.ts";
import { compareValues } from "../../../../concurrency/transaction/row-condition.ts";
import type { Operand } from "../../../../parser/statement.ts";
import type { ResultSink } from "../../../executor.ts";
import type { AccessPath, ConditionSource } from "./access-path.ts";
import { project, type SelectedColumns } from "./selected-columns.ts";
import { bindComparison, bindCondition } from "./bound-comparison.ts";
import { bind, bindCut, bindLimit } from "./value-source.ts";

const decoder = new TextDecoder();

export function bindConditions(
  filters: readonly ConditionSource[],
  parameters: readonly ColumnValue[],
  base: number,
): ColumnCondition[] {
  return filters.map(({ ordinal, comparison, source }) => ({
    ordinal,
    ...bindCondition(comparison, source, parameters, base),
  }));
}

/** The path's key prefixes with their values, in key order, each once. */
export function bindPrefixes(path: AccessPath, parameters: readonly ColumnValue[], base: number): ColumnValue[][] {
  const prefixes = path.prefixes.map((sources) => sources.map((source) => bind(source, parameters, base)));
  if (prefixes.length === 1) return prefixes;
  const unique = new Map<string, ColumnValue[]>();
  for (const prefix of prefixes) {
    const texts = prefix.map((value) => (value instanceof Uint8Array ? decoder.decode(value) : String(value)));
    unique.set(JSON.stringify(texts), prefix);
  }
  return [...unique.values()].sort(comparePrefixes);
}

function comparePrefixes(a: readonly ColumnValue[], b: readonly ColumnValue[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareValues(a[i], b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** The path's bounds for one of its prefixes, as bounds on whole keys; undefined where it has none. */
export function bindBounds(
  path: AccessPath,
  prefix: readonly ColumnValue[],
  parameters: readonly ColumnValue[],
  base: number,
): KeyLimit[] | undefined {
  if (path.bounds.length === 0) return undefined;
  return path.bounds.map(({ afterPrefix, comparison, sources }) => {
    const bound = bindComparison(comparison, sources, parameters, base);
    return afterPrefix ? { ...bound, values: [...prefix, ...bound.values] } : bound;
  });
}

/** Rows that a step reads or writes, before they have values. */
export interface SelectionSource {
  readonly table: Table;
  readonly path: AccessPath;
  /** The index whose entries the path is of; undefined: the primary key. */
  readonly indexId?: number | undefined;
  readonly reverse?: boolean | undefined;
  readonly order?: readonly SortedColumn[] | undefined;
  readonly limit?: Operand | undefined;
  readonly offset?: Operand | undefined;
}

/** Whether predicates, one per key prefix, say it as well. */
export function isPredicates({ path, indexId, reverse, order, limit, offset }: SelectionSource): boolean {
  const ordered = reverse === true || (order !== undefined && order.length > 0);
  const cut = offset !== undefined || (limit !== undefined && path.prefixes.length > 1);
  return path.alternatives === undefined && indexId === undefined && !ordered && !cut;
}

/** One predicate per key prefix. */
export function bindPredicates(
  table: Table,
  path: AccessPath,
  parameters: readonly ColumnValue[],
  base: number,
): RowPredicate[] {
  return alternativesOf(path, parameters, base).map((alternative) => ({ tableId: table.id, ...alternative }));
}

function alternativesOf(path: AccessPath, parameters: readonly ColumnValue[], base: number): KeyAlternative[] {
  const conditions = bindConditions(path.filters, parameters, base);
  return bindPrefixes(path, parameters, base).map((keyPrefix): KeyAlternative => {
    const bounds = bindBounds(path, keyPrefix, parameters, base);
    return bounds === undefined ? { keyPrefix, conditions } : { keyPrefix, conditions, bounds };
  });
}

/** Throws SqlError. */
export function bindSelection(
  source: SelectionSource,
  parameters: readonly ColumnValue[],
  base: number,
): RowSelection {
  const { table, path, indexId, reverse = false, order = [] } = source;
  const { limit, offset } = bindCut(source.limit, source.offset, parameters, base);
  const alternatives = (path.alternatives ?? [path]).flatMap((one) => alternativesOf(one, parameters, base));
  const cut = { offset: Math.min(offset, unlimitedRows), limit: Math.min(limit, unlimitedRows) };
  return { tableId: table.id, indexId, alternatives, reverse, order, ...cut };
}

/** One step per key prefix, or one for all. Throws SqlError. */
export function addReadSteps(
  source: SelectionSource,
  parameters: readonly ColumnValue[],
  base: number,
  steps: CommandStep[],
): void {
  if (!isPredicates(source)) {
    const target = bindSelection(source, parameters, base);
    steps.push({ kind: "read", target, limit: target.limit });
    return;
  }
  const rows = source.limit === undefined ? unlimitedRows : bindLimit(source.limit, parameters, base);
  for (const target of bindPredicates(source.table, source.path, parameters, base)) {
    steps.push({ kind: "read", target, limit: Math.min(rows, unlimitedRows) });
  }
}

export function answerRows(
  columns: SelectedColumns,
  results: readonly StepResult[],
  from: number,
  count: number,
  sink: ResultSink,
): void {
  sink.rows(columns.values);
  for (let i = from; i < from + count; i++) {
    const result = results[i];
    if (result.kind !== "rows") continue;
    for (const row of result.rows) sink.valueRow(project(row, columns.ordinals));
  }
  sink.end();
}
