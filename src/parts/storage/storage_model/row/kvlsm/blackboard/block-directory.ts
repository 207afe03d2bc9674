/**
 * BlockDirectory: where the keys of a data block stand, kept in memory behind the block in the same buffer.
 *
 * A block that is read again and again gets one when it is hit; it is on no disk. With it a search is a binary search
 * over integers that lie together, and then looks at the one entry that can be the key, instead of walking the entries
 * behind a restart point, each on a cache line of its own.
 *
 * Layout, from `at` on, for n entries whose keys all begin with the same p bytes:
 *
 *   | size  | field                                                                                    |
 *   |-------|------------------------------------------------------------------------------------------|
 *   | p     | the bytes that all keys share                                                            |
 *   | 4 * n | per entry the four bytes behind those, zero-padded, as a little-endian integer with the  |
 *   |       | sign bit turned, so that signed order is the order of the bytes                          |
 *   | 2 * n | per entry its offset in the block                                                        |
 *
 * Invariant: an entry whose word is the first of its value shares fewer than p + 4 bytes with the key before it: words
 * that differ tell of a difference, or of an end, within them.
 * Source: the poor man's normalized keys of Graefe 2006; RocksDB's hash index in data blocks for the purpose.
 */
import { longVarint, varintLength } from "./varint.ts";

const wordBytes = 4;
const offsetBytes = 2;
/** Offsets have two bytes. */
const blockBytesMax = 0xffff;
/** The bytes of one key from its beginning, as far as words reach; grows to the longest. */
let keyHead = new Uint8Array(64);

export interface Directory {
  readonly at: number;
  readonly prefixBytes: number;
  readonly entryCount: number;
}

/** Bytes to keep free behind a block of that length: enough for entries of some hundred bytes. */
export function directoryReserve(blockBytes: number): number {
  return blockBytes > blockBytesMax ? 0 : blockBytes >>> 4;
}

/** Writes the directory of the entries `bytes[0, end)` at `at`. Undefined where it does not fit. */
export function writeDirectory(bytes: Uint8Array, end: number, at: number): Directory | undefined {
  if (end > blockBytesMax) return undefined;
  const roomBytes = bytes.length - at;
  let prefixBytes = 0xffff;
  let entryCount = 0;
  let firstKeyAt = 0;
  for (let entry = 0; entry < end; entryCount++) {
    const { shared, rest, keyAt, next } = decodeHead(bytes, entry);
    if (entryCount === 0) {
      firstKeyAt = keyAt;
      prefixBytes = rest;
    } else if (shared > 0) prefixBytes = Math.min(prefixBytes, shared);
    else {
      const both = Math.min(prefixBytes, rest);
      prefixBytes = 0;
      while (prefixBytes < both && bytes[firstKeyAt + prefixBytes] === bytes[keyAt + prefixBytes]) prefixBytes++;
    }
    entry = next;
  }
  const wordsAt = at + prefixBytes;
  const offsetsAt = wordsAt + entryCount * wordBytes;
  if (prefixBytes + entryCount * (wordBytes + offsetBytes) > roomBytes) return undefined;
  const headBytes = prefixBytes + wordBytes;
  if (keyHead.length < headBytes) keyHead = new Uint8Array(headBytes * 2);
  for (let entry = 0, i = 0; entry < end; i++) {
    const { shared, rest, keyAt, next } = decodeHead(bytes, entry);
    const stop = Math.min(headBytes, shared + rest);
    for (let k = shared; k < stop; k++) keyHead[k] = bytes[keyAt + k - shared];
    for (let k = 0; k < wordBytes; k++) {
      const byte = prefixBytes + k < stop ? keyHead[prefixBytes + k] : 0;
      bytes[wordsAt + i * wordBytes + wordBytes - 1 - k] = k === 0 ? byte ^ 128 : byte;
    }
    bytes[offsetsAt + i * offsetBytes] = entry;
    bytes[offsetsAt + i * offsetBytes + 1] = entry >>> 8;
    entry = next;
  }
  bytes.copyWithin(at, firstKeyAt, firstKeyAt + prefixBytes);
  return { at, prefixBytes, entryCount };
}

/** The offset of the first entry that can have the key, or -1. */
export function placeInDirectory(
  bytes: Uint8Array,
  at: number,
  prefixBytes: number,
  entryCount: number,
  target: Uint8Array,
): number {
  const targetLength = target.length;
  if (targetLength < prefixBytes) return -1;
  for (let i = 0; i < prefixBytes; i++) if (bytes[at + i] !== target[i]) return -1;
  const word = targetWord(target, prefixBytes, targetLength);
  const wordsAt = at + prefixBytes;
  let low = 0;
  let high = entryCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (wordOf(bytes, wordsAt + middle * wordBytes) < word) low = middle + 1;
    else high = middle;
  }
  if (low === entryCount || wordOf(bytes, wordsAt + low * wordBytes) !== word) return -1;
  const offsetAt = wordsAt + entryCount * wordBytes + low * offsetBytes;
  return bytes[offsetAt] | (bytes[offsetAt + 1] << 8);
}

function wordOf(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function targetWord(target: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = at; i < at + wordBytes; i++) word = (word << 8) | (i < end ? target[i] : 0);
  return word ^ 0x80000000;
}

interface EntryHead {
  shared: number;
  rest: number;
  keyAt: number;
  /** Offset of the entry behind. */
  next: number;
}

/** One for all: a directory is written in one turn. */
const head: EntryHead = { shared: 0, rest: 0, keyAt: 0, next: 0 };

function decodeHead(bytes: Uint8Array, entry: number): EntryHead {
  let at = entry;
  head.shared = longVarint(bytes, at);
  at += varintLength(head.shared);
  head.rest = longVarint(bytes, at);
  at += varintLength(head.rest);
  const valueBytes = longVarint(bytes, at);
  at += varintLength(valueBytes);
  head.keyAt = at + 1 + (bytes[at] >>> 4);
  head.next = head.keyAt + head.rest + valueBytes;
  return head;
}
