/**
 * TableWriter: writes one SSTable from sorted entries. Layout: table-format.ts.
 *
 *   1. Entries go into a block; the first entry of another key after `blockBytes` starts the next block.
 *   2. Finished blocks gather in a write buffer; the job writes it out (`writePending`) between its yields.
 *   3. `finish` adds the filters, range tombstones, index, properties and footer, and syncs: the file is
 *      durable, its name is not yet (the job syncs the directory).
 * Invariant: the writer never holds more than one block, the write buffer, the fences, and one hash per key and
 * per prefix.
 */
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";
import { ByteWriter } from "../../../../../../kit/byte-writer.ts";
import { varintBytesMax } from "../../../../../../kit/bytes.ts";
import { commonPrefixLength, compareBytes } from "../../../../../../kit/compare.ts";
import type { Codec } from "../../../../../../kit/compression.ts";
import type { Disk, DiskFile } from "../../../../../../kit/env/env.ts";
import { hash32 } from "../../../../../../kit/hash.ts";
import { BlockBuilder } from "./block-builder.ts";
import { buildBloomFilter } from "./bloom-filter.ts";
import { type ShownEntry, kindDelete, noBytes } from "./entry-iterator.ts";
import type { FileMeta } from "./file-meta.ts";
import { HashList } from "./hash-list.ts";
import { hasPrefixes, noPrefixes, prefixLengthOf, type PrefixRule } from "./prefix-rule.ts";
import { encodeStoredBlock, storagePlain } from "./stored-block.ts";
import {
  encodeFooter,
  encodeTableHeader,
  encodeTrailer,
  footerBytes,
  type Section,
  tableVersion,
} from "./table-format.ts";
import { encodeTableProperties } from "./table-properties.ts";

export interface TableOptions {
  readonly blockBytes: number;
  readonly bloomBitsPerKey: number;
  readonly restartInterval: number;
  readonly selectionHash: string;
  /** How data blocks are stored; default: plain. */
  readonly compression?: Codec;
  /** What goes into the prefix filter; default: there is none. */
  readonly prefixRule?: PrefixRule;
}

/** The range tombstones of a file as a section, and what they add to its FileMeta. */
export interface RangeTombstoneSection {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Bounds within which the file must be searched on their account. */
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly indexMin: number;
  readonly indexMax: number;
}

/** Bytes gathered before a write. */
export const writeBufferBytes = 1 << 18;
/** What its buffers begin with: enough for most files, so that they need not grow. */
const pendingBytes = writeBufferBytes + (1 << 17);
const indexBytes = 1 << 15;

export class TableWriter {
  readonly path: string;
  readonly #file: DiskFile;
  readonly #number: number;
  readonly #options: TableOptions;
  readonly #builder: BlockBuilder;
  readonly #pending = new ByteWriter(undefined, pendingBytes);
  readonly #index = new ByteWriter(undefined, indexBytes);
  #offset = 0;
  #blockCount = 0;
  #fence = new Uint8Array(0);
  readonly #hashes = new HashList();
  readonly #prefixHashes = new HashList();
  readonly #prefixRule: PrefixRule;
  #rangeTombstones: RangeTombstoneSection | undefined = undefined;
  #plainBytes = 0;
  #entryCount = 0;
  #deleteCount = 0;
  #indexMin = Number.MAX_SAFE_INTEGER;
  #indexMax = 0;
  #smallest: Uint8Array | undefined = undefined;
  #lastKey = new Uint8Array(256);
  #lastKeyLength = 0;

  /** Creates the file. Errors: ALREADY_EXISTS, DISK_FULL, IO_ERROR. */
  constructor(disk: Disk, path: string, number: number, options: TableOptions) {
    this.path = path;
    this.#number = number;
    this.#options = options;
    this.#prefixRule = options.prefixRule ?? noPrefixes;
    this.#builder = new BlockBuilder(options.restartInterval);
    this.#file = disk.open(path, "create");
    this.#pending.raw(encodeTableHeader(options.selectionHash));
  }

