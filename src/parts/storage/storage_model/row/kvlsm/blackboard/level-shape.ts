/**
 * The shape that leveled compaction aims at: how large each level may be, and how far the store is from it.
 *
 * Two ways to size the levels (`levelSizing`):
 *   static   level 1 may have `levelBaseBytes`, every further level `levelMultiplier` times as much; level 0 is
 *            compacted into level 1.
 *   dynamic  the last level has no target; each level above it may have a `levelMultiplier`th of the one below,
 *            counted from the largest level there is; level 0 is compacted into the first level whose target is
 *            not larger than `levelBaseBytes`. So all levels above the last hold about a ninth of the data, and a
 *            store that grows gets its new level at the top, where it is small, and not at the bottom.
 * Invariant: the base level is never below a level with files, or newer data would come under older.
 * Source: RocksDB's VersionStorageInfo::CalculateBaseBytes; Pebble's levelMaxBytes.
 */
import { compareBytes } from "../../../../../../kit/compare.ts";
import { endsBefore, type FileMeta } from "./file-meta.ts";
import type { Tuning } from "./options.ts";
import { dueRuns, type TierRules } from "./tiered-shape.ts";

export type Levels = readonly (readonly FileMeta[])[];

export type LevelRules = Pick<
  Tuning,
  "l0CompactionTrigger" | "levelBaseBytes" | "levelMultiplier" | "levelSizing"
>;

export interface LevelShape {
  /** Where level 0 is compacted to. */
  readonly baseLevel: number;
  /** Size that each level may have; infinite for level 0, the last one, and those above the base level. */
  readonly targetBytes: readonly number[];
}

const noFiles: ReadonlySet<number> = new Set();

export function levelShapeOf(levels: Levels, rules: LevelRules): LevelShape {
  const last = levels.length - 1;
  const { levelBaseBytes, levelMultiplier } = rules;
  if (rules.levelSizing === "static") {
    const targetBytes = levels.map((_, level) =>
      level === 0 || level === last ? Infinity : levelTargetBytes(level, rules),
    );
    return { baseLevel: 1, targetBytes };
  }
  const sizes = levels.map((files, level) => (level === 0 ? 0 : totalBytes(files)));
  const occupied = sizes.findIndex((size) => size > 0);
  let baseLevel = occupied < 0 ? last : occupied;
  let baseBytes = Math.max(...sizes) / levelMultiplier ** (last - baseLevel);
  while (baseLevel > 1 && baseBytes > levelBaseBytes) {
    baseLevel--;
    baseBytes /= levelMultiplier;
  }
  // A level smaller than what comes from level 0 at a time would be rewritten for nothing.
  const first = Math.min(levelBaseBytes, Math.max(baseBytes, levelBaseBytes / levelMultiplier));
  const targetBytes = levels.map((_, level) => {
    if (level < baseLevel || level === last) return Infinity;
    return Math.max(levelBaseBytes, first * levelMultiplier ** (level - baseLevel));
  });
  return { baseLevel, targetBytes };
}

export function levelTargetBytes(
  level: number,
  rules: Pick<LevelRules, "levelBaseBytes" | "levelMultiplier">,
): number {
  return rules.levelBaseBytes * rules.levelMultiplier ** (level - 1);
}

export function totalBytes(files: readonly FileMeta[]): number {
  let total = 0;
  for (const file of files) total += file.sizeBytes;
  return total;
}

/** At 1 and above the level is due for compaction. The last level never is. Files in `busy` do not count. */
export function levelScore(
  levels: Levels,
  level: number,
  rules: LevelRules,
  shape: LevelShape = levelShapeOf(levels, rules),
  busy: ReadonlySet<number> = noFiles,
): number {
  if (level === levels.length - 1) return 0;
  const files = busy.size === 0 ? levels[level] : levels[level].filter((file) => !busy.has(file.number));
  if (level === 0) return files.length / rules.l0CompactionTrigger;
  return totalBytes(files) / shape.targetBytes[level];
}

/** Bytes that compactions must still move before no level is due. */
export function compactionDebtBytes(
  levels: Levels,
  rules: LevelRules & TierRules & Pick<Tuning, "compactionStyle">,
): number {
  if (rules.compactionStyle === "tiered") {
    const runs = runBytesOf(levels);
    return runs.slice(0, dueRuns(runs, rules)).reduce((total, bytes) => total + bytes, 0);
  }
  const { targetBytes } = levelShapeOf(levels, rules);
  let debt = levels[0].length >= rules.l0CompactionTrigger ? totalBytes(levels[0]) : 0;
  for (let level = 1; level < levels.length - 1; level++) {
    debt += Math.max(0, totalBytes(levels[level]) - targetBytes[level]);
  }
  return debt;
}

/** Sizes of the sorted runs, the newest first: every file of level 0 is one, and every deeper level with files. */
export function runBytesOf(levels: Levels): number[] {
  const deeper = levels.slice(1).filter((files) => files.length > 0);
  return [...levels[0].map((file) => file.sizeBytes), ...deeper.map(totalBytes)];
}

/** Bounds of keys; the upper one is exclusive where it is the end of a range tombstone. */
export type KeyBounds = Pick<FileMeta, "smallest" | "largest" | "largestIsExclusive">;

/** The smallest and largest key of some files. */
export function rangeOf(files: readonly FileMeta[]): KeyBounds {
  let { smallest, largest, largestIsExclusive } = files[0];
  for (const file of files) {
    if (compareBytes(file.smallest, smallest) < 0) smallest = file.smallest;
    const order = compareBytes(file.largest, largest);
    if (order > 0 || (order === 0 && file.largestIsExclusive !== true)) ({ largest, largestIsExclusive } = file);
  }
  return largestIsExclusive === true ? { smallest, largest, largestIsExclusive } : { smallest, largest };
}

/** The files of a level below 0 that hold keys of a range: the level is in key order, so they are neighbours. */
export function overlapping(
  files: readonly FileMeta[],
  smallest: Uint8Array,
  largest: Uint8Array,
  largestIsExclusive = false,
): readonly FileMeta[] {
  const highest = largestIsExclusive ? -1 : 0;
  const from = countWhile(files, (file) => endsBefore(file, smallest));
  const to = countWhile(files, (file) => compareBytes(file.smallest, largest) <= highest);
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
