/**
 * PagedSection: a section of an open SSTable of which only the pages that reads ask for are in memory.
 *
 *   1. When the table is opened the whole section is read once and held against its checksum. What stays of it is a
 *      CRC-32C per page, so that a page can be read alone and checked later.
 *   2. A page that a read needs is read from the file, checked, decoded by whoever owns the section, and handed to the
 *      block cache, which bounds pages and data blocks together and drops those that are not asked for.
 *   3. Finding a page costs more than the probe of a filter itself. So as long as the sections of all open tables are
 *      small beside the cache (block-cache.ts says how small), they are kept whole, decoded at once, and no page is
 *      asked for. A section that had to wait for room becomes whole when one of its pages is to be read.
 * So the memory of open tables does not grow with their size, but for some bytes per page.
 * Source: RocksDB's cache_index_and_filter_blocks, its metadata_cache_options and its partitioned indexes and filters;
 * there the partitions are in the file format, here only in memory.
 */
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";
import { crc32c } from "../../../../../../kit/crc32c.ts";
import type { DiskFile } from "../../../../../../kit/env/env.ts";
import type { BlockOwner } from "./block.ts";
import type { BlockCache, CachedPiece, WholeSection } from "./block-cache.ts";
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

export abstract class PagedSection<Content> implements BlockOwner, BlockLoader, WholeSection {
  readonly path: string;
  readonly kind: PageKind;
  /** What all of the section says, while it is kept whole. */
  whole: Content | undefined = undefined;
  readonly #source: PageSource;
  /** Ends of the pages, from the beginning of the section. */
  readonly #ends: Uint32Array;
  readonly #checksums: Uint32Array;
  readonly #pages: (Page<Content> | undefined)[];
  #closed = false;
  /** Some page could not be read when the whole was to be; it is not tried again. */
  #isDamaged = false;

  /** `section` was checked; the caller may use its memory for something else afterwards. */
  constructor(source: PageSource, kind: PageKind, section: Uint8Array, ends: Uint32Array) {
    this.path = source.file.path;
    this.#source = source;
    this.kind = kind;
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
    // A store to a line that is shared costs, even of what is there already.
    if (page.used === 0) page.used = 1;
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
    if (this.whole !== undefined) return;
    const bytes = cache.takeBuffer(length);
    const count = await file.read(bytes, 0, length, this.#source.offset + start);
    if (this.#pages[number] === undefined && !this.#closed) this.#admit(number, bytes, length, count);
  }

  forgetBlock(name: number): void {
    const number = this.#numberOf(name);
    const page = this.#pages[number];
    if (page === undefined) return;
    this.#pages[number] = undefined;
    this.#source.cache.pageBytes[this.kind] -= page.costBytes;
  }

  /** Gives the pages back. */
  close(): void {
    this.#closed = true;
    this.#source.cache.giveWhole(this);
    this.loseWhole();
    this.#dropPages();
  }

  loseWhole(): void {
    const { whole } = this;
    this.whole = undefined;
    if (whole !== undefined) this.release(whole);
  }

  /** Memory that the whole section would take. */
  abstract get wholeBytes(): number;

  /** Keeps the section whole where there is room; `section` as the constructor had it. Errors: CORRUPTION. */
  protected keepWhole(section: Uint8Array): void {
    if (this.wholeBytes > 0 && this.#source.cache.takeWhole(this)) this.whole = this.decodeWhole(section);
  }

  /** Errors: CORRUPTION. */
  protected abstract decodeWhole(section: Uint8Array): Content;

  /** Frees at once what a whole section took. */
  protected abstract release(whole: Content): void;

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
    cache.pageBytes[this.kind] += costBytes;
    cache.insert(page);
    this.#becomeWhole();
    return content;
  }

  /** Keeps the section whole, if there is room by now. Damage elsewhere is told to whoever asks for that page. */
  #becomeWhole(): void {
    const { file, cache, offset } = this.#source;
    if (this.whole !== undefined || this.#isDamaged || !cache.takeWhole(this)) return;
    const section = new Uint8Array(this.#ends[this.#ends.length - 1]);
    try {
      const count = file.readSync(section, 0, section.length, offset);
      this.#isDamaged = count !== section.length || !this.#holds(section);
      if (!this.#isDamaged) this.whole = this.decodeWhole(section);
    } catch {
      this.#isDamaged = true;
    }
    releaseBuffer(section);
    if (this.whole === undefined) cache.giveWhole(this);
    else this.#dropPages();
  }

  #holds(section: Uint8Array): boolean {
    for (let number = 0; number < this.#ends.length; number++) {
      const checksum = this.#checksumOf(section, this.#startOf(number), this.#ends[number], number);
      if (checksum !== this.#checksums[number]) return false;
    }
    return true;
  }

  #dropPages(): void {
    for (const page of this.#pages) if (page !== undefined) this.#source.cache.remove(page);
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
