/**
 * BlockPlaces: the index of an open SSTable, which says where its data blocks are, by pages of `pageBlocks` blocks
 * (table-format.ts has the bytes).
 *
 *   1. Opening walks the index once: what stays is the first fence of every page and where its first block begins.
 *   2. A search finds the page by its first fence, and the block within the page.
 * Invariant: the first fence of a page is not above a key that is looked up in the page, so the search within it never
 * fails.
 */
import { ByteReader } from "../../../../../../kit/byte-reader.ts";
import { PagedSection, pageOverheadBytes, type PageSource } from "./paged-section.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { corruptTable, tableHeaderBytes, trailerBytes } from "./table-format.ts";

/** Blocks per page; few enough that a page is read quickly, many enough that its objects do not count. */
export const pageBlocks = 128;
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
  }

  override get residentBytes(): number {
    return super.residentBytes + this.fences.sizeBytes + this.#starts.byteLength;
  }

  /** Number of the page of the last block whose fence is not above the key, or -1. */
  pageOf(key: Uint8Array): number {
    return this.fences.floor(key);
  }

  /** Number of the last block whose fence is not above the key, or -1. Errors: CORRUPTION, IO_ERROR. */
  floor(key: Uint8Array): number {
    const page = this.fences.floor(key);
    return page < 0 ? -1 : page * pageBlocks + this.page(page).fences.floor(key);
  }

  /** Where a block begins, and its length with its trailer. Errors: CORRUPTION, IO_ERROR. */
  place(block: number): { readonly offset: number; readonly length: number } {
    const number = Math.floor(block / pageBlocks);
    const { ends } = this.page(number);
    const at = block - number * pageBlocks;
    const offset = at === 0 ? this.#starts[number] : ends[at - 1];
    return { offset, length: ends[at] - offset };
  }

  protected override decode(bytes: Uint8Array, length: number, number: number) {
    const reader = new ByteReader(bytes, `${this.path}: the index`, "CORRUPTION", 0, length);
    if (number === 0) reader.varint();
    const count = Math.min(pageBlocks, this.blockCount - number * pageBlocks);
    const ends = new Float64Array(count);
    const fences: Uint8Array[] = [];
    let end = this.#starts[number];
    for (let i = 0; i < count; i++) {
      fences.push(reader.lengthPrefixed());
      end += reader.varint() + this.#trailer;
      ends[i] = end;
    }
    const content = { fences: SortedKeys.from(fences), ends };
    const costBytes = content.fences.sizeBytes + ends.byteLength + arraysBytes + pageOverheadBytes;
    return { content, costBytes, keepsBuffer: false };
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
