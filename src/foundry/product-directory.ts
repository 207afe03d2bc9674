/**
 * A product's directory on disk: written as a whole or not at all, and never over what its owner changed.
 *
 * Steps of `replaceProduct`:
 *   1. finish or undo a replacement that was interrupted (`recover`);
 *   2. refuse a directory that is neither empty nor a product, and, without `force`, a product with edited files;
 *      leave a product alone of which no byte would change;
 *   3. write the files into a temporary sibling and sync them; what has the same bytes as before is linked there
 *      instead, so that it stays the same file, with its time;
 *   4. rename: the old directory aside, the new one into place; then move what the build does not know (studies, git,
 *      data, files of the owner) from the old to the new one, edited files under `.lathe/replaced/`; remove the rest.
 * Invariant: at every moment either the old or the new product is whole on disk, under its name or as `.NAME.previous`.
 * `.lathe/build.json` lists every generated file with its SHA-256, which is how edits are noticed.
 */
import { createHash } from "node:crypto";
import {
  closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync,
  statSync, utimesSync, writeSync,
} from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { LatheError } from "../kit/errors.ts";
import { removeAbandoned } from "./abandoned-directories.ts";
import { makeDirectories, productPlace } from "./product-place.ts";

export const manifestPath = ".lathe/build.json";

export interface BuildManifest {
  readonly version: 1;
  readonly product: string;
  readonly selectionHash: string;
  readonly files: Readonly<Record<string, string>>;
}

export interface UserEdit {
  readonly path: string;
  readonly kind: "edited" | "removed";
}

export interface ReplaceOptions {
  readonly force: boolean;
  /** Generated files whose edits are carried over by the caller and need no force. */
  readonly carried: readonly string[];
}

/** What a build does to the generated files of a product, by path. */
export interface FileChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** Same bytes as before: left as they are. */
  readonly unchanged: readonly string[];
}

export interface ReplaceReport {
  readonly replaced: boolean;
  readonly changes: FileChanges;
  /** Edited files of the old product that were put aside. */
  readonly setAside: readonly UserEdit[];
}

/** Undefined where the directory holds no product. Errors: CORRUPTION. */
export function readManifest(directory: string): BuildManifest | undefined {
  const file = join(directory, manifestPath);
  if (!existsSync(file)) return undefined;
  try {
    const manifest = JSON.parse(readFileSync(file, "utf8")) as BuildManifest;
    if (manifest.version === 1 && typeof manifest.files === "object") return manifest;
  } catch {
    // Falls through: unreadable is as bad as wrong.
  }
  throw new LatheError("CORRUPTION", `${file} is damaged; build into another directory and move your files there`);
}

/** Generated files that are not as they were built. */
export function findEdits(directory: string, manifest: BuildManifest): UserEdit[] {
  return Object.entries(manifest.files).flatMap(([path, hash]): UserEdit[] => {
    const file = join(directory, path);
    if (!existsSync(file)) return [{ path, kind: "removed" }];
    return sha256(readFileSync(file)) === hash ? [] : [{ path, kind: "edited" }];
  });
}

/** Errors: ALREADY_EXISTS, READ_ONLY, PERMISSION, DISK_FULL, IO_ERROR. */
export function replaceProduct(
  directory: string,
  product: string,
  selectionHash: string,
  files: ReadonlyMap<string, string>,
  options: ReplaceOptions,
): ReplaceReport {
  const target = productPlace(directory);
  const temporary = join(dirname(target), `${buildingPrefix(target)}${process.pid}`);
  try {
    recover(target);
    removeAbandoned(dirname(target), buildingPrefix(target));
    const edits = checkTarget(target, options);
    const changes = fileChanges(target, files);
    const hashes = Object.fromEntries([...files].map(([path, text]) => [path, sha256(Buffer.from(text))]));
    const manifest: BuildManifest = { version: 1, product, selectionHash, files: hashes };
    const manifestText = `${JSON.stringify(manifest, null, 2)}\n`;
    const replaced = existsSync(target) && readManifest(target) !== undefined;
    const same = changes.added.length + changes.changed.length + changes.removed.length === 0;
    if (replaced && same && readFileSync(join(target, manifestPath), "utf8") === manifestText) {
      return { replaced, changes, setAside: edits };
    }
    rmSync(temporary, { recursive: true, force: true });
    makeDirectories(temporary);
    const kept = new Set(changes.unchanged);
    for (const [path, text] of files) {
      if (kept.has(path)) keepFile(join(target, path), join(temporary, path), text);
      else writeFile(join(temporary, path), text);
    }
    writeFile(join(temporary, manifestPath), manifestText);
    if (existsSync(target)) renameSync(target, previousOf(target));
    renameSync(temporary, target);
    recover(target);
    return { replaced, changes, setAside: edits };
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw describeSystemError(error, target);
  }
}

/** What `replaceProduct` would do, without a byte written. Errors: as `replaceProduct`. */
export function surveyProduct(
  directory: string, files: ReadonlyMap<string, string>, options: ReplaceOptions,
): ReplaceReport {
  const target = productPlace(directory);
  const edits = checkTarget(target, options);
  const replaced = existsSync(target) && readManifest(target) !== undefined;
  return { replaced, changes: fileChanges(target, files), setAside: edits };
}

