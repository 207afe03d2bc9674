/**
 * BackupSet: a directory of backups. Each is a directory of its own, complete, and an ordinary data directory inside:
 *
 *   SET/20261121T143000Z/backup.json     what it holds: every file with size and SHA-256, and a hash of the content
 *   SET/20261121T143000Z/data/…          the files; one that an earlier backup has too is a hard link to it
 *
 * A backup is written under a name that ends in `.partial` and gets its own name when it is whole and checked. So one
 * may be removed at any time with `rm -r`, without harm to the others.
 * Source: rsnapshot and rsync's --link-dest; BorgBackup's check.
 */
import { createHash } from "node:crypto";
import {
  closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, statSync, writeSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { LatheError } from "../kit/errors.ts";

export interface BackupFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
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
const chunkBytes = 1 << 20;

/** Ids of the whole backups in a set, oldest first. */
export function backupIds(set: string): string[] {
  if (!existsSync(set)) return [];
  return readdirSync(set)
    .filter((name) => !name.endsWith(".partial") && existsSync(join(set, name, manifestName)))
    .sort();
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
  let manifest: Partial<BackupManifest>;
  try {
    manifest = JSON.parse(readFileSync(path, "utf8")) as Partial<BackupManifest>;
  } catch (cause) {
    const what = `${path} is damaged: ${(cause as Error).message}; use another backup`;
    throw new LatheError("CORRUPTION", what, { cause });
  }
  if (manifest.format !== "lathe-backup" || !Array.isArray(manifest.files)) {
    throw new LatheError("CORRUPTION", `${path} is no manifest of a backup; use another backup`);
  }
  if (manifest.version !== 1) {
    const way = "restore it with the Lathe that wrote it";
    const version = String(manifest.version);
    throw new LatheError("FORMAT_UNKNOWN", `${path} has version ${version}, this Lathe reads 1: ${way}`);
  }
  for (const { path: name } of manifest.files) {
    // A manifest that was tampered with must not lead out of its directory.
    if (typeof name !== "string" || name.startsWith("/") || name.split("/").includes("..")) {
      throw new LatheError("CORRUPTION", `${path} names ${JSON.stringify(name)}, which is no place in a backup`);
    }
  }
  return manifest as BackupManifest;
}

/** Durable before the backup gets its name. */
export function writeBackupManifest(directory: string, manifest: BackupManifest): void {
  const descriptor = openSync(join(directory, manifestName), "wx", 0o640);
  try {
    writeSync(descriptor, `${JSON.stringify(manifest, null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** SHA-256 of a file, read in chunks. */
export function digestOf(path: string): { sha256: string; bytes: number } {
  return readThrough(path, () => undefined);
}

/** Copies a file durably; returns the digest of what was read. Errors: the system's. */
export function copyDurably(source: string, target: string): { sha256: string; bytes: number } {
  mkdirSync(dirname(target), { recursive: true });
  const descriptor = openSync(target, "wx", 0o640);
  try {
    const digest = readThrough(source, (chunk, length) => {
      for (let done = 0; done < length; ) done += writeSync(descriptor, chunk, done, length - done);
    });
    fsyncSync(descriptor);
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
    if (!statSync(path).isDirectory()) continue;
    const descriptor = openSync(path, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}

function readThrough(
  path: string,
  see: (chunk: Uint8Array, length: number) => void,
): { sha256: string; bytes: number } {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(chunkBytes);
  const descriptor = openSync(path, "r");
  try {
    let bytes = 0;
    for (let length = -1; length !== 0; bytes += length) {
      length = readSync(descriptor, chunk, 0, chunk.length, null);
      hash.update(chunk.subarray(0, length));
      see(chunk, length);
    }
    return { sha256: hash.digest("hex"), bytes };
  } finally {
    closeSync(descriptor);
  }
}
