/**
 * Where a product is to stand: a symbolic link means the directory that it leads to, and what is in the way is told
 * before any work is done.
 */
import { existsSync, lstatSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { LatheError } from "../kit/errors.ts";

/** Errors: ALREADY_EXISTS for a link that leads nowhere, and for a file where a directory above would have to be. */
export function productPlace(directory: string): string {
  const target = resolve(directory);
  if (existsSync(target)) return realpathSync(target);
  let above = dirname(target);
  while (!existsSync(above) && dirname(above) !== above) above = dirname(above);
  if (!statSync(above).isDirectory()) {
    const message = `${above} is a file, so ${target} cannot be made; choose another --out directory`;
    throw new LatheError("ALREADY_EXISTS", message);
  }
  if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    const message = `${target} is a symbolic link that leads nowhere; remove it, or choose another --out directory`;
    throw new LatheError("ALREADY_EXISTS", message);
  }
  return target;
}

/**
 * One directory after the other: asked to make several at once in /proc, Node tries for ever. Errors: PERMISSION where
 * the file system makes none, and the system's.
 */
export function makeDirectories(directory: string): void {
  if (existsSync(directory)) return;
  if (dirname(directory) !== directory) makeDirectories(dirname(directory));
  try {
    mkdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const message = `no directory can be made in ${dirname(directory)}; choose another --out directory`;
    throw new LatheError("PERMISSION", message, { cause: error });
  }
}
