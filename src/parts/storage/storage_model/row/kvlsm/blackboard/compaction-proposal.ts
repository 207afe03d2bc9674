/**
 * What every compaction agent builds its proposals with: which files are taken, what may run beside them, what is
 * at the bottom.
 *
 * Invariants of a proposal:
 *   1. Of level 0 it takes neighbours in age. What goes below level 0 is the oldest of it, and what stays in level 0
 *      (merged into one file) is the newest that nobody else merges: so no newer data ever come under older.
 *   2. It takes every file of the output level that overlaps it, so the level stays free of overlaps.
 *   3. No file of it is an input of a compaction under way, and its range at the output level is not that of one:
 *      compactions side by side never touch the same files.
 *   4. It passes over no file that is older than one of its inputs and overlaps them.
 *   5. `bottom` only where no file that is older than the inputs overlaps their range. Inputs of compactions under
 *      way still count as files.
 * Source: LevelDB's Compaction; RocksDB's FilesRangeOverlapWithCompaction and PickIntraL0Compaction.
 */
import { compareBytes } from "../../../../../../kit/compare.ts";
import type { BlackboardView, CompactionProposal, Proposal } from "./agent.ts";
import type { FileMeta } from "./file-meta.ts";
import { type Levels, levelTargetBytes, overlapping, rangeOf, totalBytes } from "./level-shape.ts";
import type { Tuning } from "./options.ts";

type Inputs = CompactionProposal["inputs"];

/** Fewer files than these are not worth a merge within level 0. */
const intraFilesMin = 4;

/** Numbers of the files that compactions under way take in. */
export function busyFiles(view: Pick<BlackboardView, "compactions">): Set<number> {
  const busy = new Set<number>();
  for (const { inputs } of view.compactions) {
    for (const run of inputs) for (const file of run.files) busy.add(file.number);
  }
  return busy;
}

/** The files of level 0 that may go below it, newest first: from the oldest up to one that is busy. */
export function oldestFree(level0: readonly FileMeta[], busy: ReadonlySet<number>): readonly FileMeta[] {
  const blocker = level0.findLastIndex((file) => busy.has(file.number));
  return level0.slice(blocker + 1);
}

/** Compacts files of a level (neighbours in age of level 0, or some of another) into a deeper one. */
export function proposeInto(
  levels: Levels,
  level: number,
  files: readonly FileMeta[],
  outputLevel: number,
): CompactionProposal {
  const { smallest, largest, largestIsExclusive } = rangeOf(files);
  const below = overlapping(levels[outputLevel], smallest, largest, largestIsExclusive);
  const bottom = isBottom(levels, rangeOf([...files, ...below]), outputLevel);
  const move = below.length === 0 && areDisjoint(files);
  const inputs = runsOf(level, files);
  if (below.length > 0) inputs.push({ level: outputLevel, files: below });
  return { kind: "compaction", inputs, outputLevel, bottom, move };
}

/** Every file of level 0 is a run of its own, newest first as the view has them. */
export function runsOf(level: number, files: readonly FileMeta[]): { level: number; files: readonly FileMeta[] }[] {
  return level === 0 ? files.map((file) => ({ level, files: [file] })) : [{ level, files }];
}

/** Whether no level below `level` holds keys of the range. */
export function isBottom(
  levels: Levels,
  range: { smallest: Uint8Array; largest: Uint8Array },
  level: number,
): boolean {
  return levels
    .slice(level + 1)
    .every((deeper) => overlapping(deeper, range.smallest, range.largest).length === 0);
}

/**
 * Merges the newest files of level 0 into one while the older ones cannot go down, so that reads and the stall
 * trigger see fewer of them. Pays while the merge writes less than half of what it takes to write level 0 once more.
 */
export function proposeWithinLevel0(
  view: Pick<BlackboardView, "levels" | "tuning">,
  busy: ReadonlySet<number>,
): CompactionProposal | undefined {
  const [level0] = view.levels;
  const blocker = level0.findIndex((file) => busy.has(file.number));
  // Without a busy file everything may go down, and that is better.
  if (blocker < Math.max(intraFilesMin, view.tuning.l0CompactionTrigger)) return undefined;
  const files: FileMeta[] = [];
  for (const file of level0.slice(0, blocker)) {
    // A large file that was merged before is not worth another round for a few small ones.
    if (files.length >= intraFilesMin && file.sizeBytes > 2 * totalBytes(files)) break;
    files.push(file);
  }
  return { kind: "compaction", inputs: runsOf(0, files), outputLevel: 0, bottom: false, move: false };
}

/** All files as one compaction into the level that is large enough for them, or undefined where there is none. */
export function proposeAll(levels: Levels, tuning: Tuning): CompactionProposal | undefined {
  const inputs = levels.flatMap((files, level) => (files.length === 0 ? [] : runsOf(level, files)));
  if (inputs.length === 0) return undefined;
  let outputLevel = levels.length - 1;
  if (tuning.compactionStyle === "leveled" && tuning.levelSizing === "static") {
    const bytes = totalBytes(levels.flat());
    outputLevel = 1;
    while (outputLevel < levels.length - 1 && levelTargetBytes(outputLevel, tuning) < bytes) outputLevel++;
  }
  return { kind: "compaction", inputs, outputLevel, bottom: true, move: false };
}

