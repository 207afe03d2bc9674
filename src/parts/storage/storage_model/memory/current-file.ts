/**
 * CURRENT: which snapshot file of the memory engine is in force, and what is known beside it.
 *
 *   | offset | size | field                                                        |
 *   |-------:|-----:|--------------------------------------------------------------|
 *   |      0 |   32 | file header, magic `LATHEMCU`, version 3                     |
 *   |     32 |    8 | number of the snapshot file (u64, little-endian); 0: none yet |
 *   |     40 |    8 | index of the last batch that is in it (u64)                  |
 *   |     48 |    8 | time by which entries have expired for good, in ms (u64)     |
 *   |     56 |    8 | what live entries come to at most by the log behind it (u64)  |
 *   |     64 |    4 | CRC-32C of bytes 32 to 63                                    |
 *
 * In version 2 offset 56 has the limit by which puts in the log behind the snapshot are to be judged when they are
 * applied; from version 3 on they were admitted before they were logged. Version 1 has no limit, and the checksum in
 * its place.
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
const version = 3;
/** Where the checksum is, by version. */
const checksumAt: Readonly<Record<number, number>> = {
  1: fileHeaderBytes + 24, 2: fileHeaderBytes + 32, 3: fileHeaderBytes + 32,
};
const currentBytes = checksumAt[version] + 4;

export interface CurrentState {
  readonly snapshotNumber: number;
  readonly index: number;
  readonly timeMs: number;
  /** 0: of a store of version 1, which does not say. */
  readonly limitBytes: number;
  /** Whether what the log holds behind the snapshot was admitted before it was logged: version 3. */
  readonly isAdmitted: boolean;
}

/** Step by step, for jobs. Errors: DISK_FULL, IO_ERROR. */
export function* writeCurrent(
  disk: Disk, directory: string, selectionHash: string, state: CurrentState,
): Generator<number, void, void> {
  const bytes = new Uint8Array(currentBytes);
  bytes.set(encodeFileHeader({ magic, version: state.isAdmitted ? version : version - 1, selectionHash }));
  writeU64LE(bytes, fileHeaderBytes, state.snapshotNumber);
  writeU64LE(bytes, fileHeaderBytes + 8, state.index);
  writeU64LE(bytes, fileHeaderBytes + 16, state.timeMs);
  writeU64LE(bytes, fileHeaderBytes + 24, state.limitBytes);
  writeU32LE(bytes, checksumAt[version], crc32c(bytes, fileHeaderBytes, checksumAt[version]));
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
  const found = checkFileHeader(bytes.subarray(0, length), { magic, versions: [1, 2, version], selectionHash }, path);
  const checksum = crc32c(bytes, fileHeaderBytes, checksumAt[found]);
  if (length !== checksumAt[found] + 4 || readU32LE(bytes, checksumAt[found]) !== checksum) {
    throw new LatheError("CORRUPTION", `${path} is damaged; restore the store from a backup`, { details: { path } });
  }
  return {
    snapshotNumber: readU64LE(bytes, fileHeaderBytes),
    index: readU64LE(bytes, fileHeaderBytes + 8),
    timeMs: readU64LE(bytes, fileHeaderBytes + 16),
    limitBytes: found === 1 ? 0 : readU64LE(bytes, fileHeaderBytes + 24),
    isAdmitted: found === version,
  };
}
