/**
 * In which way rows that come in key order serve the order that a statement asks for.
 */
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { SelectStatement } from "../../../../parser/statement.ts";
import { type AccessPath, findColumn } from "./access-path.ts";

/** As they come, turned round, or only when they are sorted. */
export type KeyOrder = "forward" | "backward" | "sorted";

/** Columns fixed by the prefix order nothing, nor does what comes after the whole key. Throws SqlError. */
export function keyOrder(table: Table, path: AccessPath, statement: SelectStatement): KeyOrder {
  const wanted = statement.orderBy.map(({ column, descending }) => {
    return { ordinal: findColumn(table, column), descending };
  });
  if (path.prefixes.length === 1 && path.point) return "forward";
  const fixed = path.prefixes.length === 1 ? table.primaryKey.slice(0, path.prefixLength) : [];
  const key = table.primaryKey.filter((ordinal) => !fixed.includes(ordinal));
  let place = 0;
  let order: KeyOrder | undefined;
  for (const { ordinal, descending } of wanted) {
    if (fixed.includes(ordinal) || place >= key.length) continue;
    if (key.indexOf(ordinal) < place && key.includes(ordinal)) continue;
    const way = descending ? "backward" : "forward";
    if (key[place] !== ordinal || (order !== undefined && order !== way)) return "sorted";
    order = way;
    place++;
  }
  return order ?? "forward";
}
