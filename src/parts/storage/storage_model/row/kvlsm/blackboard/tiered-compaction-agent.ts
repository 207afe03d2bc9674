/**
 * The tiered (universal, size-tiered) compaction agent: fewer rewrites than leveled compaction, for more runs to
 * read and up to `tieredSpacePercent` more space.
 *
 * Sorted runs, newest first: every file of level 0, and every deeper level with files. How many of the newest are due
 * for a merge, tiered-shape.ts says.
 * The output goes just above the next older run: into the last level where none is older, into level 0 (as one file)
 * where the next older one is in level 0 or level 1.
 * While one compaction runs, another may only merge the newest files of level 0.
 * Source: RocksDB's UniversalCompactionPicker for the use of levels as runs.
 */
import type { Agent, BlackboardView, CompactionProposal, Proposal } from "./agent.ts";
import { busyFiles, conflicts, isBottom, proposeWithinLevel0 } from "./compaction-proposal.ts";
import type { FileMeta } from "./file-meta.ts";
import { rangeOf, totalBytes } from "./level-shape.ts";
import { dueRuns } from "./tiered-shape.ts";

interface Run {
  readonly level: number;
  readonly files: readonly FileMeta[];
  readonly bytes: number;
}

export const tieredCompactionAgent: Agent = {
  name: "tiered-compaction",
  step(view: BlackboardView): Proposal | undefined {
    if (view.compactions.length >= view.compactionsMax) return undefined;
    if (view.compactions.length > 0) {
      const busy = busyFiles(view);
      const proposal = proposeWithinLevel0(view, busy);
      return proposal === undefined || conflicts(view, busy, proposal) ? undefined : proposal;
    }
    const runs = runsOfView(view);
    const count = dueRuns(runs.map((run) => run.bytes), view.tuning);
    return count === 0 ? undefined : merge(view, runs, count);
  },
};

function runsOfView(view: BlackboardView): Run[] {
  return view.levels.flatMap((files, level) => {
    if (files.length === 0) return [];
    const runs = level === 0 ? files.map((file) => [file]) : [files];
    return runs.map((run) => ({ level, files: run, bytes: totalBytes(run) }));
  });
}

function merge(view: BlackboardView, runs: readonly Run[], count: number): CompactionProposal {
  const taken = runs.slice(0, count);
  const next = runs[count];
  const outputLevel = next === undefined ? view.levels.length - 1 : Math.max(0, next.level - 1);
  const bottom = next === undefined || isOldest(view, taken, next);
  const inputs = taken.map(({ level, files }) => ({ level, files }));
  return { kind: "compaction", inputs, outputLevel, bottom, move: false };
}

/** Whether no older run holds keys of the range; older files of level 0 are not looked at one by one. */
function isOldest(view: BlackboardView, taken: readonly Run[], next: Run): boolean {
  if (next.level === 0) return false;
  return isBottom(view.levels, rangeOf(taken.flatMap((run) => run.files)), next.level - 1);
}
