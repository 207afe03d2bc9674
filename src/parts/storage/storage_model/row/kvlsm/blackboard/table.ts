/**
 * Table: an open SSTable as the owner thread reads it, with its resident blocks.
 *
 * A point read costs: one line of the bloom filter, a binary search over integers, one array load when the
 * block is in memory, and a search within the block. Blocks come into memory through the shared BlockCache,
 * which bounds them. References: every version that contains the table holds one; whoever drops the last one
 * decides what becomes of the file (see version-set.ts).
 */
import type { DiskFile } from "../../../../../../kit/env/env.ts";
import type { LatheError } from "../../../../../../kit/errors.ts";
import { Block, type BlockOwner } from "./block.ts";
import type { BlockCache } from "./block-cache.ts";
import { directoryReserve } from "./block-directory.ts";
import { bloomMayContain } from "./bloom-filter.ts";
import type { FileMeta } from "./file-meta.ts";
import { type BlockLoader, type Lookup, lookupAbsent, lookupMissing } from "./lookup.ts";
import { prefixHashOfRange } from "./prefix-rule.ts";
import { decodeRangeTombstones, type RangeTombstones } from "./range-tombstones.ts";
import type { ReadCounters } from "./read-counters.ts";
import { decodeStoredBlock, storagePlain } from "./stored-block.ts";
import { corruptTable, trailerBytes, trailerHolds } from "./table-format.ts";
import type { TableLayout } from "./table-layout.ts";

export class Table implements BlockOwner, BlockLoader {
  readonly meta: FileMeta;
  readonly path: string;
  readonly layout: TableLayout;
  readonly ranges: RangeTombstones;
  references = 0;
  readonly #file: DiskFile;
  readonly #cache: BlockCache;
  readonly #counters: ReadCounters;
  readonly #filter: Uint8Array;
  readonly #blocks: (Block | undefined)[];
  readonly #loading = new Map<number, Promise<void>>();
  #closed = false;

  constructor(
    meta: FileMeta,
    file: DiskFile,
    layout: TableLayout,
    cache: BlockCache,
    counters: ReadCounters,
  ) {
    this.meta = meta;
    this.path = file.path;
    this.layout = layout;
    this.ranges = decodeRangeTombstones(layout.rangeTombstones, file.path);
    this.#file = file;
    this.#cache = cache;
    this.#counters = counters;
    this.#filter = layout.filter;
    this.#blocks = Array.from({ length: layout.blockCount }, () => undefined);
  }

  get blockCount(): number {
    return this.layout.blockCount;
  }

  /** Memory that the open table holds beside its blocks: filters, fences, offsets, a reference per block. */
  get memoryBytes(): number {
    const { filter, prefixFilter, fences } = this.layout;
    return filter.length + prefixFilter.length + fences.sizeBytes + this.blockCount * 16;
  }

  /** The version of a key to be read at `indexMax`. Where `mayBlock` is false it never reads the disk. */
  find(key: Uint8Array, hash: number, indexMax: number, lookup: Lookup, mayBlock: boolean): number {
    const counters = this.#counters;
    if (!bloomMayContain(this.#filter, hash)) {
      counters.filterRejections++;
      return lookupAbsent;
    }
    const number = this.layout.fences.floor(key);
    if (number < 0) return lookupAbsent;
    let block = this.#blocks[number];
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
    const block = this.#blocks[number];
    if (block === undefined) return this.#readBlock(number);
    block.used = 1;
    this.#cache.hits++;
    return block;
  }

  /** False only where no key of [gte, lt) is here, as the prefix filter knows. */
  mayContainRange(gte: Uint8Array | undefined, lt: Uint8Array | undefined): boolean {
    const { prefixFilter, extra } = this.layout;
    if (prefixFilter.length === 0) return true;
    const hash = prefixHashOfRange(extra.prefixRule, gte, lt);
    if (hash === undefined || bloomMayContain(prefixFilter, hash)) return true;
    this.#counters.prefixRejections++;
    return false;
  }

  /** Brings a block into memory without blocking the thread. Errors: CORRUPTION, IO_ERROR. */
  loadBlock(number: number): Promise<void> {
    if (this.#blocks[number] !== undefined) return Promise.resolve();
    const loading = this.#loading.get(number);
    if (loading !== undefined) return loading;
    const load = this.#load(number).finally(() => this.#loading.delete(number));
    this.#loading.set(number, load);
    return load;
  }

  forgetBlock(blockNumber: number): void {
    this.#blocks[blockNumber] = undefined;
  }

  /** Closes the file and gives its blocks back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const block of this.#blocks) if (block !== undefined) this.#cache.remove(block);
    this.#file.close();
  }

  #readBlock(number: number): Block {
    const { offset, length } = this.#place(number);
    const bytes = this.#cache.takeBuffer(length + directoryReserve(length));
    const count = this.#file.readSync(bytes, 0, length, offset);
    this.#cache.misses++;
    if (count !== length) throw this.#damaged(number, offset);
    return this.#admit(number, bytes, length, offset);
  }

  async #load(number: number): Promise<void> {
    const { offset, length } = this.#place(number);
    const bytes = this.#cache.takeBuffer(length + directoryReserve(length));
    const count = await this.#file.read(bytes, 0, length, offset);
    this.#cache.misses++;
    if (count !== length) throw this.#damaged(number, offset);
    if (this.#blocks[number] === undefined && !this.#closed) this.#admit(number, bytes, length, offset);
  }

  #admit(number: number, bytes: Uint8Array, length: number, offset: number): Block {
    const { version } = this.layout;
    const payload = length - trailerBytes(version);
    if (!trailerHolds(bytes, 0, payload, offset, version)) throw this.#damaged(number, offset);
    const storage = version === 1 ? storagePlain : bytes[payload];
    const block =
      storage === storagePlain
        ? new Block(bytes, payload, this, number)
        : this.#decompressed(number, bytes, payload, storage, offset);
    this.#blocks[number] = block;
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

  #place(number: number): { offset: number; length: number } {
    const offset = this.layout.blockOffsets[number];
    return { offset, length: this.layout.blockOffsets[number + 1] - offset };
  }
}
