/**
 * A product's directory on disk: written as a whole or not at all, and never over what its owner changed.
 *
 * Steps of `replaceProduct`, under the lock of the place (`product-lock.ts`):
 *   1. finish or undo a replacement that was interrupted, and remove what killed builds left (`settle`);
 *   2. refuse a directory that is neither empty nor a product, and, without `force`, a product with edited files or
 *      with files of the owner's where the build writes; leave a product alone of which no byte would change;
 *   3. write the files into a temporary sibling and sync them; what has the same bytes as before is linked there
 *      instead, so that it stays the same file, with its time. Modes that the owner set are kept;
 *   4. rename: the old directory to `.NAME.previous`, the new one into place; then move what is the owner's from the
 *      old to the new one (`owner-files.ts`); rename the old one to a name that means "remove me", and remove it. A
 *      directory that is missing or empty takes one rename.
 * Invariants: at every moment the old or the new product is whole on disk, under its name or, between the two renames
 * of step 4, as `.NAME.previous`; a step that fails is undone; `.NAME.previous` is never half removed.
 */
import {
  chmodSync, closeSync, existsSync, fchmodSync, fsyncSync, linkSync, mkdirSync, openSync, readdirSync, readFileSync,
  renameSync, rmSync, statSync, utimesSync, writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { LatheError } from "../kit/errors.ts";
import type { KnobValues } from "../kit/knob-values.ts";
import { removeAbandoned } from "./abandoned-directories.ts";
import { checkMovable, type Generations, moveOwnerFiles, type OwnerMove } from "./owner-files.ts";
import { placeError } from "./place-error.ts";
import { holdPlace } from "./product-lock.ts";
import {
  type BuildManifest, entryAt, findEdits, findObstacles, foldersOf, hashOf, manifestPath, readManifest, sha256,
  type UserEdit,
} from "./product-manifest.ts";
import { makeDirectories, productPlace } from "./product-place.ts";

export interface ReplaceOptions {
  readonly force: boolean;
  /** Generated files whose edits are carried over by the caller and need no force. */
  readonly carried: readonly string[];
  /** The caller holds the place already. */
  readonly held?: boolean;
  /** For the manifest. */
  readonly knobDefaults?: KnobValues;
}

/** What a build does to the generated files of a product, by path. */
export interface FileChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Same bytes as before: left as they are. */
  readonly unchanged: readonly string[];
}

export interface PutAside extends UserEdit {
  /** Where it is kept; undefined for what the owner had removed, and where the new product has the same bytes. */
  readonly kept?: string | undefined;
}

export interface ReplaceReport {
  readonly replaced: boolean;
  readonly changes: FileChanges;
  /** What of the owner's the new product has not in its place. */
  readonly setAside: readonly PutAside[];
}

interface NewProduct {
  readonly files: ReadonlyMap<string, string>;
  readonly manifest: BuildManifest;
}

/** Errors: LOCKED, ALREADY_EXISTS, READ_ONLY, PERMISSION, DISK_FULL, CORRUPTION, FORMAT_UNKNOWN, IO_ERROR. */
export function replaceProduct(
  directory: string, product: string, selectionHash: string, files: ReadonlyMap<string, string>,
  options: ReplaceOptions,
): ReplaceReport {
  const target = productPlace(directory);
  const hashes = Object.fromEntries([...files].map(([path, text]) => [path, sha256(Buffer.from(text))]));
  const { knobDefaults } = options;
  const manifest = { version: 1, product, selectionHash, files: hashes, knobDefaults } as const;
  const made = { files, manifest };
  return onPlace(target, options, () => {
    settle(target);
    return replaceHeld(target, made, options);
  });
}

/** Whether a product may be written there, told before any work is done. Errors: as `replaceProduct`. */
export function checkProductPlace(directory: string, options: ReplaceOptions): void {
  const target = productPlace(directory);
  onPlace(target, options, () => {
    settle(target);
    ownerEdits(target, standingProduct(target), new Map(), options);
  });
}

/** What `replaceProduct` would do, without a byte written. Errors: as `replaceProduct`. */
export function surveyProduct(
  directory: string, files: ReadonlyMap<string, string>, options: ReplaceOptions,
): ReplaceReport {
  const place = productPlace(directory);
  // A build that was interrupted may have left the product there, and the next one brings it back.
  const target = existsSync(place) || !existsSync(previousOf(place)) ? place : previousOf(place);
  const before = standingProduct(target);
  const setAside = ownerEdits(target, before, files, options);
  return { replaced: before !== undefined, changes: fileChanges(target, before, files), setAside };
}

function onPlace<Result>(target: string, { held = false }: Pick<ReplaceOptions, "held">, work: () => Result): Result {
  try {
    const hold = held ? undefined : holdPlace(target);
    try {
      return work();
    } finally {
      hold?.release();
    }
  } catch (error) {
    throw placeError(error, target);
  }
}

