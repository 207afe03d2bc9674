/**
 * SequentialBlocks: an SSTable as a compaction reads it: front to back, in large reads, past the cache.
 *
 * The files of a sorted run are read one after the other, so a run has one file open and one buffer at a
 * time, however many files it has: the memory of a compaction does not grow with the data. A file is opened
 * when it is first looked at, and closes the one before it.
 * A block is valid until the next one of its run is asked for. `onRead` tells of every read, so that the job
 * knows when to yield.
 */
import { assert } from "../../../../../../kit/assert.ts";
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";
import type { Disk, DiskFile } from "../../../../../../kit/env/env.ts";
import { errorCodeOf } from "../../../../../../kit/errors.ts";
import { Block, type BlockOwner } from "./block.ts";
import { decodeStoredBlock, storagePlain } from "./stored-block.ts";
import { corruptTable, trailerBytes, trailerHolds } from "./table-format.ts";
import type { BlockSource } from "./table-iterator.ts";
import { readTableLayout, type TableLayout } from "./table-layout.ts";

const readAheadBytes = 1 << 18;

/** What the files of one run share. */
export class SequentialRun {
  readonly disk: Disk;
  readonly selectionHash: string;
  readonly onRead: (bytes: number) => void;
  #buffer: Uint8Array = new Uint8Array(0);
  #open: SequentialBlocks | undefined = undefined;

  constructor(disk: Disk, selectionHash: string, onRead: (bytes: number) => void) {
    this.disk = disk;
    this.selectionHash = selectionHash;
    this.onRead = onRead;
  }

  /** Closes the file open before. */
  enter(blocks: SequentialBlocks): void {
    this.close();
    this.#open = blocks;
  }

  buffer(length: number): Uint8Array {
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    return this.#buffer;
  }

  close(): void {
    this.#open?.close();
    this.#open = undefined;
  }
}

export class SequentialBlocks implements BlockSource, BlockOwner {
  readonly path: string;
  readonly #run: SequentialRun;
  #file: DiskFile | undefined = undefined;
  #layout: TableLayout | undefined = undefined;
  #buffer: Uint8Array = new Uint8Array(0);
  #bufferAt = 0;
  #bufferEnd = 0;

  constructor(path: string, run: SequentialRun) {
    this.path = path;
    this.#run = run;
  }

  /** Errors: CORRUPTION, FORMAT_UNKNOWN, NOT_FOUND, IO_ERROR. */
  get layout(): TableLayout {
    return this.#layout ?? this.#open();
  }

  get blockCount(): number {
    return this.layout.blockCount;
  }

  floor(key: Uint8Array): number {
    return this.layout.fences.floor(key);
  }

  block(number: number): Block {
    const { blockOffsets, version } = this.layout;
    const offset = blockOffsets[number];
    const length = blockOffsets[number + 1] - offset;
    if (offset < this.#bufferAt || offset + length > this.#bufferEnd) this.#fill(offset, length);
    const start = offset - this.#bufferAt;
    const payload = length - trailerBytes(version);
    if (!trailerHolds(this.#buffer, start, payload, offset, version)) {
      throw corruptTable(this.path, offset, `the checksum of block ${number} does not match`);
    }
    const stored = this.#buffer.subarray(start, start + payload);
    const storage = version === 1 ? storagePlain : this.#buffer[start + payload];
    if (storage === storagePlain) return new Block(stored, payload, this, number);
    const block = decodeStoredBlock(stored, storage, this.path, offset);
    return new Block(block, block.length, this, number);
  }

  forgetBlock(): void {
    // Nothing remembers blocks here.
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    if (this.#layout !== undefined) releaseBuffer(this.#layout.index);
    this.#layout = undefined;
    this.#bufferAt = 0;
    this.#bufferEnd = 0;
  }

  #open(): TableLayout {
    const { disk, selectionHash } = this.#run;
    this.#run.enter(this);
    try {
      this.#file = disk.open(this.path, "read");
    } catch (error) {
      if (errorCodeOf(error) !== "NOT_FOUND") throw error;
      // It does not come back by itself, as a disk that was full may: the same as a damaged file.
      throw corruptTable(this.path, 0, "it is missing", error);
    }
    this.#layout = readTableLayout(this.#file, selectionHash);
    return this.#layout;
  }

  #fill(offset: number, length: number): void {
    const { blockOffsets, blockCount } = this.layout;
    assert(this.#file !== undefined, "a file with a layout is open");
    const wanted = Math.min(blockOffsets[blockCount] - offset, Math.max(length, readAheadBytes));
    this.#buffer = this.#run.buffer(wanted);
    const count = this.#file.readSync(this.#buffer, 0, wanted, offset);
    if (count !== wanted) {
      throw corruptTable(this.path, offset, `${count} bytes where ${wanted} were written`);
    }
    this.#bufferAt = offset;
    this.#bufferEnd = offset + wanted;
    this.#run.onRead(wanted);
  }
}
