/**
 * What is the owner's in a product's directory: files that the build does not know (studies, git, data, notes), and
 * generated files that were edited. They are moved from the old product to the new one that has taken its place.
 *
 * Steps of `moveOwnerFiles`, one rename each, so that one that was interrupted is gone on with:
 *   1. list what is the owner's. A directory that holds nothing generated, before or now, is moved as one;
 *   2. what the build does not write goes to its own path; what was edited, or stands where the build writes now, goes
 *      into the first of `.lathe/replaced/`, `.lathe/replaced.2/`, … that has no such path yet; what has the bytes of
 *      the new file, or of one that was put aside before, is not kept twice.
 * Invariant: nothing that is there is ever written over.
 */
import { accessSync, constants, lstatSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { dirname, join } from "node:path";
import { LatheError } from "../kit/errors.ts";
import { entryAt, foldersOf, hashOf, manifestPath } from "./product-manifest.ts";

const replacedPath = ".lathe/replaced";

/** Hashes of generated files by path, of the product that was there and of the one that takes its place. */
export interface Generations {
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
}

export interface OwnerMove {
  readonly from: string;
  readonly to: string;
}

/**
 * Moves what is the owner's; `done` grows by each rename, so that the caller can undo them. Returns where edited files
 * are now, by path. Errors: ALREADY_EXISTS where something has come into being at the owner's path since, and the
 * system's.
 */
export function moveOwnerFiles(
  previous: string, target: string, generations: Generations, done: OwnerMove[],
): Map<string, string> {
  const { before, after } = generations;
  const foldersAfter = foldersOf([...Object.keys(after), manifestPath]);
  const kept = new Map<string, string>();
  for (const path of ownerPaths(previous, generations)) {
    const known = Object.hasOwn(before, path);
    const inTheWay = Object.hasOwn(after, path) || foldersAfter.has(path);
    const place = known || inTheWay ? replacedName(join(previous, path), target, path) : path;
    if (place === undefined) continue;
    if (place === path && entryAt(target, path) !== undefined) {
      const message = `a build that was interrupted left your ${join(previous, path)}, and by now there is another ` +
        `${join(target, path)}; move one of them away and build again`;
      throw new LatheError("ALREADY_EXISTS", message, { details: { path } });
    }
    if (place !== path) kept.set(path, place);
    const move = { from: join(previous, path), to: join(target, place) };
    mkdirSync(dirname(move.to), { recursive: true });
    renameSync(move.from, move.to);
    done.push(move);
  }
  return kept;
}

/** Undefined where the new product, or what was put aside before, has the same bytes. */
function replacedName(file: string, target: string, path: string): string | undefined {
  const hash = lstatSync(file).isFile() ? hashOf(file) : undefined;
  const same = (place: string) =>
    hash !== undefined && entryAt(target, place)?.isFile() === true && hashOf(join(target, place)) === hash;
  if (same(path)) return undefined;
  for (let number = 1; ; number++) {
    const place = `${replacedPath}${number === 1 ? "" : `.${number}`}/${path}`;
    if (same(place)) return undefined;
    const isFree = [...foldersOf([place])].every((folder) => entryAt(target, folder)?.isDirectory() !== false);
    if (isFree && entryAt(target, place) === undefined) return place;
  }
}

function isReplaced(path: string): boolean {
  return /^\.lathe\/replaced(\.\d+)?(\/|$)/.test(path);
}

/** Refuses, before anything is touched, what could not be moved. Errors: PERMISSION. */
export function checkMovable(directory: string, generations: Generations): void {
  const { dev } = lstatSync(directory);
  const folders = new Set([".", ...foldersOf(Object.keys(generations.before))]);
  for (const path of ownerPaths(directory, generations)) {
    folders.add(dirname(path));
    if (lstatSync(join(directory, path)).dev === dev) continue;
    const message = `${join(directory, path)} is a mount point, which stays where it is when the product is replaced` +
      "; unmount it for the build, or build into another --out directory";
    throw new LatheError("PERMISSION", message, { details: { path } });
  }
  for (const folder of folders) {
    const path = join(directory, folder);
    if (entryAt(directory, folder)?.isDirectory() !== true) continue;
    try {
      accessSync(path, constants.W_OK | constants.X_OK);
    } catch (cause) {
      const message = `${path} cannot be written, so the product in it cannot be replaced; change its owner or mode`;
      throw new LatheError("PERMISSION", message, { cause, details: { path } });
    }
  }
}

/** What was put aside before comes first, so that it keeps its name. */
function ownerPaths(directory: string, { before, after }: Generations): string[] {
  const shared = foldersOf([...Object.keys(before), ...Object.keys(after), manifestPath]);
  const isShared = (path: string) => shared.has(path) || isReplaced(path);
  const list = (below: string): string[] =>
    readdirSync(join(directory, below), { withFileTypes: true }).flatMap((entry) => {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory() && isShared(path) && !Object.hasOwn(before, path)) return list(path);
      if (path === manifestPath) return [];
      const isGenerated = Object.hasOwn(before, path) && entry.isFile() &&
        hashOf(join(directory, path)) === before[path];
      return isGenerated ? [] : [path];
    });
  const paths = list("");
  return [...paths.filter(isReplaced), ...paths.filter((path) => !isReplaced(path))];
}
