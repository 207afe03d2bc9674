/** Where a study keeps its things: one directory that can be copied, archived or deleted as a whole. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Contract } from "../contract/contract.ts";
import { isInMemory } from "../fleet/work-directory.ts";
import { LatheError } from "../kit/errors.ts";
import { translateSystemError } from "../kit/env/system-error.ts";

export interface StudyDirectory {
  readonly root: string;
  /** The assembled product. */
  readonly product: string;
  readonly journal: string;
  readonly report: string;
  readonly summary: string;
  /** Checkpoints and running servers' data; may be deleted when no study runs. */
  readonly work: string;
}

/**
 * Creates the directories. `product` where the product lies elsewhere. Errors: INVALID_ARGUMENT where the
 * place is in memory and `durability` promises anything, READ_ONLY, PERMISSION, DISK_FULL, IO_ERROR.
 */
export function openStudyDirectory(
  root: string,
  durability: Contract["storage"]["durability"],
  product?: string,
): StudyDirectory {
  const absolute = resolve(root);
  if (durability !== "none") requireDisk(absolute);
  const work = join(absolute, "work");
  try {
    makeDirectories(work);
    makeDirectories(join(absolute, "study"));
  } catch (error) {
    throw translateSystemError(error, "create", work);
  }
  return {
    root: absolute,
    product: product === undefined ? join(absolute, "product") : resolve(product),
    journal: join(absolute, "study", "journal.ndjson"),
    report: join(absolute, "report.html"),
    summary: join(absolute, "summary.json"),
    work,
  };
}

/** A flush to memory costs nothing and keeps nothing, so figures from there are not those of a durable store. */
function requireDisk(root: string): void {
  let existing = root;
  while (!existsSync(existing)) existing = dirname(existing);
  if (!isInMemory(existing)) return;
  throw new LatheError(
    "INVALID_ARGUMENT",
    `${root} is on a file system in memory (tmpfs): a flush there reaches no device, so nothing measured there says ` +
      "what a durable store costs; give a directory on a disk, for example --out ~/lathe-out (`lathe doctor` says " +
      "what a directory is on)",
  );
}

/** One by one: Node's `recursive` says ENOENT on a read-only disk, and never returns where nothing can be made. */
function makeDirectories(path: string): void {
  if (existsSync(path)) return;
  makeDirectories(dirname(path));
  mkdirSync(path);
}
