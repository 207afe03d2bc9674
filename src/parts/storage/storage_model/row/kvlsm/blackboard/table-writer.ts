/**
 * TableWriter: writes one SSTable from sorted entries. Layout: table-format.ts.
 *
 *   1. Entries go into a block; the first entry of another key after `blockBytes` starts the next block.
 *   2. Finished blocks gather in a write buffer; the job writes it out (`writePending`) between its yields.
 *   3. `finish` adds filter, index, properties and footer, and syncs: the file is durable, its name is not
 *      yet (the job syncs the directory).
 * Invariant: the writer never holds more than one block, the write buffer, the fences and one hash per key.
 */
import { ByteWriter } from "../../../../../../kit/byte-writer.ts";
import { writeU32LE } from "../../../../../../kit/bytes.ts";
import { commonPrefixLength } from "../../../../../../kit/compare.ts";
import type { Disk, DiskFile } from "../../../../../../kit/env/env.ts";
import { hash32 } from "../../../../../../kit/hash.ts";
import { BlockBuilder } from "./block-builder.ts";
import { buildBloomFilter } from "./bloom-filter.ts";
import { type EntryIterator, kindDelete } from "./entry-iterator.ts";
import { encodeFileMeta, type FileMeta } from "./file-meta.ts";
import {
  checksumBytes,
  encodeFooter,
  encodeTableHeader,
  footerBytes,
  sectionChecksum,
} from "./table-format.ts";

export interface TableOptions {
  readonly blockBytes: number;
  readonly bloomBitsPerKey: number;
  readonly restartInterval: number;
  readonly selectionHash: string;
}

/** Bytes gathered before a write. */
export const writeBufferBytes = 1 << 18;

export class TableWriter {
  readonly path: string;
  readonly #file: DiskFile;
  readonly #number: number;
  readonly #options: TableOptions;
  readonly #builder: BlockBuilder;
  readonly #pending = new ByteWriter();
  readonly #index = new ByteWriter();
  #offset = 0;
  #blockCount = 0;
  #fence = new Uint8Array(0);
  #hashes = new Int32Array(1024);
  #keyCount = 0;
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
   * Adds the entry an iterator stands on, under the given index. Entries come in the order of EntryIterator.
   */
  add(entry: EntryIterator, index: number): void {
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
      this.#addHash(hash32(keyBytes, 0, keyStart, keyEnd) | 0);
    }
    const { valueBytes, valueStart, valueEnd } = entry;
    this.#builder.add(keyBytes, keyStart, keyEnd, index, entry.kind, valueBytes, valueStart, valueEnd);
    this.#entryCount++;
    if (entry.kind === kindDelete) this.#deleteCount++;
    if (index < this.#indexMin) this.#indexMin = index;
    if (index > this.#indexMax) this.#indexMax = index;
  }

  /** Writes out the blocks gathered. Errors: DISK_FULL, IO_ERROR. */
  writePending(): void {
    const bytes = this.#pending.view();
    this.#file.writeSync(bytes, 0, bytes.length, this.#offset);
    this.#offset += bytes.length;
    this.#pending.clear();
  }

  /** Completes, syncs and closes the file. Errors: DISK_FULL, IO_ERROR. */
  finish(): FileMeta {
    this.#finishBlock();
    const filterBits = this.#options.bloomBitsPerKey;
    const filter = this.#section(buildBloomFilter(this.#hashes, this.#keyCount, filterBits));
    const indexHead = new ByteWriter();
    indexHead.varint(this.#blockCount);
    indexHead.raw(this.#index.view());
    const index = this.#section(indexHead.view());
    const properties = new ByteWriter();
    encodeFileMeta(properties, this.#meta(0));
    const propertiesSection = this.#section(properties.view());
    const sizeBytes = this.#offset + this.#pending.length + footerBytes;
    const footer = { filter, index, properties: propertiesSection, sizeBytes };
    this.#pending.raw(encodeFooter(footer, this.#options.selectionHash));
    this.writePending();
    this.#file.syncSync();
    this.#file.close();
    return this.#meta(sizeBytes);
  }

  /** Gives up: closes the file and removes it. Never throws. */
  abandon(disk: Disk): void {
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

  #meta(sizeBytes: number): FileMeta {
    return {
      number: this.#number,
      sizeBytes,
      entryCount: this.#entryCount,
      deleteCount: this.#deleteCount,
      indexMin: this.#indexMin,
      indexMax: this.#indexMax,
      smallest: this.#smallest ?? new Uint8Array(0),
      largest: this.#lastKey.slice(0, this.#lastKeyLength),
    };
  }

  #finishBlock(): void {
    const { length } = this.#section(this.#builder.finish());
    this.#index.lengthPrefixed(this.#fence);
    this.#index.varint(length);
    this.#blockCount++;
    this.#builder.reset();
  }

  #section(bytes: Uint8Array): { offset: number; length: number } {
    const offset = this.#offset + this.#pending.length;
    this.#pending.raw(bytes);
    const checksum = new Uint8Array(checksumBytes);
    writeU32LE(checksum, 0, sectionChecksum(bytes, 0, bytes.length, offset));
    this.#pending.raw(checksum);
    return { offset, length: bytes.length };
  }

  #rememberKey(bytes: Uint8Array, start: number, length: number): void {
    if (length > this.#lastKey.length) this.#lastKey = new Uint8Array(length * 2);
    for (let i = 0; i < length; i++) this.#lastKey[i] = bytes[start + i];
    this.#lastKeyLength = length;
  }

  #addHash(hash: number): void {
    if (this.#keyCount === this.#hashes.length) {
      const larger = new Int32Array(this.#hashes.length * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#keyCount++] = hash;
  }
}
