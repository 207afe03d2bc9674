/**
 * BlockPlaces: the index of an open SSTable, which says where its data blocks are, by pages of `pageBlocks` blocks
 * (table-format.ts has the bytes).
 *
 *   1. Opening walks the index once: what stays is the first fence of every page and where its first block begins.
 *   2. A search finds the page by its first fence, and the block within the page. Where the index is kept whole, it is
 *      one page, and one search.
 * Invariant: the first fence of a page is not above a key that is looked up in the page, so the search within it never
 * fails.
 */
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";
import { ByteReader } from "../../../../../../kit/byte-reader.ts";
import { PagedSection, pageOverheadBytes, type PageSource } from "./paged-section.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { corruptTable, tableHeaderBytes, trailerBytes } from "./table-format.ts";

/** Blocks per page; few enough that a page is read quickly, many enough that its objects do not count. */
const pageShift = 7;
export const pageBlocks = 1 << pageShift;
/** Typed arrays of a page beyond those that every page has. */
const arraysBytes = 800;

export interface PlacesPage {
  readonly fences: SortedKeys;
  /** Ends of the blocks in the file. */
  readonly ends: Float64Array;
}

interface Walked {
  readonly blockCount: number;
  /** First fence of every page. */
  readonly fences: SortedKeys;
  /** Where the first block of every page begins in the file, and where the last one of all ends. */
  readonly starts: Float64Array;
  /** Ends of the pages within the section. */
  readonly ends: Uint32Array;
}

export class BlockPlaces extends PagedSection<PlacesPage> {
  readonly blockCount: number;
  /** First fences of the pages. */
  readonly fences: SortedKeys;
  readonly #starts: Float64Array;
  readonly #trailer: number;
  readonly #wholeBytes: number;

  /**
   * `section` was held against its checksum. The blocks must end at `blocksEnd` of the file. Errors: CORRUPTION.
   */
  constructor(source: PageSource, section: Uint8Array, version: number, blocksEnd: number) {
    const walked = walkIndex(source, section, version);
    super(source, "index", section, walked.ends);
    this.blockCount = walked.blockCount;
    this.fences = walked.fences;
    this.#starts = walked.starts;
    this.#trailer = trailerBytes(version);
    if (walked.starts[walked.starts.length - 1] !== blocksEnd) {
      throw corruptTable(this.path, source.offset, "the index does not cover the data blocks");
    }
    // Per block its end, its word and its offset among the fences; the fences are shorter than the section.
    this.#wholeBytes = section.length + walked.blockCount * 16;
    this.keepWhole(section);
  }

  override get wholeBytes(): number {
    return this.#wholeBytes;
  }

  override get residentBytes(): number {
    return super.residentBytes + this.fences.sizeBytes + this.#starts.byteLength;
  }

  /** Number of the page that a search for this key needs and that is not in memory, or -1. */
  missingPage(key: Uint8Array): number {
    if (this.whole !== undefined) return -1;
    const page = this.fences.floor(key);
    return page < 0 || this.resident(page) !== undefined ? -1 : page;
  }

  /** Number of the last block whose fence is not above the key, or -1. Errors: CORRUPTION, IO_ERROR. */
  floor(key: Uint8Array): number {
    const { whole } = this;
    if (whole !== undefined) return whole.fences.floor(key);
    const page = this.fences.floor(key);
    return page < 0 ? -1 : page * pageBlocks + this.page(page).fences.floor(key);
  }

  /** Where a block begins, and its length with its trailer. Errors: CORRUPTION, IO_ERROR. */
  place(block: number): { readonly offset: number; readonly length: number } {
    const { whole } = this;
    const number = whole === undefined ? block >>> pageShift : 0;
    const { ends } = whole ?? this.page(number);
    const at = block - number * pageBlocks;
    const offset = at === 0 ? this.#starts[number] : ends[at - 1];
    return { offset, length: ends[at] - offset };
  }

  protected override decode(bytes: Uint8Array, length: number, number: number) {
    const content = this.#decode(bytes, length, number, Math.min(pageBlocks, this.blockCount - number * pageBlocks));
    const costBytes = content.fences.sizeBytes + content.ends.byteLength + arraysBytes + pageOverheadBytes;
    return { content, costBytes, keepsBuffer: false };
  }

  protected override decodeWhole(section: Uint8Array): PlacesPage {
    return this.#decode(section, section.length, 0, this.blockCount);
  }

  protected override release({ fences, ends }: PlacesPage): void {
    fences.release();
    releaseBuffer(ends);
  }

  /** The places of `count` blocks from the beginning of page `number` on. */
  #decode(bytes: Uint8Array, length: number, number: number, count: number): PlacesPage {
    const reader = new ByteReader(bytes, `${this.path}: the index`, "CORRUPTION", 0, length);
    if (number === 0) reader.varint();
    const ends = new Float64Array(count);
    const fences: Uint8Array[] = [];
    let end = this.#starts[number];
    for (let i = 0; i < count; i++) {
      fences.push(reader.lengthPrefixed());
      end += reader.varint() + this.#trailer;
      ends[i] = end;
    }
    return { fences: SortedKeys.from(fences), ends };
  }
}

/** Errors: CORRUPTION. */
function walkIndex({ file, name, offset }: PageSource, section: Uint8Array, version: number): Walked {
  const reader = new ByteReader(section, `${file.path}: ${name}`);
  const blockCount = reader.varint();
  // Every block takes two bytes of index at least: a hostile count cannot make us allocate more than that.
  if (blockCount > section.length) throw corruptTable(file.path, offset, `${blockCount} blocks in the index`);
  const pageCount = Math.ceil(blockCount / pageBlocks);
  const starts = new Float64Array(pageCount + 1);
  const ends = new Uint32Array(pageCount);
  const fences: Uint8Array[] = [];
  const trailer = trailerBytes(version);
  let blockAt = tableHeaderBytes;
  for (let block = 0; block < blockCount; block++) {
    const fence = reader.lengthPrefixed();
    if (block % pageBlocks === 0) {
      starts[fences.length] = blockAt;
      fences.push(fence);
    }
    blockAt += reader.varint() + trailer;
    ends[fences.length - 1] = reader.position;
  }
  starts[pageCount] = blockAt;
  reader.expectEnd();
  return { blockCount, fences: SortedKeys.from(fences), starts, ends };
}
