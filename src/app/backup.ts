/**
 * Use cases: back up a data directory, of a running or a stopped server, and verify backups.
 *
 *   1. Take a consistent picture (backup-source.ts) and scrub its tables: damage is not backed up as if it were data.
 *   2. Copy each file, or link it where the last backup has one with the same digest; read every copy again.
 *   3. Hash what the copy's tables hold, write the manifest, make everything durable, give the backup its name.
 * Verifying reads every file of a backup again: digests, scrub, content hash.
 */
import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { lockFileName } from "../kit/env/node-directory-lock.ts";
import { nodeDisk } from "../kit/env/node-disk.ts";
import { isSystemError, translateSystemError } from "../kit/env/system-error.ts";
import { errorCodeOf, LatheError } from "../kit/errors.ts";
import type { StoreContent } from "../parts/storage/storage_model/row/kvlsm/blackboard/content-hash.ts";
import {
  backupIds, type BackupFile, type BackupManifest, claimBackup, copyDurably, digestOf, filesBelow, findBackup,
  partialBackups, readBackupManifest, syncTree, writeBackupManifest,
} from "./backup-set.ts";
import { type BackupSource, openBackupSource } from "./backup-source.ts";
import { ByteProgress } from "./byte-progress.ts";
import { hashEngine } from "./engine-files.ts";
import { scrubDirectory, type ScrubbedFile } from "./scrub.ts";
import { findStore } from "./store-directory.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface BackupResult {
  readonly set: string;
  readonly id: string;
  readonly files: number;
  readonly bytes: number;
  /** Of files that an earlier backup had. */
  readonly linkedBytes: number;
  readonly keyCount: number;
  readonly contentHash: string;
}

export interface VerifyResult {
  readonly set: string;
  readonly backups: readonly { readonly id: string; readonly bytes: number; readonly problems: readonly string[] }[];
  /** Directories that a backup which was killed left behind, or that one under way writes; no backups. */
  readonly partial: readonly string[];
}

/** Errors: INVALID_ARGUMENT, NOT_FOUND, LOCKED, CORRUPTION, DISK_FULL, TIMEOUT, IO_ERROR, CANCELLED. */
export async function backUp(directory: string, to: string, context: UseCaseContext): Promise<BackupResult> {
  const set = resolve(to);
  refuseSet(set, resolve(directory));
  const createdAt = new Date();
  const { id, partial } = claimBackup(set, createdAt);
  let source: BackupSource | undefined;
  try {
    mkdirSync(join(partial, "data"));
    source = await openBackupSource(directory, join(partial, "log"));
    const last = newestReadable(set, context);
    const { files, linkedBytes } = await copyFiles(source, set, last, join(partial, "data"), context);
    const { state, store } = source;
    source.release();
    source = undefined;
    const scrubbed = await scrubDirectory(join(partial, "data"), context);
    refuseDamage(scrubbed.files);
    const content = await contentOf(join(partial, "data"), context);
    const { keyCount, hash: contentHash } = content;
    const { selectionHash, isProduct } = store;
    const { durableIndex } = state;
    writeBackupManifest(partial, {
      format: "lathe-backup", version: 1, id, createdAt: createdAt.toISOString(), source: resolve(directory),
      selectionHash, isProduct, durableIndex, keyCount, contentHash, files,
    });
    syncTree(partial);
    renameSync(partial, join(set, id));
    syncTree(join(set, id));
    nodeDisk.syncDirectory(set);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return { set, id, files: files.length, bytes, linkedBytes, keyCount, contentHash };
  } catch (error) {
    source?.release();
    rmSync(partial, { recursive: true, force: true });
    throw isSystemError(error) ? translateSystemError(error, "back up to", set) : error;
  }
}

/** A set within the data would back up itself and fill the server's directory. */
function refuseSet(set: string, data: string): void {
  const inside = set === data || set.startsWith(`${data}${sep}`);
  if (!inside && !existsSync(join(set, "engine")) && !existsSync(join(set, "CURRENT"))) return;
  const what = inside ? `lies in the data directory ${data}` : "is a data directory itself";
  throw new LatheError("INVALID_ARGUMENT", `${set} ${what}; name a directory of its own for backups with --to`);
}

/** The newest backup whose manifest can be read: damage of an old one must not keep a new one from being made. */
function newestReadable(set: string, context: UseCaseContext): BackupManifest | undefined {
  for (const id of backupIds(set).reverse()) {
    try {
      return readBackupManifest(set, id);
    } catch (error) {
      context.progress(`nothing is linked to ${id}: ${(error as Error).message}`);
    }
  }
  return undefined;
}

