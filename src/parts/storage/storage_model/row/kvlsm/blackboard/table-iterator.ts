/**
 * Walks an SSTable in both directions, from any source of blocks: the owner's table with its cache, or a job's
 * reader.
 */
import type { Block } from "./block.ts";
import type { BlockWalk, WalkPool } from "./block-walk.ts";
import { type EntryIterator, noBytes } from "./entry-iterator.ts";

export interface BlockSource {
  readonly blockCount: number;
  /** Number of the last block that begins at or below the key, or -1. Errors: CORRUPTION, IO_ERROR. */
  floor(key: Uint8Array): number;
  /** Errors: CORRUPTION, IO_ERROR. */
  block(number: number): Block;
}

export class TableIterator implements EntryIterator {
  valid = false;
  keyBytes: Uint8Array = noBytes;
  keyStart = 0;
  keyEnd = 0;
  index = 0;
  kind = 0;
  valueBytes: Uint8Array = noBytes;
  valueStart = 0;
  valueEnd = 0;
  readonly #pool: WalkPool;
  readonly #walk: BlockWalk;
  #source: BlockSource | undefined;
  #blockNumber = 0;
  #closed = false;

  constructor(pool: WalkPool, source?: BlockSource) {
    this.#pool = pool;
    this.#walk = pool.take();
    this.#source = source;
  }

  /** Turns to another table; the iterator is invalid until it is moved. */
  open(source: BlockSource): void {
    this.#source = source;
    this.valid = false;
  }

  close(): void {
    this.valid = false;
    if (!this.#closed) this.#pool.give(this.#walk);
    this.#closed = true;
  }

  seekFirst(): void {
    // A file of range tombstones alone has no block.
    if (this.#sourceNow().blockCount === 0) return this.#show(false);
    this.#enter(0);
    this.#show(this.#walk.toFirst());
  }

  seekLast(): void {
    if (this.#sourceNow().blockCount === 0) return this.#show(false);
    this.#enter(this.#sourceNow().blockCount - 1);
    this.#show(this.#walk.toLast());
  }

  seek(target: Uint8Array): void {
    const number = this.#sourceNow().floor(target);
    if (number < 0) return this.seekFirst();
    this.#enter(number);
    if (this.#walk.toFirstFrom(target)) this.#show(true);
    else this.#nextBlock();
  }

  seekBefore(target: Uint8Array): void {
    const number = this.#sourceNow().floor(target);
    if (number < 0) return this.#show(false);
    this.#enter(number);
    if (this.#walk.toLastBefore(target)) this.#show(true);
    else this.#previousBlock();
  }

  next(): void {
    if (this.#walk.next()) this.#show(true);
    else this.#nextBlock();
  }

  previous(): void {
    if (this.#walk.previous()) this.#show(true);
    else this.#previousBlock();
  }

  #nextBlock(): void {
    if (this.#blockNumber + 1 >= this.#sourceNow().blockCount) return this.#show(false);
    this.#enter(this.#blockNumber + 1);
    this.#show(this.#walk.toFirst());
  }

  #previousBlock(): void {
    if (this.#blockNumber === 0) return this.#show(false);
    this.#enter(this.#blockNumber - 1);
    this.#show(this.#walk.toLast());
  }

  #sourceNow(): BlockSource {
    return this.#source as BlockSource;
  }

  #enter(number: number): void {
    this.#blockNumber = number;
    this.#walk.open(this.#sourceNow().block(number));
  }

  #show(valid: boolean): void {
    this.valid = valid;
    if (!valid) return;
    const walk = this.#walk;
    const position = walk.position;
    this.keyBytes = walk.keyArena;
    this.keyStart = walk.keyStarts[position];
    this.keyEnd = walk.keyEnds[position];
    this.index = walk.index();
    this.kind = walk.kind();
    this.valueBytes = walk.valueBytes;
    this.valueStart = walk.valueStarts[position];
    this.valueEnd = walk.valueEnds[position];
  }
}
