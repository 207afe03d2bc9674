/**
 * A model of one table: a list of rows and the plainest reading of each operation. The judge of the differential test.
 *
 * The table: t (a BIGINT, b VARCHAR(20), n INT, x DOUBLE, v VARCHAR(10), PRIMARY KEY (a, b)).
 */
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { Comparison } from "../../../../concurrency/transaction/command.ts";

export const modelTable =
  "CREATE TABLE t (a BIGINT, b VARCHAR(20), n INT NULL, x DOUBLE, v VARCHAR(10), PRIMARY KEY (a, b))";
export const modelColumns = ["a", "b", "n", "x", "v"] as const;
export type Row = ColumnValue[];

export interface Comparing {
  readonly column: number;
  readonly comparison: Comparison;
  readonly value: ColumnValue;
}

export type Operation =
  | { readonly kind: "insert"; readonly rows: readonly Row[]; readonly unless: readonly (readonly Comparing[])[] }
  | { readonly kind: "update"; readonly where: readonly Comparing[]; readonly set: readonly { column: number; value: ColumnValue }[] }
  | { readonly kind: "delete"; readonly where: readonly Comparing[] }
  | { readonly kind: "select"; readonly where: readonly Comparing[]; readonly limit: number | undefined; readonly count: boolean }
  /** Rows between two keys, compared as rows. */
  | { readonly kind: "range"; readonly above: ColumnValue[]; readonly inclusive: boolean; readonly below: ColumnValue[]; readonly limit: number }
  | { readonly kind: "in"; readonly keys: readonly ColumnValue[][] }
  /** Rows whose key may be there: left out, put in its place, or `n = n + VALUES(n), v = VALUES(v)`. */
  | { readonly kind: "upsert"; readonly rows: readonly Row[]; readonly mode: "ignore" | "replace" | "add" }
  /** `n = n * factor + by, x = x - n` for rows with `low <= a <= high`. */
  | { readonly kind: "shift"; readonly low: ColumnValue; readonly high: ColumnValue; readonly factor: number; readonly by: number }
  | { readonly kind: "drop"; readonly low: ColumnValue; readonly high: ColumnValue }
  /** Rows with `a >= low`, sorted by one column and then the key. */
  | {
      readonly kind: "sorted";
      readonly low: ColumnValue;
      readonly column: number;
      readonly descending: boolean;
      readonly limit: number;
      readonly offset: number;
    }
  | { readonly kind: "distinct"; readonly low: ColumnValue; readonly column: number; readonly descending: boolean }
  | { readonly kind: "aggregate"; readonly low: ColumnValue; readonly high: ColumnValue };

export type Expected = { readonly rows: Row[] } | { readonly affected: number; readonly matched: number } | { readonly error: string };

