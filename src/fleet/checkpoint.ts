/**
 * Checkpoints: the data directory of a stopped server, kept as the common start of many launches.
 *
 * Cloning links SSTables (`*.sst`: written once, never changed, only unlinked) and copies everything else,
 * so that a clone of gigabytes costs milliseconds and no server can touch what another one started from.
 */
import { closeSync, constants, copyFileSync, linkSync, mkdirSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { LatheError } from "../kit/errors.ts";

const readBytes = 1 << 20;
const unlinkable: ReadonlySet<string | undefined> = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "ENOSYS"]);

/** Makes `target` (created; must be empty or missing) a copy of `source`. Errors: NOT_FOUND, IO_ERROR. */
export function cloneCheckpoint(source: string, target: string): void {
  mkdirSync(target, { recursive: true });
  for (const entry of entriesOf(source)) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) cloneCheckpoint(from, to);
    else if (entry.isFile()) cloneFile(from, to);
  }
}

function cloneFile(source: string, target: string): void {
  if (source.endsWith(".sst")) {
    try {
      linkSync(source, target);
      return;
    } catch (error) {
      // File systems without hard links, or a work directory on another one: copy instead.
      if (!unlinkable.has((error as { code?: string }).code)) throw error;
    }
  }
  copyFileSync(source, target, constants.COPYFILE_FICLONE);
}

/**
 * Reads every file of a directory once, so that a launch does not measure the host's cold storage. Returns
 * the bytes.
 */
export function readFilesOnce(directory: string): number {
  const buffer = Buffer.allocUnsafe(readBytes);
  let total = 0;
  for (const entry of entriesOf(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) total += readFilesOnce(path);
    if (!entry.isFile()) continue;
    const file = openSync(path, "r");
    try {
      for (let length = -1; length !== 0; total += length) length = readSync(file, buffer, 0, readBytes, null);
    } finally {
      closeSync(file);
    }
  }
  return total;
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (cause) {
    const { message } = cause as Error;
    throw new LatheError("NOT_FOUND", `cannot read the checkpoint ${directory}: ${message}`, { cause });
  }
}
