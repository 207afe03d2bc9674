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
  | { readonly kind: "in"; readonly keys: readonly ColumnValue[][] };

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
      case "in":
        return { rows: this.#sorted().filter((row) => operation.keys.some((key) => compareKeys(row.slice(0, 2), key) === 0)) };
    }
  }
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
    case "in":
      return `SELECT * FROM t WHERE (a, b) IN (${operation.keys.map(list).join(", ")})`;
  }
}

export function literal(value: ColumnValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  return String(value);
}
