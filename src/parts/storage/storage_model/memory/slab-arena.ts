/**
 * SlabArena: cells of memory outside the heap, in one reserved range, addressed by 32-bit references.
 *
 *   1. The range is reserved once. Pages that were never used are never touched, and so are not resident.
 *   2. A page of 16 KiB holds cells of one size class: multiples of 8 bytes up to 256, then eight classes per doubling
 *   up to a quarter of a page, so at most an eighth of a cell is unused.
 *   3. Every page has a list of its free cells, threaded through their first word. Pages of a class with a free cell
 *   are in a doubly linked list. A page whose last cell is freed serves any class again, so that a store whose values
 *      change their size does not keep memory that it cannot use.
 * A reference is the offset in units of 8 bytes; 0 is none, because page 0 is never given out. Nothing here grows by
 * copying, so there is no pause.
 * Source: Bonwick 1994, "The Slab Allocator"; memcached's slabs.
 */
import { LatheError } from "../../../../kit/errors.ts";

export const pageBytes = 1 << 14;
/** Larger records are not kept in cells. */
export const cellBytesMax = pageBytes / 4;
const unitsPerPageLog2 = 11;
const noPage = -1;

const classBytes: number[] = [];
for (let bytes = 16; bytes < 256; bytes += 8) classBytes.push(bytes);
for (let base = 256; base < cellBytesMax; base *= 2) {
  for (let eighth = 0; eighth < 8; eighth++) classBytes.push(base + (base / 8) * eighth);
}
classBytes.push(cellBytesMax);

/** Class by size in units of 8 bytes, rounded up. */
const classOfUnits = new Uint8Array(cellBytesMax / 8 + 1);
for (let units = 0, at = 0; units < classOfUnits.length; units++) {
  if (units * 8 > classBytes[at]) at++;
  classOfUnits[units] = at;
}

/** The size of the cell that holds so many bytes. */
export function cellBytesOf(bytes: number): number {
  return classBytes[classOfUnits[(bytes + 7) >>> 3]];
}

export class SlabArena {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly #pageCount: number;
  readonly #classOfPage: Uint8Array;
  readonly #used: Uint16Array;
  /** Cells of a page that were given out at least once. */
  readonly #begun: Uint16Array;
  /** First free cell of a page, as a reference; 0: none. */
  readonly #freeCell: Uint32Array;
  /** Neighbours in the list of pages with room; `#next` also links the pages that are free as a whole. */
  readonly #next: Int32Array;
  readonly #before: Int32Array;
  readonly #withRoom = new Int32Array(classBytes.length).fill(noPage);
  #freePage = noPage;
  #freePages = 0;
  #pagesTouched = 1;
  #usedBytes = 0;

  /** Errors: LIMIT_EXCEEDED where the system does not give so much. */
  constructor(capacityBytes: number) {
    this.#pageCount = Math.ceil(capacityBytes / pageBytes) + 1;
    const buffer = reserve(this.#pageCount * pageBytes);
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.#classOfPage = new Uint8Array(this.#pageCount);
    this.#used = new Uint16Array(this.#pageCount);
    this.#begun = new Uint16Array(this.#pageCount);
    this.#freeCell = new Uint32Array(this.#pageCount);
    this.#next = new Int32Array(this.#pageCount);
    this.#before = new Int32Array(this.#pageCount);
  }

  /** Bytes of the cells that are given out. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes of pages that are in use, or were: what is resident. */
  get touchedBytes(): number {
    return (this.#pagesTouched - 1) * pageBytes;
  }

  get capacityBytes(): number {
    return (this.#pageCount - 1) * pageBytes;
  }

  /** Whether `count` cells of together so many bytes are sure to fit, whatever their classes, into `withinBytes`. */
  canHold(bytes: number, count: number, withinBytes: number): boolean {
    const free = withinBytes - (this.#pagesTouched - 1 - this.#freePages) * pageBytes;
    // Every class may need a page that it fills only in part, and pages end with up to a cell's rest.
    const worst = bytes * 1.5 + count * 24 + Math.min(count, classBytes.length) * pageBytes;
    return free >= worst;
  }

  /** A cell of at least so many bytes (≤ `cellBytesMax`). Ask `canHold` first. Errors: LIMIT_EXCEEDED. */
  take(bytes: number): number {
    const kind = classOfUnits[(bytes + 7) >>> 3];
    let page = this.#withRoom[kind];
    if (page === noPage) page = this.#beginPage(kind);
    const size = classBytes[kind];
    this.#usedBytes += size;
    this.#used[page]++;
    let cell = this.#freeCell[page];
    if (cell !== 0) this.#freeCell[page] = this.words[cell * 2];
    else cell = (page << unitsPerPageLog2) + ((this.#begun[page]++ * size) >>> 3);
    if (this.#freeCell[page] === 0 && (this.#begun[page] + 1) * size > pageBytes) this.#unlink(page, kind);
    return cell;
  }

  free(cell: number): void {
    const page = cell >>> unitsPerPageLog2;
    const kind = this.#classOfPage[page];
    const size = classBytes[kind];
    const wasFull = this.#freeCell[page] === 0 && (this.#begun[page] + 1) * size > pageBytes;
    this.#usedBytes -= size;
    this.words[cell * 2] = this.#freeCell[page];
    this.#freeCell[page] = cell;
    if (wasFull) this.#link(page, kind);
    if (--this.#used[page] > 0) return;
    this.#unlink(page, kind);
    this.#next[page] = this.#freePage;
    this.#freePage = page;
    this.#freePages++;
  }

  /** The size of a cell that is given out. */
  sizeOf(cell: number): number {
    return classBytes[this.#classOfPage[cell >>> unitsPerPageLog2]];
  }

  #beginPage(kind: number): number {
    let page = this.#freePage;
    if (page !== noPage) {
      this.#freePage = this.#next[page];
      this.#freePages--;
    } else {
      if (this.#pagesTouched === this.#pageCount) throw noMemory(this.#pageCount * pageBytes);
      page = this.#pagesTouched++;
    }
    this.#classOfPage[page] = kind;
    this.#used[page] = 0;
    this.#begun[page] = 0;
    this.#freeCell[page] = 0;
    this.#link(page, kind);
    return page;
  }

  #link(page: number, kind: number): void {
    const first = this.#withRoom[kind];
    this.#next[page] = first;
    this.#before[page] = noPage;
    if (first !== noPage) this.#before[first] = page;
    this.#withRoom[kind] = page;
  }

  #unlink(page: number, kind: number): void {
    const next = this.#next[page];
    const before = this.#before[page];
    if (before === noPage) this.#withRoom[kind] = next;
    else this.#next[before] = next;
    if (next !== noPage) this.#before[next] = before;
  }
}

function reserve(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch (error) {
    throw new LatheError(
      "LIMIT_EXCEEDED",
      `the system does not reserve ${bytes} bytes of memory; lower memory.bytes_max`,
      { cause: error, details: { bytes } },
    );
  }
}

function noMemory(bytes: number): LatheError {
  return new LatheError("LIMIT_EXCEEDED", `all ${bytes} bytes reserved for records are in use; delete some`);
}
