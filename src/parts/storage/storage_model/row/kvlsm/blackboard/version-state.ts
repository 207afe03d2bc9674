/**
 * VersionState: which tables make up the store, as plain data, folded from the edits of a manifest. For whoever looks
 * at a store without opening it (scrub, repair, backup) and for the recovery of one.
 */
import { compareBytes } from "../../../../../../kit/compare.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import type { FileMeta } from "./file-meta.ts";
import { levelsMax, type VersionEdit } from "./version-edit.ts";

export interface VersionState {
  readonly durableIndex: number;
  readonly nextFileNumber: number;
  /** What expired by this time (ms) has expired for good. */
  readonly expiryTimeMs: number;
  /** Files per level; level 0 newest first, the others by their smallest key. */
  readonly levels: readonly (readonly FileMeta[])[];
}

/** Errors: CORRUPTION where an edit removes what is not there; `path` is the manifest's. */
export function foldEdits(edits: readonly VersionEdit[], path: string): VersionState {
  const levels = Array.from({ length: levelsMax }, () => new Map<number, FileMeta>());
  let durableIndex = 0;
  let nextFileNumber = 1;
  let expiryTimeMs = 0;
  for (const edit of edits) {
    for (const { level, number } of edit.removed) {
      if (!levels[level].delete(number)) throw inconsistent(path, number);
    }
    for (const { level, meta } of edit.added) levels[level].set(meta.number, meta);
    ({ durableIndex, nextFileNumber } = edit);
    expiryTimeMs = Math.max(expiryTimeMs, edit.expiryTimeMs ?? 0);
  }
  const ordered = levels.map((files, level) => orderFiles(level, [...files.values()]));
  return { durableIndex, nextFileNumber, expiryTimeMs, levels: ordered };
}

export function orderFiles(level: number, files: FileMeta[]): FileMeta[] {
  return level === 0
    ? files.sort((a, b) => b.indexMax - a.indexMax || b.number - a.number)
    : files.sort((a, b) => compareBytes(a.smallest, b.smallest));
}

function inconsistent(path: string, number: number): LatheError {
  return new LatheError(
    "CORRUPTION",
    `${path} at byte 0: an edit removes table ${number} that is not there; restore the store from a checkpoint`,
    { details: { path, offset: 0 } },
  );
}
