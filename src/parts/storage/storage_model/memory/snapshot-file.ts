/**
 * The snapshot file of the memory engine: every entry as of one index, in key order.
 *
 *   | offset | size | field                                                              |
 *   |-------:|-----:|--------------------------------------------------------------------|
 *   |      0 |   32 | file header, magic `LATHEMEM`, version 1                           |
 *   |     32 |    … | blocks, one behind the other                                       |
 *
 * A block:
 *
 *   | offset | size | field                                                              |
 *   |-------:|-----:|--------------------------------------------------------------------|
 *   |      0 |    4 | length n of its contents (u32, little-endian)                      |
 *   |      4 |    4 | CRC-32C of the contents                                            |
 *   |      8 |    1 | what it is: 1 entries, 2 the end                                   |
 *   |      9 |  n−1 | entries: puts, laid out as in a batch (write-batch.ts); the end:   |
 *   |        |      | index (u64), number of entries (u64), time of the store in ms (u64)|
 *
 * A file without its end, with anything behind it, or with another number of entries is damaged: files come into force
 * by name only after they were flushed (current-file.ts), so a torn one is never read.
 * Source: Redis' RDB; the batch is LevelDB's.
 */
import { readU32LE, readU64LE, writeU32LE, writeU64LE } from "../../../../kit/bytes.ts";
import { crc32c } from "../../../../kit/crc32c.ts";
import type { Disk, DiskFile } from "../../../../kit/env/env.ts";
import { LatheError } from "../../../../kit/errors.ts";
import { checkFileHeader, encodeFileHeader, fileHeaderBytes } from "../../../../kit/file-header.ts";
import { batchKindPut, batchKindPutExpiring, forEachOperation } from "../../write-batch.ts";

const magic = "LATHEMEM";
const version = 1;
export const blockHeaderBytes = 9;
export const endBlockBytes = blockHeaderBytes + 24;
const entriesBlock = 1;
const endBlock = 2;
/** A value of the greatest length, its key, and some. */
const contentsBytesMax = 1 << 28;
const readBytes = 1 << 20;

export interface SnapshotEnd {
  readonly index: number;
  readonly entryCount: number;
  readonly timeMs: number;
}

export function snapshotName(number: number): string {
  return `snapshot-${String(number).padStart(6, "0")}.mem`;
}

/** The number in the name of a snapshot file, or undefined. */
export function snapshotNumberOf(name: string): number | undefined {
  const match = /^snapshot-(\d{6,})\.mem$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

export function snapshotHeader(selectionHash: string): Uint8Array {
  return encodeFileHeader({ magic, version, selectionHash });
}

/** Fills in the first bytes of a block of entries. */
export function sealBlock(block: Uint8Array, kind = entriesBlock): void {
  block[8] = kind;
  writeU32LE(block, 0, block.length - 8);
  writeU32LE(block, 4, crc32c(block, 8, block.length));
}

export function encodeEnd({ index, entryCount, timeMs }: SnapshotEnd): Uint8Array {
  const block = new Uint8Array(endBlockBytes);
  writeU64LE(block, blockHeaderBytes, index);
  writeU64LE(block, blockHeaderBytes + 8, entryCount);
  writeU64LE(block, blockHeaderBytes + 16, timeMs);
  sealBlock(block, endBlock);
  return block;
}

export interface SnapshotVisitor {
  /** Told before the first entry how many the end of the file counts; 0 where that is damaged. */
  begin?(entryCount: number): void;
  /** Called per entry; returns false where it cannot stand there, for the keys of a snapshot ascend. */
  visit(kind: number, bytes: Uint8Array, keyStart: number, keyEnd: number, valueEnd: number): boolean;
}

/** Reads a whole file. Errors: CORRUPTION, FORMAT_UNKNOWN, NOT_FOUND, IO_ERROR. */
export function readSnapshot(
  disk: Disk, path: string, selectionHash: string, visitor: SnapshotVisitor,
): SnapshotEnd {
  const file = disk.open(path, "read");
  try {
    const reader = new BlockReader(file, path);
    checkFileHeader(reader.take(fileHeaderBytes), { magic, versions: [version], selectionHash }, path);
    visitor.begin?.(countAtEnd(file));
    let entryCount = 0;
    for (;;) {
      const contents = reader.block();
      if (contents[0] === endBlock) {
        const end = decodeEnd(contents, reader);
        if (end.entryCount !== entryCount || !reader.isAtEnd()) throw reader.damaged();
        return end;
      }
      if (contents[0] !== entriesBlock) throw reader.damaged();
      forEachOperation(contents.subarray(1), (kind, bytes, keyStart, keyEnd, valueEnd) => {
        if (kind !== batchKindPut && kind !== batchKindPutExpiring) throw reader.damaged();
        entryCount++;
        if (!visitor.visit(kind, bytes, keyStart, keyEnd, valueEnd)) throw reader.damaged();
      });
    }
  } finally {
    file.close();
  }
}

/** What the last block counts, where it is whole; else 0, and the damage is found when the file is read up to there. */
function countAtEnd(file: DiskFile): number {
  const at = file.sizeSync() - endBlockBytes;
  const block = new Uint8Array(endBlockBytes);
  if (at < fileHeaderBytes || file.readSync(block, 0, endBlockBytes, at) < endBlockBytes) return 0;
  const isEnd = block[8] === endBlock && readU32LE(block, 4) === crc32c(block, 8);
  return isEnd ? readU64LE(block, blockHeaderBytes + 8) : 0;
}

function decodeEnd(contents: Uint8Array, reader: BlockReader): SnapshotEnd {
  if (contents.length !== endBlockBytes - 8) throw reader.damaged();
  return { index: readU64LE(contents, 1), entryCount: readU64LE(contents, 9), timeMs: readU64LE(contents, 17) };
}

/** Reads a file from its beginning to its end, by large reads. */
class BlockReader {
  readonly #file: DiskFile;
  readonly #path: string;
  #buffer = new Uint8Array(readBytes);
  #start = 0;
  #end = 0;
  /** Where in the file the buffer ends. */
  #position = 0;

  constructor(file: DiskFile, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** The contents of the next block; valid until the next call. */
  block(): Uint8Array {
    const head = this.take(8);
    const length = readU32LE(head, 0);
    const checksum = readU32LE(head, 4);
    if (length === 0 || length > contentsBytesMax) throw this.damaged();
    const contents = this.take(length);
    if (crc32c(contents, 0, length) !== checksum) throw this.damaged();
    return contents;
  }

  take(length: number): Uint8Array {
    while (this.#end - this.#start < length) this.#fill(length);
    this.#start += length;
    return this.#buffer.subarray(this.#start - length, this.#start);
  }

  isAtEnd(): boolean {
    return this.#start === this.#end && this.#file.sizeSync() === this.#position;
  }

  damaged(): LatheError {
    const offset = this.#position - (this.#end - this.#start);
    return new LatheError(
      "CORRUPTION",
      `${this.#path} is damaged before byte ${offset}; restore the store from a backup`,
      { details: { path: this.#path, offset } },
    );
  }

  #fill(length: number): void {
    const rest = this.#end - this.#start;
    if (length > this.#buffer.length) {
      // A length that damage made up must not be taken for memory that is needed.
      if (this.#position - rest + length > this.#file.sizeSync()) throw this.damaged();
      const larger = new Uint8Array(Math.max(length, readBytes));
      larger.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = larger;
    } else this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = rest;
    const read = this.#file.readSync(this.#buffer, rest, this.#buffer.length - rest, this.#position);
    if (read === 0) throw this.damaged();
    this.#end += read;
    this.#position += read;
  }
}
