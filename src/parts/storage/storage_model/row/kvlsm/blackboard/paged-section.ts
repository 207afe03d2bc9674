/**
 * PagedSection: a section of an open SSTable of which only the pages that reads ask for are in memory.
 *
 *   1. When the table is opened the whole section is read once and held against its checksum. What stays of it is a
 *      CRC-32C per page, so that a page can be read alone and checked later.
 *   2. A page that a read needs is read from the file, checked, decoded by whoever owns the section, and handed to the
 *      block cache, which bounds pages and data blocks together and drops those that are not asked for.
 * So the memory of an open table does not grow with its size, but for some bytes per page.
 * Source: RocksDB's cache_index_and_filter_blocks and its partitioned indexes and filters; there the partitions are in
 * the file format, here only in memory.
 */
import { crc32c } from "../../../../../../kit/crc32c.ts";
import type { DiskFile } from "../../../../../../kit/env/env.ts";
import type { BlockOwner } from "./block.ts";
import type { BlockCache, CachedPiece } from "./block-cache.ts";
import type { BlockLoader } from "./lookup.ts";
import { corruptTable } from "./table-format.ts";

export interface PageSource {
  readonly file: DiskFile;
  readonly cache: BlockCache;
  /** What the section is called in errors. */
  readonly name: string;
  /** Tells pages of several sections of one file apart. */
  readonly ordinal: number;
  /** Where the section begins in the file. */
  readonly offset: number;
}

/** What the pages of one kind take of memory, for the metrics. */
export type PageKind = "filter" | "index";

/** A page in memory. */
export class Page<Content> implements CachedPiece {
  readonly content: Content;
  readonly costBytes: number;
  readonly owner: BlockOwner;
  readonly number: number;
  /** The buffer that the cache may use again; empty where there is none. */
  readonly bytes: Uint8Array;
  used = 0;
  slot = -1;
  readonly pins = 0;

  constructor(content: Content, bytes: Uint8Array, costBytes: number, owner: BlockOwner, number: number) {
    this.content = content;
    this.bytes = bytes;
    this.costBytes = costBytes;
    this.owner = owner;
    this.number = number;
  }
}

/** Objects and array buffers of a page beside its bytes. */
export const pageOverheadBytes = 400;
/** Bytes that stay per page: its checksum, its end, its place in the array. */
const residentBytesPerPage = 16;

export abstract class PagedSection<Content> implements BlockOwner, BlockLoader {
  readonly path: string;
  readonly #source: PageSource;
  readonly #kind: PageKind;
  /** Ends of the pages, from the beginning of the section. */
  readonly #ends: Uint32Array;
  readonly #checksums: Uint32Array;
  readonly #pages: (Page<Content> | undefined)[];
  #closed = false;

  /** `section` was checked; the caller may use its memory for something else afterwards. */
  constructor(source: PageSource, kind: PageKind, section: Uint8Array, ends: Uint32Array) {
    this.path = source.file.path;
    this.#source = source;
    this.#kind = kind;
    this.#ends = ends;
    this.#checksums = new Uint32Array(ends.length);
    this.#pages = Array.from({ length: ends.length }, () => undefined);
    for (let number = 0; number < ends.length; number++) {
      this.#checksums[number] = this.#checksumOf(section, this.#startOf(number), ends[number], number);
    }
  }

  /** Memory that stays while no page is resident. */
  get residentBytes(): number {
    return this.#pages.length * residentBytesPerPage;
  }

  get pageCount(): number {
    return this.#pages.length;
  }

  /** The content of a page that is in memory. */
  resident(number: number): Content | undefined {
    const page = this.#pages[number];
    if (page === undefined) return undefined;
    page.used = 1;
    return page.content;
  }

  /** The content of a page, from memory or the disk. Errors: CORRUPTION, IO_ERROR. */
  page(number: number): Content {
    return this.resident(number) ?? this.#read(number);
  }

  /** Brings a page into memory without blocking the thread. Errors: CORRUPTION, IO_ERROR. */
  async loadBlock(number: number): Promise<void> {
    const { file, cache } = this.#source;
    const start = this.#startOf(number);
    const length = this.#ends[number] - start;
    const bytes = cache.takeBuffer(length);
    const count = await file.read(bytes, 0, length, this.#source.offset + start);
    if (this.#pages[number] === undefined && !this.#closed) this.#admit(number, bytes, length, count);
  }

  forgetBlock(name: number): void {
    const number = this.#numberOf(name);
    const page = this.#pages[number];
    if (page === undefined) return;
    this.#pages[number] = undefined;
    this.#source.cache.pageBytes[this.#kind] -= page.costBytes;
  }

  /** Gives the pages back. */
  close(): void {
    this.#closed = true;
    for (const page of this.#pages) if (page !== undefined) this.#source.cache.remove(page);
  }

  /**
   * The content of a page from its bytes, what it costs in memory, and whether it keeps the buffer. Errors: CORRUPTION.
   */
  protected abstract decode(
    bytes: Uint8Array, length: number, number: number,
  ): { readonly content: Content; readonly costBytes: number; readonly keepsBuffer: boolean };

  #read(number: number): Content {
    const { file, cache, offset } = this.#source;
    const start = this.#startOf(number);
    const length = this.#ends[number] - start;
    const bytes = cache.takeBuffer(length);
    return this.#admit(number, bytes, length, file.readSync(bytes, 0, length, offset + start));
  }

  #admit(number: number, bytes: Uint8Array, length: number, count: number): Content {
    const { cache, name, offset } = this.#source;
    const at = offset + this.#startOf(number);
    if (count !== length || this.#checksumOf(bytes, 0, length, number) !== this.#checksums[number]) {
      throw corruptTable(this.path, at, `page ${number} of ${name} is not what it was when the file was opened`);
    }
    cache.pageReads++;
    const { content, costBytes, keepsBuffer } = this.decode(bytes, length, number);
    if (!keepsBuffer) cache.giveBuffer(bytes);
    const page = new Page(content, keepsBuffer ? bytes : noBuffer, costBytes, this, this.#nameOf(number));
    this.#pages[number] = page;
    cache.pageBytes[this.#kind] += costBytes;
    cache.insert(page);
    return content;
  }

  #startOf(number: number): number {
    return number === 0 ? 0 : this.#ends[number - 1];
  }

  /** Begun with the page's number, so that a page read at another one's place does not pass. */
  #checksumOf(bytes: Uint8Array, start: number, end: number, number: number): number {
    return crc32c(bytes, start, end, number);
  }

  /** Names in the cache are below 0, those of data blocks above. */
  #nameOf(number: number): number {
    return -1 - (number * sectionsMax + this.#source.ordinal);
  }

  #numberOf(name: number): number {
    return Math.floor((-1 - name) / sectionsMax);
  }
}

/** Sections of one file that have pages. */
const sectionsMax = 4;
const noBuffer = new Uint8Array(0);
