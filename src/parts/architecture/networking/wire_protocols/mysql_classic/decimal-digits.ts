/**
 * 64-bit integers as decimal digits, without a BigInt.
 *
 * Algorithm:
 *   1. Take the absolute value as two unsigned 32-bit halves.
 *   2. Below 2^53 it is a double; divide by 10 until nothing is left, writing digits from the right.
 *   3. Above, divide the four 16-bit limbs by 10^4 once (remainder times 65536 plus limb stays
 *      below 2^30): the remainder is the last four digits, and the quotient is below 2^53 since
 *      2^64 / 10^4 is.
 * Invariant: 20 bytes from `at` are free (19 digits and a sign).
 * Source: schoolbook division, Knuth, TAOCP volume 2, 4.3.1, exercise 16.
 */

/** Writes the signed integer in `high` and `low` at `at`; returns where it ends. */
export function writeInt64Digits(target: Uint8Array, at: number, high: number, low: number): number {
  let upper = high >>> 0;
  let lower = low >>> 0;
  if ((high | 0) < 0) {
    target[at++] = 0x2d;
    lower = (~lower + 1) >>> 0;
    upper = (~upper + (lower === 0 ? 1 : 0)) >>> 0;
  }
  if (upper < 0x20_0000) return writeDigits(target, at, upper * 0x1_0000_0000 + lower);

  const quotient3 = ((upper >>> 16) / 10_000) | 0;
  let rest = ((upper >>> 16) - quotient3 * 10_000) * 65_536 + (upper & 0xffff);
  const quotient2 = (rest / 10_000) | 0;
  rest = (rest - quotient2 * 10_000) * 65_536 + (lower >>> 16);
  const quotient1 = (rest / 10_000) | 0;
  rest = (rest - quotient1 * 10_000) * 65_536 + (lower & 0xffff);
  const quotient0 = (rest / 10_000) | 0;
  rest -= quotient0 * 10_000;

  const quotient =
    quotient3 * 0x1_0000_0000_0000 + quotient2 * 0x1_0000_0000 + quotient1 * 0x1_0000 + quotient0;
  const end = writeDigits(target, at, quotient) + 4;
  for (let i = end - 1; i >= end - 4; i--) {
    target[i] = 0x30 + (rest % 10);
    rest = (rest / 10) | 0;
  }
  return end;
}

/** Writes a non-negative integer below 2^53. */
export function writeDigits(target: Uint8Array, at: number, value: number): number {
  let left = value;
  // Doubles divide slowly: split off nine digits at a time and go on with 32-bit integers.
  if (left >= 1_000_000_000) {
    const upper = Math.floor(left / 1_000_000_000);
    const end = writeDigits(target, at, upper);
    left -= upper * 1_000_000_000;
    for (let i = end + 8; i >= end; i--) {
      const next = (left / 10) | 0;
      target[i] = 0x30 + (left - next * 10);
      left = next;
    }
    return end + 9;
  }
  left |= 0;
  const end = at + digitCount(left);
  for (let i = end - 1; i >= at; i--) {
    const next = (left / 10) | 0;
    target[i] = 0x30 + (left - next * 10);
    left = next;
  }
  return end;
}

function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return 9;
}
