/**
 * SecondaryIndexes: the hooks by which indexes on other columns than the primary key take part in a product.
 *
 * Purpose: catalog, state machine and executor each have one door for it (the parser too: `sql-indexes.ts`), open only
 * where the leaf was selected. Contract:
 *   1. Every row of a table has exactly one entry in each of its indexes, unless an indexed column of it is NULL: then
 *      it has none. Entries are written and removed in the batch of the command that changes the row.
 *   2. Entries stand in the order of the indexed columns, then of the primary key; an index is, to readers, a table
 *      (`entriesOf`) whose primary key is that list of columns.
 *   3. `writeRowKey` leads from an entry to its row.
 * Source: TiDB's and CockroachDB's index entries as key-value pairs.
 */
import type { ColumnValue, Table, TableIndex } from "../architecture/catalog/table.ts";
import type { RowLayout } from "../storage/layout/row-layout.ts";
import type { WriteBatch } from "../storage/write-batch.ts";

export interface SecondaryIndexes {
  /**
   * The entries of an index as a table: the columns of `table`, the id of the index, and as primary key the indexed
   * columns followed by the table's primary key. One object per index.
   */
  entriesOf(table: Table, index: TableIndex): Table;
  /** The key of the row that an entry leads to, written into `target`; its length. Errors: CORRUPTION. */
  writeRowKey(layout: RowLayout, table: Table, index: TableIndex, entryKey: Uint8Array, target: Uint8Array): number;
  /** The writes of one command; one object is used again and again. */
  createWrites(layout: RowLayout): IndexWrites;
  /** Definitions as plain JSON values, and back. Errors: CORRUPTION. */
  definitionsOf(table: Table): unknown;
  indexesOf(table: Table, definitions: unknown): readonly TableIndex[];
}

/**
 * What a command does to the entries of the rows it changes, in order. Methods return the length in bytes of the
 * longest entry key that they made, so that the caller can hold it against the engine's limit. Rows are as RowLayout
 * takes them.
 */
export interface IndexWrites {
  begin(): void;
  inserted(table: Table, rowKey: Uint8Array, row: readonly ColumnValue[]): number;
  /** `before` and `after` as `viewRow` gives them: key columns may be null, they are taken from the key. */
  updated(
    table: Table,
    rowKey: Uint8Array,
    before: readonly ColumnValue[],
    after: readonly ColumnValue[],
  ): number;
  deleted(table: Table, rowKey: Uint8Array, value: Uint8Array): void;
  /** Entries for a row of a table that gets a new index. */
  filled(table: Table, index: TableIndex, rowKey: Uint8Array, value: Uint8Array): number;
  /** Adds the writes to a batch, in the order in which they were made. */
  addTo(batch: WriteBatch): void;
}
