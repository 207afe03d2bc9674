/**
 * Block compression: the codecs that Node ships, synchronous, with a hard limit on what comes out.
 *
 *   1. `compress` gives a raw stream without a container: the caller has its own length and checksum.
 *   2. `decompress` is told the length that must come out. The codec stops beyond it, so hostile bytes cannot
 *   make us allocate more than was stated, and what was stated is bounded too.
 * Pure computation: no clock, no disk, no randomness; the same bytes come out in every run of one Node version.
 * Compressed bytes may differ between versions of Node; what they decompress to may not.
 * Levels favour speed: brotli 1 of 11, zstd 1 of 22, zlib 1 of 9.
 * Source: RFC 1951 (deflate), RFC 8878 (zstd), RFC 7932 (brotli); LevelDB's and RocksDB's use of them per block.
 */
import * as zlib from "node:zlib";
import { LatheError } from "./errors.ts";

export const codecs = ["none", "zlib", "zstd", "brotli"] as const;
export type Codec = (typeof codecs)[number];

/** Nothing larger is decompressed, whatever a file claims. */
export const decompressedBytesMax = 1 << 30;

interface CodecFunctions {
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array, lengthMax: number): Uint8Array;
}

const { constants } = zlib;

const functions: Readonly<Record<Exclude<Codec, "none">, CodecFunctions | undefined>> = {
  zlib: {
    compress: (bytes) => zlib.deflateRawSync(bytes, { level: 1, memLevel: 8 }),
    decompress: (bytes, lengthMax) => zlib.inflateRawSync(bytes, bounds(lengthMax)),
  },
  // Node has zstd since 22.15; the type knows it always.
  zstd:
    typeof zlib.zstdCompressSync === "function"
      ? {
          compress: (bytes) =>
            zlib.zstdCompressSync(bytes, {
              params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_contentSizeFlag]: 0 },
            }),
          decompress: (bytes, lengthMax) => zlib.zstdDecompressSync(bytes, bounds(lengthMax)),
        }
      : undefined,
  brotli: {
    compress: (bytes) =>
      zlib.brotliCompressSync(bytes, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
      }),
    decompress: (bytes, lengthMax) => zlib.brotliDecompressSync(bytes, bounds(lengthMax)),
  },
};

export function hasCodec(codec: Codec): boolean {
  return codec === "none" || functions[codec] !== undefined;
}

/** Errors: UNAVAILABLE where this Node lacks the codec. */
export function compress(codec: Codec, bytes: Uint8Array): Uint8Array {
  return codec === "none" ? bytes : functionsOf(codec).compress(bytes);
}

/**
 * The `length` bytes that were compressed. Errors: CORRUPTION where the stream is damaged, is none of this
 * codec, or holds another number of bytes; LIMIT_EXCEEDED; UNAVAILABLE.
 */
export function decompress(codec: Codec, bytes: Uint8Array, length: number): Uint8Array {
  if (!(length >= 0 && length <= decompressedBytesMax)) {
    throw new LatheError(
      "LIMIT_EXCEEDED",
      `a block claims to be ${length} bytes long decompressed; the limit is ${decompressedBytesMax}`,
    );
  }
  if (codec === "none") return bytes;
  const { decompress: expand } = functionsOf(codec);
  let expanded: Uint8Array;
  try {
    expanded = expand(bytes, length);
  } catch (cause) {
    throw new LatheError("CORRUPTION", `${codec} data that cannot be decompressed to ${length} bytes`, { cause });
  }
  if (expanded.length !== length) {
    throw new LatheError("CORRUPTION", `${codec} data of ${expanded.length} bytes where ${length} are due`);
  }
  return expanded;
}

/** One chunk of the size that is due, so that nothing is copied or left over. */
function bounds(lengthMax: number): { maxOutputLength: number; chunkSize: number } {
  return { maxOutputLength: Math.max(1, lengthMax), chunkSize: Math.min(1 << 20, Math.max(64, lengthMax)) };
}

function functionsOf(codec: Exclude<Codec, "none">): CodecFunctions {
  const found = functions[codec];
  if (found !== undefined) return found;
  const present = codecs.filter(hasCodec).join(", ");
  throw new LatheError(
    "UNAVAILABLE",
    `this Node (${process.versions.node}) has no ${codec}; it has ${present}: use a Node that has it (zstd: 22.15 or ` +
      "later), or set lsm.compression to one of those",
    { details: { codec } },
  );
}