export function compare(a: ColumnValue, b: ColumnValue): number {
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

export function compareKeys(a: readonly ColumnValue[], b: readonly ColumnValue[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

const holds: Record<Comparison, (order: number) => boolean> = {
  "=": (order) => order === 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
  "<>": (order) => order !== 0,
};

const meets = (row: Row, where: readonly Comparing[]): boolean =>
  where.every(({ column, comparison, value }) => row[column] !== null && value !== null && holds[comparison](compare(row[column], value)));

export class TableModel {
  rows: Row[] = [];

  /** All of the operations, or the first error and no change. */
  transaction(operations: readonly Operation[]): Expected[] {
    const before = this.rows.map((row) => [...row]);
    const results: Expected[] = [];
    for (const operation of operations) {
      const result = this.#run(operation);
      if ("error" in result) {
        this.rows = before;
        return [result];
      }
      results.push(result);
    }
    return results;
  }

  /** Copies, so that a result stays as it was when later operations change the rows. */
  #sorted(): Row[] {
    return this.rows.map((row) => [...row]).sort(compareKeys);
  }

  #run(operation: Operation): Expected {
    switch (operation.kind) {
      case "insert": {
        if (operation.unless.some((where) => this.rows.some((row) => meets(row, where)))) return { affected: 0, matched: 0 };
        for (const row of operation.rows) {
          if (this.rows.some((there) => compareKeys(there.slice(0, 2), row) === 0)) return { error: "duplicate_key" };
          this.rows.push([...row]);
        }
        return { affected: operation.rows.length, matched: operation.rows.length };
      }
      case "update": {
        let affected = 0;
        const matched = this.rows.filter((row) => meets(row, operation.where));
        for (const row of matched) {
          const before = [...row];
          for (const { column, value } of operation.set) row[column] = value;
          if (before.some((value, i) => value !== row[i])) affected++;
        }
        return { affected, matched: matched.length };
      }
      case "delete": {
        const kept = this.rows.filter((row) => !meets(row, operation.where));
        const affected = this.rows.length - kept.length;
        this.rows = kept;
        return { affected, matched: affected };
      }
      case "select": {
        const rows = this.#sorted().filter((row) => meets(row, operation.where));
        return { rows: operation.count ? [[BigInt(rows.length)]] : rows.slice(0, operation.limit) };
      }
      case "range": {
        const { above, inclusive, below, limit } = operation;
        const rows = this.#sorted().filter((row) => {
          const order = compareKeys(row.slice(0, 2), above);
          return (order > 0 || (inclusive && order === 0)) && compareKeys(row.slice(0, 2), below) < 0;
        });
        return { rows: rows.slice(0, limit) };
      }
      case "upsert":
        return this.#upsert(operation.rows, operation.mode);
      case "shift":
        return this.#shift(operation);
      case "drop": {
        const kept = this.rows.filter((row) => !within(row, operation.low, operation.high));
        const affected = this.rows.length - kept.length;
        this.rows = kept;
        return { affected, matched: affected };
      }
      case "sorted": {
        const { low, column, descending, limit, offset } = operation;
        const rows = this.#sorted().filter((row) => compare(row[0], low) >= 0);
        rows.sort((a, b) => compareNullable(a[column], b[column]) * (descending ? -1 : 1));
        return { rows: rows.slice(offset, offset + limit) };
      }
      case "distinct": {
        const { low, column, descending } = operation;
        const rows = this.#sorted().filter((row) => compare(row[0], low) >= 0);
        const values = rows.map((row) => row[column]).sort((a, b) => compareNullable(a, b) * (descending ? -1 : 1));
        return { rows: values.filter((value, i) => i === 0 || value !== values[i - 1]).map((value) => [value]) };
      }
      case "aggregate":
        return { rows: [this.#aggregate(operation.low, operation.high)] };
      case "in":
        return { rows: this.#sorted().filter((row) => operation.keys.some((key) => compareKeys(row.slice(0, 2), key) === 0)) };
    }
  }

  #upsert(rows: readonly Row[], mode: "ignore" | "replace" | "add"): Expected {
    let affected = 0;
    let matched = 0;
    for (const given of rows) {
      const there = this.rows.find((row) => compareKeys(row.slice(0, 2), given) === 0);
      if (there === undefined) {
        this.rows.push([...given]);
        affected++;
        matched++;
        continue;
      }
      if (mode === "ignore") continue;
      const sum = mode === "add" ? added(there[2], given[2]) : null;
      if (sum === undefined) return { error: "out_of_range" };
      const after = mode === "replace" ? [...given] : [there[0], there[1], sum, there[3], given[4]];
      const changed = after.some((value, i) => value !== there[i]);
      after.forEach((value, i) => (there[i] = value));
      const count = changed ? 2 : mode === "replace" ? 1 : 0;
      affected += count;
      matched += Math.max(count, 1);
    }
    return { affected, matched };
  }

  #shift({ low, high, factor, by }: Operation & { kind: "shift" }): Expected {
    let affected = 0;
    const matched = this.rows.filter((row) => within(row, low, high)).sort(compareKeys);
    for (const row of matched) {
      const n = row[2] === null ? null : Number(row[2]) * factor + by;
      if (n !== null && (n > 2147483647 || n < -2147483648)) return { error: "out_of_range" };
      const x = row[3] === null || n === null ? null : Number(row[3]) - n;
      if (n !== row[2] || x !== row[3]) affected++;
      row[2] = n;
      row[3] = x;
    }
    return { affected, matched: matched.length };
  }

  #aggregate(low: ColumnValue, high: ColumnValue): Row {
    const rows = this.#sorted().filter((row) => within(row, low, high));
    const of = (column: number) => rows.map((row) => row[column]).filter((value) => value !== null);
    const [n, x, v] = [of(2), of(3), of(4)];
    const least = [...v].sort(compare)[0] ?? null;
    const most = [...n].sort(compare).at(-1) ?? null;
    const sum = n.length === 0 ? null : n.reduce((total: bigint, value) => total + BigInt(Number(value)), 0n).toString();
    const doubles = x.length === 0 ? null : x.reduce((total: number, value) => total + Number(value), 0);
    return [BigInt(rows.length), BigInt(n.length), sum, least, most, doubles, BigInt(new Set(v).size)];
  }
}

