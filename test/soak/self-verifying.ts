/**
 * Values that say of which key and which version they are, and whether they are whole: whoever reads one can tell
 * without knowing what was written.
 *
 * Text `KEY|VERSION|PADDING|CRC`, the checksum over everything before it, in hex.
 */
import assert from "node:assert/strict";
import { crc32c } from "../../src/kit/crc32c.ts";

const encoder = new TextEncoder();

export const bytesOf = (text: string): Uint8Array => encoder.encode(text);
export const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();

export function valueOf(key: string, version: number, paddingBytes: number): Uint8Array {
  const text = `${key}|${version}|${"p".repeat(paddingBytes)}|`;
  const bytes = bytesOf(text);
  return bytesOf(text + crc32c(bytes, 0, bytes.length).toString(16));
}

/** The version of a value read under a key; fails where it is of another key, or not whole. */
export function versionIn(key: string, value: Uint8Array): number {
  const text = textOf(value);
  const end = text.lastIndexOf("|") + 1;
  const bytes = bytesOf(text.slice(0, end));
  assert.equal(text.slice(end), crc32c(bytes, 0, bytes.length).toString(16), `the value of ${key} is whole`);
  const [of, version] = text.split("|");
  assert.equal(of, key, "the value is of the key it was read under");
  return Number(version);
}
