/**
 * The entries of an index as a table: what lets layout, ranges and cursors treat an index as they treat rows.
 *
 * Its columns are those of the table, with the same ordinals; its primary key is indexed columns, then primary key. A
 * column that stands in both comes twice, which costs its bytes and keeps the end of every entry a whole row key.
 */
import type { Table, TableIndex } from "../../../architecture/catalog/table.ts";

const entryTables = new WeakMap<TableIndex, Table>();

/** One object per index, so that what is worked out per table is worked out once. */
export function entriesOf(table: Table, index: TableIndex): Table {
  let entries = entryTables.get(index);
  if (entries === undefined) {
    const { name, columns } = table;
    entries = { id: index.id, name, columns, primaryKey: [...index.columns, ...table.primaryKey] };
    entryTables.set(index, entries);
  }
  return entries;
}
