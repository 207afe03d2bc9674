/**
 * StoreInspection: the files of a closed store of the memory engine, read to their ends without opening it.
 *
 *   1. CURRENT says which snapshot is in force; the snapshot is read whole, every block by its checksum.
 *   2. A damaged file is told of with the offset where it is known. Snapshots that CURRENT does not name are notes: the
 *      next opening removes them.
 *   3. The hash of the content covers kind, key and value of every entry in the snapshot's order: two copies of one
 *      snapshot have the same. It judges no expiry.
 */
import { createHash } from "node:crypto";
import { writeU32LE } from "../../../../kit/bytes.ts";
import type { Disk } from "../../../../kit/env/env.ts";
import { LatheError } from "../../../../kit/errors.ts";
import { isDamage } from "../../../../kit/file-header.ts";
import { currentName, type CurrentState, readCurrent } from "./current-file.ts";
import { readSnapshot, snapshotName, snapshotNumberOf } from "./snapshot-file.ts";

export interface InspectedProblem {
  /** A note is no damage. */
  readonly severity: "damage" | "note";
  readonly offset: number;
  readonly what: string;
}

export interface InspectedFile {
  readonly file: string;
  readonly kind: "current" | "snapshot" | "other";
  readonly sizeBytes: number;
  readonly problems: readonly InspectedProblem[];
}

export interface StoreInspection {
  /** Undefined where CURRENT is damaged or missing. */
  readonly current: CurrentState | undefined;
  readonly files: readonly InspectedFile[];
  /** Of the snapshot in force; of nothing where there is none, or it is damaged. */
  readonly keyCount: number;
  readonly contentHash: string;
}

/** Damage is a result. Errors: FORMAT_UNKNOWN (a newer version, another selection), IO_ERROR. */
export function inspectMemoryStore(disk: Disk, directory: string, selectionHash: string): StoreInspection {
  const hash = createHash("sha256");
  let keyCount = 0;
  let current: CurrentState | undefined;
  const files = [
    inspected(disk, directory, currentName, "current", () => {
      current = readCurrent(disk, directory, selectionHash);
      if (current === undefined) throw new LatheError("CORRUPTION", `${directory} has no ${currentName}`);
    }),
  ];
  const inForce = current?.snapshotNumber ?? 0;
  if (inForce > 0) {
    const name = snapshotName(inForce);
    const lengths = new Uint8Array(9);
    files.push(inspected(disk, directory, name, "snapshot", () => {
      const path = `${directory}/${name}`;
      const visit = (kind: number, bytes: Uint8Array, keyStart: number, keyEnd: number, valueEnd: number) => {
        lengths[0] = kind;
        writeU32LE(lengths, 1, keyEnd - keyStart);
        writeU32LE(lengths, 5, valueEnd - keyEnd);
        hash.update(lengths).update(bytes.subarray(keyStart, valueEnd));
        keyCount++;
        return true;
      };
      const end = readSnapshot(disk, path, selectionHash, { visit });
      if (end.index === current?.index) return;
      throw new LatheError("CORRUPTION", `${path} reaches up to ${end.index}, CURRENT says ${current?.index}`);
    }));
  }
  for (const name of disk.list(directory).sort()) {
    if (files.some(({ file }) => file === name) || name.startsWith("LOCK")) continue;
    const isSnapshot = snapshotNumberOf(name) !== undefined;
    const what = isSnapshot ? "CURRENT does not name it; the next opening removes it" : "not a file of the store";
    const problems = [{ severity: "note", offset: 0, what } as const];
    const kind = isSnapshot ? "snapshot" : "other";
    files.push({ file: name, kind, sizeBytes: sizeOf(disk, `${directory}/${name}`), problems });
  }
  return { current, files, keyCount, contentHash: hash.digest("hex") };
}

function inspected(
  disk: Disk, directory: string, name: string, kind: InspectedFile["kind"], read: () => void,
): InspectedFile {
  const path = `${directory}/${name}`;
  const sizeBytes = disk.exists(path) ? sizeOf(disk, path) : 0;
  try {
    read();
    return { file: name, kind, sizeBytes, problems: [] };
  } catch (error) {
    const { code, message, details } = error as LatheError;
    if (!isDamage(error) && code !== "NOT_FOUND") throw error;
    const offset = typeof details.offset === "number" ? details.offset : 0;
    return { file: name, kind, sizeBytes, problems: [{ severity: "damage", offset, what: message }] };
  }
}

function sizeOf(disk: Disk, path: string): number {
  const file = disk.open(path, "read");
  try {
    return file.sizeSync();
  } finally {
    file.close();
  }
}
