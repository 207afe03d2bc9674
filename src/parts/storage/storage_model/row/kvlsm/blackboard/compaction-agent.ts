/**
 * The leveled compaction agent.
 *
 *   1. Score every level: level 0 by its number of files, the others by their size against their target
 *      (level-shape.ts), without the files that are being compacted already. The highest score of at least 1 goes
 *      first, the next one where that would touch what a compaction under way touches.
 *   2. From level 0 all files go into the base level, because they may overlap. From another level goes the file
 *      that has the least to rewrite below it per byte of its own.
 *   3. Files that overlap neither each other nor anything in the next level are moved, not rewritten.
 *   4. While the old files of level 0 are being compacted, the new ones that pile up are merged into one.
 * Source: LevelDB's PickCompaction; RocksDB's kMinOverlappingRatio and intra-L0 compactions.
 */
import type { Agent, BlackboardView, CompactionProposal, Proposal } from "./agent.ts";
import { busyFiles, conflicts, oldestFree, proposeInto, proposeWithinLevel0 } from "./compaction-proposal.ts";
import type { FileMeta } from "./file-meta.ts";
import { levelScore, levelShapeOf, overlapping, totalBytes } from "./level-shape.ts";

export const compactionAgent: Agent = {
  name: "leveled-compaction",
  step(view: BlackboardView): Proposal | undefined {
    if (view.compactions.length >= view.compactionsMax) return undefined;
    const busy = busyFiles(view);
    const shape = levelShapeOf(view.levels, view.tuning);
    const scores = view.levels.map((_, level) => levelScore(view.levels, level, view.tuning, shape, busy));
    // Of equal scores the upper level goes first: sorting is stable.
    const due = [...scores.keys()]
      .filter((level) => scores[level] >= 1)
      .sort((a, b) => scores[b] - scores[a]);
    for (const level of due) {
      const proposal =
        level === 0 ? fromLevel0(view, shape.baseLevel, busy) : fromLevel(view, level, busy);
      if (proposal !== undefined) return proposal;
    }
    return due.includes(0) ? withinLevel0(view, busy) : undefined;
  },
};

function fromLevel0(
  view: BlackboardView,
  baseLevel: number,
  busy: ReadonlySet<number>,
): CompactionProposal | undefined {
  const files = oldestFree(view.levels[0], busy);
  if (files.length === 0) return undefined;
  const proposal = proposeInto(view.levels, 0, files, baseLevel);
  return conflicts(view, busy, proposal) ? undefined : proposal;
}

function withinLevel0(view: BlackboardView, busy: ReadonlySet<number>): CompactionProposal | undefined {
  const proposal = proposeWithinLevel0(view, busy);
  return proposal === undefined || conflicts(view, busy, proposal) ? undefined : proposal;
}

/** The cheapest file of the level that may go now. */
function fromLevel(
  view: BlackboardView,
  level: number,
  busy: ReadonlySet<number>,
): CompactionProposal | undefined {
  const below = view.levels[level + 1];
  const ratios = new Map<FileMeta, number>();
  for (const file of view.levels[level]) {
    if (busy.has(file.number)) continue;
    ratios.set(file, totalBytes(overlapping(below, file.smallest, file.largest)) / file.sizeBytes);
  }
  const cheapestFirst = [...ratios.keys()].sort((a, b) => (ratios.get(a) ?? 0) - (ratios.get(b) ?? 0));
  for (const file of cheapestFirst) {
    const proposal = proposeInto(view.levels, level, [file], level + 1);
    if (!conflicts(view, busy, proposal)) return proposal;
  }
  return undefined;
}
