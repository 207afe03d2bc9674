/**
 * AccessPath: which keys a condition selects.
 *
 * Algorithm, over the conjuncts of WHERE:
 *   1. Equalities on key columns, from the first on, make the key prefix; one IN may take part in it and multiplies it.
 *   2. Comparisons of the columns that follow the prefix (or of a row that begins with the first key column) bound the
 *      range from below or above. `(a, b) > (x, y)` on key columns is a bound in the order of keys.
 *   3. What is left filters rows. A condition that leaves neither prefix nor bound would read the whole table for a few
 *      rows, and is refused: that is the leaf query_processing/scans/sequential.
 * Source: TiDB's ranger, "range_builder" of the feature model.
 */
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { Comparison } from "../../../../concurrency/transaction/command.ts";
import type { Condition, Operand } from "../../../../parser/statement.ts";
import { SqlError } from "../../../executor.ts";
import { type ValueSource, valueSource } from "./value-source.ts";

export interface ConditionSource {
  readonly ordinal: number;
  readonly comparison: Comparison;
  readonly source: ValueSource;
}

/** A bound on keys: values of the key's columns from `prefixLength` (of the path) or from the first one on. */
export interface KeyBound {
  readonly afterPrefix: boolean;
  readonly comparison: "<" | "<=" | ">" | ">=";
  readonly sources: readonly ValueSource[];
}

export interface AccessPath {
  /** One list of sources per key prefix; all of one length. Exactly one, unless there is an IN. */
  readonly prefixes: readonly (readonly ValueSource[])[];
  readonly prefixLength: number;
  /** The prefix is the whole key. */
  readonly point: boolean;
  readonly bounds: readonly KeyBound[];
  readonly filters: readonly ConditionSource[];
}

const prefixesMax = 65_536;

export function notSelected(leaf: string, what: string): SqlError {
  return new SqlError("not_selected", `${what} is not part of this product; it needs the leaf ${leaf}`, leaf);
}

export function findColumn(table: Table, name: string): number {
  const exact = table.columns.findIndex((column) => column.name === name);
  if (exact >= 0) return exact;
  const lower = name.toLowerCase();
  const ordinal = table.columns.findIndex((column) => column.name.toLowerCase() === lower);
  if (ordinal < 0) throw new SqlError("unknown_column", `Unknown column '${name}' in table '${table.name}'`);
  return ordinal;
}

type InCondition = Extract<Condition, { kind: "in" }>;
type RowCondition = Extract<Condition, { kind: "row" }>;

/** Conjuncts, sorted by what they can do. */
interface Conjuncts {
  readonly equal: Map<number, Operand>;
  readonly comparisons: { ordinal: number; comparison: Comparison; operand: Operand }[];
  readonly rows: RowCondition[];
  in: InCondition | undefined;
}

