/**
 * The leveled compaction agent.
 *
 *   1. Score every level: level 0 by its number of files, the others by their size against their target. The
 *      highest score of at least 1 is compacted into the next level.
 *   2. From level 0 all files go, because they may overlap. From another level goes the file that has the
 *      least to rewrite below it per byte of its own.
 *   3. Files that overlap neither each other nor anything in the next level are moved, not rewritten.
 * Source: LevelDB's PickCompaction; RocksDB's kMinOverlappingRatio.
 */
import { compareBytes } from "../../../../../../kit/compare.ts";
import type { Agent, BlackboardView, CompactionProposal, Proposal } from "./agent.ts";
import type { FileMeta } from "./file-meta.ts";
import { levelScore, overlapping, rangeOf, totalBytes } from "./level-shape.ts";

export const compactionAgent: Agent = {
  name: "leveled-compaction",
  step(view: BlackboardView): Proposal | undefined {
    if (view.compactionRunning) return undefined;
    let level = -1;
    let highest = 1;
    for (let candidate = 0; candidate < view.levels.length - 1; candidate++) {
      const score = levelScore(view.levels, candidate, view.tuning);
      if (score >= highest && (level < 0 || score > highest)) {
        level = candidate;
        highest = score;
      }
    }
    if (level < 0) return undefined;
    const files = level === 0 ? view.levels[0] : [cheapestFile(view.levels[level], view.levels[level + 1])];
    return proposeCompaction(view.levels, level, files);
  },
};

/** Compacts files of a level (all of level 0, or some of another) into the next one. */
function proposeCompaction(
  levels: readonly (readonly FileMeta[])[],
  level: number,
  files: readonly FileMeta[],
): CompactionProposal {
  const outputLevel = level + 1;
  const { smallest, largest } = rangeOf(files);
  const below = overlapping(levels[outputLevel], smallest, largest);
  const all = rangeOf([...files, ...below]);
  const bottom = levels
    .slice(outputLevel + 1)
    .every((deeper) => overlapping(deeper, all.smallest, all.largest).length === 0);
  const move = below.length === 0 && areDisjoint(files);
  // Every file of level 0 is a run of its own, newest first as the view has them.
  const runs = level === 0 ? files.map((file) => [file]) : [files];
  const inputs = runs.map((run) => ({ level, files: run }));
  if (below.length > 0) inputs.push({ level: outputLevel, files: below });
  return { kind: "compaction", inputs, outputLevel, bottom, move };
}

function cheapestFile(files: readonly FileMeta[], below: readonly FileMeta[]): FileMeta {
  let cheapest = files[0];
  let lowest = Infinity;
  for (const file of files) {
    const ratio = totalBytes(overlapping(below, file.smallest, file.largest)) / file.sizeBytes;
    if (ratio < lowest) {
      cheapest = file;
      lowest = ratio;
    }
  }
  return cheapest;
}

function areDisjoint(files: readonly FileMeta[]): boolean {
  const sorted = [...files].sort((a, b) => compareBytes(a.smallest, b.smallest));
  return sorted.every((file, i) => i === 0 || compareBytes(sorted[i - 1].largest, file.smallest) < 0);
}
