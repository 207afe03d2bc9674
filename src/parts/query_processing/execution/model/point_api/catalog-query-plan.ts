/**
 * CatalogQueryPlan: SELECT … FROM information_schema.…, by looking at every row.
 *
 * Algorithm:
 *   1. join      source after source; where ON or USING asks for equal columns, by a hash of them
 *   2. filter    WHERE
 *   3. group     by the values of GROUP BY, or all rows where there is an aggregate
 *   4. project   items, DISTINCT, ORDER BY (also by alias and by position), LIMIT
 * Invariant: the work of a query, in rows times parts of its expressions, is bounded (`workMax`); a query that needs
 * more is refused before it has answered anything.
 */
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { CatalogExpression, CatalogItem, CatalogQuery, CatalogSource } from "../../../../parser/catalog-query.ts";
import { type ResultShape, type ResultSink, SqlError } from "../../../executor.ts";
import {
  bind, type Bound, type BoundSource, comparable, isAggregate, isTrue, type JoinedRow, operandValue, order, placeOf,
  type Scope,
} from "./catalog-expression.ts";
import { informationSchemaTable } from "./information-schema.ts";
import type { RunDoors, SessionPlan } from "./plan.ts";
import { resultColumnOf, viewOf } from "./virtual-table.ts";

const workMax = 8_000_000;
/** What a joined row is taken to cost, for it needs memory. */
const joinedRowWork = 16;

interface OutputColumn {
  readonly name: string;
  readonly type: "varchar" | "bigint" | "double";
  readonly expression: CatalogExpression;
}

export class CatalogQueryPlan implements SessionPlan {
  readonly kind = "session";
  readonly label = "session";
  readonly shape: ResultShape;
  readonly #doors: RunDoors;
  readonly #query: CatalogQuery;

  /** Errors: SqlError for tables and columns that are not there. */
  constructor(doors: RunDoors, query: CatalogQuery) {
    this.#doors = doors;
    this.#query = query;
    this.shape = { columns: outputColumns(query).map(({ name, type }) => resultColumnOf(name, type)) };
  }

  run(sink: ResultSink, parameters: readonly ColumnValue[]): void {
    const { catalog, bounds } = this.#doors;
    const view = viewOf(catalog, bounds, sink.session);
    const rows = new QueryRun(view, parameters).rows(this.#query);
    sink.rows(this.shape);
    for (const row of rows) sink.valueRow(row);
    sink.end();
  }
}

function sourcesOf(query: CatalogQuery): BoundSource[] {
  return query.sources.map(({ table: name, alias }) => {
    const table = informationSchemaTable(name);
    if (table === undefined) throw new SqlError("unknown_table", `Unknown table '${name}' in information_schema`);
    return { alias, table };
  });
}

function outputColumns(query: CatalogQuery): OutputColumn[] {
  const sources = sourcesOf(query);
  return query.items.flatMap((item) => outputOf(item, sources));
}

function outputOf(item: CatalogItem, sources: readonly BoundSource[]): OutputColumn[] {
  if (item.kind === "one") {
    const { expression, alias, written } = item;
    if (expression.kind === "column") {
      const { source, ordinal } = placeOf(sources, expression.qualifier, expression.name);
      const column = sources[source].table.columns[ordinal];
      // A column is called as it is declared, in whatever case it was asked for, as MySQL 8 does.
      return [{ name: alias ?? column.name, type: column.type, expression }];
    }
    return [{ name: alias ?? written, type: typeOf(expression, sources), expression }];
  }
  const wanted = sources.filter(({ alias }) => {
    return item.qualifier === undefined || alias.toLowerCase() === item.qualifier.toLowerCase();
  });
  if (wanted.length === 0) throw new SqlError("unknown_table", `Unknown table '${item.qualifier}'`);
  return wanted.flatMap(({ alias, table }) => table.columns.map(({ name, type }): OutputColumn => {
    return { name, type, expression: { kind: "column", qualifier: alias, name } };
  }));
}

function typeOf(expression: CatalogExpression, sources: readonly BoundSource[]): OutputColumn["type"] {
  if (expression.kind === "column") {
    const { source, ordinal } = placeOf(sources, expression.qualifier, expression.name);
    return sources[source].table.columns[ordinal].type;
  }
  if (expression.kind === "operand" && expression.operand.kind === "constant") {
    const { value } = expression.operand;
    if (typeof value === "bigint") return "bigint";
    if (typeof value === "number") return Number.isSafeInteger(value) ? "bigint" : "double";
    return "varchar";
  }
  const counts = ["COUNT", "SUM", "LENGTH", "CHAR_LENGTH", "CONNECTION_ID"];
  if (expression.kind === "call" && (expression.name === "MIN" || expression.name === "MAX")) {
    return expression.inner.length === 1 ? typeOf(expression.inner[0], sources) : "varchar";
  }
  if (expression.kind === "call") return counts.includes(expression.name) ? "bigint" : "varchar";
  return ["comparison", "in", "isNull", "not", "and", "or"].includes(expression.kind) ? "bigint" : "varchar";
}

/** One run of a query, with the work that it and its subqueries have done. */
class QueryRun {
  readonly #view: Scope["view"];
  readonly #parameters: readonly ColumnValue[];
  #work = 0;

