/**
 * Values of YCSB's fields: 100 letters that follow from (key, field, version), the version readable from
 * the value itself, because `usertable` has no column for it.
 *
 * | letters | content                                     |
 * | 0–7     | version in base 26, least digit first       |
 * | 8–99    | letters of the state of (key, field, version) |
 * YCSB's own `dataintegrity` values have one version only; ours also tell a stale read from a fresh one.
 */
import { mix } from "../random-stream.ts";
import { fillValue, isValue, valueState } from "../row-value.ts";

export const fieldCount = 10;
export const fieldLength = 100;
const versionLetters = 8;

/** Hashes the characters of a key. */
export function keyHashOfText(key: string): number {
  let hash = 0x811c9dc5;
  for (let position = 0; position < key.length; position++) {
    hash = Math.imul(hash ^ key.charCodeAt(position), 0x01000193);
  }
  return mix(hash);
}

const scratch = Buffer.alloc(fieldLength);

/** `length` of at most 100 letters, more than 8. */
export function fieldValue(hash: number, field: number, version: number, length = fieldLength): string {
  let rest = version;
  for (let digit = 0; digit < versionLetters; digit++) {
    scratch[digit] = 97 + (rest % 26);
    rest = Math.floor(rest / 26);
  }
  fillValue(valueState(hash, field, 0, version), scratch, versionLetters, length - versionLetters);
  return scratch.toString("latin1", 0, length);
}

/** The version of a field's value, or −1 where the bytes are no value of that key and field. */
export function versionOf(
  hash: number,
  field: number,
  source: Uint8Array,
  start: number,
  length: number,
  expectedLength = fieldLength,
): number {
  if (length !== expectedLength) return -1;
  let version = 0;
  for (let digit = versionLetters - 1; digit >= 0; digit--) {
    const letter = source[start + digit] - 97;
    if (letter < 0 || letter > 25) return -1;
    version = version * 26 + letter;
  }
  const state = valueState(hash, field, 0, version);
  return isValue(state, source, start + versionLetters, length - versionLetters) ? version : -1;
}
