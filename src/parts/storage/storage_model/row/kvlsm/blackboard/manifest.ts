/**
 * Manifest: the log of version edits that says which files make up the store.
 *
 * Layout of `MANIFEST-n`: kit/file-header.ts with magic `LATHEMAN`, then records
 *
 *   | offset | size | field                                                                       |
 *   |--------|------|-----------------------------------------------------------------------------|
 *   | 0      | 4    | length n of the payload                                                     |
 *   | 4      | 4    | number of the record in this manifest, from 1                               |
 *   | 8      | 4    | CRC-32C of bytes 0…7 and the payload                                        |
 *   | 12     | n    | payload: a version edit                                                     |
 *
 * `CURRENT`: kit/file-header.ts with magic `LATHECUR`, the number of the manifest in force (u64), CRC-32C of
 * that (u32).
 *
 *   1. Append: write one record at the end, sync. It counts once the sync has returned.
 *   2. Switch: write a new manifest whole, sync it, write CURRENT.tmp, sync it, rename it over CURRENT, sync
 *      the directory.
 *   3. Read: records in order. A record that does not hold ends the reading: if a whole record follows
 *      anywhere behind it, the damage is in the middle and is CORRUPTION; otherwise it is the torn tail of
 *      an append that never counted.
 *   4. After a failed write or sync a manifest is never used again; the next edit switches to a new one.
 * Source: LevelDB's CURRENT and descriptor log; PostgreSQL's fsync policy after 2018.
 */
import { readU32LE, readU64LE, writeU32LE, writeU64LE } from "../../../../../../kit/bytes.ts";
import { crc32c } from "../../../../../../kit/crc32c.ts";
import type { Disk, DiskFile } from "../../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { checkFileHeader, encodeFileHeader, fileHeaderBytes } from "../../../../../../kit/file-header.ts";
import { currentName, currentTemporaryName, manifestName } from "./file-names.ts";
import { decodeVersionEdit, encodeVersionEdit, type VersionEdit } from "./version-edit.ts";

const manifestMagic = "LATHEMAN";
const currentMagic = "LATHECUR";
const manifestVersion = 2;
/** Version 1: edits without range tombstones and expiry time. */
const readableVersions = [1, manifestVersion];
const recordHeaderBytes = 12;
/** Edits beyond this make a new manifest worth its while. */
const rotateBytes = 1 << 20;
/** A manifest beyond this is damaged, or not one. */
const manifestBytesMax = 1 << 28;

export class Manifest {
  readonly number: number;
  readonly path: string;
  readonly #file: DiskFile;
  readonly #initialBytes: number;
  #sizeBytes: number;
  #records = 1;
  #failed = false;

  private constructor(number: number, file: DiskFile, sizeBytes: number) {
    this.number = number;
    this.path = file.path;
    this.#file = file;
    this.#initialBytes = sizeBytes;
    this.#sizeBytes = sizeBytes;
  }

  /**
   * Writes a new manifest that begins with `state` and makes it the one in force. Errors: DISK_FULL, IO_ERROR.
   */
  static create(
    disk: Disk,
    directory: string,
    number: number,
    selectionHash: string,
    state: VersionEdit,
  ): Manifest {
    const path = `${directory}/${manifestName(number)}`;
    const header = encodeFileHeader({ magic: manifestMagic, version: manifestVersion, selectionHash });
    const record = encodeRecord(state, 1);
    const file = disk.open(path, "create");
    try {
      file.writeSync(header, 0, header.length, 0);
      file.writeSync(record, 0, record.length, header.length);
      file.syncSync();
    } catch (error) {
      abandon(disk, file);
      throw error;
    }
    try {
      switchCurrent(disk, directory, number, selectionHash);
    } catch (error) {
      // CURRENT may name the new manifest by now, so it stays; it says the same as the old one.
      file.close();
      throw error;
    }
    return new Manifest(number, file, header.length + record.length);
  }