function fileChanges(target: string, files: ReadonlyMap<string, string>): FileChanges {
  const before = existsSync(target) ? (readManifest(target)?.files ?? {}) : {};
  const stateOf = ([path, text]: readonly [string, string]): keyof FileChanges => {
    const file = join(target, path);
    if (!existsSync(file)) return Object.hasOwn(before, path) ? "changed" : "added";
    return statSync(file).isFile() && readFileSync(file).equals(Buffer.from(text)) ? "unchanged" : "changed";
  };
  const { added = [], changed = [], unchanged = [] } = Object.groupBy(files, stateOf);
  const paths = (entries: readonly (readonly [string, string])[]) => entries.map(([path]) => path);
  const removed = Object.keys(before).filter((path) => !files.has(path));
  return { added: paths(added), changed: paths(changed), removed, unchanged: paths(unchanged) };
}

/** Whether a product may be written there, told before any work is done. Errors: as `replaceProduct`. */
export function checkProductPlace(directory: string, options: ReplaceOptions): void {
  const target = productPlace(directory);
  try {
    recover(target);
    checkTarget(target, options);
  } catch (error) {
    throw describeSystemError(error, target);
  }
}

function checkTarget(target: string, options: ReplaceOptions): UserEdit[] {
  if (!existsSync(target)) return [];
  if (!statSync(target).isDirectory()) {
    throw new LatheError("ALREADY_EXISTS", `${target} is a file; choose another --out directory`);
  }
  const manifest = readManifest(target);
  if (manifest === undefined) {
    if (readdirSync(target).length === 0) return [];
    // What a copy leaves behind that did not get to its end, or one without what is hidden.
    const looksLikeOne = ["product.ts", "selection.json"].every((name) => existsSync(join(target, name)));
    const what = looksLikeOne
      ? `looks like a product of which a part is missing (${manifestPath}); remove it, or choose another directory`
      : "is not empty and holds no product; choose another --out directory";
    throw new LatheError("ALREADY_EXISTS", `${target} ${what}`);
  }
  const edits = findEdits(target, manifest).filter((edit) => !options.carried.includes(edit.path));
  if (edits.length > 0 && !options.force) {
    const list = edits.map((edit) => `  ${edit.path} (${edit.kind})`).join("\n");
    const message = `${target} holds a product with changes of yours, and nothing was written:\n${list}\n` +
      "build elsewhere with --out, or replace it with --force (edited files are kept in .lathe/replaced/)";
    throw new LatheError("ALREADY_EXISTS", message, { details: { edits } });
  }
  return edits;
}

/** Finishes step 4 of a replacement, or undoes it where the new product did not get into place. */
function recover(target: string): void {
  const previous = previousOf(target);
  if (!existsSync(previous)) return;
  if (!existsSync(target)) {
    renameSync(previous, target);
    return;
  }
  const generated = readManifest(previous)?.files ?? {};
  for (const path of listFiles(previous, "", generated)) {
    const known = Object.hasOwn(generated, path);
    if (known && sha256(readFileSync(join(previous, path))) === generated[path]) continue;
    if (path === manifestPath) continue;
    move(join(previous, path), known ? join(target, ".lathe", "replaced", path) : join(target, path));
  }
  rmSync(previous, { recursive: true, force: true });
}

function buildingPrefix(target: string): string {
  return `.${basename(target)}.building-`;
}

function previousOf(target: string): string {
  return join(dirname(target), `.${basename(target)}.previous`);
}

/** Files below a directory; a directory that holds no generated file is listed as one. */
function listFiles(root: string, below: string, generated: Readonly<Record<string, string>>): string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    const shared = path === ".lathe" || Object.keys(generated).some((name) => name.startsWith(`${path}/`));
    return entry.isDirectory() && shared ? listFiles(root, path, generated) : [path];
  });
}

function move(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  if (existsSync(target) && statSync(target).isDirectory() && statSync(source).isDirectory()) {
    for (const name of readdirSync(source)) move(join(source, name), join(target, name));
  } else renameSync(source, target);
}

/** The same file under a second name, for the first one goes with the old directory. */
function keepFile(present: string, file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  try {
    linkSync(present, file);
  } catch {
    // A file system without links: the same bytes with the same time.
    const { atime, mtime } = statSync(present);
    writeFile(file, text);
    utimesSync(file, atime, mtime);
  }
}

function writeFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, "w");
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

type WriteFailure = readonly [code: "READ_ONLY" | "PERMISSION" | "DISK_FULL", advice: string];

const denied = "you may not write there; choose another --out directory or change its owner or mode";

const systemCodes: Readonly<Record<string, WriteFailure>> = {
  EROFS: ["READ_ONLY", "its file system is mounted read-only; choose another --out directory"],
  EACCES: ["PERMISSION", denied],
  EPERM: ["PERMISSION", denied],
  ENOSPC: ["DISK_FULL", "no space is left on the device; free some and build again"],
  EDQUOT: ["DISK_FULL", "your quota is used up; free some space and build again"],
};

function describeSystemError(error: unknown, target: string): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const known = Object.hasOwn(systemCodes, code) ? systemCodes[code] : undefined;
  if (known === undefined) return error;
  const parent = relative(process.cwd(), dirname(target)).split(sep).join("/") || ".";
  return new LatheError(known[0], `cannot write ${target} (in ${parent}): ${known[1]}`, { cause: error });
}
