/**
 * The manifest of a product, `.lathe/build.json`: every generated file with its SHA-256. By it a build tells what is
 * its own, what its owner changed, and what of the owner's is in the way of a file that it would write.
 *
 * A generated file that is now a link or a directory counts as edited, whatever it leads to; so does a directory of
 * generated files that became a link. Nothing but regular files is read.
 */
import { createHash } from "node:crypto";
import { lstatSync, readFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";
import type { KnobValues } from "../kit/knob-values.ts";

export const manifestPath = ".lathe/build.json";

const versionNow = 1;

const schema = z.looseObject({
  version: z.literal(versionNow),
  product: z.string(),
  selectionHash: z.string(),
  files: z.record(z.string(), z.string()),
  knobDefaults: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).optional(),
});

export interface BuildManifest {
  readonly version: 1;
  readonly product: string;
  readonly selectionHash: string;
  readonly files: Readonly<Record<string, string>>;
  /** What a build writes into `knobs.yaml` where nobody asks for a value; products of before have no such list. */
  readonly knobDefaults?: KnobValues | undefined;
}

export interface UserEdit {
  readonly path: string;
  /** `added`: a file of the owner's where the build would write one. */
  readonly kind: "edited" | "removed" | "added";
}

/** Undefined where the directory holds no product. Errors: CORRUPTION; FORMAT_UNKNOWN for one of a newer Lathe. */
export function readManifest(directory: string): BuildManifest | undefined {
  const file = join(directory, manifestPath);
  const damaged = (cause: unknown) => {
    const message = `${file} is damaged; build into another directory and move your files there`;
    return new LatheError("CORRUPTION", message, { cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "EACCES") throw translateSystemError(error, "read", file);
    throw damaged(error);
  }
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > versionNow) {
    const message = `${file} is of version ${version}, and this Lathe knows ${versionNow}; build with the newer ` +
      "Lathe that wrote it, or into another directory";
    throw new LatheError("FORMAT_UNKNOWN", message, { details: { version } });
  }
  throw damaged(read.error);
}

/** Generated files that are not as they were built, and directories of them that are directories no more. */
export function findEdits(directory: string, { files }: Pick<BuildManifest, "files">): UserEdit[] {
  const moved = [...foldersOf([...Object.keys(files), manifestPath])].filter((folder) => {
    const stats = entryAt(directory, folder);
    return stats !== undefined && !stats.isDirectory();
  });
  const edits = moved.map((path): UserEdit => ({ path, kind: "edited" }));
  for (const [path, hash] of Object.entries(files)) {
    if (moved.some((folder) => path.startsWith(`${folder}/`))) continue;
    const stats = entryAt(directory, path);
    if (stats === undefined) edits.push({ path, kind: "removed" });
    else if (!stats.isFile() || hashOf(join(directory, path)) !== hash) edits.push({ path, kind: "edited" });
  }
  return edits;
}

/** What stands where the build would write a file or make a directory, and is none of the former build's. */
export function findObstacles(
  directory: string, before: Readonly<Record<string, string>>, files: ReadonlyMap<string, string>,
): UserEdit[] {
  const found = new Set<string>();
  const fresh = [...files.keys()].filter((path) => !Object.hasOwn(before, path));
  for (const folder of foldersOf(fresh)) {
    const stats = Object.hasOwn(before, folder) ? undefined : entryAt(directory, folder);
    if (stats !== undefined && !stats.isDirectory()) found.add(folder);
  }
  for (const path of fresh) {
    if ([...found].some((folder) => path.startsWith(`${folder}/`))) continue;
    const stats = entryAt(directory, path);
    if (stats === undefined) continue;
    const wanted = sha256(Buffer.from(files.get(path) ?? ""));
    if (!stats.isFile() || hashOf(join(directory, path)) !== wanted) found.add(path);
  }
  return [...found].map((path) => ({ path, kind: "added" }));
}

/** Every directory above these paths. */
export function foldersOf(paths: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      folders.add(path.slice(0, end));
    }
  }
  return folders;
}

/** What stands there, a link as itself; undefined for nothing, also where a file stands above. */
export function entryAt(directory: string, path: string): Stats | undefined {
  try {
    return lstatSync(join(directory, path), { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Errors: those of reading a file, as `LatheError`. */
export function hashOf(file: string): string {
  try {
    return sha256(readFileSync(file));
  } catch (error) {
    throw translateSystemError(error, "read", file);
  }
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
