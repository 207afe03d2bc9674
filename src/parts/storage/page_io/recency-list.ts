/**
 * RecencyList: entries of an `EntryTable` in the order of their last use, as a doubly linked list.
 *
 * Invariant: an entry is in at most one list; the links lie in the entry's first cell, so that a list of any
 * length costs nothing but its two ends.
 */
import { cellWords } from "./cell-arena.ts";
import { newerWord, olderWord } from "./entry-table.ts";

export class RecencyList {
  /** Ends of the list; 0 where it is empty. */
  newest = 0;
  oldest = 0;
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  linkNewest(entry: number): void {
    const words = this.#words;
    const older = this.newest;
    words[entry * cellWords + newerWord] = 0;
    words[entry * cellWords + olderWord] = older;
    if (older === 0) this.oldest = entry;
    else words[older * cellWords + newerWord] = entry;
    this.newest = entry;
  }

  unlink(entry: number): void {
    const words = this.#words;
    const newer = words[entry * cellWords + newerWord];
    const older = words[entry * cellWords + olderWord];
    if (newer === 0) this.newest = older;
    else words[newer * cellWords + olderWord] = older;
    if (older === 0) this.oldest = newer;
    else words[older * cellWords + newerWord] = newer;
  }

  /** The entry that was used next after this one, or 0. */
  newerThan(entry: number): number {
    return this.#words[entry * cellWords + newerWord];
  }

  clear(): void {
    this.newest = 0;
    this.oldest = 0;
  }
}
