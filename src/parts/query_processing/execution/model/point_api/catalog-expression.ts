/**
 * Expressions of catalog queries: bound to columns once, then evaluated over joined rows.
 *
 * A joined row is one row per source; a source of a LEFT JOIN without a match has none, and its columns are NULL.
 * Text is compared without case, except where both sides are text and one is a column that is compared byte by byte;
 * numbers and texts are compared as numbers. NULL follows SQL: a comparison with it is NULL, which no condition meets.
 */
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { CatalogComparison, CatalogExpression, CatalogQuery } from "../../../../parser/catalog-query.ts";
import type { Operand } from "../../../../parser/statement.ts";
import { notSelected, SqlError } from "../../../executor.ts";
import { like } from "./like-pattern.ts";
import { serverVariables } from "./server-variables.ts";
import type { CatalogView, VirtualTable } from "./virtual-table.ts";

export type JoinedRow = readonly (readonly ColumnValue[] | undefined)[];

export interface BoundSource {
  readonly alias: string;
  readonly table: VirtualTable;
}

/** What an expression is bound in. */
export interface Scope {
  readonly view: CatalogView;
  readonly sources: readonly BoundSource[];
  readonly parameters: readonly ColumnValue[];
  /** Values of the one column of a subquery. */
  subquery(query: CatalogQuery): readonly ColumnValue[];
}

/** `group`: the rows that an aggregate looks at; those of one group, or the row alone. */
export type Bound = (row: JoinedRow, group: readonly JoinedRow[]) => ColumnValue;

export interface ColumnPlace {
  readonly source: number;
  readonly ordinal: number;
}

const aggregates = new Set(["COUNT", "SUM", "MIN", "MAX", "GROUP_CONCAT"]);

/** Whether it looks at a group of rows. */
export function isAggregate(expression: CatalogExpression): boolean {
  if (expression.kind === "call") {
    return aggregates.has(expression.name) || expression.inner.some(isAggregate);
  }
  return false;
}

/** Errors: SqlError unknown_column where there is none, or several. */
export function placeOf(sources: readonly BoundSource[], qualifier: string | undefined, name: string): ColumnPlace {
  const wanted = name.toLowerCase();
  for (const [source, { alias, table }] of sources.entries()) {
    if (qualifier !== undefined && qualifier.toLowerCase() !== alias.toLowerCase()) continue;
    const ordinal = table.columns.findIndex((column) => column.name.toLowerCase() === wanted);
    // A name in several tables is the first one's: USING and natural conditions make them equal.
    if (ordinal >= 0) return { source, ordinal };
  }
  const written = qualifier === undefined ? name : `${qualifier}.${name}`;
  throw new SqlError("unknown_column", `Unknown column '${written}' in 'field list'`);
}

export function operandValue(operand: Operand, parameters: readonly ColumnValue[]): ColumnValue {
  const value = operand.kind === "constant" ? operand.value : parameters[operand.index];
  if (operand.kind === "parameter" && operand.negated && (typeof value === "number" || typeof value === "bigint")) {
    return -value;
  }
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value;
}

export function bind(scope: Scope, expression: CatalogExpression): Bound {
  switch (expression.kind) {
    case "operand": {
      const value = operandValue(expression.operand, scope.parameters);
      return () => value;
    }
    case "column": {
      const { source, ordinal } = placeOf(scope.sources, expression.qualifier, expression.name);
      return (row) => row[source]?.[ordinal] ?? null;
    }
    case "variable": {
      const value = serverVariables(scope.view.limits, scope.view.session).get(expression.name);
      if (value === undefined) throw new SqlError("unknown_column", `Unknown system variable '${expression.name}'`);
      return () => value;
    }
    case "call":
      return bindCall(scope, expression);
    case "comparison":
      return bindComparison(scope, expression);
    case "in":
      return bindIn(scope, expression);
    case "isNull": {
      const inner = bind(scope, expression.inner);
      return (row, group) => truth(inner(row, group) === null);
    }
    case "not": {
      const inner = bind(scope, expression.inner);
      return (row, group) => {
        const value = inner(row, group);
        return value === null ? null : truth(!isTrue(value));
      };
    }
    case "and":
    case "or":
      return bindLogic(scope, expression.kind, expression.inner);
    case "case": {
      const branches = expression.branches.map(({ when, result }) => [bind(scope, when), bind(scope, result)] as const);
      const otherwise = expression.otherwise === undefined ? undefined : bind(scope, expression.otherwise);
      return (row, group) => {
        const branch = branches.find(([when]) => isTrue(when(row, group)));
        return branch === undefined ? (otherwise?.(row, group) ?? null) : branch[1](row, group);
      };
    }
  }
}

