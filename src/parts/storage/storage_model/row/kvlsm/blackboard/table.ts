/**
 * Table: an open SSTable as the owner thread reads it, with its resident blocks.
 *
 * A point read costs: one line of the bloom filter, two short binary searches over integers, two array loads when the
 * block is in memory, and a search within the block. Blocks, and pages of the filters and of the index
 * (paged-section.ts), come into memory through the shared BlockCache, which bounds them. References: every version that
 * contains the table holds one; whoever drops the last one decides what becomes of the file (see version-set.ts).
 */
import type { DiskFile } from "../../../../../../kit/env/env.ts";
import type { LatheError } from "../../../../../../kit/errors.ts";
import { Block, type BlockOwner } from "./block.ts";
import type { BlockCache } from "./block-cache.ts";
import { directoryReserve } from "./block-directory.ts";
import type { FileMeta } from "./file-meta.ts";
import { type BlockLoader, type Lookup, lookupAbsent, lookupMissing } from "./lookup.ts";
import { prefixHashOfRange } from "./prefix-rule.ts";
import { decodeRangeTombstones, type RangeTombstones } from "./range-tombstones.ts";
import type { ReadCounters } from "./read-counters.ts";
import type { SortedKeys } from "./sorted-keys.ts";
import { decodeStoredBlock, storagePlain } from "./stored-block.ts";
import { TableFilter } from "./table-filter.ts";
import { corruptTable, trailerBytes, trailerHolds } from "./table-format.ts";
import { BlockPlaces } from "./block-places.ts";
import type { TableSections } from "./table-layout.ts";
import type { TableProperties } from "./table-properties.ts";

/** References to resident blocks come in arrays of so many, which exist while one of their blocks is resident. */
const chunkShift = 4;
const chunkBlocks = 1 << chunkShift;

type BlockChunk = (Block | undefined)[];

export class Table implements BlockOwner, BlockLoader {
  readonly meta: FileMeta;
  readonly path: string;
  readonly blockCount: number;
  readonly extra: TableProperties;
  readonly ranges: RangeTombstones;
  references = 0;
  readonly #version: number;
  readonly #file: DiskFile;
  readonly #cache: BlockCache;
  readonly #counters: ReadCounters;
  readonly #filter: TableFilter;
  readonly #prefixFilter: TableFilter;
  readonly #index: BlockPlaces;
  readonly #chunks: (BlockChunk | undefined)[];
  readonly #loading = new Map<number, Promise<void>>();
  #closed = false;

