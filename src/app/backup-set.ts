/**
 * BackupSet: a directory of backups. Each is a directory of its own, complete, and an ordinary data directory inside:
 *
 *   SET/20261121T143000Z/backup.json     what it holds: every file with size and SHA-256, and a hash of the content
 *   SET/20261121T143000Z/data/…          the files; one that an earlier backup has too is a hard link to it
 *
 * backup.json has a version of its own; the files inside have those of their kinds. A set of every version is kept in
 * golden/, and must verify and restore for ever.
 * A backup is written under a name that ends in `.partial` and gets its own name when it is whole and checked. So one
 * may be removed at any time with `rm -r`, without harm to the others.
 * Source: rsnapshot and rsync's --link-dest; BorgBackup's check.
 */
import { createHash } from "node:crypto";
import {
  closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, statSync, writeSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { nodeDisk } from "../kit/env/node-disk.ts";
import { translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";
import type { ByteProgress } from "./byte-progress.ts";

export interface BackupFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Digest {
  readonly sha256: string;
  readonly bytes: number;
}

export interface BackupManifest {
  readonly format: "lathe-backup";
  readonly version: 1;
  readonly id: string;
  readonly createdAt: string;
  /** Absolute path of the data directory. */
  readonly source: string;
  readonly selectionHash: string;
  readonly isProduct: boolean;
  /** Everything up to this index is in the tables; the log has what came after. */
  readonly durableIndex: number;
  readonly keyCount: number;
  /** Over the keys and values of the tables. */
  readonly contentHash: string;
  readonly files: readonly BackupFile[];
}

const manifestName = "backup.json";
const partialSuffix = ".partial";
const chunkBytes = 1 << 20;

/** Ids of the whole backups in a set, oldest first. */
export function backupIds(set: string): string[] {
  if (!existsSync(set)) return [];
  return readdirSync(set)
    .filter((name) => !name.endsWith(partialSuffix) && existsSync(join(set, name, manifestName)))
    .sort();
}

/** What backups that were killed left behind; or one that is under way. */
export function partialBackups(set: string): string[] {
  return existsSync(set) ? readdirSync(set).filter((name) => name.endsWith(partialSuffix)).sort() : [];
}

/**
 * Takes an id that no other backup has, finished or under way, and makes the directory for it. The id is the time in
 * UTC, with a number behind it where two fall into one second. Errors: DISK_FULL, READ_ONLY, PERMISSION.
 */
export function claimBackup(set: string, at: Date): { id: string; partial: string } {
  const time = `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  try {
    mkdirSync(set, { recursive: true });
    for (let number = 1; ; number++) {
      const id = number === 1 ? time : `${time}-${number}`;
      const partial = join(set, `${id}${partialSuffix}`);
      if (existsSync(join(set, id)) || existsSync(partial)) continue;
      mkdirSync(partial);
      return { id, partial };
    }
  } catch (error) {
    throw translateSystemError(error, "make a backup in", set);
  }
}

/** `id` or the newest. Errors: NOT_FOUND. */
export function findBackup(set: string, id: string | undefined): string {
  const ids = backupIds(set);
  const found = id === undefined ? ids[ids.length - 1] : ids.find((one) => one === id);
  if (found !== undefined) return found;
  const what = id === undefined ? "no backup" : `no backup ${id}; there are ${ids.join(", ") || "none"}`;
  throw new LatheError("NOT_FOUND", `${set} holds ${what}; \`lathe backup --data DIR --to ${set}\` makes one`);
}

/** Errors: CORRUPTION, FORMAT_UNKNOWN. */
export function readBackupManifest(set: string, id: string): BackupManifest {
  const path = join(set, id, manifestName);
  let manifest: Partial<Omit<BackupManifest, "version">> & { readonly version?: unknown };
  try {
    manifest = JSON.parse(readFileSync(path, "utf8")) as typeof manifest;
  } catch (cause) {
    const what = `${path} is damaged: ${(cause as Error).message}; use another backup`;
    throw new LatheError("CORRUPTION", what, { cause });
  }
  const damaged = (what: string) => new LatheError("CORRUPTION", `${path} ${what}; use another backup`);
  if (manifest?.format !== "lathe-backup") throw damaged("is no manifest of a backup");
  if (manifest.version !== 1) {
    const way = "restore it with the Lathe that wrote it";
    const version = String(manifest.version);
    throw new LatheError("FORMAT_UNKNOWN", `${path} has version ${version}, this Lathe reads 1: ${way}`);
  }
  const { durableIndex, keyCount, contentHash, selectionHash, files } = manifest;
  const counts = [durableIndex, keyCount].every((count) => Number.isSafeInteger(count) && (count as number) >= 0);
  const hashes = typeof contentHash === "string" && typeof selectionHash === "string";
  if (!counts || !hashes || !Array.isArray(files)) throw damaged("lacks a count, a hash or its files");
  for (const file of files as readonly (Partial<BackupFile> | null)[]) {
    if (typeof file?.sha256 !== "string" || !Number.isSafeInteger(file.bytes)) {
      throw damaged(`lacks the digest of ${JSON.stringify(file?.path)}`);
    }
    // A manifest that was tampered with must not lead out of its directory.
    const name = file.path;
    if (typeof name !== "string" || name === "" || name.startsWith("/") || name.split("/").includes("..")) {
      throw damaged(`names ${JSON.stringify(name)}, which is no place in a backup`);
    }
  }
  return manifest as BackupManifest;
}

/** Durable before the backup gets its name. Errors: DISK_FULL, IO_ERROR. */
export function writeBackupManifest(directory: string, manifest: BackupManifest): void {
  const path = join(directory, manifestName);
  try {
    const descriptor = openSync(path, "wx", 0o640);
    try {
      writeSync(descriptor, `${JSON.stringify(manifest, null, 2)}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw translateSystemError(error, "write", path);
  }
}

/** SHA-256 of a file, read in chunks. Errors: CANCELLED, the system's, translated. */
export function digestOf(path: string, progress: ByteProgress): Promise<Digest> {
  return readThrough(path, () => undefined, progress);
}

/** Copies a file durably; returns the digest of what was read. Errors: CANCELLED, DISK_FULL, IO_ERROR. */
export async function copyDurably(source: string, target: string, progress: ByteProgress): Promise<Digest> {
  const whileWriting = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw translateSystemError(error, "write", target);
    }
  };
  whileWriting(() => mkdirSync(dirname(target), { recursive: true }));
  const descriptor = whileWriting(() => openSync(target, "wx", 0o640));
  try {
    const write = (chunk: Uint8Array, length: number) =>
      whileWriting(() => {
        for (let done = 0; done < length; ) done += writeSync(descriptor, chunk, done, length - done);
      });
    const digest = await readThrough(source, write, progress);
    whileWriting(() => fsyncSync(descriptor));
    return digest;
  } finally {
    closeSync(descriptor);
  }
}

/** Files below a directory as relative paths, sorted. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => relative(directory, join(directory, name)))
    .sort();
}

/** Makes the names in a directory and below durable. */
export function syncTree(directory: string): void {
  for (const name of ["", ...readdirSync(directory, { recursive: true, encoding: "utf8" })]) {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) nodeDisk.syncDirectory(path);
  }
}

async function readThrough(
  path: string,
  see: (chunk: Uint8Array, length: number) => void,
  progress: ByteProgress,
): Promise<Digest> {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(chunkBytes);
  const whileReading = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw translateSystemError(error, "read", path);
    }
  };
  const descriptor = whileReading(() => openSync(path, "r"));
  try {
    for (let bytes = 0; ; ) {
      const length = whileReading(() => readSync(descriptor, chunk, 0, chunk.length, null));
      if (length === 0) return { sha256: hash.digest("hex"), bytes };
      hash.update(chunk.subarray(0, length));
      see(chunk, length);
      bytes += length;
      await progress.add(length);
    }
  } finally {
    closeSync(descriptor);
  }
}
