/**
 * kvSecondary: secondary indexes whose entries are key-value pairs beside the rows.
 *
 * Purpose: rows by other columns than the primary key, in order, in pages. An entry has no value; its key is
 *
 *   | field                    | bytes                                                              |
 *   |--------------------------|--------------------------------------------------------------------|
 *   | index id                 | 4, big-endian; from the same numbers as table ids                  |
 *   | indexed columns          | as in a primary key (see `storage/layout/row-layout.ts`)           |
 *   | primary key              | the row's own key without its table id, byte for byte              |
 *
 * so that memcmp orders entries by indexed columns, then by primary key, and the row's key is a copy of the end of the
 * entry's. Writing entries: `entry-writes.ts`; the grammar: `ddl-grammar.ts`; reading: the executor, which sees an
 * index as a table whose primary key is indexed columns and primary key.
 * Invariants: those of the port (`indexing/secondary-indexes.ts`). Source: TiDB's tablecodec, CockroachDB's index keys.
 */
import { LatheError } from "../../../../kit/errors.ts";
import type { Table, TableIndex } from "../../../architecture/catalog/table.ts";
import type { RowLayout } from "../../../storage/layout/row-layout.ts";
import type { SqlIndexes } from "../../sql-indexes.ts";
import { ddlGrammar } from "./ddl-grammar.ts";
import { entriesOf } from "./entry-table.ts";
import { EntryWrites } from "./entry-writes.ts";

const indexesMax = 64;
const columnsMax = 16;

export const kvSecondary: SqlIndexes = {
  grammar: ddlGrammar,

  entriesOf,

  writeRowKey(layout: RowLayout, table, index, entryKey, target): number {
    const start = layout.keyPrefixBytes(entriesOf(table, index), entryKey, index.columns.length);
    const { id } = table;
    target[0] = id >>> 24;
    target[1] = (id >>> 16) & 0xff;
    target[2] = (id >>> 8) & 0xff;
    target[3] = id & 0xff;
    const length = entryKey.length - start;
    for (let i = 0; i < length; i++) target[4 + i] = entryKey[start + i];
    return 4 + length;
  },

  createWrites: (layout) => new EntryWrites(layout),

  definitionsOf: (table) => (table.indexes ?? []).map(({ id, name, columns }) => ({ id, name, columns })),

  indexesOf(table: Table, definitions: unknown): TableIndex[] {
    if (!Array.isArray(definitions) || definitions.length > indexesMax) throw corrupt(table, "they are not a list");
    return (definitions as unknown[]).map((definition) => checkedIndex(table, definition));
  },
};

function checkedIndex(table: Table, definition: unknown): TableIndex {
  const { id, name, columns } = (definition ?? {}) as Partial<TableIndex>;
  const valid =
    typeof name === "string" &&
    Number.isInteger(id) &&
    Array.isArray(columns) &&
    columns.length > 0 &&
    columns.length <= columnsMax &&
    new Set(columns).size === columns.length &&
    columns.every((ordinal) => Number.isInteger(ordinal) && ordinal >= 0 && ordinal < table.columns.length);
  if (!valid) throw corrupt(table, "one is not valid");
  return { id: id as number, name, columns: columns as readonly number[] };
}

function corrupt(table: Table, why: string): LatheError {
  return new LatheError("CORRUPTION", `indexes of table ${table.name}: ${why}`);
}
