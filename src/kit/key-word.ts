/**
 * The first bytes of a key as one number, so that most comparisons of keys are comparisons of numbers.
 *
 * Four bytes from `at`, big-endian, zero-padded at `end`, with the sign bit turned so that signed order is theirs.
 * Equal words decide nothing: the keys themselves are compared then.
 */
export function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    const word = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    return word ^ 0x80000000;
  }
  let word = 0;
  for (let i = 0; i < 4; i++) word = (word << 8) | (at + i < end ? bytes[at + i] : 0);
  return word ^ 0x80000000;
}
