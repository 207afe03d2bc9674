/**
 * What a SELECT returns: the shape that passes stored bytes on, the same one for rows of values (reads inside a
 * transaction that writes), and the ordinals behind them.
 */
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { SelectStatement } from "../../../../parser/statement.ts";
import type { ResultColumn, ResultShape } from "../../../executor.ts";
import { findColumn } from "./access-path.ts";

export interface SelectedColumns {
  readonly stored: ResultShape;
  readonly values: ResultShape;
  readonly ordinals: readonly number[];
}

/** Of columns; aggregates have shapes of their own (`row-pipeline.ts`). */
export function selectedColumns(table: Table, items: SelectStatement["items"]): SelectedColumns {
  const named =
    items === "all" || items === "count"
      ? table.columns.map((column, ordinal) => ({ ordinal, name: column.name }))
      : items.map(({ column, alias }) => ({ ordinal: findColumn(table, column), name: alias ?? column }));
  const columns = named.map(({ ordinal, name }): ResultColumn => {
    const { type, lengthMax, nullable } = table.columns[ordinal];
    return { name, type, lengthMax, nullable, tableName: table.name };
  });
  const ordinals = named.map(({ ordinal }) => ordinal);
  return { stored: { columns, stored: { table, ordinals } }, values: { columns }, ordinals };
}

export function countShape(name: string): ResultShape {
  return { columns: [{ name, type: "bigint", lengthMax: undefined, nullable: false, tableName: "" }] };
}

export function project(row: readonly ColumnValue[], ordinals: readonly number[]): ColumnValue[] {
  return ordinals.map((ordinal) => row[ordinal]);
}
