/**
 * XXH32: a fast 32-bit hash of bytes for bloom filters, caches and hash tables. Not for secrets, and
 * not for the disk where a checksum is wanted (see `crc32c.ts`).
 *
 * Algorithm: four lanes of 32 bits take 16 bytes per round (multiply, rotate, multiply); the lanes are
 * folded, the tail is taken by words and bytes, and an avalanche spreads every input bit over the
 * result. Invariant: the result is part of file formats (bloom filters); it must never change. Source:
 * Yann Collet's xxHash specification 0.1.1.
 */
const prime1 = 0x9e3779b1;
const prime2 = 0x85ebca77;
const prime3 = 0xc2b2ae3d;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

/** The hash of `bytes[start, end)`, in [0, 2^32). */
export function hash32(bytes: Uint8Array, seed = 0, start = 0, end = bytes.length): number {
  const length = end - start;
  let position = start;
  let hash = (seed + prime5) | 0;
  if (length >= 16) {
    let lane1 = (seed + prime1 + prime2) | 0;
    let lane2 = (seed + prime2) | 0;
    let lane3 = seed | 0;
    let lane4 = (seed - prime1) | 0;
    for (const last = end - 16; position <= last; position += 16) {
      lane1 = round(lane1, word(bytes, position));
      lane2 = round(lane2, word(bytes, position + 4));
      lane3 = round(lane3, word(bytes, position + 8));
      lane4 = round(lane4, word(bytes, position + 12));
    }
    hash = (rotate(lane1, 1) + rotate(lane2, 7) + rotate(lane3, 12) + rotate(lane4, 18)) | 0;
  }
  hash = (hash + length) | 0;
  for (const last = end - 4; position <= last; position += 4) {
    hash = Math.imul(rotate(hash + Math.imul(word(bytes, position), prime3), 17), prime4);
  }
  for (; position < end; position++) {
    hash = Math.imul(rotate(hash + Math.imul(bytes[position], prime5), 11), prime1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2);
  hash = Math.imul(hash ^ (hash >>> 13), prime3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(lane: number, input: number): number {
  return Math.imul(rotate(lane + Math.imul(input, prime2), 13), prime1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function word(bytes: Uint8Array, position: number): number {
  return bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24);
}
