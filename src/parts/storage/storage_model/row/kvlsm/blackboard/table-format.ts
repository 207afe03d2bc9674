/**
 * The layout of an SSTable: an immutable sorted file of entries.
 *
 *   | part       | size    | content                                                               |
 *   |------------|---------|-----------------------------------------------------------------------|
 *   | header     | 32      | kit/file-header.ts with magic `LATHESST`                              |
 *   | data block | n + 4   | see block-builder.ts; then its checksum                               |
 *   | …          |         | further data blocks, without gaps                                     |
 *   | filter     | n + 4   | see bloom-filter.ts; then its checksum                                |
 *   | index      | n + 4   | below; then its checksum                                              |
 *   | properties | n + 4   | the file's FileMeta (file-meta.ts; size 0); then its checksum         |
 *   | footer     | 80      | below                                                                 |
 *
 * A checksum is CRC-32C of the n bytes, begun with the low 32 bits of their offset in the file, so that
 * bytes that were written or read at a wrong place do not pass.
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
 *   | offset | size | field                                            |
 *   |--------|------|--------------------------------------------------|
 *   | 0      | 8    | filter offset                                    |
 *   | 8      | 4    | filter length                                    |
 *   | 12     | 8    | index offset                                     |
 *   | 20     | 4    | index length                                     |
 *   | 24     | 8    | properties offset                                |
 *   | 32     | 4    | properties length                                |
 *   | 36     | 8    | size of the file                                 |
 *   | 44     | 4    | CRC-32C of bytes 0…43                            |
 *   | 48     | 32   | kit/file-header.ts with magic `LATHEEND`         |
 *
 * Invariants: keys ascend over the whole file; all versions of a key are in one block, so a point read reads
 * one block.
 * Source: LevelDB's table_format.md; RocksDB's context checksums.
 */
import { readU32LE, readU64LE, writeU32LE, writeU64LE } from "../../../../../../kit/bytes.ts";
import { crc32c } from "../../../../../../kit/crc32c.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { checkFileHeader, encodeFileHeader, fileHeaderBytes } from "../../../../../../kit/file-header.ts";

export const tableMagic = "LATHESST";
const footerMagic = "LATHEEND";
export const tableVersion = 1;
export const checksumBytes = 4;
export const footerBytes = 48 + fileHeaderBytes;
export const tableHeaderBytes = fileHeaderBytes;

export interface Section {
  readonly offset: number;
  readonly length: number;
}

export interface Footer {
  readonly filter: Section;
  readonly index: Section;
  readonly properties: Section;
  readonly sizeBytes: number;
}

export function encodeTableHeader(selectionHash: string): Uint8Array {
  return encodeFileHeader({ magic: tableMagic, version: tableVersion, selectionHash });
}

/** Errors: FORMAT_UNKNOWN, CORRUPTION. */
export function checkTableHeader(bytes: Uint8Array, selectionHash: string, path: string): void {
  checkFileHeader(bytes, { magic: tableMagic, versions: [tableVersion], selectionHash }, path);
}

export function encodeFooter(footer: Footer, selectionHash: string): Uint8Array {
  const bytes = new Uint8Array(footerBytes);
  let at = 0;
  for (const section of [footer.filter, footer.index, footer.properties]) {
    at = writeU64LE(bytes, at, section.offset);
    at = writeU32LE(bytes, at, section.length);
  }
  at = writeU64LE(bytes, at, footer.sizeBytes);
  at = writeU32LE(bytes, at, crc32c(bytes, 0, 44));
  bytes.set(encodeFileHeader({ magic: footerMagic, version: tableVersion, selectionHash }), at);
  return bytes;
}

/** Errors: FORMAT_UNKNOWN, CORRUPTION. */
export function decodeFooter(
  bytes: Uint8Array,
  sizeBytes: number,
  selectionHash: string,
  path: string,
): Footer {
  const expected = { magic: footerMagic, versions: [tableVersion], selectionHash };
  checkFileHeader(bytes.subarray(48), expected, `the footer of ${path}`);
  const section = (at: number): Section => ({
    offset: readU64LE(bytes, at),
    length: readU32LE(bytes, at + 8),
  });
  const footer: Footer = {
    filter: section(0),
    index: section(12),
    properties: section(24),
    sizeBytes: readU64LE(bytes, 36),
  };
  const { filter, index, properties } = footer;
  const inOrder =
    filter.offset >= tableHeaderBytes &&
    index.offset === filter.offset + filter.length + checksumBytes &&
    properties.offset === index.offset + index.length + checksumBytes &&
    sizeBytes === properties.offset + properties.length + checksumBytes + footerBytes;
  if (readU32LE(bytes, 44) !== crc32c(bytes, 0, 44) || footer.sizeBytes !== sizeBytes || !inOrder) {
    throw corruptTable(path, sizeBytes - footerBytes, "its footer is damaged");
  }
  return footer;
}

export function sectionChecksum(bytes: Uint8Array, start: number, end: number, fileOffset: number): number {
  return crc32c(bytes, start, end, fileOffset >>> 0);
}

/** Whether `bytes[start, start + length)` is followed by its checksum. */
export function checksumHolds(bytes: Uint8Array, start: number, length: number, fileOffset: number): boolean {
  return readU32LE(bytes, start + length) === sectionChecksum(bytes, start, start + length, fileOffset);
}

export function corruptTable(path: string, offset: number, what: string): LatheError {
  return new LatheError(
    "CORRUPTION",
    `${path} at byte ${offset}: ${what}; restore the store from a checkpoint or another replica`,
    { details: { path, offset } },
  );
}
