/**
 * Work directories: places for data of servers that live as long as a measurement.
 *
 * A flush on a file system in memory costs nothing and keeps nothing, so figures from there are not those
 * of a durable store: such places are not used for data.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LatheError } from "../kit/errors.ts";

/** Magic numbers of tmpfs and ramfs: statfs(2). */
const memoryFileSystems = new Set([0x01021994, 0x858458f6]);

export function isInMemory(directory: string): boolean {
  return memoryFileSystems.has(statfsSync(directory).type);
}

export interface WorkDirectory {
  readonly path: string;
  remove(): void;
}

/**
 * A fresh directory on a real disk: in the system's temporary directory, or below `.lathe` here where that
 * is in memory. Errors: INVALID_ARGUMENT where both are.
 */
export function createWorkDirectory(purpose: string): WorkDirectory {
  let parent = tmpdir();
  if (isInMemory(parent)) {
    parent = resolve(".lathe", "work");
    mkdirSync(parent, { recursive: true });
    if (isInMemory(parent)) {
      throw new LatheError(
        "INVALID_ARGUMENT",
        `both ${tmpdir()} and ${parent} are in memory (tmpfs): a flush there reaches no device, so nothing measured ` +
          "there says what a durable store costs; set TMPDIR to a directory on a disk, or start there",
      );
    }
  }
  const path = mkdtempSync(join(parent, `lathe-${purpose}-`));
  const remove = () => rmSync(path, { recursive: true, force: true });
  process.once("exit", remove);
  return {
    path,
    remove: () => {
      process.off("exit", remove);
      remove();
    },
  };
}
