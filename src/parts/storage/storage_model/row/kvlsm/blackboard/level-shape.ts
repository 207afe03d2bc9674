/** The shape that leveled compaction aims at: how large each level may be, and how far the store is from it. */
import { compareBytes } from "../../../../../../kit/compare.ts";
import type { FileMeta } from "./file-meta.ts";
import type { Tuning } from "./options.ts";

type Shape = Pick<Tuning, "l0CompactionTrigger" | "levelBaseBytes" | "levelMultiplier">;

export function levelTargetBytes(level: number, shape: Shape): number {
  return shape.levelBaseBytes * shape.levelMultiplier ** (level - 1);
}

export function totalBytes(files: readonly FileMeta[]): number {
  let total = 0;
  for (const file of files) total += file.sizeBytes;
  return total;
}

/** At 1 and above the level is due for compaction. The last level never is. */
export function levelScore(levels: readonly (readonly FileMeta[])[], level: number, shape: Shape): number {
  if (level === levels.length - 1) return 0;
  if (level === 0) return levels[0].length / shape.l0CompactionTrigger;
  return totalBytes(levels[level]) / levelTargetBytes(level, shape);
}

/** Bytes that compactions must still move before no level is due. */
export function compactionDebtBytes(levels: readonly (readonly FileMeta[])[], shape: Shape): number {
  let debt = levels[0].length >= shape.l0CompactionTrigger ? totalBytes(levels[0]) : 0;
  for (let level = 1; level < levels.length - 1; level++) {
    debt += Math.max(0, totalBytes(levels[level]) - levelTargetBytes(level, shape));
  }
  return debt;
}

/** The smallest and largest key of some files. */
export function rangeOf(files: readonly FileMeta[]): { smallest: Uint8Array; largest: Uint8Array } {
  let { smallest, largest } = files[0];
  for (const file of files) {
    if (compareBytes(file.smallest, smallest) < 0) smallest = file.smallest;
    if (compareBytes(file.largest, largest) > 0) largest = file.largest;
  }
  return { smallest, largest };
}

/** The files of a level below 0 that hold keys of a range: the level is in key order, so they are neighbours. */
export function overlapping(
  files: readonly FileMeta[],
  smallest: Uint8Array,
  largest: Uint8Array,
): readonly FileMeta[] {
  const from = countWhile(files, (file) => compareBytes(file.largest, smallest) < 0);
  const to = countWhile(files, (file) => compareBytes(file.smallest, largest) <= 0);
  return files.slice(from, Math.max(from, to));
}

/** How many files from the start a condition holds for, that holds up to some file and for none after it. */
function countWhile(files: readonly FileMeta[], holds: (file: FileMeta) => boolean): number {
  let low = 0;
  let high = files.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(files[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