/** `ranges`: whether bounds may be used; a command's predicates have none, so there they filter. Throws SqlError. */
export function accessPath(table: Table, where: Condition | undefined, ranges: boolean): AccessPath {
  const conjuncts: Conjuncts = { equal: new Map(), comparisons: [], rows: [], in: undefined };
  if (where !== undefined) {
    for (const condition of where.kind === "and" ? where.conditions : [where]) addConjunct(table, conjuncts, condition);
  }
  const source = (ordinal: number, operand: Operand) => valueSource(table.columns[ordinal], operand, "compare");
  const inOrdinals = conjuncts.in?.columns.map((name) => findColumn(table, name)) ?? [];
  let prefixLength = 0;
  while (prefixLength < table.primaryKey.length) {
    const ordinal = table.primaryKey[prefixLength];
    if (!conjuncts.equal.has(ordinal) && !inOrdinals.includes(ordinal)) break;
    prefixLength++;
  }
  const prefixOrdinals = table.primaryKey.slice(0, prefixLength);
  if (inOrdinals.some((ordinal) => !prefixOrdinals.includes(ordinal))) {
    throw notSelected("query_processing/scans/index_merge", "IN on columns that do not begin the primary key");
  }
  const inRows: readonly (readonly Operand[])[] = conjuncts.in?.rows ?? [[]];
  if (inRows.length > prefixesMax) {
    throw new SqlError("limit_exceeded", `IN has more than ${prefixesMax} values`);
  }
  const prefixes = inRows.map((row) =>
    prefixOrdinals.map((ordinal) => {
      const place = inOrdinals.indexOf(ordinal);
      return source(ordinal, place >= 0 ? row[place] : (conjuncts.equal.get(ordinal) as Operand));
    }),
  );
  const filters: ConditionSource[] = [];
  for (const [ordinal, operand] of conjuncts.equal) {
    const inPrefix = prefixOrdinals.includes(ordinal) && !inOrdinals.includes(ordinal);
    if (!inPrefix) filters.push({ ordinal, comparison: "=", source: source(ordinal, operand) });
  }
  const bounds: KeyBound[] = [];
  for (const { ordinal, comparison, operand } of conjuncts.comparisons) {
    const next = ordinal === table.primaryKey[prefixLength];
    if (ranges && next && isBound(comparison)) {
      bounds.push({ afterPrefix: true, comparison, sources: [source(ordinal, operand)] });
    } else {
      filters.push({ ordinal, comparison, source: source(ordinal, operand) });
    }
  }
  for (const row of conjuncts.rows) bounds.push(rowBound(table, row, prefixLength, ranges));
  const path = { prefixes, prefixLength, point: prefixLength === table.primaryKey.length, bounds, filters };
  if (where !== undefined && prefixLength === 0 && bounds.length === 0) {
    throw notSelected("query_processing/scans/sequential", `a condition that leaves out the key of ${table.name}`);
  }
  return path;
}

function isBound(comparison: Comparison): comparison is KeyBound["comparison"] {
  return comparison !== "=" && comparison !== "<>";
}

function addConjunct(table: Table, conjuncts: Conjuncts, condition: Condition): void {
  switch (condition.kind) {
    case "comparison": {
      const ordinal = findColumn(table, condition.column);
      const { comparison, operand } = condition;
      if (comparison === "=" && !conjuncts.equal.has(ordinal)) conjuncts.equal.set(ordinal, operand);
      else conjuncts.comparisons.push({ ordinal, comparison, operand });
      return;
    }
    case "row":
      if (condition.comparison !== "=") {
        conjuncts.rows.push(condition);
        return;
      }
      condition.columns.forEach((column, i) =>
        addConjunct(table, conjuncts, { kind: "comparison", column, comparison: "=", operand: condition.operands[i] }),
      );
      return;
    case "in":
      if (conjuncts.in !== undefined) {
        throw notSelected("query_processing/scans/index_merge", "more than one IN");
      }
      conjuncts.in = condition;
      return;
    case "and":
      for (const inner of condition.conditions) addConjunct(table, conjuncts, inner);
      return;
    case "or":
      throw notSelected("query_processing/scans/index_merge", "OR in this place");
  }
}

/** A row comparison must be on key columns in key order: from the first one, or from the one after the prefix. */
function rowBound(table: Table, row: RowCondition, prefixLength: number, ranges: boolean): KeyBound {
  const ordinals = row.columns.map((name) => findColumn(table, name));
  const startsAt = (start: number) => ordinals.every((ordinal, i) => table.primaryKey[start + i] === ordinal);
  const { comparison } = row;
  if (!ranges || !isBound(comparison) || !(startsAt(0) || startsAt(prefixLength))) {
    throw notSelected("query_processing/operators/filter", "a row comparison that is no range of the primary key");
  }
  const sources = ordinals.map((ordinal, i) => valueSource(table.columns[ordinal], row.operands[i], "compare"));
  return { afterPrefix: !startsAt(0), comparison, sources };
}
