/**
 * Whether rows that come in key order come in the order that a statement asks for.
 */
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { SelectStatement } from "../../../../parser/statement.ts";
import { type AccessPath, findColumn, notSelected } from "./access-path.ts";

/** Rows come in key order; any other would need a sort. Columns fixed by the prefix order nothing. Throws SqlError. */
export function checkOrder(table: Table, path: AccessPath, statement: SelectStatement): void {
  if (path.prefixes.length === 1 && path.point) {
    for (const { column } of statement.orderBy) findColumn(table, column);
    return;
  }
  let place = 0;
  const fixed = path.prefixes.length === 1 ? table.primaryKey.slice(0, path.prefixLength) : [];
  for (const { column, descending } of statement.orderBy) {
    const ordinal = findColumn(table, column);
    if (fixed.includes(ordinal)) {
      if (table.primaryKey[place] === ordinal) place++;
      continue;
    }
    while (fixed.includes(table.primaryKey[place])) place++;
    // After the whole key nothing is left to order.
    if (place >= table.primaryKey.length) continue;
    if (table.primaryKey[place] !== ordinal) {
      throw notSelected("query_processing/sort/in_memory_quick", "ORDER BY other than the primary key");
    }
    if (descending) throw notSelected("query_processing/scans/reverse", "ORDER BY … DESC");
    place++;
  }
}
