/**
 * CellArena: memory of a fixed size, handed out in chains of 64-byte cells.
 *
 * Chains of equal cells have no fragmentation to speak of and nothing that must be moved or calcifies,
 * whatever mix of sizes comes and goes; the price is that a value is copied together when it is read.
 * One ArrayBuffer holds everything: the garbage collector sees one object, and the operating system
 * maps its pages only when they are first used.
 *
 * | word of a cell | field |
 * |---------------:|-------|
 * |         0 to 5 | of a chain's first cell: the owner's fields; of others: bytes |
 * |        6 to 14 | bytes |
 * |             15 | number of the next cell of the chain (or of the free list), 0 at its end |
 *
 * Cell 0 is never handed out, so that 0 can mean none.
 * Source: memcached's slabs, with one size class and chained items (its `slab_chunk_max`).
 */
import { assert } from "../../../kit/assert.ts";

export const cellBytes = 64;
export const cellWords = 16;
export const fieldWords = 6;

const fieldBytes = fieldWords * 4;
const nextWord = 15;
const lastByte = nextWord * 4;
const firstCapacity = lastByte - fieldBytes;

/** Cells that a chain of so many bytes takes. */
export function cellsFor(byteLength: number): number {
  return byteLength <= firstCapacity ? 1 : 1 + Math.ceil((byteLength - firstCapacity) / lastByte);
}

export class CellArena {
  readonly cells: number;
  /** The owner reads and writes its fields here: word `cell * cellWords + n`, n < `fieldWords`. */
  readonly words: Int32Array;
  readonly #bytes: Uint8Array;
  #freeHead = 0;
  /** Cells from here on have never been used; their memory is not mapped yet. */
  #untouched = 1;
  #usedCells = 0;

  constructor(cells: number) {
    this.cells = cells;
    const buffer = new ArrayBuffer((cells + 1) * cellBytes);
    this.words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }

  get usedCells(): number {
    return this.#usedCells;
  }

  get freeCells(): number {
    return this.cells - this.#usedCells;
  }

  /** A chain of `count` cells; that many must be free. Returns the first. */
  allocate(count: number): number {
    assert(count <= this.freeCells, "the owner makes room first");
    let head = 0;
    for (let left = count; left > 0; left--) {
      const cell = this.#takeCell();
      this.words[cell * cellWords + nextWord] = head;
      head = cell;
    }
    this.#usedCells += count;
    return head;
  }

  /** Gives a chain back; returns how many cells that were. */
  release(first: number): number {
    let last = first;
    let count = 1;
    for (let next = this.#next(last); next !== 0; next = this.#next(last)) {
      last = next;
      count++;
    }
    this.words[last * cellWords + nextWord] = this.#freeHead;
    this.#freeHead = first;
    this.#usedCells -= count;
    return count;
  }

  clear(): void {
    this.#freeHead = 0;
    this.#untouched = 1;
    this.#usedCells = 0;
  }

  /** Writes `source` into the chain, from byte `offset` of the chain on. */
  write(first: number, offset: number, source: Uint8Array): void {
    const bytes = this.#bytes;
    let cell = first;
    let position = offset + fieldBytes;
    for (; position >= lastByte; position -= lastByte) cell = this.#next(cell);
    for (let done = 0; done < source.length; ) {
      const start = cell * cellBytes + position;
      const count = Math.min(lastByte - position, source.length - done);
      for (let at = 0; at < count; at++) bytes[start + at] = source[done + at];
      done += count;
      position = 0;
      cell = this.#next(cell);
    }
  }

  /**
   * Copies `words` words of the chain, from byte `offset` (a multiple of 4) on, to the start of
   * `target`.
   */
  read(first: number, offset: number, words: number, target: Int32Array): void {
    const source = this.words;
    let cell = first;
    let position = (offset >>> 2) + fieldWords;
    for (; position >= nextWord; position -= nextWord) cell = this.#next(cell);
    for (let done = 0; done < words; ) {
      const start = cell * cellWords + position;
      const count = Math.min(nextWord - position, words - done);
      for (let at = 0; at < count; at++) target[done + at] = source[start + at];
      done += count;
      position = 0;
      cell = source[cell * cellWords + nextWord];
    }
  }

  /** Whether the chain begins with `prefix`. */
  startsWith(first: number, prefix: Uint8Array): boolean {
    const bytes = this.#bytes;
    let cell = first;
    let position = fieldBytes;
    for (let at = 0; at < prefix.length; at++) {
      if (position === lastByte) {
        cell = this.#next(cell);
        position = 0;
      }
      if (bytes[cell * cellBytes + position++] !== prefix[at]) return false;
    }
    return true;
  }

  #next(cell: number): number {
    return this.words[cell * cellWords + nextWord];
  }

  #takeCell(): number {
    const cell = this.#freeHead;
    if (cell === 0) return this.#untouched++;
    this.#freeHead = this.#next(cell);
    return cell;
  }
}
