/**
 * Splits a compaction by key ranges, so that several jobs can do it side by side.
 *
 *   1. Of every input table take keys from its block index, evenly spread; each stands for its part of the file.
 *   2. Sort them, add up the bytes, and cut where another equal part is full.
 * A cut is a key: everything below it belongs to the range before, the key and everything above to the range after.
 * All versions of a key are so in one range.
 * Source: RocksDB's subcompactions (CompactionJob::GenSubcompactionBoundaries).
 */
import { compareBytes } from "../../../../../../kit/compare.ts";
import type { SortedKeys } from "./sorted-keys.ts";

/** What is known of an input: keys evenly spread over it, from its block index, and its size. */
export interface SplitSource {
  readonly fences: SortedKeys;
  readonly sizeBytes: number;
}

export interface KeyRange {
  /** Inclusive; undefined: from the first key. */
  readonly from: Uint8Array | undefined;
  /** Exclusive; undefined: to the last key. */
  readonly to: Uint8Array | undefined;
}

export const wholeRange: KeyRange = { from: undefined, to: undefined };

const samplesPerFile = 64;

/** Up to `parts` ranges of about equal bytes that follow one another and cover every key. */
export function splitRanges(sources: readonly SplitSource[], parts: number): KeyRange[] {
  const samples: { readonly key: Uint8Array; readonly bytes: number }[] = [];
  let total = 0;
  for (const { fences, sizeBytes } of sources) {
    total += sizeBytes;
    const count = Math.min(samplesPerFile, fences.count);
    for (let i = 0; i < count; i++) {
      samples.push({ key: fences.keyAt(Math.floor((i * fences.count) / count)), bytes: sizeBytes / count });
    }
  }
  samples.sort((a, b) => compareBytes(a.key, b.key));
  const cuts: Uint8Array[] = [];
  let before = 0;
  for (const { key, bytes } of samples) {
    const isNew = cuts.length === 0 || compareBytes(cuts[cuts.length - 1], key) < 0;
    if (before > 0 && isNew && before >= (total * (cuts.length + 1)) / parts) cuts.push(key);
    if (cuts.length === parts - 1) break;
    before += bytes;
  }
  const bounds = [undefined, ...cuts, undefined];
  return bounds.slice(1).map((to, i) => ({ from: bounds[i], to }));
}

/** Whether a file with these bounds can hold keys of the range. */
export function isWithin(
  { from, to }: KeyRange,
  file: { readonly smallest: Uint8Array; readonly largest: Uint8Array },
): boolean {
  if (to !== undefined && compareBytes(file.smallest, to) >= 0) return false;
  return from === undefined || compareBytes(file.largest, from) >= 0;
}
