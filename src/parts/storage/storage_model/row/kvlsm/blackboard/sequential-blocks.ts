/**
 * SequentialBlocks: an SSTable as a compaction reads it: front to back, in large reads, past the cache.
 * A block is valid until the next one is asked for. `onRead` tells of every read, so that the job knows when
 * to yield.
 */
import type { Disk, DiskFile } from "../../../../../../kit/env/env.ts";
import { Block, type BlockOwner } from "./block.ts";
import type { BlockSource } from "./table-iterator.ts";
import { checksumBytes, checksumHolds, corruptTable } from "./table-format.ts";
import { readTableLayout, type TableLayout } from "./table-layout.ts";

const readAheadBytes = 1 << 18;

export class SequentialBlocks implements BlockSource, BlockOwner {
  readonly path: string;
  readonly layout: TableLayout;
  readonly #file: DiskFile;
  readonly #onRead: (bytes: number) => void;
  #buffer = new Uint8Array(0);
  #bufferAt = 0;
  #bufferEnd = 0;

  /** Errors: CORRUPTION, FORMAT_UNKNOWN, NOT_FOUND, IO_ERROR. */
  constructor(disk: Disk, path: string, selectionHash: string, onRead: (bytes: number) => void) {
    this.path = path;
    this.#file = disk.open(path, "read");
    this.#onRead = onRead;
    try {
      this.layout = readTableLayout(this.#file, selectionHash);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  get blockCount(): number {
    return this.layout.blockCount;
  }

  block(number: number): Block {
    const offset = this.layout.blockOffsets[number];
    const length = this.layout.blockOffsets[number + 1] - offset;
    if (offset < this.#bufferAt || offset + length > this.#bufferEnd) this.#fill(offset, length);
    const start = offset - this.#bufferAt;
    const payload = length - checksumBytes;
    if (!checksumHolds(this.#buffer, start, payload, offset)) {
      throw corruptTable(this.path, offset, `the checksum of block ${number} does not match`);
    }
    return new Block(this.#buffer.subarray(start, start + payload), payload, this, number);
  }

  forgetBlock(): void {
    // Nothing remembers blocks here.
  }

  close(): void {
    this.#file.close();
  }

  #fill(offset: number, length: number): void {
    const end = this.layout.blockOffsets[this.layout.blockCount];
    const wanted = Math.min(end - offset, Math.max(length, readAheadBytes));
    // One iterator walks the file, and it is done with the blocks read before.
    if (this.#buffer.length < wanted) this.#buffer = new Uint8Array(wanted);
    const count = this.#file.readSync(this.#buffer, 0, wanted, offset);
    if (count !== wanted)
      throw corruptTable(this.path, offset, `${count} bytes where ${wanted} were written`);
    this.#bufferAt = offset;
    this.#bufferEnd = offset + wanted;
    this.#onRead(wanted);
  }
}
