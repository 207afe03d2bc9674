/**
 * Version: the set of open tables at one moment. Immutable; readers pin it by reference, so that flushes and
 * compactions never take a file from under a cursor.
 *
 * Invariants: level 0 is ordered newest first (no two of its tables share an index) and may overlap; the tables of
 * every other level are ordered by key and do not overlap; a version holds one reference to each of its tables until
 * its own last reference is gone.
 */
import { assert } from "../../../../../../kit/assert.ts";
import { compareBytes } from "../../../../../../kit/compare.ts";
import { endsBefore, type FileMeta } from "./file-meta.ts";
import { RangeTombstones } from "./range-tombstones.ts";
import { SortedKeys } from "./sorted-keys.ts";
import type { Table } from "./table.ts";
import { levelsMax } from "./version-edit.ts";

export class Version {
  readonly levels: readonly (readonly Table[])[];
  /** The same as plain data, for agents and jobs. */
  readonly files: readonly (readonly FileMeta[])[];
  /** Smallest keys of the tables per level (empty for level 0, which is not sorted by key). */
  readonly smallestKeys: readonly SortedKeys[];
  /** Deepest level with tables, or 0. */
  readonly deepestLevel: number;
  readonly hasRangeTombstones: boolean;
  #rangeTombstones: RangeTombstones | undefined = undefined;
  #references = 1;
  readonly #onTableUnused: (table: Table) => void;

  constructor(levels: readonly (readonly Table[])[], onTableUnused: (table: Table) => void) {
    assert(levels.length === levelsMax, "a version has every level");
    this.levels = levels;
    this.files = levels.map((tables) => tables.map((table) => table.meta));
    this.smallestKeys = this.files.map((files, level) =>
      SortedKeys.from(level === 0 ? [] : files.map((file) => file.smallest)),
    );
    this.deepestLevel = levels.reduce((deepest, tables, level) => (tables.length > 0 ? level : deepest), 0);
    this.hasRangeTombstones = levels.some((tables) => tables.some((table) => table.ranges.count > 0));
    this.#onTableUnused = onTableUnused;
    for (const tables of levels) for (const table of tables) table.references++;
  }

  /** Those of all tables, cut against each other when they are first asked for. */
  get rangeTombstones(): RangeTombstones {
    this.#rangeTombstones ??= RangeTombstones.fragment(
      this.levels.flatMap((tables) => tables.flatMap((table) => table.ranges.spans)),
    );
    return this.#rangeTombstones;
  }

  retain(): this {
    assert(this.#references > 0, "a version in use");
    this.#references++;
    return this;
  }

  release(): void {
    assert(this.#references > 0, "a version in use");
    if (--this.#references > 0) return;
    for (const tables of this.levels) {
      for (const table of tables) if (--table.references === 0) this.#onTableUnused(table);
    }
  }
}

/**
 * Orders the tables of a level as a version has them. In level 0 by their indexes: a file that was merged from several
 * has a higher number than a newer one that was flushed meanwhile.
 */
export function orderLevel(level: number, tables: Table[]): Table[] {
  return level === 0
    ? tables.sort((a, b) => b.meta.indexMax - a.meta.indexMax || b.meta.number - a.meta.number)
    : tables.sort((a, b) => compareBytes(a.meta.smallest, b.meta.smallest));
}

/** Whether the tables of a level below 0 overlap, which would be damage or our bug. */
export function overlapsItself(tables: readonly Table[]): boolean {
  for (let i = 1; i < tables.length; i++) {
    if (!endsBefore(tables[i - 1].meta, tables[i].meta.smallest)) return true;
  }
  return false;
}
