/**
 * Reads as steps of a command: what a SELECT becomes inside a transaction that also writes, and how its rows come back.
 */
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type {
  ColumnCondition,
  CommandStep,
  KeyLimit,
  StepResult,
} from "../../../../concurrency/transaction/command.ts";
import { compareValues } from "../../../../concurrency/transaction/row-condition.ts";
import type { Operand } from "../../../../parser/statement.ts";
import type { ResultSink } from "../../../executor.ts";
import { type AccessPath, type ConditionSource, notSelected } from "./access-path.ts";
import type { ExecutorLimits } from "./plan.ts";
import { project, type SelectedColumns } from "./selected-columns.ts";
import { bind, bindLimit } from "./value-source.ts";

const decoder = new TextDecoder();

export function bindConditions(
  filters: readonly ConditionSource[],
  parameters: readonly ColumnValue[],
  base: number,
): ColumnCondition[] {
  return filters.map(({ ordinal, comparison, source }) => ({
    ordinal,
    comparison,
    value: bind(source, parameters, base),
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
    const values = sources.map((source) => bind(source, parameters, base));
    return { comparison, values: afterPrefix ? [...prefix, ...values] : values };
  });
}

/** One step per key prefix. */
export function addReadSteps(
  table: Table,
  path: AccessPath,
  limit: Operand | undefined,
  bounds: ExecutorLimits,
  parameters: readonly ColumnValue[],
  base: number,
  steps: CommandStep[],
): void {
  const rows = limit === undefined ? bounds.resultRowsMax : bindLimit(limit, parameters, base);
  if (limit !== undefined && path.prefixes.length > 1) {
    throw notSelected("query_processing/operators/limit", "LIMIT with IN in a transaction that writes");
  }
  const conditions = bindConditions(path.filters, parameters, base);
  for (const keyPrefix of bindPrefixes(path, parameters, base)) {
    const keyBounds = bindBounds(path, keyPrefix, parameters, base);
    const plain = { tableId: table.id, keyPrefix, conditions };
    steps.push({
      kind: "read",
      target: keyBounds === undefined ? plain : { ...plain, bounds: keyBounds },
      limit: Math.min(rows, bounds.resultRowsMax),
    });
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
