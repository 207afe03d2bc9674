/**
 * Bloom filter of one SSTable: says "not in this file" without reading a block.
 *
 * Algorithm (one cache line per key):
 *   1. the 32-bit hash of the key (kit/hash.ts) chooses one line of 64 bytes: line = floor(hash * lines /
 *      2^32).
 *   2. `probes` bits of that line are set or tested; each probe takes the top 9 bits of a multiplicative
 *      sequence.
 * A probe that misses touches one line of memory, not `probes` of them.
 *
 * Layout of the filter block:
 *
 *   | offset | size      | field                           |
 *   |--------|-----------|---------------------------------|
 *   | 0      | 64 * n    | n lines                         |
 *   | 64 * n | 1         | probes per key, 1…16            |
 *
 * An empty block means: no filter, every key may be there.
 * Invariant: no false negatives. False positives at 10 bits per key: about 1 %.
 * Source: Bloom 1970; Putze, Sanders, Singler 2007 (blocked filters); RocksDB's FastLocalBloom.
 */
export const lineBytes = 64;
const lineBits = lineBytes * 8;
const probesMax = 16;
const spread = 0x9e3779b9 | 0;

/** Builds the filter block for the hashes of all keys of a table. */
export function buildBloomFilter(hashes: Int32Array, count: number, bitsPerKey: number): Uint8Array {
  if (bitsPerKey === 0 || count === 0) return new Uint8Array(0);
  const lines = Math.max(1, Math.ceil((count * bitsPerKey) / lineBits));
  const probes = Math.max(1, Math.min(probesMax, Math.round(bitsPerKey * 0.69)));
  const filter = new Uint8Array(lines * lineBytes + 1);
  filter[lines * lineBytes] = probes;
  for (let i = 0; i < count; i++) {
    const hash = hashes[i];
    const line = bloomLineOf(hash, lines);
    let sequence = start(hash);
    for (let probe = 0; probe < probes; probe++) {
      const bit = sequence >>> 23;
      filter[line + (bit >>> 3)] |= 1 << (bit & 7);
      sequence = Math.imul(sequence, spread);
    }
  }
  return filter;
}

/** False only where no key with this hash was added. */
export function bloomMayContain(filter: Uint8Array, hash: number): boolean {
  const length = filter.length;
  if (length === 0) return true;
  return bloomLineMayContain(filter, bloomLineOf(hash, (length - 1) >>> 6), filter[length - 1], hash);
}

/** The same, of the line that begins at `line` of some bytes. */
export function bloomLineMayContain(bytes: Uint8Array, line: number, probes: number, hash: number): boolean {
  let sequence = start(hash);
  for (let probe = 0; probe < probes; probe++) {
    const bit = sequence >>> 23;
    if ((bytes[line + (bit >>> 3)] & (1 << (bit & 7))) === 0) return false;
    sequence = Math.imul(sequence, spread);
  }
  return true;
}

/** Probes per key of a filter block. */
export function bloomProbesOf(filter: Uint8Array): number {
  return filter.length === 0 ? 0 : filter[filter.length - 1];
}

/** Whether a filter block has a shape that `buildBloomFilter` makes. */
export function isBloomFilter(filter: Uint8Array): boolean {
  const length = filter.length;
  if (length === 0) return true;
  const probes = filter[length - 1];
  return length > lineBytes && (length - 1) % lineBytes === 0 && probes >= 1 && probes <= probesMax;
}

/** Byte offset of the hash's line, of so many; the product stays below 2^53, so the division is exact. */
export function bloomLineOf(hash: number, lines: number): number {
  return Math.floor((hash >>> 0) * lines * 2.3283064365386963e-10) << 6;
}

/** Mixes again, because the high bits of the hash have been spent on choosing the line. */
function start(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return Math.imul(mixed ^ (mixed >>> 12), spread);
}
