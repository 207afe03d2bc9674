/**
 * Eight-byte numbers to and from bytes without a DataView per call: one shared word is seen as bytes, as an int64 and
 * as a double at once. Little-endian machines only, which is asserted once.
 */
import { assert } from "../../../../kit/assert.ts";
import { LatheError } from "../../../../kit/errors.ts";
import type { ColumnValue } from "../../../architecture/catalog/table.ts";

const word = new Uint8Array(8);
const wordInt64 = new BigInt64Array(word.buffer);
const wordInt32 = new Int32Array(word.buffer);
const wordDouble = new Float64Array(word.buffer);

assert(new Uint8Array(new Uint16Array([1]).buffer)[0] === 1, "the row layout needs a little-endian machine");

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** Puts an integer into the shared word, little-endian. Errors: INVALID_ARGUMENT where it is no 64-bit integer. */
function loadInt64(value: ColumnValue): void {
  if (typeof value === "bigint") {
    if (value < int64Min || value > int64Max) {
      throw new LatheError("INVALID_ARGUMENT", "an integer does not fit into 64 bits");
    }
    wordInt64[0] = value;
  } else if (Number.isSafeInteger(value)) {
    wordInt32[0] = (value as number) | 0;
    wordInt32[1] = Math.floor((value as number) / 0x100000000);
  } else {
    throw new LatheError("INVALID_ARGUMENT", `a bigint column takes an integer, not ${typeof value}`);
  }
}

function checkedInt32(value: ColumnValue): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || (number | 0) !== number) {
    throw new LatheError("INVALID_ARGUMENT", "an int column takes an integer of 32 bits");
  }
  return number;
}

function checkedDouble(value: ColumnValue): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || Number.isNaN(number)) {
    throw new LatheError("INVALID_ARGUMENT", "a double column takes a number, and not NaN");
  }
  // Minus zero equals zero but differs in bits; one of them is enough.
  return number === 0 ? 0 : number;
}

export function writeInt64(value: ColumnValue, target: Uint8Array, at: number): void {
  loadInt64(value);
  for (let i = 0; i < 8; i++) target[at + i] = word[i];
}

export function readInt64(source: Uint8Array, at: number): bigint {
  for (let i = 0; i < 8; i++) word[i] = source[at + i];
  return wordInt64[0];
}

export function writeInt32(value: ColumnValue, target: Uint8Array, at: number): void {
  const number = checkedInt32(value);
  target[at] = number & 0xff;
  target[at + 1] = (number >>> 8) & 0xff;
  target[at + 2] = (number >>> 16) & 0xff;
  target[at + 3] = number >>> 24;
}

export function readInt32(source: Uint8Array, at: number): number {
  return source[at] | (source[at + 1] << 8) | (source[at + 2] << 16) | (source[at + 3] << 24);
}

export function writeDouble(value: ColumnValue, target: Uint8Array, at: number): void {
  wordDouble[0] = checkedDouble(value);
  for (let i = 0; i < 8; i++) target[at + i] = word[i];
}

export function readDouble(source: Uint8Array, at: number): number {
  for (let i = 0; i < 8; i++) word[i] = source[at + i];
  return wordDouble[0];
}

// Ordered forms: big-endian, so that memcmp compares the numbers.

export function writeOrderedInt64(value: ColumnValue, target: Uint8Array, at: number): void {
  loadInt64(value);
  target[at] = word[7] ^ 0x80;
  for (let i = 1; i < 8; i++) target[at + i] = word[7 - i];
}

export function readOrderedInt64(source: Uint8Array, at: number): bigint {
  word[7] = source[at] ^ 0x80;
  for (let i = 1; i < 8; i++) word[7 - i] = source[at + i];
  return wordInt64[0];
}

export function writeOrderedInt32(value: ColumnValue, target: Uint8Array, at: number): void {
  const number = checkedInt32(value);
  target[at] = (number >>> 24) ^ 0x80;
  target[at + 1] = (number >>> 16) & 0xff;
  target[at + 2] = (number >>> 8) & 0xff;
  target[at + 3] = number & 0xff;
}

export function readOrderedInt32(source: Uint8Array, at: number): number {
  return ((source[at] ^ 0x80) << 24) | (source[at + 1] << 16) | (source[at + 2] << 8) | source[at + 3];
}

export function writeOrderedDouble(value: ColumnValue, target: Uint8Array, at: number): void {
  wordDouble[0] = checkedDouble(value);
  const negative = (word[7] & 0x80) !== 0;
  target[at] = negative ? ~word[7] : word[7] ^ 0x80;
  for (let i = 1; i < 8; i++) target[at + i] = negative ? ~word[7 - i] : word[7 - i];
}

export function readOrderedDouble(source: Uint8Array, at: number): number {
  const negative = (source[at] & 0x80) === 0;
  word[7] = negative ? ~source[at] : source[at] ^ 0x80;
  for (let i = 1; i < 8; i++) word[7 - i] = negative ? ~source[at + i] : source[at + i];
  return wordDouble[0];
}
