/**
 * Checkpoint: an openable copy of a store, made of hard links to its immutable files and a manifest of its own.
 * Only levels that are flushed are in it; the engine flushes first.
 */
import type { Disk } from "../../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { DamagedTable } from "./damaged-table.ts";
import { tableName } from "./file-names.ts";
import { Manifest } from "./manifest.ts";
import type { VersionSet } from "./version-set.ts";

/** Errors: ALREADY_EXISTS where the target holds anything, CORRUPTION where a table is damaged, DISK_FULL, IO_ERROR. */
export function writeCheckpoint(
  disk: Disk,
  versions: VersionSet,
  directory: string,
  target: string,
  selectionHash: string,
): void {
  disk.makeDirectory(target);
  const present = disk.list(target);
  if (present.length > 0) {
    throw new LatheError(
      "ALREADY_EXISTS",
      `${target} is not empty (it holds ${present[0]}); name an empty directory`,
    );
  }
  const damaged = versions.current.levels.flat().find((table) => table instanceof DamagedTable);
  if (damaged instanceof DamagedTable) throw damaged.error;
  const state = versions.state();
  for (const { meta } of state.added) {
    const name = tableName(meta.number);
    disk.link(`${directory}/${name}`, `${target}/${name}`);
  }
  const number = state.nextFileNumber;
  const copy = { ...state, nextFileNumber: number + 1 };
  Manifest.create(disk, target, number, selectionHash, copy).close();
}
