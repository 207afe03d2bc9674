/**
 * AccessPath: which keys a condition selects.
 *
 * Algorithm, over the conjuncts of WHERE:
 *   1. Equalities on key columns, from the first on, make the key prefix; one IN may take part in it and multiplies it.
 *   2. Comparisons of the columns that follow the prefix (or of a row that begins with the first key column) bound the
 *      range from below or above. `(a, b) > (x, y)` on key columns is a bound in the order of keys.
 *   3. Where an OR stands, or an IN that is no part of the prefix, WHERE becomes alternatives (`where-alternatives.ts`)
 *      with a path each, all of the same keys; their ranges are joined when they have values (`key-ranges.ts`).
 *   4. What is left filters rows. A condition that leaves neither prefix nor bound would read the whole table for a few
 *      rows, and is refused: that is the leaf query_processing/scans/sequential.
 * Source: TiDB's ranger, "range_builder" of the feature model.
 */
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { Comparison } from "../../../../concurrency/transaction/command.ts";
import type { Condition, Operand } from "../../../../parser/statement.ts";
import { notSelected, notServed, SqlError } from "../../../executor.ts";
import { type ValueSource, valueSource } from "./value-source.ts";
import { whereAlternatives } from "./where-alternatives.ts";

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
  /** Paths of which any selects a row; there are then no prefixes, bounds or filters beside them. */
  readonly alternatives?: readonly AccessPath[] | undefined;
}

const prefixesMax = 65_536;

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
  /** There is an OR, or more than one IN. */
  several: boolean;
}

/** `ranges`: whether bounds may be used; a command's predicates have none, so there they filter. Throws SqlError. */
export function accessPath(table: Table, where: Condition | undefined, ranges: boolean): AccessPath {
  const path = singlePath(table, where, ranges);
  if (path !== undefined) return path;
  if (!ranges) throw notSelected("query_processing/scans/index_merge", "OR in this place");
  const paths = whereAlternatives(where as Condition).map((alternative) => singlePath(table, alternative, true));
  return joinedPath(paths as AccessPath[]);
}

/** Whole keys without filters are prefixes of one path. */
function joinedPath(paths: readonly AccessPath[]): AccessPath {
  if (paths.length === 1) return paths[0];
  const [{ prefixLength }] = paths;
  if (paths.every(({ point, filters }) => point && filters.length === 0)) {
    return { prefixes: paths.flatMap(({ prefixes }) => prefixes), prefixLength, point: true, bounds: [], filters: [] };
  }
  const shared = Math.min(...paths.map((path) => path.prefixLength));
  return { prefixes: [], prefixLength: shared, point: false, bounds: [], filters: [], alternatives: paths };
}

/** Undefined where it takes several paths. */
function singlePath(table: Table, where: Condition | undefined, ranges: boolean): AccessPath | undefined {
  const conjuncts: Conjuncts = { equal: new Map(), comparisons: [], rows: [], in: undefined, several: false };
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
  if (conjuncts.several || inOrdinals.some((ordinal) => !prefixOrdinals.includes(ordinal))) return undefined;
  const prefixes = prefixSources(conjuncts, prefixOrdinals, inOrdinals, source);
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

/** One list of sources per row of the IN, or one alone. */
function prefixSources(
  conjuncts: Conjuncts,
  prefixOrdinals: readonly number[],
  inOrdinals: readonly number[],
  source: (ordinal: number, operand: Operand) => ValueSource,
): ValueSource[][] {
  const inRows: readonly (readonly Operand[])[] = conjuncts.in?.rows ?? [[]];
  if (inRows.length > prefixesMax) throw new SqlError("limit_exceeded", `IN has more than ${prefixesMax} values`);
  return inRows.map((row) =>
    prefixOrdinals.map((ordinal) => {
      const place = inOrdinals.indexOf(ordinal);
      return source(ordinal, place >= 0 ? row[place] : (conjuncts.equal.get(ordinal) as Operand));
    }),
  );
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
      if (conjuncts.in !== undefined) conjuncts.several = true;
      conjuncts.in = condition;
      return;
    case "and":
      for (const inner of condition.conditions) addConjunct(table, conjuncts, inner);
      return;
    case "or":
      conjuncts.several = true;
  }
}

/** A row comparison must be on key columns in key order: from the first one, or from the one after the prefix. */
function rowBound(table: Table, row: RowCondition, prefixLength: number, ranges: boolean): KeyBound {
  const ordinals = row.columns.map((name) => findColumn(table, name));
  const startsAt = (start: number) => ordinals.every((ordinal, i) => table.primaryKey[start + i] === ordinal);
  const { comparison } = row;
  if (!ranges || !isBound(comparison) || !(startsAt(0) || startsAt(prefixLength))) {
    throw notServed("a row comparison that is no range of the primary key");
  }
  const sources = ordinals.map((ordinal, i) => valueSource(table.columns[ordinal], row.operands[i], "compare"));
  return { afterPrefix: !startsAt(0), comparison, sources };
}