function bindLogic(scope: Scope, kind: "and" | "or", inner: readonly CatalogExpression[]): Bound {
  const parts = inner.map((part) => bind(scope, part));
  const decisive = kind === "or";
  return (row, group) => {
    let unknown = false;
    for (const part of parts) {
      const value = part(row, group);
      if (value === null) unknown = true;
      else if (isTrue(value) === decisive) return truth(decisive);
    }
    return unknown ? null : truth(!decisive);
  };
}

export function isTrue(value: ColumnValue): boolean {
  if (value === null || value instanceof Uint8Array) return false;
  // Text counts by the number that it begins with, which is 0 where it does not.
  const number = typeof value === "string" ? Number.parseFloat(value) : Number(value);
  return !Number.isNaN(number) && number !== 0;
}

function truth(value: boolean): bigint {
  return value ? 1n : 0n;
}

function isExact(scope: Scope, expression: CatalogExpression): boolean {
  if (expression.kind !== "column") return false;
  const { source, ordinal } = placeOf(scope.sources, expression.qualifier, expression.name);
  return scope.sources[source].table.columns[ordinal].exact;
}

type Comparison = Extract<CatalogExpression, { kind: "comparison" }>;

function bindComparison(scope: Scope, { comparison, left, right }: Comparison): Bound {
  const exact = isExact(scope, left) || isExact(scope, right);
  const [one, other] = [bind(scope, left), bind(scope, right)];
  return (row, group) => compareBy(comparison, one(row, group), other(row, group), exact);
}

function compareBy(comparison: CatalogComparison, one: ColumnValue, other: ColumnValue, exact: boolean): ColumnValue {
  if (comparison === "<=>" && (one === null || other === null)) return truth(one === other);
  if (one === null || other === null) return null;
  if (comparison === "LIKE") return truth(like(String(one), String(other)));
  const sign = order(one, other, exact);
  switch (comparison) {
    case "=":
    case "<=>":
      return truth(sign === 0);
    case "<>":
      return truth(sign !== 0);
    case "<":
      return truth(sign < 0);
    case "<=":
      return truth(sign <= 0);
    case ">":
      return truth(sign > 0);
    case ">=":
      return truth(sign >= 0);
  }
}

/** Which comes first, of two values that are not NULL; 0 where they are equal. */
export function order(one: ColumnValue, other: ColumnValue, exact: boolean): number {
  const numeric = typeof one !== "string" || typeof other !== "string";
  const [a, b] = numeric ? [Number(one), Number(other)] : [comparable(one, exact), comparable(other, exact)];
  if (a < b) return -1;
  return a === b ? 0 : 1;
}

export function comparable(value: ColumnValue, exact: boolean): string {
  return exact ? String(value) : String(value).toLowerCase();
}

type In = Extract<CatalogExpression, { kind: "in" }>;

function bindIn(scope: Scope, { left, among }: In): Bound {
  const subject = bind(scope, left);
  const exact = isExact(scope, left);
  const list = "sources" in among
    ? scope.subquery(among).map((value): Bound => () => value)
    : among.map((inner) => bind(scope, inner));
  return (row, group) => {
    const value = subject(row, group);
    if (value === null) return null;
    let unknown = false;
    for (const one of list) {
      const other = one(row, group);
      if (other === null) unknown = true;
      else if (order(value, other, exact) === 0) return 1n;
    }
    return unknown ? null : 0n;
  };
}

