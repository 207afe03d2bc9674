/**
 * The bytes of a log segment, shared by what writes and what reads them. All integers are little-endian.
 *
 * A segment is a file of fixed size, allocated and written before it is used:
 *
 * | offset | bytes | field |
 * |-------:|------:|-------|
 * |      0 |    32 | file header (`kit/file-header.ts`), magic `LATHEWAL`, version 1 |
 * |     32 |     4 | salt: random, new each time that the file is prepared for use |
 * |     36 |    24 | zero |
 * |     60 |     4 | CRC-32C of bytes 32 to 59 |
 * |     64 |     … | records, each at a multiple of 8 |
 *
 * A record:
 *
 * | offset | bytes | field |
 * |-------:|------:|-------|
 * |      0 |     4 | CRC-32C of bytes 4 to 24 + length, continued from the segment's salt |
 * |      4 |     4 | length of the payload |
 * |      8 |     8 | index of the entry; in a base record, of the next entry |
 * |     16 |     4 | lag: index minus the index that was known to be durable when this was appended; at least 1 |
 * |     20 |     1 | kind: 1 entry, 2 base |
 * |     21 |     3 | zero |
 * |     24 |     n | payload; zeros follow up to the next multiple of 8 (not checked) |
 *
 * The first record of a segment is its base; its payload is the segment's sequence number (8 bytes).
 *
 * The salt makes records of a recycled file's former life fail their checksum: for the same bytes,
 * checksums that start from different salts always differ. Being random, it also keeps a client from
 * planting records inside its own data. The lag lets recovery tell a torn tail from damage: a record
 * that says that entry i was durable proves it. Source: RocksDB's recyclable log records, SQLite's WAL
 * salts, etcd's preallocated segments.
 */
import { readU32LE, readU64LE, writeU32LE, writeU64LE } from "../../../kit/bytes.ts";
import { crc32c } from "../../../kit/crc32c.ts";
import { LatheError } from "../../../kit/errors.ts";
import { checkFileHeader, encodeFileHeader, fileHeaderBytes } from "../../../kit/file-header.ts";

export const segmentHeaderBytes = 64;
export const recordHeaderBytes = 24;
export const baseRecordBytes = 32;
export const formatVersion = 1;

const magic = "LATHEWAL";
const headerChecksumOffset = 60;
const lagMax = 0xffff_ffff;

export const recordKinds = { entry: 1, base: 2 } as const;

export type RecordKind = (typeof recordKinds)[keyof typeof recordKinds];

export function encodeSegmentHeader(salt: number, selectionHash: string): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderBytes);
  bytes.set(encodeFileHeader({ magic, version: formatVersion, selectionHash }));
  writeU32LE(bytes, fileHeaderBytes, salt);
  writeU32LE(bytes, headerChecksumOffset, crc32c(bytes, fileHeaderBytes, headerChecksumOffset));
  return bytes;
}

/** The salt. Errors: FORMAT_UNKNOWN, CORRUPTION. */
export function decodeSegmentHeader(bytes: Uint8Array, selectionHash: string, path: string): number {
  checkFileHeader(bytes, { magic, versions: [formatVersion], selectionHash }, path);
  const whole = bytes.length >= segmentHeaderBytes;
  if (!whole || readU32LE(bytes, headerChecksumOffset) !== crc32c(bytes, fileHeaderBytes, headerChecksumOffset)) {
    throw new LatheError("CORRUPTION", `the segment header of ${path} is damaged; restore the log from a copy`, {
      details: { path },
    });
  }
  return readU32LE(bytes, fileHeaderBytes);
}

/** How many bytes a record takes in the segment. */
export function recordBytes(payloadLength: number): number {
  return (recordHeaderBytes + payloadLength + 7) & ~7;
}

export interface RecordFields {
  readonly kind: RecordKind;
  readonly index: number;
  readonly syncedIndex: number;
}

/** Writes a record at `offset` of `target`, which must have room; returns the offset after it. */
export function encodeRecord(
  target: Uint8Array, offset: number, fields: RecordFields, payload: Uint8Array, salt: number,
): number {
  const payloadStart = offset + recordHeaderBytes;
  const payloadEnd = payloadStart + payload.length;
  const end = offset + recordBytes(payload.length);
  writeU32LE(target, offset + 4, payload.length);
  writeU64LE(target, offset + 8, fields.index);
  writeU32LE(target, offset + 16, Math.min(fields.index - fields.syncedIndex, lagMax));
  writeU32LE(target, offset + 20, fields.kind);
  target.set(payload, payloadStart);
  target.fill(0, payloadEnd, end);
  writeU32LE(target, offset, crc32c(target, offset + 4, payloadEnd, salt));
  return end;
}

export function readPayloadLength(bytes: Uint8Array, offset: number): number {
  return readU32LE(bytes, offset + 4);
}

export function readIndex(bytes: Uint8Array, offset: number): number {
  return readU64LE(bytes, offset + 8);
}

/** The index that was known to be durable when the record at `offset` was appended. */
export function readSyncedIndex(bytes: Uint8Array, offset: number): number {
  return readIndex(bytes, offset) - readU32LE(bytes, offset + 16);
}

/** Whether a record of this kind stands whole and undamaged at `offset` of `bytes[0, end)`. */
export function isRecord(bytes: Uint8Array, offset: number, end: number, kind: RecordKind, salt: number): boolean {
  if (offset + recordHeaderBytes > end || readU32LE(bytes, offset + 20) !== kind) return false;
  const payloadEnd = offset + recordHeaderBytes + readPayloadLength(bytes, offset);
  return payloadEnd <= end && readU32LE(bytes, offset) === crc32c(bytes, offset + 4, payloadEnd, salt);
}
