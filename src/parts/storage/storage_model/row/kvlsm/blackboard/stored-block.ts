/**
 * How a data block is stored: plain or compressed.
 *
 * The byte behind a block's bytes (table-format.ts) says it:
 *
 *   | bits | field                                                             |
 *   |------|-------------------------------------------------------------------|
 *   | 0…3  | codec: 0 none, 1 zlib (raw deflate), 2 zstd, 3 brotli             |
 *   | 4…7  | layout of the block: 0 as in block-builder.ts                     |
 *
 * A compressed block begins with the length of the block, 4 bytes little-endian, then the codec's stream.
 * A block that compression makes hardly smaller is stored plain: reading it costs nothing then.
 * The checksum covers the stored bytes, so it is checked before anything is decompressed. Blocks in the cache are
 * decompressed ones.
 * Source: LevelDB's and RocksDB's block trailers; the bound on what compression must save is RocksDB's.
 */
import { readU32LE, writeU32LE } from "../../../../../../kit/bytes.ts";
import { type Codec, codecs, compress, decompress } from "../../../../../../kit/compression.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { corruptTable } from "./table-format.ts";

const lengthBytes = 4;
export const storagePlain = 0;

export interface StoredBlock {
  readonly bytes: Uint8Array;
  /** The byte for the trailer. */
  readonly storage: number;
}

/** Errors: UNAVAILABLE. */
export function encodeStoredBlock(block: Uint8Array, codec: Codec): StoredBlock {
  if (codec === "none") return { bytes: block, storage: storagePlain };
  const stream = compress(codec, block);
  // It must save an eighth.
  if (lengthBytes + stream.length > block.length - (block.length >>> 3)) {
    return { bytes: block, storage: storagePlain };
  }
  const bytes = new Uint8Array(lengthBytes + stream.length);
  writeU32LE(bytes, 0, block.length);
  bytes.set(stream, lengthBytes);
  return { bytes, storage: codecs.indexOf(codec) };
}

/**
 * The block that was stored as `bytes`, whose trailer was checked, where `storage` is not plain.
 * Errors: CORRUPTION, FORMAT_UNKNOWN (a storage that this program does not know), UNAVAILABLE (a codec that this
 * Node lacks).
 */
export function decodeStoredBlock(
  bytes: Uint8Array,
  storage: number,
  path: string,
  fileOffset: number,
): Uint8Array {
  const codec = codecs[storage & 15];
  if (codec === undefined || storage >>> 4 !== 0) {
    throw new LatheError(
      "FORMAT_UNKNOWN",
      `${path} at byte ${fileOffset} has a block that is stored in way ${storage}, which this product does not know: ` +
        "open the store with the product that wrote it, dump it there and load the dump here",
      { details: { path, offset: fileOffset, found: storage } },
    );
  }
  if (codec === "none") return bytes;
  if (bytes.length < lengthBytes) throw corruptTable(path, fileOffset, "a compressed block without a length");
  try {
    return decompress(codec, bytes.subarray(lengthBytes), readU32LE(bytes, 0));
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "UNAVAILABLE") throw error;
    throw corruptTable(path, fileOffset, "a block that cannot be decompressed", error);
  }
}
