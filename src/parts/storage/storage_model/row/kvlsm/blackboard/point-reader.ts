/**
 * PointReader: finds the version of a key that a reader may see, from the newest run to the oldest. Allocates
 * nothing.
 */
import { hash32 } from "../../../../../../kit/hash.ts";
import type { Blackboard } from "./blackboard.ts";
import { findCovered } from "./covered-read.ts";
import { Lookup, lookupAbsent } from "./lookup.ts";
import type { Memtable } from "./memtable.ts";

export class PointReader {
  /** Where the last `find` left its value, or the block that it lacked. */
  readonly lookup = new Lookup();
  readonly #board: Blackboard;

  constructor(board: Blackboard) {
    this.#board = board;
  }

  /**
   * `lookupPut` with the value's place in `lookup`, `lookupDelete`, `lookupAbsent`, or, only where
   * `mayBlock` is false, `lookupMissing`. `indexMax` is Infinity for the newest version. Errors: CORRUPTION,
   * IO_ERROR.
   */
  find(key: Uint8Array, indexMax: number, mayBlock: boolean): number {
    const board = this.#board;
    const { lookup } = this;
    const hash = hash32(key, 0, 0, key.length) | 0;
    board.reads.pointReads++;
    if (board.hasRangeTombstones) {
      const coverIndex = board.coverIndex(key, indexMax);
      if (coverIndex > 0) return findCovered(board, { key, hash, indexMax, coverIndex, mayBlock }, lookup);
    }
    const inMemory = this.#findInMemory(key, hash, indexMax);
    if (inMemory !== lookupAbsent) return inMemory;
    const version = board.versions.current;
    const newest = version.levels[0];
    for (let i = 0; i < newest.length; i++) {
      const result = newest[i].find(key, hash, indexMax, lookup, mayBlock);
      if (result !== lookupAbsent) return result;
    }
    for (let level = 1; level <= version.deepestLevel; level++) {
      const position = version.smallestKeys[level].floor(key);
      if (position < 0) continue;
      const result = version.levels[level][position].find(key, hash, indexMax, lookup, mayBlock);
      if (result !== lookupAbsent) return result;
    }
    return lookupAbsent;
  }

  #findInMemory(key: Uint8Array, hash: number, indexMax: number): number {
    const { memtable, immutables } = this.#board;
    let version = memtable.find(key, hash, indexMax);
    if (version !== 0) return this.#show(memtable, version);
    for (let i = 0; i < immutables.length; i++) {
      version = immutables[i].find(key, hash, indexMax);
      if (version !== 0) return this.#show(immutables[i], version);
    }
    return lookupAbsent;
  }

  #show(memtable: Memtable, version: number): number {
    const { lookup } = this;
    this.#board.reads.runsTouched++;
    lookup.bytes = memtable.bytes;
    lookup.valueStart = memtable.valueStartOf(version);
    lookup.valueEnd = lookup.valueStart + memtable.valueLengthOf(version);
    return memtable.kindOf(version);
  }
}
