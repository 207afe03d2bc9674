/**
 * The sorted runs that a scan has to merge, newest first.
 *
 * Left out are files that cannot have an entry of the range, by their bounds or by their prefix filter
 * (prefix-rule.ts). That holds for entries alone: a range tombstone of a file left out may still delete what
 * another file has, so whoever collects range tombstones must ask all files of the version.
 */
import { compareBytes } from "../../../../../../kit/compare.ts";
import type { WalkPool } from "./block-walk.ts";
import type { EntryIterator } from "./entry-iterator.ts";
import { LevelIterator } from "./level-iterator.ts";
import type { Memtable } from "./memtable.ts";
import { MemtableIterator } from "./memtable-iterator.ts";
import { TableIterator } from "./table-iterator.ts";
import type { Table } from "./table.ts";
import type { Version } from "./version.ts";

/** Files of one level that are asked for a range before it is walked without asking. */
const askedMax = 4;

/** The runs for the range [gte, lt); close them. */
export function sortedRuns(
  walks: WalkPool,
  memtables: readonly Memtable[],
  version: Version,
  gte: Uint8Array | undefined,
  lt: Uint8Array | undefined,
): EntryIterator[] {
  const runs: EntryIterator[] = [];
  for (const memtable of memtables) {
    if (memtable.versionCount > 0) runs.push(new MemtableIterator(memtable));
  }
  for (const table of version.levels[0]) {
    if (mayHaveEntries(table, gte, lt)) runs.push(new TableIterator(walks, table));
  }
  for (let level = 1; level <= version.deepestLevel; level++) {
    const tables = version.levels[level];
    const starts = version.smallestKeys[level];
    let first = gte === undefined ? 0 : Math.max(0, starts.floor(gte));
    let last = lt === undefined ? tables.length - 1 : starts.floor(lt);
    // The outermost ones may lie beside the range; what is not needed must not be read, it may be damaged.
    if (gte !== undefined && first <= last && compareBytes(tables[first].meta.largest, gte) < 0) first++;
    if (lt !== undefined && first <= last && compareBytes(tables[last].meta.smallest, lt) >= 0) last--;
    if (first > last) continue;
    const needed =
      last - first >= askedMax || tables.slice(first, last + 1).some((table) => mayHaveEntries(table, gte, lt));
    if (needed) runs.push(new LevelIterator(walks, tables, starts, first, last));
  }
  return runs;
}

function mayHaveEntries(table: Table, gte: Uint8Array | undefined, lt: Uint8Array | undefined): boolean {
  const { smallest, largest } = table.meta;
  if (gte !== undefined && compareBytes(largest, gte) < 0) return false;
  if (lt !== undefined && compareBytes(smallest, lt) >= 0) return false;
  return table.mayContainRange(gte, lt);
}
