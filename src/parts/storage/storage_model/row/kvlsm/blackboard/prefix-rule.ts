/**
 * PrefixRule: which beginning of a key goes into the prefix filter of its file.
 *
 * A rule is a length (the first n bytes) or a separator (everything up to and including the first byte of that
 * value). A key without n bytes, or without the separator, has no prefix and is not in the filter.
 *
 * When a scan may ask the filter: all keys of [gte, lt) must have one and the same prefix P. P is the prefix of
 * `gte`, so every key ≥ gte is ≥ P; and if lt ≤ the first string above all that begin with P, then every key of
 * the range begins with P, and has it as its prefix by either rule. This does not depend on the direction.
 * Invariant: no false negatives. The rule is written into the file; a file is asked by its own rule, whatever
 * the knobs say by now.
 * Source: RocksDB's prefix_extractor and prefix bloom; its `SameResultWhenAppended` is what the argument above
 * replaces.
 */
import type { ByteReader } from "../../../../../../kit/byte-reader.ts";
import type { ByteWriter } from "../../../../../../kit/byte-writer.ts";
import { hash32 } from "../../../../../../kit/hash.ts";

export interface PrefixRule {
  /** Length of a prefix; 0: by separator, if there is one. */
  readonly bytes: number;
  /** The byte that ends a prefix; -1: none. */
  readonly separator: number;
}

export const noPrefixes: PrefixRule = { bytes: 0, separator: -1 };

export function hasPrefixes(rule: PrefixRule): boolean {
  return rule.bytes > 0 || rule.separator >= 0;
}

export function sameRule(a: PrefixRule, b: PrefixRule): boolean {
  return a.bytes === b.bytes && a.separator === b.separator;
}

/** How many bytes of `key[start, end)` are its prefix; -1 where it has none. */
export function prefixLengthOf(rule: PrefixRule, key: Uint8Array, start: number, end: number): number {
  if (rule.bytes > 0) return end - start >= rule.bytes ? rule.bytes : -1;
  if (rule.separator < 0) return -1;
  for (let i = start; i < end; i++) if (key[i] === rule.separator) return i + 1 - start;
  return -1;
}

/** The hash of the prefix that all keys of [gte, lt) have, or undefined where they need not have one. */
export function prefixHashOfRange(
  rule: PrefixRule,
  gte: Uint8Array | undefined,
  lt: Uint8Array | undefined,
): number | undefined {
  if (gte === undefined) return undefined;
  const length = prefixLengthOf(rule, gte, 0, gte.length);
  if (length < 0 || !isBelowSuccessor(lt, gte, length)) return undefined;
  return hash32(gte, 0, 0, length) | 0;
}

/** Whether `lt` is at most the first string above all strings that begin with `of[0, length)`. */
function isBelowSuccessor(lt: Uint8Array | undefined, of: Uint8Array, length: number): boolean {
  // The successor is the prefix without the 0xff at its end and with its last byte raised by one.
  let last = length - 1;
  while (last >= 0 && of[last] === 0xff) last--;
  if (last < 0) return true;
  if (lt === undefined) return false;
  for (let i = 0; i < last; i++) {
    if (i >= lt.length || lt[i] < of[i]) return true;
    if (lt[i] > of[i]) return false;
  }
  if (lt.length <= last || lt[last] <= of[last]) return true;
  return lt[last] === of[last] + 1 && lt.length === last + 1;
}

export function encodePrefixRule(writer: ByteWriter, rule: PrefixRule): void {
  writer.varint(rule.bytes);
  writer.varint(rule.separator + 1);
}

/** Errors: CORRUPTION. */
export function decodePrefixRule(reader: ByteReader): PrefixRule {
  return { bytes: reader.varint(), separator: reader.varint() - 1 };
}
