/**
 * Walks the tables of one level, which do not overlap, as one sorted run. One table at a time is open for
 * walking.
 */
import type { WalkPool } from "./block-walk.ts";
import { type EntryIterator, noBytes } from "./entry-iterator.ts";
import type { SortedKeys } from "./sorted-keys.ts";
import { type BlockSource, TableIterator } from "./table-iterator.ts";

export class LevelIterator implements EntryIterator {
  valid = false;
  keyBytes: Uint8Array = noBytes;
  keyStart = 0;
  keyEnd = 0;
  index = 0;
  kind = 0;
  valueBytes: Uint8Array = noBytes;
  valueStart = 0;
  valueEnd = 0;
  readonly #tables: readonly BlockSource[];
  readonly #smallestKeys: SortedKeys;
  readonly #iterator: TableIterator;
  readonly #first: number;
  readonly #last: number;
  #position = 0;

  /**
   * `smallestKeys` are the smallest keys of the tables, in order. Only the tables from number `first` to number `last`
   * are walked.
   */
  constructor(
    pool: WalkPool,
    tables: readonly BlockSource[],
    smallestKeys: SortedKeys,
    first = 0,
    last = tables.length - 1,
  ) {
    this.#iterator = new TableIterator(pool);
    this.#tables = tables;
    this.#smallestKeys = smallestKeys;
    this.#first = first;
    this.#last = last;
  }

  close(): void {
    this.valid = false;
    this.#iterator.close();
  }

  seekFirst(): void {
    if (!this.#open(this.#first)) return;
    this.#iterator.seekFirst();
    this.#skipForwards();
  }

  seekLast(): void {
    if (!this.#open(this.#last)) return;
    this.#iterator.seekLast();
    this.#skipBackwards();
  }

  seek(target: Uint8Array): void {
    if (!this.#open(Math.min(this.#last, Math.max(this.#first, this.#smallestKeys.floor(target))))) return;
    this.#iterator.seek(target);
    this.#skipForwards();
  }

  seekBefore(target: Uint8Array): void {
    if (!this.#open(Math.min(this.#last, this.#smallestKeys.floor(target)))) return;
    this.#iterator.seekBefore(target);
    this.#skipBackwards();
  }

  next(): void {
    this.#iterator.next();
    this.#skipForwards();
  }

  previous(): void {
    this.#iterator.previous();
    this.#skipBackwards();
  }

  #skipForwards(): void {
    while (!this.#iterator.valid && this.#open(this.#position + 1)) this.#iterator.seekFirst();
    this.#show();
  }

  #skipBackwards(): void {
    while (!this.#iterator.valid && this.#open(this.#position - 1)) this.#iterator.seekLast();
    this.#show();
  }

  #open(position: number): boolean {
    const exists = position >= this.#first && position <= this.#last;
    if (exists) {
      this.#position = position;
      this.#iterator.open(this.#tables[position]);
    } else this.valid = false;
    return exists;
  }

  #show(): void {
    const iterator = this.#iterator;
    this.valid = iterator.valid;
    this.keyBytes = iterator.keyBytes;
    this.keyStart = iterator.keyStart;
    this.keyEnd = iterator.keyEnd;
    this.index = iterator.index;
    this.kind = iterator.kind;
    this.valueBytes = iterator.valueBytes;
    this.valueStart = iterator.valueStart;
    this.valueEnd = iterator.valueEnd;
  }
}
