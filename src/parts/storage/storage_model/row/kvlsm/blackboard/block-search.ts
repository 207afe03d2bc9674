/**
 * BlockSearch: finds data blocks where the index that says where they are is lost.
 *
 *   1. Blocks stand without gaps, and the checksum behind each is seeded with the block's own offset. So from a place
 *      where a block begins, the checksum is carried on byte by byte; where the next four bytes equal it, a block ends.
 *   2. Behind a damaged block the next beginning is unknown: every offset is tried, each up to twice the longest block
 *      seen.
 * Sections have checksums of the same kind and are found too; what is a block, the caller tells by what it holds. So
 * this serves every version of the format. A match by chance has a probability of 2^-32 per place. The effort is
 * bounded: behind it the rest counts as a gap.
 */
import { readU32LE } from "../../../../../../kit/bytes.ts";
import { crc32c } from "../../../../../../kit/crc32c.ts";

/** Offsets within the searched bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface BlockSearchResult {
  /** What checksums cover, without them. */
  readonly covered: readonly ByteRange[];
  /** Ranges in which no checksum holds. */
  readonly gaps: readonly ByteRange[];
}

const checksumBytes = 4;
/** An empty section has one byte, which says how it is stored. */
const coveredBytesMin = 1;
/** Of a block behind a gap; longer ones are seldom, and a search for them would not end. */
const lengthMax = 1 << 17;
const lengthFirst = 8192;
const effortMax = 2 ** 31;
const stepTable = makeStepTable();

/** `fileOffset` is where `bytes` stand in the file. */
export function searchBlocks(bytes: Uint8Array, fileOffset: number): BlockSearchResult {
  const covered: ByteRange[] = [];
  const gaps: ByteRange[] = [];
  let effort = effortMax;
  let gapStart = -1;
  let longest = lengthFirst;
  for (let at = 0; at < bytes.length; ) {
    const lengthLimit = gapStart < 0 ? bytes.length : Math.min(lengthMax, longest * 2);
    const limit = Math.min(bytes.length, at + lengthLimit);
    const end = coveredEnd(bytes, at, limit, fileOffset);
    if (end < 0) {
      effort -= limit - at;
      if (gapStart < 0) gapStart = at;
      at = effort < 0 ? bytes.length : at + 1;
      continue;
    }
    if (gapStart >= 0) gaps.push({ start: gapStart, end: at });
    gapStart = -1;
    covered.push({ start: at, end });
    longest = Math.max(longest, end - at);
    at = end + checksumBytes;
  }
  if (gapStart >= 0) gaps.push({ start: gapStart, end: bytes.length });
  return { covered, gaps };
}

/** Where what a checksum covers from `start` on ends, or -1. */
function coveredEnd(bytes: Uint8Array, start: number, limit: number, fileOffset: number): number {
  const first = start + coveredBytesMin;
  if (first + checksumBytes > limit) return -1;
  let register = ~crc32c(bytes, start, first, (fileOffset + start) >>> 0);
  for (let end = first; end + checksumBytes <= limit; end++) {
    const checksum = ~register >>> 0;
    if (bytes[end] === (checksum & 0xff) && readU32LE(bytes, end) === checksum) return end;
    register = (register >>> 8) ^ stepTable[(register ^ bytes[end]) & 0xff];
  }
  return -1;
}

/** The step of one byte, so that a checksum can be carried on without a call per byte. */
function makeStepTable(): Int32Array {
  const table = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    // An initial value of 2^32 - 1 makes the register begin at 0, so what comes out is the table's entry, inverted.
    table[byte] = ~crc32c(Uint8Array.of(byte), 0, 1, 0xffff_ffff);
  }
  return table;
}
