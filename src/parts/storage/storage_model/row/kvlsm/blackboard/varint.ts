/** LEB128 numbers of up to 32 bits in a data block (block-builder.ts). A caller reads those of one byte by itself. */

export function longVarint(bytes: Uint8Array, at: number): number {
  let value = 0;
  let shift = 0;
  let byte = 0;
  let i = at;
  do {
    byte = bytes[i++];
    value |= (byte & 127) << shift;
    shift += 7;
  } while (byte > 127 && shift < 35);
  return value >>> 0;
}

export function varintLength(value: number): number {
  if (value < 128) return 1;
  if (value < 16384) return 2;
  if (value < 2097152) return 3;
  return value < 268435456 ? 4 : 5;
}