  constructor(view: Scope["view"], parameters: readonly ColumnValue[]) {
    this.#view = view;
    this.#parameters = parameters;
  }

  rows(query: CatalogQuery): readonly (readonly ColumnValue[])[] {
    const scope: Scope = {
      view: this.#view,
      sources: sourcesOf(query),
      parameters: this.#parameters,
      subquery: (inner) => this.rows(inner).map(([value]) => value),
    };
    const columns = outputColumns(query);
    let joined = this.#join(scope, query.sources);
    if (query.where !== undefined) {
      const where = bind(scope, query.where);
      this.#spend(joined.length * sizeOf(query.where));
      joined = joined.filter((row) => isTrue(where(row, [row])));
    }
    const groups = this.#groups(scope, query, columns, joined);
    const bound = columns.map(({ expression }) => bind(scope, expression));
    const sorters = query.orderBy.map(({ expression, descending }) => {
      return { value: this.#sorter(scope, expression, columns, bound), descending };
    });
    this.#spend(groups.length * (1 + columns.length + sorters.length));
    const output = groups.map((group) => {
      const first = group[0] ?? scope.sources.map(() => undefined);
      return {
        row: bound.map((value, i) => conform(value(first, group), columns[i].type)),
        keys: sorters.map(({ value }) => value(first, group)),
      };
    });
    if (sorters.length > 0) {
      output.sort((one, other) => compareKeys(one.keys, other.keys, sorters.map(({ descending }) => descending)));
    }
    const rows = output.map(({ row }) => row);
    return this.#limited(query, query.distinct ? distinctRows(rows) : rows);
  }

  #spend(work: number): void {
    this.#work += work;
    if (this.#work <= workMax) return;
    throw new SqlError("limit_exceeded", "a query of information_schema looks at too many rows; ask for fewer");
  }

  #join(scope: Scope, sources: readonly CatalogSource[]): JoinedRow[] {
    let joined: JoinedRow[] = [[]];
    for (const [at, source] of sources.entries()) {
      const rows = scope.sources[at].table.rows(this.#view);
      this.#spend(rows.length);
      const equal = equalColumns(scope, source, at);
      const on = source.on === undefined ? undefined : bind(scope, source.on);
      const size = source.on === undefined ? 1 : sizeOf(source.on);
      const candidates = this.#candidates(rows, equal);
      const next: JoinedRow[] = [];
      for (const row of joined) {
        const before = next.length;
        const found = candidates(row);
        this.#spend(1 + found.length * (size + joinedRowWork));
        for (const one of found) {
          const extended = [...row, one];
          if (on === undefined || isTrue(on(extended, [extended]))) next.push(extended);
        }
        if (next.length === before && source.join === "left") next.push([...row, undefined]);
      }
      joined = next;
    }
    return joined;
  }

  /** The rows of a source that a joined row may go with: all, or those with equal columns. */
  #candidates(
    rows: readonly (readonly ColumnValue[])[],
    equal: readonly EqualColumns[],
  ): (row: JoinedRow) => readonly (readonly ColumnValue[])[] {
    if (equal.length === 0) return () => rows;
    const byKey = new Map<string, (readonly ColumnValue[])[]>();
    for (const row of rows) {
      const key = keyOf(equal.map(({ ordinal }) => row[ordinal]));
      if (key === undefined) continue;
      const same = byKey.get(key);
      if (same === undefined) byKey.set(key, [row]);
      else same.push(row);
    }
    return (row) => {
      const key = keyOf(equal.map(({ other }) => row[other.source]?.[other.ordinal] ?? null));
      return key === undefined ? [] : (byKey.get(key) ?? []);
    };
  }