function replaceHeld(target: string, made: NewProduct, options: ReplaceOptions): ReplaceReport {
  const { files, manifest } = made;
  const before = standingProduct(target);
  const edits = ownerEdits(target, before, files, options);
  const changes = fileChanges(target, before, files);
  const replaced = before !== undefined;
  const manifestText = `${JSON.stringify(manifest, null, 2)}\n`;
  const same = changes.added.length + changes.changed.length + changes.removed.length === 0;
  if (replaced && same && edits.length === 0 && readFileSync(join(target, manifestPath), "utf8") === manifestText) {
    return { replaced, changes, setAside: edits };
  }
  const generations = { before: before?.files ?? {}, after: manifest.files };
  if (replaced) checkMovable(target, generations);
  const temporary = `${siblingOf(target, "building")}${process.pid}`;
  try {
    makeDirectories(temporary);
    const kept = new Set(changes.unchanged);
    for (const [path, text] of files) {
      if (kept.has(path)) keepFile(join(target, path), join(temporary, path), text);
      else writeFile(join(temporary, path), text, modeAt(target, path));
    }
    writeFile(join(temporary, manifestPath), manifestText);
    if (existsSync(target)) keepModes(target, temporary, files.keys());
    const places = publish(target, temporary, replaced, generations);
    return { replaced, changes, setAside: edits.map((edit) => ({ ...edit, kept: places.get(edit.path) })) };
  } catch (error) {
    quietly(() => rmSync(temporary, { recursive: true, force: true }));
    throw error;
  }
}

/** Step 4. Returns where edited files are now. */
function publish(
  target: string, temporary: string, replaced: boolean, generations: Generations,
): ReadonlyMap<string, string> {
  if (!replaced) {
    renameSync(temporary, target);
    return new Map();
  }
  const previous = previousOf(target);
  const done: OwnerMove[] = [];
  const places = firstOrUndo(
    () => {
      renameSync(target, previous);
      done.push({ from: target, to: previous });
      renameSync(temporary, target);
      done.push({ from: temporary, to: target });
      return moveOwnerFiles(previous, target, generations, done);
    },
    () => {
      for (const { from, to } of done.toReversed()) renameSync(to, from);
    },
    `what you changed or added is in ${previous} until you build again`,
  );
  discard(target);
  return places;
}

/** Runs the work; where it fails, undoes it, and says so where that fails, too. */
function firstOrUndo<Result>(work: () => Result, undo: () => void, otherwise: string): Result {
  try {
    return work();
  } catch (error) {
    try {
      undo();
    } catch (cause) {
      const message = `the product was not replaced as a whole (${(error as Error).message}); ${otherwise}`;
      throw new LatheError("IO_ERROR", message, { cause });
    }
    throw error;
  }
}

/** Removes the product that was put aside. What stays of it is removed by the next build. */
function discard(target: string): void {
  quietly(() => {
    const doomed = `${siblingOf(target, "removing")}${process.pid}`;
    renameSync(previousOf(target), doomed);
    rmSync(doomed, { recursive: true, force: true });
  });
}

/**
 * Finishes step 4 of a replacement, or undoes it where the new product did not get into place; removes what builds left
 * that were killed. Under the lock: nobody else works here.
 */
function settle(target: string): void {
  for (const kind of ["building", "staging", "removing"] as const) {
    const prefix = siblingOf(target, kind);
    removeAbandoned(dirname(prefix), basename(prefix), true);
  }
  const previous = previousOf(target);
  if (!existsSync(previous)) return;
  const before = readManifest(previous);
  if (before === undefined) {
    const message = `${previous} is in the way: a product is put aside under that name while it is replaced, and ` +
      "this is none; move it away";
    throw new LatheError("ALREADY_EXISTS", message);
  }
  const isEmpty = existsSync(target) && statSync(target).isDirectory() && readdirSync(target).length === 0;
  if (isEmpty || !existsSync(target)) {
    renameSync(previous, target);
    return;
  }
  const after = readManifest(target);
  if (after === undefined) {
    const message = `a build that was interrupted left the product of ${target} as ${previous}, and by now something ` +
      "else is there; move one of them away and build again";
    throw new LatheError("ALREADY_EXISTS", message);
  }
  moveOwnerFiles(previous, target, { before: before.files, after: after.files }, []);
  discard(target);
}

function fileChanges(
  target: string, manifest: BuildManifest | undefined, files: ReadonlyMap<string, string>,
): FileChanges {
  const before = manifest?.files ?? {};
  const stateOf = ([path, text]: readonly [string, string]): keyof FileChanges => {
    const stats = entryAt(target, path);
    if (stats === undefined) return Object.hasOwn(before, path) ? "changed" : "added";
    return stats.isFile() && readFileSync(join(target, path)).equals(Buffer.from(text)) ? "unchanged" : "changed";
  };
  const { added = [], changed = [], unchanged = [] } = Object.groupBy(files, stateOf);
  const paths = (entries: readonly (readonly [string, string])[]) => entries.map(([path]) => path);
  const removed = Object.keys(before).filter((path) => !files.has(path));
  return { added: paths(added), changed: paths(changed), removed, unchanged: paths(unchanged) };
}