  /** Whether the edits since the manifest began outweigh a new one. */
  get isLong(): boolean {
    return this.#sizeBytes > 2 * this.#initialBytes + rotateBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Whether a write or sync failed, so that only a new manifest helps. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Appends an edit and makes it durable. Errors: DISK_FULL, IO_ERROR. */
  async append(edit: VersionEdit): Promise<void> {
    const record = encodeRecord(edit, this.#records + 1);
    try {
      this.#file.writeSync(record, 0, record.length, this.#sizeBytes);
      await this.#file.sync();
    } catch (error) {
      this.#failed = true;
      throw error;
    }
    this.#sizeBytes += record.length;
    this.#records++;
  }

  close(): void {
    this.#file.close();
  }
}

export interface ManifestContents {
  readonly edits: readonly VersionEdit[];
  /** Bytes of a torn append at the end that were left out. */
  readonly tornBytes: number;
}

/** Reads a manifest. Errors: NOT_FOUND, FORMAT_UNKNOWN, CORRUPTION. */
export function readManifest(disk: Disk, path: string, selectionHash: string): ManifestContents {
  const bytes = readWholeFile(disk, path, manifestBytesMax);
  const expected = { magic: manifestMagic, versions: readableVersions, selectionHash };
  const version = checkFileHeader(bytes, expected, path);
  const edits: VersionEdit[] = [];
  let at = fileHeaderBytes;
  while (at < bytes.length && recordHolds(bytes, at) && readU32LE(bytes, at + 4) === edits.length + 1) {
    const length = readU32LE(bytes, at);
    const payload = bytes.subarray(at + recordHeaderBytes, at + recordHeaderBytes + length);
    edits.push(decodeVersionEdit(payload, `${path}: the record at byte ${at}`, version));
    at += recordHeaderBytes + length;
  }
  for (let later = at + 1; later < bytes.length; later++) {
    if (recordHolds(bytes, later))
      throw damaged(path, at, `a damaged record, with a whole one at byte ${later}`);
  }
  if (edits.length === 0) throw damaged(path, fileHeaderBytes, "the first record is damaged");
  return { edits, tornBytes: bytes.length - at };
}

/**
 * The number of the manifest in force, or undefined where there is no CURRENT. Errors: FORMAT_UNKNOWN,
 * CORRUPTION.
 */
export function readCurrent(disk: Disk, directory: string, selectionHash: string): number | undefined {
  const path = `${directory}/${currentName}`;
  if (!disk.exists(path)) return undefined;
  const bytes = readWholeFile(disk, path, 4096);
  checkFileHeader(bytes, { magic: currentMagic, versions: readableVersions, selectionHash }, path);
  const at = fileHeaderBytes;
  if (bytes.length !== at + 12 || readU32LE(bytes, at + 8) !== crc32c(bytes, at, at + 8)) {
    throw damaged(path, at, "the manifest's number is damaged");
  }
  return readU64LE(bytes, at);
}

function switchCurrent(disk: Disk, directory: string, number: number, selectionHash: string): void {
  const header = encodeFileHeader({ magic: currentMagic, version: manifestVersion, selectionHash });
  const bytes = new Uint8Array(header.length + 12);
  bytes.set(header);
  const at = header.length;
  writeU64LE(bytes, at, number);
  writeU32LE(bytes, at + 8, crc32c(bytes, at, at + 8));
  const temporary = `${directory}/${currentTemporaryName}`;
  if (disk.exists(temporary)) disk.unlink(temporary);
  const file = disk.open(temporary, "create");
  try {
    file.writeSync(bytes, 0, bytes.length, 0);
    file.syncSync();
  } finally {
    file.close();
  }
  disk.rename(temporary, `${directory}/${currentName}`);
  disk.syncDirectory(directory);
}

/** A manifest that was never in force. */
function abandon(disk: Disk, file: DiskFile): void {
  file.close();
  try {
    disk.unlink(file.path);
  } catch {
    // It is an orphan then, and removed when the store is opened next.
  }
}

function encodeRecord(edit: VersionEdit, number: number): Uint8Array {
  const payload = encodeVersionEdit(edit);
  const record = new Uint8Array(recordHeaderBytes + payload.length);
  record.set(payload, recordHeaderBytes);
  writeU32LE(record, 0, payload.length);
  writeU32LE(record, 4, number);
  writeU32LE(record, 8, recordChecksum(record, 0, payload.length));
  return record;
}

function recordHolds(bytes: Uint8Array, at: number): boolean {
  if (at + recordHeaderBytes > bytes.length) return false;
  const length = readU32LE(bytes, at);
  if (length === 0 || at + recordHeaderBytes + length > bytes.length) return false;
  return readU32LE(bytes, at + 8) === recordChecksum(bytes, at, length);
}

function recordChecksum(bytes: Uint8Array, at: number, length: number): number {
  const payloadAt = at + recordHeaderBytes;
  return crc32c(bytes, payloadAt, payloadAt + length, crc32c(bytes, at, at + 8));
}

function readWholeFile(disk: Disk, path: string, bytesMax: number): Uint8Array {
  const file = disk.open(path, "read");
  try {
    const sizeBytes = file.sizeSync();
    if (sizeBytes > bytesMax)
      throw damaged(path, bytesMax, `${sizeBytes} bytes, more than such a file can have`);
    const bytes = new Uint8Array(sizeBytes);
    const count = file.readSync(bytes, 0, sizeBytes, 0);
    return bytes.subarray(0, count);
  } finally {
    file.close();
  }
}

function damaged(path: string, offset: number, what: string): LatheError {
  return new LatheError(
    "CORRUPTION",
    `${path} at byte ${offset}: ${what}; restore the store from a checkpoint or another replica`,
    { details: { path, offset } },
  );
}