type Call = Extract<CatalogExpression, { kind: "call" }>;

function bindCall(scope: Scope, call: Call): Bound {
  const inner = call.inner.map((one) => bind(scope, one));
  if (aggregates.has(call.name)) return bindAggregate(call, inner);
  const { view } = scope;
  const constants: Readonly<Record<string, () => ColumnValue>> = {
    DATABASE: () => view.database,
    SCHEMA: () => view.database,
    VERSION: () => serverVariables(view.limits, view.session).get("version") ?? null,
    USER: () => view.session?.user ?? null,
    CURRENT_USER: () => view.session?.user ?? null,
    CONNECTION_ID: () => BigInt(view.session?.connectionId ?? 0),
  };
  if (Object.hasOwn(constants, call.name)) return constants[call.name];
  const apply = Object.hasOwn(functions, call.name) ? functions[call.name] : undefined;
  if (apply === undefined || inner.length === 0) {
    throw notSelected("parser/syntax/functions/string", `the function ${call.name.slice(0, 64)}`);
  }
  return (row, group) => apply(inner.map((one) => one(row, group)));
}

const text = (value: ColumnValue) => String(value);

/** Of values; where one is NULL the result is, except for those that look for one that is not. */
const functions: Readonly<Record<string, (values: readonly ColumnValue[]) => ColumnValue>> = {
  CAST: ([value]) => value,
  CONVERT: ([value]) => value,
  COALESCE: (values) => values.find((value) => value !== null) ?? null,
  CONCAT: (values) => (values.includes(null) ? null : values.map(text).join("")),
  CONCAT_WS: ([separator, ...rest]) =>
    separator === null ? null : rest.filter((value) => value !== null).map(text).join(text(separator)),
  IF: ([condition, yes, no]) => (isTrue(condition) ? yes : no) ?? null,
  IFNULL: ([value, otherwise]) => value ?? otherwise ?? null,
  NULLIF: ([value, other]) => (value !== null && other !== null && order(value, other, false) === 0 ? null : value),
  LENGTH: ([value]) => (value === null ? null : BigInt(Buffer.byteLength(text(value)))),
  CHAR_LENGTH: ([value]) => (value === null ? null : BigInt([...text(value)].length)),
  LOWER: ([value]) => (value === null ? null : text(value).toLowerCase()),
  LCASE: ([value]) => (value === null ? null : text(value).toLowerCase()),
  UPPER: ([value]) => (value === null ? null : text(value).toUpperCase()),
  UCASE: ([value]) => (value === null ? null : text(value).toUpperCase()),
  LEFT: ([value, count]) => (value === null ? null : text(value).slice(0, Math.max(0, Number(count)))),
  TRIM: ([value]) => (value === null ? null : text(value).trim()),
};

function bindAggregate({ name, distinct }: Call, [inner]: readonly Bound[]): Bound {
  const valuesOf = (group: readonly JoinedRow[]): ColumnValue[] => {
    const values = group.map((row) => inner(row, [row])).filter((value) => value !== null);
    return distinct ? [...new Set(values)] : values;
  };
  if (name === "COUNT") return (_, group) => BigInt(inner === undefined ? group.length : valuesOf(group).length);
  if (inner === undefined) throw new SqlError("syntax", `${name} has no argument`);
  if (name === "GROUP_CONCAT") {
    return (_, group) => {
      const values = valuesOf(group);
      return values.length === 0 ? null : values.map(text).join(",");
    };
  }
  if (name === "SUM") {
    return (_, group) => {
      const values = valuesOf(group);
      return values.length === 0 ? null : BigInt(values.reduce((sum: number, value) => sum + Number(value), 0));
    };
  }
  const sign = name === "MIN" ? -1 : 1;
  return (_, group) => {
    let best: ColumnValue = null;
    for (const value of valuesOf(group)) if (best === null || order(value, best, false) === sign) best = value;
    return best;
  };
}