const editsShownMax = 20;

/** Undefined where nothing is. Errors: ALREADY_EXISTS for anything but a product, and those of `readManifest`. */
function standingProduct(target: string): BuildManifest | undefined {
  if (!existsSync(target)) return undefined;
  if (!statSync(target).isDirectory()) {
    throw new LatheError("ALREADY_EXISTS", `${target} is a file; choose another --out directory`);
  }
  const manifest = readManifest(target);
  if (manifest === undefined) {
    if (readdirSync(target).length === 0) return undefined;
    // What a copy leaves behind that did not get to its end, or one without what is hidden.
    const looksLikeOne = ["product.ts", "selection.json"].every((name) => existsSync(join(target, name)));
    const what = looksLikeOne
      ? `looks like a product of which a part is missing (${manifestPath}); remove it, or choose another directory`
      : "is not empty and holds no product; choose another --out directory";
    throw new LatheError("ALREADY_EXISTS", `${target} ${what}`);
  }
  return manifest;
}

/** Whether the file that is there has the bytes of the new one. */
function hasBytesOf(text: string | undefined, target: string, path: string): boolean {
  if (text === undefined || entryAt(target, path)?.isFile() !== true) return false;
  return hashOf(join(target, path)) === sha256(Buffer.from(text));
}

/**
 * Every change of the owner's that the new product has not. Errors: ALREADY_EXISTS without `force`, where one is in a
 * file that is not carried over.
 */
function ownerEdits(
  target: string, before: BuildManifest | undefined, files: ReadonlyMap<string, string>, options: ReplaceOptions,
): UserEdit[] {
  if (before === undefined) return [];
  const { carried, force } = options;
  const found = [...findEdits(target, before), ...findObstacles(target, before.files, files)];
  const edits = found.filter(({ path }) => !carried.includes(path));
  if (edits.length === 0 || force) {
    return found.filter(({ path }) => !carried.includes(path) || !hasBytesOf(files.get(path), target, path));
  }
  const lines = edits.slice(0, editsShownMax).map(({ path, kind }) => `  ${path} (${kind})`);
  if (edits.length > editsShownMax) lines.push(`  … and ${edits.length - editsShownMax} more`);
  const message = `${target} holds a product with changes of yours, and nothing was written:\n${lines.join("\n")}\n` +
    "build elsewhere with --out, or replace it with --force (your files are kept in .lathe/replaced/)";
  throw new LatheError("ALREADY_EXISTS", message, { details: { edits } });
}

function siblingOf(target: string, kind: "building" | "staging" | "removing"): string {
  return join(dirname(target), `.${basename(target)}.${kind}-`);
}

/**
 * Brings back the product of a directory that is missing where a build that was killed had put it aside; returns
 * whether it did. Errors: LOCKED while a build works there; READ_ONLY, PERMISSION, and the system's.
 */
export function bringBackProduct(directory: string): boolean {
  if (productPutAside(directory) === undefined) return false;
  const target = productPlace(directory);
  return onPlace(target, { held: false }, () => {
    settle(target);
    return existsSync(target);
  });
}

/** Where a replacement that was interrupted left the product of a directory that is missing. */
export function productPutAside(directory: string): string | undefined {
  const target = resolve(directory);
  return !existsSync(target) && existsSync(previousOf(target)) ? previousOf(target) : undefined;
}

function previousOf(target: string): string {
  return join(dirname(target), `.${basename(target)}.previous`);
}

/** Permission bits of a generated file that is there. */
function modeAt(directory: string, path: string): number | undefined {
  const stats = entryAt(directory, path);
  return stats?.isFile() === true ? stats.mode & 0o777 : undefined;
}

/** Of the directories. One that nobody may write to could not take what is the owner's. */
function keepModes(from: string, to: string, paths: Iterable<string>): void {
  for (const folder of ["", ...foldersOf(paths)]) {
    const stats = entryAt(from, folder);
    const mode = stats?.isDirectory() === true ? stats.mode & 0o777 : 0;
    const made = statSync(join(to, folder)).mode & 0o777;
    if ((mode & 0o300) === 0o300 && mode !== made) chmodSync(join(to, folder), mode);
  }
}

/** The same file under a second name, for the first one goes with the old directory. */
function keepFile(present: string, file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  try {
    linkSync(present, file);
  } catch {
    // A file system without links: the same bytes with the same time.
    const { atime, mtime, mode } = statSync(present);
    writeFile(file, text, mode & 0o777);
    utimesSync(file, atime, mtime);
  }
}

function writeFile(file: string, text: string, mode?: number): void {
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, "w");
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    if (mode !== undefined) fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // What is left over is swept by the next build.
  }
}
