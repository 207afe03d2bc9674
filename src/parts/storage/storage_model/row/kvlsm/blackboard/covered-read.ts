/**
 * CoveredRead: a point read of a key that was deleted with a range. Only these pay for range tombstones.
 *
 * Of the versions that the reader may see, the newest counts; it is there if it is not older than the newest delete of
 * a range with the key.
 *   1. Runs from the newest to the oldest, as for any read. A table without an index as new as the delete is passed
 *      over unread.
 *   2. In a table the version found is older than the delete just where a reader from before the delete finds the same
 *      one: so the blocks need not tell indexes.
 */
import type { Blackboard } from "./blackboard.ts";
import { type Lookup, lookupAbsent, lookupDelete, lookupMissing } from "./lookup.ts";
import { type Memtable, versionIndex } from "./memtable.ts";
import type { Table } from "./table.ts";

export interface CoveredKey {
  readonly key: Uint8Array;
  readonly hash: number;
  readonly indexMax: number;
  /** The newest index ≤ `indexMax` at which a range with the key was deleted. */
  readonly coverIndex: number;
  readonly mayBlock: boolean;
}

/** As PointReader's `find`. Errors: CORRUPTION, IO_ERROR. */
export function findCovered(board: Blackboard, covered: CoveredKey, lookup: Lookup): number {
  const { memtable, immutables, versions } = board;
  for (const one of [memtable, ...immutables]) {
    const result = findInMemtable(one, covered, lookup);
    if (result !== lookupAbsent) return result;
  }
  const { current } = versions;
  for (const table of current.levels[0]) {
    const result = findInTable(table, covered, lookup);
    if (result !== lookupAbsent) return result;
  }
  for (let level = 1; level <= current.deepestLevel; level++) {
    const position = current.smallestKeys[level].floor(covered.key);
    if (position < 0) continue;
    const result = findInTable(current.levels[level][position], covered, lookup);
    if (result !== lookupAbsent) return result;
  }
  return lookupDelete;
}

function findInMemtable(memtable: Memtable, covered: CoveredKey, lookup: Lookup): number {
  const version = memtable.find(covered.key, covered.hash, covered.indexMax);
  if (version === 0) return lookupAbsent;
  if (versionIndex(memtable.words, version) < covered.coverIndex) return lookupDelete;
  lookup.bytes = memtable.bytes;
  lookup.valueStart = memtable.valueStartOf(version);
  lookup.valueEnd = lookup.valueStart + memtable.valueLengthOf(version);
  return memtable.kindOf(version);
}

function findInTable(table: Table, covered: CoveredKey, lookup: Lookup): number {
  const { key, hash, indexMax, coverIndex, mayBlock } = covered;
  if (table.meta.indexMax < coverIndex) return lookupAbsent;
  const before = table.find(key, hash, coverIndex - 1, lookup, mayBlock);
  if (before === lookupMissing) return before;
  const placeBefore = before === lookupAbsent ? -1 : lookup.valueStart;
  const result = table.find(key, hash, indexMax, lookup, mayBlock);
  if (result === lookupAbsent || result === lookupMissing) return result;
  // All versions of a key are in one block, so one place is one version.
  return lookup.valueStart === placeBefore ? lookupDelete : result;
}
