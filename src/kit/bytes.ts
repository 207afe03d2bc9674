/**
 * Numbers in bytes: fixed-width integers in both byte orders, and LEB128 varints.
 *
 * Writers return the offset after what they wrote. Bounds are the caller's: reading past the end gives
 * garbage, so check lengths first or use `ByteReader`, which does. Numbers up to 2^53 - 1 are exact;
 * beyond, use the BigInt functions. Byte-wise arithmetic is as fast as a DataView here and needs no
 * view object per buffer.
 */
export const varintBytesMax = 8;

export function readU16LE(bytes: Uint8Array, offset: number): number {
  return bytes[offset] | (bytes[offset + 1] << 8);
}

export function readU24LE(bytes: Uint8Array, offset: number): number {
  return bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16);
}

export function readU32LE(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24)) >>> 0;
}

/**
 * An unsigned 64-bit integer as a number: exact below 2^53, rounded above (check
 * `Number.isSafeInteger`).
 */
export function readU64LE(bytes: Uint8Array, offset: number): number {
  return readU32LE(bytes, offset) + readU32LE(bytes, offset + 4) * 0x1_0000_0000;
}

export function readBigU64LE(bytes: Uint8Array, offset: number): bigint {
  return BigInt(readU32LE(bytes, offset)) | (BigInt(readU32LE(bytes, offset + 4)) << 32n);
}

export function readU16BE(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] << 8) | bytes[offset + 1];
}

export function readU32BE(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0;
}

/** As `readU64LE`, most significant byte first. */
export function readU64BE(bytes: Uint8Array, offset: number): number {
  return readU32BE(bytes, offset) * 0x1_0000_0000 + readU32BE(bytes, offset + 4);
}

export function readBigU64BE(bytes: Uint8Array, offset: number): bigint {
  return (BigInt(readU32BE(bytes, offset)) << 32n) | BigInt(readU32BE(bytes, offset + 4));
}

export function writeU16LE(bytes: Uint8Array, offset: number, value: number): number {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  return offset + 2;
}

export function writeU24LE(bytes: Uint8Array, offset: number, value: number): number {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  return offset + 3;
}

export function writeU32LE(bytes: Uint8Array, offset: number, value: number): number {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
  return offset + 4;
}

export function writeU64LE(bytes: Uint8Array, offset: number, value: number): number {
  writeU32LE(bytes, offset, value % 0x1_0000_0000);
  return writeU32LE(bytes, offset + 4, Math.floor(value / 0x1_0000_0000));
}

export function writeBigU64LE(bytes: Uint8Array, offset: number, value: bigint): number {
  writeU32LE(bytes, offset, Number(value & 0xffff_ffffn));
  return writeU32LE(bytes, offset + 4, Number((value >> 32n) & 0xffff_ffffn));
}

export function writeU16BE(bytes: Uint8Array, offset: number, value: number): number {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
  return offset + 2;
}

export function writeU32BE(bytes: Uint8Array, offset: number, value: number): number {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
  return offset + 4;
}

export function writeU64BE(bytes: Uint8Array, offset: number, value: number): number {
  writeU32BE(bytes, offset, Math.floor(value / 0x1_0000_0000));
  return writeU32BE(bytes, offset + 4, value % 0x1_0000_0000);
}

export function writeBigU64BE(bytes: Uint8Array, offset: number, value: bigint): number {
  writeU32BE(bytes, offset, Number((value >> 32n) & 0xffff_ffffn));
  return writeU32BE(bytes, offset + 4, Number(value & 0xffff_ffffn));
}

/** How many bytes `writeVarint` takes for an integer in [0, 2^53). */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/**
 * LEB128: seven bits per byte, least significant first, the high bit says that more follow. Value in
 * [0, 2^53).
 */
export function writeVarint(bytes: Uint8Array, offset: number, value: number): number {
  let position = offset;
  let rest = value;
  while (rest >= 128) {
    bytes[position++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[position++] = rest;
  return position;
}