  /** Size so far, of what was added. */
  get sizeBytes(): number {
    return this.#offset + this.#pending.length + this.#builder.sizeBytes;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** Whether it is time for `writePending`. */
  get wantsWrite(): boolean {
    return this.#pending.length >= writeBufferBytes;
  }

  /**
   * Adds the entry an iterator stands on, under the given index. Entries come in the order of ShownEntry. `hash` is
   * that of the key, where the caller has it.
   */
  add(entry: ShownEntry, index: number, hash?: number): void {
    const { keyBytes, keyStart, keyEnd } = entry;
    const keyLength = keyEnd - keyStart;
    const shared = commonPrefixLength(this.#lastKey, 0, this.#lastKeyLength, keyBytes, keyStart, keyEnd);
    const isNewKey = this.#entryCount === 0 || shared !== keyLength || shared !== this.#lastKeyLength;
    if (isNewKey) {
      if (this.#entryCount === 0) {
        this.#smallest = keyBytes.slice(keyStart, keyEnd);
        this.#fence = this.#smallest.slice();
      } else if (this.#builder.sizeBytes >= this.#options.blockBytes) {
        this.#finishBlock();
        // The first byte that differs is enough to stand above the key before.
        this.#fence = keyBytes.slice(keyStart, keyStart + shared + 1);
      }
      this.#rememberKey(keyBytes, keyStart, keyLength);
      this.#hashes.add(hash ?? hash32(keyBytes, 0, keyStart, keyEnd) | 0);
      const prefixLength = prefixLengthOf(this.#prefixRule, keyBytes, keyStart, keyEnd);
      if (prefixLength >= 0) this.#prefixHashes.addNew(hash32(keyBytes, 0, keyStart, keyStart + prefixLength) | 0);
    }
    const { valueBytes, valueStart, valueEnd } = entry;
    this.#builder.add(shared, keyBytes, keyStart, keyEnd, index, entry.kind, valueBytes, valueStart, valueEnd);
    this.#entryCount++;
    if (entry.kind === kindDelete) this.#deleteCount++;
    if (index < this.#indexMin) this.#indexMin = index;
    if (index > this.#indexMax) this.#indexMax = index;
  }

  /** Sets the file's range tombstones; a file with some of them needs no entry. */
  setRangeTombstones(section: RangeTombstoneSection | undefined): void {
    this.#rangeTombstones = section;
  }

  /** Writes out the blocks gathered; returns how many bytes. Errors: DISK_FULL, IO_ERROR. */
  writePending(): number {
    const bytes = this.#pending.view();
    this.#file.writeSync(bytes, 0, bytes.length, this.#offset);
    this.#offset += bytes.length;
    this.#pending.clear();
    return bytes.length;
  }

  /** Completes, syncs and closes the file. Errors: DISK_FULL, IO_ERROR. */
  finish(): FileMeta {
    if (this.#builder.count > 0) this.#finishBlock();
    const filterBits = this.#options.bloomBitsPerKey;
    const filter = this.#filterSection(this.#hashes, filterBits);
    const prefixFilter = this.#filterSection(this.#prefixHashes, filterBits);
    const rangeTombstones = this.#section(this.#rangeTombstones?.bytes ?? noBytes);
    const head = new ByteWriter(undefined, this.#index.length + varintBytesMax);
    head.varint(this.#blockCount);
    head.raw(this.#index.view());
    const index = this.#section(head.view());
    head.release();
    const properties = this.#section(this.#properties(prefixFilter));
    const sizeBytes = this.#offset + this.#pending.length + footerBytes(tableVersion);
    const footer = { filter, prefixFilter, rangeTombstones, index, properties, sizeBytes };
    this.#pending.raw(encodeFooter(footer, this.#options.selectionHash));
    this.writePending();
    this.#file.syncSync();
    this.#file.close();
    const meta = this.#meta(sizeBytes);
    this.#release();
    return meta;
  }

  /** Gives up: closes the file and removes it. Never throws. */
  abandon(disk: Disk): void {
    this.#release();
    try {
      this.#file.close();
    } catch {
      // Closing after a failure may fail again; the file goes away all the same.
    }
    try {
      disk.unlink(this.path);
    } catch {
      // It is an orphan then, and removed when the store is opened next.
    }
  }

  /** Frees the buffers: a job writes many files, and would hold those of all until the collector comes by. */
  #release(): void {
    for (const one of [this.#pending, this.#index, this.#hashes, this.#prefixHashes]) one.release();
  }

  #filterSection(hashes: HashList, bitsPerKey: number): Section {
    const filter = buildBloomFilter(hashes.view, hashes.count, bitsPerKey);
    const section = this.#section(filter);
    releaseBuffer(filter);
    return section;
  }

  #properties(prefixFilter: Section): Uint8Array {
    return encodeTableProperties(this.#meta(0), {
      keyCount: this.#hashes.count,
      plainBytes: this.#plainBytes,
      // A file of keys without prefixes has no filter, and the rule would then say that no prefix is there.
      prefixRule: prefixFilter.length > 0 && hasPrefixes(this.#prefixRule) ? this.#prefixRule : noPrefixes,
      rangeTombstoneCount: this.#rangeTombstones?.count ?? 0,
    });
  }

  #meta(sizeBytes: number): FileMeta {
    const keys = { smallest: this.#smallest, largest: this.#lastKey.slice(0, this.#lastKeyLength) };
    const ranges = this.#rangeTombstones;
    const { smallest, largest } = ranges === undefined ? keys : joinedBounds(keys, ranges);
    const meta = {
      number: this.#number,
      sizeBytes,
      entryCount: this.#entryCount,
      deleteCount: this.#deleteCount,
      indexMin: Math.min(this.#indexMin, ranges?.indexMin ?? Number.MAX_SAFE_INTEGER),
      indexMax: Math.max(this.#indexMax, ranges?.indexMax ?? 0),
      smallest: smallest ?? noBytes,
      largest,
    };
    if (ranges === undefined) return meta;
    const largestIsExclusive = keys.smallest === undefined || compareBytes(ranges.largest, keys.largest) > 0;
    const rangeTombstones = ranges.count;
    return largestIsExclusive ? { ...meta, rangeTombstones, largestIsExclusive } : { ...meta, rangeTombstones };
  }

  #finishBlock(): void {
    const block = this.#builder.finish();
    this.#plainBytes += block.length;
    const { bytes, storage } = encodeStoredBlock(block, this.#options.compression ?? "none");
    const { length } = this.#section(bytes, storage);
    this.#index.lengthPrefixed(this.#fence);
    this.#index.varint(length);
    this.#blockCount++;
    this.#builder.reset();
  }

  #section(bytes: Uint8Array, storage = storagePlain): Section {
    const offset = this.#offset + this.#pending.length;
    this.#pending.raw(bytes);
    this.#pending.raw(encodeTrailer(bytes, storage, offset));
    return { offset, length: bytes.length };
  }

  #rememberKey(bytes: Uint8Array, start: number, length: number): void {
    if (length > this.#lastKey.length) this.#lastKey = new Uint8Array(length * 2);
    for (let i = 0; i < length; i++) this.#lastKey[i] = bytes[start + i];
    this.#lastKeyLength = length;
  }
}

interface Bounds {
  readonly smallest: Uint8Array | undefined;
  readonly largest: Uint8Array;
}

function joinedBounds(keys: Bounds, ranges: RangeTombstoneSection): Bounds {
  if (keys.smallest === undefined) return ranges;
  return {
    smallest: compareBytes(ranges.smallest, keys.smallest) < 0 ? ranges.smallest : keys.smallest,
    largest: compareBytes(ranges.largest, keys.largest) > 0 ? ranges.largest : keys.largest,
  };
}
