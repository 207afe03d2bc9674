/**
 * CURRENT: which snapshot file of the memory engine is in force, and what is known beside it.
 *
 *   | offset | size | field                                                        |
 *   |-------:|-----:|--------------------------------------------------------------|
 *   |      0 |   32 | file header, magic `LATHEMCU`, version 1                     |
 *   |     32 |    8 | number of the snapshot file (u64, little-endian); 0: none yet |
 *   |     40 |    8 | index of the last batch that is in it (u64)                  |
 *   |     48 |    8 | time by which entries have expired for good, in ms (u64)     |
 *   |     56 |    4 | CRC-32C of bytes 32 to 55                                    |
 *
 * It is replaced as a whole: written under another name, flushed, renamed, and the directory flushed. Whoever has seen
 * the new name after a crash flushes the directory before anything else is removed (memory-engine.ts).
 */
import { readU32LE, readU64LE, writeU32LE, writeU64LE } from "../../../../kit/bytes.ts";
import { crc32c } from "../../../../kit/crc32c.ts";
import type { Disk } from "../../../../kit/env/env.ts";
import { LatheError } from "../../../../kit/errors.ts";
import { checkFileHeader, encodeFileHeader, fileHeaderBytes } from "../../../../kit/file-header.ts";

export const currentName = "CURRENT";
const temporaryName = "CURRENT.tmp";
export const currentMagic = "LATHEMCU";
const magic = currentMagic;
const version = 1;
const currentBytes = fileHeaderBytes + 28;

export interface CurrentState {
  readonly snapshotNumber: number;
  readonly index: number;
  readonly timeMs: number;
}

/** Step by step, for jobs. Errors: DISK_FULL, IO_ERROR. */
export function* writeCurrent(
  disk: Disk, directory: string, selectionHash: string, state: CurrentState,
): Generator<number, void, void> {
  const bytes = new Uint8Array(currentBytes);
  bytes.set(encodeFileHeader({ magic, version, selectionHash }));
  writeU64LE(bytes, fileHeaderBytes, state.snapshotNumber);
  writeU64LE(bytes, fileHeaderBytes + 8, state.index);
  writeU64LE(bytes, fileHeaderBytes + 16, state.timeMs);
  writeU32LE(bytes, fileHeaderBytes + 24, crc32c(bytes, fileHeaderBytes, fileHeaderBytes + 24));
  const temporary = `${directory}/${temporaryName}`;
  yield 0;
  if (disk.exists(temporary)) disk.unlink(temporary);
  yield 0;
  const file = disk.open(temporary, "create");
  try {
    file.writeSync(bytes, 0, bytes.length, 0);
    yield 0;
    file.syncSync();
  } finally {
    file.close();
  }
  yield 0;
  disk.rename(temporary, `${directory}/${currentName}`);
  yield 0;
  disk.syncDirectory(directory);
}

/** The same at once. */
export function writeCurrentSync(disk: Disk, directory: string, selectionHash: string, state: CurrentState): void {
  const steps = writeCurrent(disk, directory, selectionHash, state);
  while (steps.next().done !== true);
}

/** Undefined where there is none. Errors: CORRUPTION, FORMAT_UNKNOWN, IO_ERROR. */
export function readCurrent(disk: Disk, directory: string, selectionHash: string): CurrentState | undefined {
  const path = `${directory}/${currentName}`;
  if (!disk.exists(path)) return undefined;
  const file = disk.open(path, "read");
  const bytes = new Uint8Array(currentBytes + 1);
  let length = 0;
  try {
    length = file.readSync(bytes, 0, bytes.length, 0);
  } finally {
    file.close();
  }
  checkFileHeader(bytes.subarray(0, length), { magic, versions: [version], selectionHash }, path);
  const checksum = crc32c(bytes, fileHeaderBytes, fileHeaderBytes + 24);
  if (length !== currentBytes || readU32LE(bytes, fileHeaderBytes + 24) !== checksum) {
    throw new LatheError("CORRUPTION", `${path} is damaged; restore the store from a backup`, { details: { path } });
  }
  return {
    snapshotNumber: readU64LE(bytes, fileHeaderBytes),
    index: readU64LE(bytes, fileHeaderBytes + 8),
    timeMs: readU64LE(bytes, fileHeaderBytes + 16),
  };
}