  #groups(
    scope: Scope,
    query: CatalogQuery,
    columns: readonly OutputColumn[],
    joined: readonly JoinedRow[],
  ): (readonly JoinedRow[])[] {
    const aggregated = columns.some(({ expression }) => isAggregate(expression));
    if (query.groupBy.length === 0) return aggregated ? [joined] : joined.map((row) => [row]);
    const by = query.groupBy.map((expression) => bind(scope, expression));
    const groups = new Map<string, JoinedRow[]>();
    this.#spend(joined.length * by.length);
    for (const row of joined) {
      const key = JSON.stringify(by.map((value) => textOf(value(row, [row]))));
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [row]);
      else group.push(row);
    }
    return [...groups.values()];
  }

  /** What to order by: an alias or position of the items, or an expression of its own. */
  #sorter(
    scope: Scope,
    expression: CatalogExpression,
    columns: readonly OutputColumn[],
    bound: readonly Bound[],
  ): Bound {
    if (expression.kind === "operand" && expression.operand.kind === "constant") {
      const position = Number(expression.operand.value);
      if (position >= 1 && position <= bound.length) return bound[position - 1];
    }
    if (expression.kind === "column" && expression.qualifier === undefined) {
      const wanted = expression.name.toLowerCase();
      const at = columns.findIndex(({ name }) => name.toLowerCase() === wanted);
      if (at >= 0) return bound[at];
    }
    return bind(scope, expression);
  }

  #limited<Row>({ limit, offset }: CatalogQuery, rows: readonly Row[]): readonly Row[] {
    if (limit === undefined) return rows;
    const count = (operand: typeof limit) => Number(operandValue(operand, this.#parameters));
    const from = offset === undefined ? 0 : count(offset);
    const size = count(limit);
    if (!(from >= 0) || !(size >= 0)) throw new SqlError("syntax", "LIMIT takes whole numbers that are not negative");
    return rows.slice(from, from + size);
  }
}

interface EqualColumns {
  /** In the source that is joined. */
  readonly ordinal: number;
  /** In a source before it. */
  readonly other: { readonly source: number; readonly ordinal: number };
}

/** Columns that ON, or USING, asks to be equal to columns of sources before. */
function equalColumns(scope: Scope, source: CatalogSource, at: number): EqualColumns[] {
  const before = scope.sources.slice(0, at);
  const equal = source.using.map((name): EqualColumns => ({
    ordinal: placeOf([scope.sources[at]], undefined, name).ordinal,
    other: placeOf(before, undefined, name),
  }));
  const parts = source.on?.kind === "and" ? source.on.inner : [source.on];
  for (const part of parts) {
    if (part?.kind !== "comparison" || part.comparison !== "=") continue;
    if (part.left.kind !== "column" || part.right.kind !== "column") continue;
    const [one, other] = [part.left, part.right].map(({ qualifier, name }) => placeOf(scope.sources, qualifier, name));
    if (one.source === at && other.source < at) equal.push({ ordinal: one.ordinal, other });
    else if (other.source === at && one.source < at) equal.push({ ordinal: other.ordinal, other: one });
  }
  return equal;
}

/** Undefined where one is NULL, which nothing is equal to. Without case: who compares exactly looks again. */
function keyOf(values: readonly ColumnValue[]): string | undefined {
  if (values.includes(null)) return undefined;
  return JSON.stringify(values.map((value) => comparable(value, false)));
}

function distinctRows(rows: readonly (readonly ColumnValue[])[]): (readonly ColumnValue[])[] {
  return [...new Map(rows.map((row) => [JSON.stringify(row.map(textOf)), row])).values()];
}

function textOf(value: ColumnValue): string | null {
  return value === null ? null : String(value);
}

function compareKeys(
  one: readonly ColumnValue[],
  other: readonly ColumnValue[],
  descending: readonly boolean[],
): number {
  for (const [i, value] of one.entries()) {
    // NULL comes first.
    const sign = value === null || other[i] === null
      ? Number(value !== null) - Number(other[i] !== null)
      : order(value, other[i], false);
    if (sign !== 0) return descending[i] ? -sign : sign;
  }
  return 0;
}

/** A value in the form of its column's type. */
function conform(value: ColumnValue, type: OutputColumn["type"]): ColumnValue {
  if (value === null) return null;
  if (type === "bigint") return typeof value === "bigint" ? value : BigInt(Math.trunc(Number(value)));
  return type === "varchar" ? String(value) : value;
}

/** How many parts an expression has: what one evaluation is taken to cost. */
function sizeOf(expression: CatalogExpression): number {
  switch (expression.kind) {
    case "operand":
    case "column":
    case "variable":
      return 1;
    case "comparison":
      return 1 + sizeOf(expression.left) + sizeOf(expression.right);
    case "in": {
      const { among } = expression;
      return 1 + sizeOf(expression.left) + ("sources" in among ? 64 : among.length);
    }
    case "isNull":
    case "not":
      return 1 + sizeOf(expression.inner);
    case "case":
      return expression.branches.reduce((sum, { when, result }) => sum + sizeOf(when) + sizeOf(result), 2);
    default:
      return expression.inner.reduce((sum, inner) => sum + sizeOf(inner), 1);
  }
}
