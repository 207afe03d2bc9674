/**
 * Use case: make a data directory from a backup.
 *
 *   1. The target must be missing or empty; files are copied (never linked: the server will own them) and compared by
 *      digest.
 *   2. What the tables hold is hashed and compared with the backup's manifest.
 *   3. The store is opened, as a server would open it, up to the tables; what it says must agree.
 * The target is locked meanwhile, and CURRENT is written last, so that no server can open half of it. A restore that
 * fails removes what it wrote (new-directory.ts); one that is killed leaves it, and it must be removed by hand.
 */
import { join, resolve } from "node:path";
import { nodeDisk } from "../kit/env/node-disk.ts";
import { createNodeEnv } from "../kit/env/node-env.ts";
import { LatheError } from "../kit/errors.ts";
import { contentOf, differingFiles } from "./backup.ts";
import { type BackupManifest, copyDurably, findBackup, readBackupManifest, syncTree } from "./backup-set.ts";
import { ByteProgress } from "./byte-progress.ts";
import { openedIndex } from "./engine-files.ts";
import { intoNewDirectory } from "./new-directory.ts";
import { findStore } from "./store-directory.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface RestoreRequest {
  readonly set: string;
  /** The newest where it is undefined. */
  readonly id: string | undefined;
  readonly data: string;
}

export interface RestoreResult {
  readonly id: string;
  readonly data: string;
  readonly files: number;
  readonly bytes: number;
  readonly keyCount: number;
  readonly contentHash: string;
}

/** Errors: NOT_FOUND, ALREADY_EXISTS, LOCKED, CORRUPTION, FORMAT_UNKNOWN, DISK_FULL, IO_ERROR, CANCELLED. */
export async function restoreBackup(request: RestoreRequest, context: UseCaseContext): Promise<RestoreResult> {
  const set = resolve(request.set);
  const data = resolve(request.data);
  const id = findBackup(set, request.id);
  const manifest = readBackupManifest(set, id);
  return intoNewDirectory(data, async () => {
    const lock = nodeDisk.lock(data);
    try {
      await copyBackup(manifest, join(set, id, "data"), data, context);
      const { hash, keyCount } = await contentOf(data, context);
      if (hash !== manifest.contentHash || keyCount !== manifest.keyCount) {
        const what = `${data} holds other keys or values than were backed up; restore another backup`;
        throw new LatheError("CORRUPTION", what);
      }
      await reopen(data, manifest.durableIndex);
      const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
      return { id, data, files: manifest.files.length, bytes, keyCount, contentHash: hash };
    } finally {
      lock.release();
    }
  });
}

async function copyBackup(
  manifest: BackupManifest,
  backup: string,
  data: string,
  context: UseCaseContext,
): Promise<void> {
  // CURRENT last: without it nothing opens what is there.
  const isCurrent = (path: string) => Number(path.endsWith("CURRENT"));
  const files = [...manifest.files].sort((one, other) => isCurrent(one.path) - isCurrent(other.path));
  const progress = new ByteProgress(context, "copied");
  for (const { path, sha256 } of files) {
    context.signal.throwIfAborted();
    const digest = await copyDurably(join(backup, path), join(data, path), progress);
    if (digest.sha256 === sha256) continue;
    const way = "restore another backup (`lathe backup --verify` says which hold)";
    throw new LatheError("CORRUPTION", `${join(backup, path)} is not what was backed up; ${way}`, {
      details: { path: join(backup, path) },
    });
  }
  syncTree(data);
  const [problem] = await differingFiles(manifest, data, context);
  if (problem !== undefined) throw new LatheError("IO_ERROR", `after copying, ${problem}; check the device`);
}

async function reopen(data: string, durableIndex: number): Promise<void> {
  const store = findStore(data);
  const env = createNodeEnv({ logLevel: "error" });
  try {
    const found = await openedIndex(env, store);
    if (found === durableIndex) return;
    throw new LatheError("CORRUPTION", `${store.engine} opens at index ${found}, ${durableIndex} was backed up`);
  } finally {
    await env.threads.close();
  }
}
