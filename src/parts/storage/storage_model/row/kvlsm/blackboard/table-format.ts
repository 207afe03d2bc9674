/**
 * The layout of an SSTable: an immutable sorted file of entries. Version 2; version 1 is read too.
 *
 *   | part             | size    | content                                                                    |
 *   |------------------|---------|----------------------------------------------------------------------------|
 *   | header           | 32      | kit/file-header.ts with magic `LATHESST`                                   |
 *   | data block       | n + 5   | stored-block.ts; then its trailer                                          |
 *   | …                |         | further data blocks, without gaps                                          |
 *   | filter           | n + 5   | bloom-filter.ts, over the keys; then its trailer                           |
 *   | prefix filter    | n + 5   | bloom-filter.ts, over the prefixes of the keys; then its trailer           |
 *   | range tombstones | n + 5   | what deletes ranges; then its trailer                                      |
 *   | index            | n + 5   | below; then its trailer                                                    |
 *   | properties       | n + 5   | table-properties.ts; then its trailer                                      |
 *   | footer           | 104     | below                                                                      |
 *
 * A filter or the range tombstones that a file lacks have n = 0; their trailer is there all the same.
 * Trailer: one byte that says how the n bytes are stored (stored-block.ts; 0 but for data blocks), then the
 * CRC-32C of the n bytes and of that byte, begun with the low 32 bits of their offset in the file, so that bytes
 * that were written or read at a wrong place do not pass.
 *
 * Index (varints are LEB128): the number of blocks, then per block
 *
 *   | size | field                                                                                 |
 *   |------|---------------------------------------------------------------------------------------|
 *   | 1…   | length of the fence                                                                   |
 *   | f    | fence: a shortest string above all keys of the block before and ≤ the block's first   |
 *   | 1…   | length n of the block                                                                 |
 *
 * Footer (little-endian):
 *
 *   | offset | size | field                                                             |
 *   |--------|------|-------------------------------------------------------------------|
 *   | 0      | 12   | filter: offset (8), length (4)                                    |
 *   | 12     | 12   | prefix filter                                                     |
 *   | 24     | 12   | range tombstones                                                  |
 *   | 36     | 12   | index                                                             |
 *   | 48     | 12   | properties                                                        |
 *   | 60     | 8    | size of the file                                                  |
 *   | 68     | 4    | CRC-32C of bytes 0…67                                             |
 *   | 72     | 32   | kit/file-header.ts with magic `LATHEEND`                          |
 *
 * Version 1 has no prefix filter and no range tombstones, its footer has 80 bytes without their places, its
 * trailers lack the byte and its properties are a FileMeta alone.
 * Invariants: keys ascend over the whole file; all versions of a key are in one block, so a point read reads
 * one block; a file of version 2 may have no block, if it has range tombstones.
 * Source: LevelDB's table_format.md; RocksDB's context checksums.
 */
import { readU32LE, readU64LE, writeU32LE, writeU64LE } from "../../../../../../kit/bytes.ts";
import { crc32c } from "../../../../../../kit/crc32c.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { checkFileHeader, encodeFileHeader, fileHeaderBytes } from "../../../../../../kit/file-header.ts";

export const tableMagic = "LATHESST";
const footerMagic = "LATHEEND";
/** The version that is written. */
export const tableVersion = 2;
const tableVersions = [1, 2];
const checksumBytes = 4;
/** Sections in the order of the file; version 1 lacks the second and the third. */
const sectionNames = ["filter", "prefixFilter", "rangeTombstones", "index", "properties"] as const;
type SectionName = (typeof sectionNames)[number];
const sectionsOfVersion1: readonly SectionName[] = ["filter", "index", "properties"];
const placeBytes = 12;
const footerFixedBytes = 8 + 4 + fileHeaderBytes;
export const tableHeaderBytes = fileHeaderBytes;

export interface Section {
  readonly offset: number;
  readonly length: number;
}

export interface Footer extends Readonly<Record<SectionName, Section>> {
  readonly sizeBytes: number;
}

/** Bytes behind every block and section. */
export function trailerBytes(version: number): number {
  return version === 1 ? checksumBytes : 1 + checksumBytes;
}

export function footerBytes(version: number): number {
  return sectionsOf(version).length * placeBytes + footerFixedBytes;
}