/** NULL sorts first. */
function compareNullable(a: ColumnValue, b: ColumnValue): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return compare(a, b);
}

const within = (row: Row, low: ColumnValue, high: ColumnValue): boolean =>
  compare(row[0], low) >= 0 && compare(row[0], high) <= 0;

/** The sum of two INTs that may be NULL, or undefined where it is none. */
function added(a: ColumnValue, b: ColumnValue): number | null | undefined {
  if (a === null || b === null) return null;
  const sum = Number(a) + Number(b);
  return sum > 2147483647 || sum < -2147483648 ? undefined : sum;
}

/** Writes operations as SQL; `value` says how a value is written: as a literal, or as `?`. */
export function render(operation: Operation, value: (value: ColumnValue) => string): string {
  const conditions = (where: readonly Comparing[]) =>
    where.map((each) => `${modelColumns[each.column]} ${each.comparison} ${value(each.value)}`).join(" AND ");
  const list = (values: readonly ColumnValue[]) => `(${values.map(value).join(", ")})`;
  switch (operation.kind) {
    case "insert": {
      if (operation.unless.length === 0) return `INSERT INTO t VALUES ${operation.rows.map(list).join(",")}`;
      const row = operation.rows[0].map(value).join(", ");
      const unless = operation.unless.map((where) => `(${conditions(where)})`).join(" OR ");
      return `INSERT INTO t (a, b, n, x, v) SELECT ${row} WHERE NOT EXISTS (SELECT 1 FROM t WHERE ${unless})`;
    }
    case "update": {
      const set = operation.set.map((each) => `${modelColumns[each.column]}=${value(each.value)}`).join(", ");
      return `UPDATE t SET ${set} WHERE ${conditions(operation.where)}`;
    }
    case "delete":
      return `DELETE FROM t WHERE ${conditions(operation.where)}`;
    case "select": {
      const where = operation.where.length === 0 ? "" : ` WHERE ${conditions(operation.where)}`;
      if (operation.count) return `SELECT COUNT(*) FROM t${where}`;
      return `SELECT * FROM t${where} ORDER BY a, b${operation.limit === undefined ? "" : ` LIMIT ${value(operation.limit)}`}`;
    }
    case "range": {
      const above = `(a, b) ${operation.inclusive ? ">=" : ">"} ${list(operation.above)}`;
      return `SELECT * FROM t WHERE ${above} AND (a, b) < ${list(operation.below)} ORDER BY a, b LIMIT ${value(operation.limit)}`;
    }
    case "upsert": {
      const rows = operation.rows.map(list).join(", ");
      if (operation.mode === "replace") return `REPLACE INTO t VALUES ${rows}`;
      if (operation.mode === "ignore") return `INSERT IGNORE INTO t VALUES ${rows}`;
      return `INSERT INTO t VALUES ${rows} ON DUPLICATE KEY UPDATE n = n + VALUES(n), v = VALUES(v)`;
    }
    case "shift": {
      const set = `n = n * ${value(operation.factor)} + ${value(operation.by)}, x = x - n`;
      return `UPDATE t SET ${set} WHERE a BETWEEN ${value(operation.low)} AND ${value(operation.high)}`;
    }
    case "drop":
      return `DELETE FROM t WHERE a >= ${value(operation.low)} AND a <= ${value(operation.high)}`;
    case "sorted": {
      const { low, column, descending, limit, offset } = operation;
      const order = `${modelColumns[column]}${descending ? " DESC" : ""}, a, b`;
      return `SELECT * FROM t WHERE a >= ${value(low)} ORDER BY ${order} LIMIT ${value(offset)}, ${value(limit)}`;
    }
    case "distinct": {
      const name = modelColumns[operation.column];
      const order = `${name}${operation.descending ? " DESC" : ""}`;
      return `SELECT DISTINCT ${name} FROM t WHERE a >= ${value(operation.low)} ORDER BY ${order}`;
    }
    case "aggregate": {
      const items = "COUNT(*), COUNT(n), SUM(n), MIN(v), MAX(n), SUM(x), COUNT(DISTINCT v)";
      return `SELECT ${items} FROM t WHERE a BETWEEN ${value(operation.low)} AND ${value(operation.high)}`;
    }
    case "in":
      return `SELECT * FROM t WHERE (a, b) IN (${operation.keys.map(list).join(", ")})`;
  }
}

export function literal(value: ColumnValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  return String(value);
}