  /** Nothing of the sections is needed afterwards. Errors: CORRUPTION. */
  constructor(
    meta: FileMeta,
    file: DiskFile,
    sections: TableSections,
    cache: BlockCache,
    counters: ReadCounters,
  ) {
    const { version, footer, extra } = sections;
    this.meta = meta;
    this.path = file.path;
    this.extra = extra;
    this.ranges = decodeRangeTombstones(sections.rangeTombstones, file.path);
    this.#version = version;
    this.#file = file;
    this.#cache = cache;
    this.#counters = counters;
    const { filter, prefixFilter, index } = footer;
    const source = { file, cache };
    // First what may refuse the file: a filter that is kept whole must be given back.
    this.#index = new BlockPlaces(
      { ...source, name: "the index", ordinal: 2, offset: index.offset }, sections.index, version, filter.offset,
    );
    this.blockCount = this.#index.blockCount;
    if (this.blockCount === 0 && this.ranges.count === 0) {
      this.#index.close();
      throw corruptTable(this.path, index.offset, "the file holds nothing");
    }
    this.#filter = new TableFilter(
      { ...source, name: "the bloom filter", ordinal: 0, offset: filter.offset }, sections.filter,
    );
    this.#prefixFilter = new TableFilter(
      { ...source, name: "the prefix filter", ordinal: 1, offset: prefixFilter.offset }, sections.prefixFilter,
    );
    this.#chunks = Array.from({ length: Math.ceil(this.blockCount / chunkBlocks) }, () => undefined);
  }

  /** Memory that the open table holds beside what is in the cache: some bytes per block. */
  get memoryBytes(): number {
    const pages = this.#filter.residentBytes + this.#prefixFilter.residentBytes + this.#index.residentBytes;
    return pages + this.#chunks.length * 8;
  }

  /** Keys at which blocks begin, evenly spread over the file. */
  get fences(): SortedKeys {
    return this.#index.fences;
  }

  /** Number of the last block that can hold keys from here on, or -1. Errors: CORRUPTION, IO_ERROR. */
  floor(key: Uint8Array): number {
    return this.#index.floor(key);
  }

  /** The version of a key to be read at `indexMax`. Where `mayBlock` is false it never reads the disk. */
  find(key: Uint8Array, hash: number, indexMax: number, lookup: Lookup, mayBlock: boolean): number {
    const counters = this.#counters;
    if (!mayBlock && this.#lacksPage(key, hash, lookup)) return lookupMissing;
    if (!this.#filter.mayContain(hash)) {
      counters.filterRejections++;
      return lookupAbsent;
    }
    const number = this.#index.floor(key);
    if (number < 0) return lookupAbsent;
    let block = this.#resident(number);
    if (block !== undefined) {
      if (block.used === 0) block.used = 1;
      else block.noteHit();
      this.#cache.hits++;
    } else {
      if (!mayBlock) {
        lookup.missingTable = this;
        lookup.missingBlock = number;
        return lookupMissing;
      }
      block = this.#readBlock(number);
    }
    counters.runsTouched++;
    const result = block.find(key, indexMax, lookup);
    if (result === lookupAbsent) counters.filterFalsePositives++;
    return result;
  }

  /** A block, from memory or the disk. Errors: CORRUPTION, IO_ERROR. */
  block(number: number): Block {
    const block = this.#resident(number);
    if (block === undefined) return this.#readBlock(number);
    block.used = 1;
    this.#cache.hits++;
    return block;
  }

  /** False only where no key of [gte, lt) is here, as the prefix filter knows. Errors: CORRUPTION, IO_ERROR. */
  mayContainRange(gte: Uint8Array | undefined, lt: Uint8Array | undefined): boolean {
    const { extra } = this;
    const prefixFilter = this.#prefixFilter;
    if (prefixFilter.isEmpty) return true;
    const hash = prefixHashOfRange(extra.prefixRule, gte, lt);
    if (hash === undefined || prefixFilter.mayContain(hash)) return true;
    this.#counters.prefixRejections++;
    return false;
  }

  /** Brings a block into memory without blocking the thread. Errors: CORRUPTION, IO_ERROR. */
  loadBlock(number: number): Promise<void> {
    if (this.#resident(number) !== undefined) return Promise.resolve();
    const loading = this.#loading.get(number);
    if (loading !== undefined) return loading;
    const load = this.#load(number).finally(() => this.#loading.delete(number));
    this.#loading.set(number, load);
    return load;
  }

  forgetBlock(blockNumber: number): void {
    const at = blockNumber >>> chunkShift;
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    chunk[blockNumber & (chunkBlocks - 1)] = undefined;
    if (chunk.every((block) => block === undefined)) this.#chunks[at] = undefined;
  }

  /** Closes the file and gives its blocks back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const chunk of this.#chunks) {
      for (const block of chunk ?? []) if (block !== undefined) this.#cache.remove(block);
    }
    for (const section of [this.#filter, this.#prefixFilter, this.#index]) section.close();
    this.#file.close();
  }

  #resident(number: number): Block | undefined {
    const chunk = this.#chunks[number >>> chunkShift];
    return chunk === undefined ? undefined : chunk[number & (chunkBlocks - 1)];
  }

  /** Whether a page must be read before it is known what block holds the key; then the lookup says which. */
  #lacksPage(key: Uint8Array, hash: number, lookup: Lookup): boolean {
    const page = this.#filter.missingPage(hash);
    if (page >= 0) {
      lookup.missingTable = this.#filter;
      lookup.missingBlock = page;
      return true;
    }
    if (this.#index.whole !== undefined || !this.#filter.mayContain(hash)) return false;
    const indexPage = this.#index.missingPage(key);
    if (indexPage < 0) return false;
    lookup.missingTable = this.#index;
    lookup.missingBlock = indexPage;
    return true;
  }

  #readBlock(number: number): Block {
    const { offset, length } = this.#index.place(number);
    const bytes = this.#cache.takeBuffer(length + directoryReserve(length));
    const count = this.#file.readSync(bytes, 0, length, offset);
    this.#cache.misses++;
    if (count !== length) throw this.#damaged(number, offset);
    return this.#admit(number, bytes, length, offset);
  }

  async #load(number: number): Promise<void> {
    const { offset, length } = this.#index.place(number);
    const bytes = this.#cache.takeBuffer(length + directoryReserve(length));
    const count = await this.#file.read(bytes, 0, length, offset);
    this.#cache.misses++;
    if (count !== length) throw this.#damaged(number, offset);
    if (this.#resident(number) === undefined && !this.#closed) this.#admit(number, bytes, length, offset);
  }

  #admit(number: number, bytes: Uint8Array, length: number, offset: number): Block {
    const version = this.#version;
    const payload = length - trailerBytes(version);
    if (!trailerHolds(bytes, 0, payload, offset, version)) throw this.#damaged(number, offset);
    const storage = version === 1 ? storagePlain : bytes[payload];
    const block =
      storage === storagePlain
        ? new Block(bytes, payload, this, number)
        : this.#decompressed(number, bytes, payload, storage, offset);
    const chunk = (this.#chunks[number >>> chunkShift] ??= Array.from({ length: chunkBlocks }, noBlock));
    chunk[number & (chunkBlocks - 1)] = block;
    this.#cache.insert(block);
    return block;
  }

  /** The decompressed block in a buffer of the cache's; the buffer it was read into goes back. */
  #decompressed(number: number, stored: Uint8Array, length: number, storage: number, offset: number): Block {
    const block = decodeStoredBlock(stored.subarray(0, length), storage, this.path, offset);
    this.#cache.giveBuffer(stored);
    const buffer = this.#cache.takeBuffer(block.length + directoryReserve(block.length));
    buffer.set(block);
    return new Block(buffer, block.length, this, number);
  }

  #damaged(number: number, offset: number): LatheError {
    return corruptTable(this.path, offset, `the checksum of block ${number} does not match`);
  }
}

const noBlock = (): undefined => undefined;