/** Verifies one backup, or all of a set. Damage is a result. Errors: NOT_FOUND, IO_ERROR, CANCELLED. */
export async function verifyBackups(
  set: string,
  id: string | undefined,
  context: UseCaseContext,
): Promise<VerifyResult> {
  const ids = id === undefined ? backupIds(set) : [findBackup(set, id)];
  if (ids.length === 0) findBackup(set, undefined);
  const backups: { id: string; bytes: number; problems: string[] }[] = [];
  for (const one of ids) {
    const problems: string[] = [];
    let bytes = 0;
    try {
      const manifest = readBackupManifest(set, one);
      bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
      problems.push(...(await differingFiles(manifest, join(set, one, "data"), context)));
      problems.push(...(await contentProblems(manifest, join(set, one, "data"), context)));
    } catch (error) {
      if (errorCodeOf(error) === "CANCELLED") throw error;
      problems.push((error as Error).message);
    }
    backups.push({ id: one, bytes, problems });
  }
  return { set, backups, partial: partialBackups(set) };
}

/** What the files of a directory differ in from a manifest: digests, missing and additional ones. */
export async function differingFiles(
  manifest: BackupManifest,
  directory: string,
  context: UseCaseContext,
): Promise<string[]> {
  const problems: string[] = [];
  const progress = new ByteProgress(context, "read again");
  for (const { path, bytes, sha256 } of manifest.files) {
    const file = join(directory, path);
    if (!existsSync(file)) {
      problems.push(`${path} is missing`);
      continue;
    }
    const found = await digestOf(file, progress);
    if (found.sha256 === sha256) continue;
    problems.push(`${path} differs from what was backed up (${found.bytes} bytes, ${bytes} expected)`);
  }
  const known = new Set(manifest.files.map(({ path }) => path));
  for (const path of filesBelow(directory)) {
    if (!known.has(path) && path !== lockFileName) problems.push(`${path} is no part of the backup`);
  }
  return problems;
}

/** The hash of what the tables of a data directory hold. Errors: CORRUPTION, NOT_FOUND. */
export async function contentOf(directory: string, context: UseCaseContext): Promise<StoreContent> {
  const store = findStore(directory);
  const steps = hashEngine(store);
  const progress = new ByteProgress(context, "of contents compared");
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) await progress.add(step.value);
  return step.value;
}

async function contentProblems(
  manifest: BackupManifest,
  directory: string,
  context: UseCaseContext,
): Promise<string[]> {
  const { files } = await scrubDirectory(directory, context);
  const problems = files.flatMap(({ file, problems: found }) =>
    found.flatMap(({ severity, offset, what }) => (severity === "note" ? [] : [`${file} at byte ${offset}: ${what}`])),
  );
  if (problems.length > 0) return problems;
  const { hash, keyCount } = await contentOf(directory, context);
  if (hash === manifest.contentHash && keyCount === manifest.keyCount) return [];
  const backedUp = `${manifest.keyCount} with ${manifest.contentHash} were backed up`;
  return [`its tables hold ${keyCount} keys with the hash ${hash}; ${backedUp}`];
}

async function copyFiles(
  source: BackupSource,
  set: string,
  last: BackupManifest | undefined,
  target: string,
  context: UseCaseContext,
): Promise<{ files: BackupFile[]; linkedBytes: number }> {
  const files: BackupFile[] = [];
  let linkedBytes = 0;
  const progress = new ByteProgress(context, "copied or compared");
  for (const [path, from] of [...source.files].sort(([one], [other]) => (one < other ? -1 : 1))) {
    context.signal.throwIfAborted();
    const to = join(target, path);
    const same = last?.files.find((file) => file.path === path);
    if (last !== undefined && same !== undefined) {
      const digest = await digestOf(from, progress);
      if (digest.sha256 === same.sha256 && linked(join(set, last.id, "data", path), to)) {
        // The older copy counts only if it still is what it was.
        if ((await digestOf(to, progress)).sha256 === digest.sha256) {
          linkedBytes += digest.bytes;
          files.push({ path, ...digest });
          continue;
        }
        rmSync(to);
      }
    }
    const digest = await copyDurably(from, to, progress);
    if ((await digestOf(to, progress)).sha256 !== digest.sha256) {
      throw new LatheError("IO_ERROR", `${to} reads otherwise than it was written; check the device`);
    }
    files.push({ path, ...digest });
  }
  return { files, linkedBytes };
}

function linked(source: string, target: string): boolean {
  mkdirSync(dirname(target), { recursive: true });
  try {
    linkSync(source, target);
    return true;
  } catch {
    // A file system without links, or an older backup that is incomplete: the file is copied.
    return false;
  }
}

function refuseDamage(files: readonly ScrubbedFile[]): void {
  for (const { file, problems } of files) {
    const problem = problems.find(({ severity }) => severity === "damage");
    if (problem === undefined) continue;
    const way = "no backup was made; run `lathe repair` and back up what it makes";
    throw new LatheError("CORRUPTION", `${file}: ${problem.what}; ${way}`, { details: { path: file } });
  }
}
