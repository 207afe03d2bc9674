/**
 * Virtual tables: what information_schema and SHOW consist of, made when they are asked for.
 */
import type { Catalog, ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { ResultColumn, SessionView } from "../../../executor.ts";
import type { ExecutorLimits } from "./plan.ts";

/** What a table may look at while it is made. */
export interface CatalogView {
  readonly catalog: Catalog;
  readonly limits: ExecutorLimits;
  readonly session: SessionView | undefined;
  /** What the session calls the one database. */
  readonly database: string;
}

export interface VirtualColumn {
  readonly name: string;
  readonly type: "varchar" | "bigint";
  /** Compared byte by byte; other text is compared without case. */
  readonly exact: boolean;
}

export interface VirtualTable {
  readonly name: string;
  readonly columns: readonly VirtualColumn[];
  rows(view: CatalogView): readonly (readonly ColumnValue[])[];
}

/**
 * `columns`: names separated by spaces; `#` after a name makes it a whole number, `!` a text compared byte by byte.
 */
export function virtualTable(
  name: string,
  columns: string | readonly VirtualColumn[],
  rows: VirtualTable["rows"] = () => [],
): VirtualTable {
  if (typeof columns !== "string") return { name, columns, rows };
  const parsed = columns.split(" ").map((column): VirtualColumn => {
    const mark = column.at(-1);
    const marked = mark === "#" || mark === "!";
    // A space within a name, as SHOW has them, is written `~` here.
    const plain = (marked ? column.slice(0, -1) : column).replaceAll("~", " ");
    return { name: plain, type: mark === "#" ? "bigint" : "varchar", exact: mark === "!" };
  });
  return { name, columns: parsed, rows };
}

/** A column whose name comes from a statement, and may hold any character. */
export function textColumn(name: string): VirtualColumn {
  return { name, type: "varchar", exact: false };
}

export function resultColumnOf(name: string, type: "varchar" | "bigint" | "double", tableName = ""): ResultColumn {
  return { name, type, lengthMax: type === "varchar" ? 65_535 : undefined, nullable: true, tableName };
}

export function viewOf(catalog: Catalog, limits: ExecutorLimits, session: SessionView | undefined): CatalogView {
  const named = session?.database ?? "";
  return { catalog, limits, session, database: named === "" ? limits.databaseName : named };
}
