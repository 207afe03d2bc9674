/**
 * Where a product is to stand: a symbolic link means the directory that it leads to, and what is in the way is told
 * before any work is done.
 */
import { existsSync, lstatSync, mkdirSync, realpathSync, rmdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";

/**
 * Errors: INVALID_ARGUMENT for an empty name; ALREADY_EXISTS for a link that leads nowhere, and for a file where a
 * directory above would have to be.
 */
export function productPlace(directory: string): string {
  try {
    return placeOf(directory);
  } catch (error) {
    throw translateSystemError(error, "use", directory);
  }
}

function placeOf(directory: string): string {
  // It would mean the working directory, and comes of a variable that is not set.
  if (directory === "") throw new LatheError("INVALID_ARGUMENT", "--out is empty; name a directory (. is this one)");
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
 * One directory after the other: asked to make several at once in /proc, Node tries for ever. Returns those that were
 * made, the outermost first. Errors: PERMISSION where the file system makes none, and the system's.
 */
export function makeDirectories(directory: string): string[] {
  if (existsSync(directory)) return [];
  const above = dirname(directory) === directory ? [] : makeDirectories(dirname(directory));
  try {
    return makeOne(directory) ? [...above, directory] : above;
  } catch (error) {
    removeEmptyDirectories(above);
    throw error;
  }
}

/** Those of `makeDirectories`, where nothing came to be in them. */
export function removeEmptyDirectories(made: readonly string[]): void {
  for (const directory of made.toReversed()) {
    try {
      rmdirSync(directory);
    } catch {
      // Something is in it: of this process or of another.
    }
  }
}

/** Whether it was not there before. */
function makeOne(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch (error) {
    // Another build made it in the meantime.
    if ((error as NodeJS.ErrnoException).code === "EEXIST" && existsSync(directory)) return false;
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const message = `no directory can be made in ${dirname(directory)}; choose another --out directory`;
    throw new LatheError("PERMISSION", message, { cause: error });
  }
}