/** Whether the proposal would touch what a compaction under way touches. */
export function conflicts(
  view: Pick<BlackboardView, "compactions">,
  busy: ReadonlySet<number>,
  proposal: CompactionProposal,
): boolean {
  const files = proposal.inputs.flatMap((run) => run.files);
  if (files.some((file) => busy.has(file.number))) return true;
  const { smallest, largest } = rangeOf(files);
  return view.compactions.some((other) => {
    if (other.outputLevel !== proposal.outputLevel) return false;
    // Within level 0 order is by age, not by key; one merge at a time keeps neighbours neighbours.
    if (other.outputLevel === 0) return true;
    const range = rangeOf(otherFiles(other.inputs));
    return compareBytes(range.smallest, largest) <= 0 && compareBytes(smallest, range.largest) <= 0;
  });
}

/** Why a proposal of whichever agent must not be carried out, or undefined. */
export function problemOf(view: BlackboardView, proposal: Proposal): string | undefined {
  if (proposal.kind === "flush") {
    return view.flushRunning || view.immutables.length === 0 ? "there is no memtable to be flushed" : undefined;
  }
  if (view.compactions.length >= view.compactionsMax) return "no compaction may begin now";
  const { inputs, outputLevel } = proposal;
  if (inputs.length === 0 || inputs.some((run) => run.files.length === 0)) return "an input without files";
  if (!(outputLevel in view.levels) || inputs.some((run) => run.level > outputLevel)) {
    return `level ${outputLevel} does not lie below the inputs`;
  }
  for (const { level, files } of inputs) {
    const present = new Set(view.levels[level]);
    const gone = files.find((file) => !present.has(file));
    if (gone !== undefined) return `table ${gone.number} is not in level ${level}`;
  }
  const busy = busyFiles(view);
  if (conflicts(view, busy, proposal)) return "it touches what a compaction under way touches";
  return (outputLevel === 0 ? undefined : overlapProblem(view, proposal)) ?? ageProblem(view, proposal);
}

/** Nothing newer may come under what is older and stays, and a tombstone stays for as long as that does. */
function ageProblem({ levels }: BlackboardView, proposal: CompactionProposal): string | undefined {
  const { inputs, outputLevel, bottom, move } = proposal;
  const files = inputs.flatMap((run) => run.files);
  if (move && !areDisjoint(files)) return "it moves files that overlap each other";
  const taken = new Set(files);
  const [level0] = levels;
  const firstOf0 = level0.findIndex((file) => taken.has(file));
  const afterLastOf0 = level0.findLastIndex((file) => taken.has(file)) + 1;
  const gap = firstOf0 < 0 ? undefined : level0.slice(firstOf0, afterLastOf0).find((file) => !taken.has(file));
  if (gap !== undefined) return `it leaves out table ${gap.number}, which is between its files of level 0 in age`;
  const { smallest, largest, largestIsExclusive } = rangeOf(files);
  // As agents see it: a bound that is exclusive is not shared.
  const isLeft = (file: FileMeta) =>
    !taken.has(file) && overlapping([file], smallest, largest, largestIsExclusive).length > 0;
  const olderOf0 = firstOf0 < 0 ? undefined : level0.slice(afterLastOf0).find(isLeft);
  const highest = Math.min(...inputs.map((run) => run.level));
  const passed = levels.slice(highest + 1, outputLevel).flat().find(isLeft) ?? (outputLevel > 0 ? olderOf0 : undefined);
  if (passed !== undefined) return `its entries would come under table ${passed.number}, which has older ones`;
  const below = levels.slice(outputLevel + 1).flat().find(isLeft) ?? olderOf0;
  return bottom && below !== undefined ? `table ${below.number} lies below, so it is not at the bottom` : undefined;
}

/** Files of the output level that the outputs would overlap must be inputs. */
function overlapProblem({ levels }: BlackboardView, { inputs, outputLevel }: CompactionProposal): string | undefined {
  const taken = new Set(inputs.flatMap((run) => run.files));
  const { smallest, largest, largestIsExclusive } = rangeOf([...taken]);
  const overlaps = overlapping(levels[outputLevel], smallest, largest, largestIsExclusive);
  const left = overlaps.find((file) => !taken.has(file));
  return left === undefined ? undefined : `table ${left.number} of level ${outputLevel} overlaps the inputs`;
}

function otherFiles(inputs: Inputs): readonly FileMeta[] {
  return inputs.flatMap((run) => run.files);
}

function areDisjoint(files: readonly FileMeta[]): boolean {
  const sorted = [...files].sort((a, b) => compareBytes(a.smallest, b.smallest));
  return sorted.every((file, i) => i === 0 || compareBytes(sorted[i - 1].largest, file.smallest) < 0);
}