function sectionsOf(version: number): readonly SectionName[] {
  return version === 1 ? sectionsOfVersion1 : sectionNames;
}

export function encodeTableHeader(selectionHash: string): Uint8Array {
  return encodeFileHeader({ magic: tableMagic, version: tableVersion, selectionHash });
}

/** The version of the file. Errors: FORMAT_UNKNOWN, CORRUPTION. */
export function checkTableHeader(bytes: Uint8Array, selectionHash: string, path: string): number {
  return checkFileHeader(bytes, { magic: tableMagic, versions: tableVersions, selectionHash }, path);
}

export function encodeFooter(footer: Footer, selectionHash: string): Uint8Array {
  const bytes = new Uint8Array(footerBytes(tableVersion));
  let at = 0;
  for (const name of sectionNames) {
    at = writeU64LE(bytes, at, footer[name].offset);
    at = writeU32LE(bytes, at, footer[name].length);
  }
  at = writeU64LE(bytes, at, footer.sizeBytes);
  at = writeU32LE(bytes, at, crc32c(bytes, 0, at));
  bytes.set(encodeFileHeader({ magic: footerMagic, version: tableVersion, selectionHash }), at);
  return bytes;
}

/** `bytes` are the last `footerBytes(version)` of the file. Errors: FORMAT_UNKNOWN, CORRUPTION. */
export function decodeFooter(
  bytes: Uint8Array,
  version: number,
  sizeBytes: number,
  selectionHash: string,
  path: string,
): Footer {
  const names = sectionsOf(version);
  const sizeAt = names.length * placeBytes;
  const expected = { magic: footerMagic, versions: [version], selectionHash };
  checkFileHeader(bytes.subarray(sizeAt + 12), expected, `the footer of ${path}`);
  const none: Section = { offset: 0, length: 0 };
  const places: Record<SectionName, Section> = {
    filter: none,
    prefixFilter: none,
    rangeTombstones: none,
    index: none,
    properties: none,
  };
  names.forEach((name, i) => {
    places[name] = {
      offset: readU64LE(bytes, i * placeBytes),
      length: readU32LE(bytes, i * placeBytes + 8),
    };
  });
  const checksumHeld = readU32LE(bytes, sizeAt + 8) === crc32c(bytes, 0, sizeAt + 8);
  const sizeHeld = readU64LE(bytes, sizeAt) === sizeBytes;
  if (!checksumHeld || !sizeHeld || !areInOrder(names, places, version, sizeBytes)) {
    throw corruptTable(path, sizeBytes - bytes.length, "its footer is damaged");
  }
  return { ...places, sizeBytes };
}

/** Whether the sections lie one behind the other and end where the footer begins. */
function areInOrder(
  names: readonly SectionName[],
  places: Record<SectionName, Section>,
  version: number,
  sizeBytes: number,
): boolean {
  let at = places.filter.offset;
  if (at < tableHeaderBytes) return false;
  for (const name of names) {
    if (places[name].offset !== at) return false;
    at += places[name].length + trailerBytes(version);
  }
  return at + footerBytes(version) === sizeBytes;
}

/** The trailer of `bytes`, which lie at `fileOffset`, in the present version. */
export function encodeTrailer(bytes: Uint8Array, storage: number, fileOffset: number): Uint8Array {
  const trailer = new Uint8Array(1 + checksumBytes);
  trailer[0] = storage;
  writeU32LE(trailer, 1, crc32c(trailer, 0, 1, crc32c(bytes, 0, bytes.length, fileOffset >>> 0)));
  return trailer;
}

/** Whether `bytes[start, start + length)` are followed by the trailer that belongs to them. */
export function trailerHolds(
  bytes: Uint8Array,
  start: number,
  length: number,
  fileOffset: number,
  version: number,
): boolean {
  // The byte that version 1 lacks lies right behind the others, so the checksum runs on over it.
  const end = start + length + (version === 1 ? 0 : 1);
  return readU32LE(bytes, end) === crc32c(bytes, start, end, fileOffset >>> 0);
}

export function corruptTable(path: string, offset: number, what: string, cause?: unknown): LatheError {
  return new LatheError(
    "CORRUPTION",
    `${path} at byte ${offset}: ${what}; restore the store from a checkpoint or another replica`,
    { details: { path, offset }, cause },
  );
}
