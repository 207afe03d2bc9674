/**
 * MemtableArena: the shared memory that a memtable lives in, used again by later memtables.
 *
 * The collector does not hurry to free shared memory (it does not count it), so a store under steady writes
 * would hold many dead memtables. The pool keeps as many arenas as the options allow memtables; only larger
 * ones, made for a batch beyond the usual size, and those of a size that was changed are left to the collector.
 */
import type { FrozenMemtable } from "./memtable.ts";

export interface MemtableArena {
  /** Keys and values. */
  readonly bytes: FrozenMemtable["bytes"];
  /** Nodes and versions. */
  readonly words: FrozenMemtable["words"];
}

export class MemtableArenaPool {
  #bytesMax = 0;
  #wordsMax = 0;
  #countMax = 0;
  #free: MemtableArena[] = [];
  /** The largest part of an arena that was ever touched: what a free one holds of memory at most. */
  #touchedMax = 0;

  constructor(memtableBytes: number, countMax: number) {
    this.resize(memtableBytes, countMax);
  }

  /**
   * Arenas of `memtableBytes` for either part from now on: a memtable of large values needs the one, of small ones
   * the other.
   */
  resize(memtableBytes: number, countMax: number): void {
    if (memtableBytes !== this.#bytesMax) {
      this.#free = [];
      this.#touchedMax = 0;
    }
    this.#bytesMax = memtableBytes;
    this.#wordsMax = memtableBytes >>> 2;
    this.#countMax = countMax;
    this.#free.length = Math.min(this.#free.length, countMax);
  }

  /** Memory that free arenas hold. */
  get freeBytes(): number {
    return this.#free.length * this.#touchedMax;
  }

  /** An arena for at least so many bytes and words. */
  take(bytes: number, words: number): MemtableArena {
    if (bytes <= this.#bytesMax && words <= this.#wordsMax) {
      const arena = this.#free.pop();
      if (arena !== undefined) return arena;
    }
    // Pages that are never touched are not resident, so a generous reserve costs nothing.
    return {
      bytes: new SharedArrayBuffer(Math.max(bytes, this.#bytesMax)),
      words: new SharedArrayBuffer(Math.max(words, this.#wordsMax) * 4),
    };
  }

  /** Takes back the arena of a memtable of that size that nobody reads any more. */
  give(arena: MemtableArena, touchedBytes: number): void {
    const usual = arena.bytes.byteLength === this.#bytesMax && arena.words.byteLength === this.#wordsMax * 4;
    if (!usual || this.#free.length >= this.#countMax) return;
    this.#touchedMax = Math.max(this.#touchedMax, touchedBytes);
    this.#free.push(arena);
  }
}
