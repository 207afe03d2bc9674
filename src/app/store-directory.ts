/**
 * What a directory of data is: the data of a product (`engine/`, `wal/`, a lock, a password), or a bare store.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { lockHolderOf } from "../kit/env/node-directory-lock.ts";
import { nodeDisk } from "../kit/env/node-disk.ts";
import { LatheError } from "../kit/errors.ts";
import { fileHeaderBytes, peekFileHeader } from "../kit/file-header.ts";
import { currentMagic, currentName } from "../parts/storage/storage_model/memory/current-file.ts";
import { snapshotNumberOf } from "../parts/storage/storage_model/memory/snapshot-file.ts";

export interface StoreDirectory {
  readonly path: string;
  /** Where the engine's files are; the directory itself for a bare store. */
  readonly engine: string;
  /** Where a product's log is, or was; undefined for a bare store. */
  readonly wal: string | undefined;
  /** Of the first file with a header that holds. */
  readonly selectionHash: string;
  readonly isProduct: boolean;
  /** By its files: tables and a manifest, or snapshots of the engine in memory. */
  readonly engineKind: "blackboard" | "memory";
}

/** Errors: NOT_FOUND (no directory, or no store in it). */
export function findStore(path: string): StoreDirectory {
  if (!existsSync(path) || !statSync(path).isDirectory()) {
    throw new LatheError("NOT_FOUND", `${path} is no directory; name the directory that --data names`);
  }
  const isProduct = existsSync(join(path, "engine"));
  const engine = isProduct ? join(path, "engine") : path;
  const wal = isProduct ? join(path, "wal") : undefined;
  const selectionHash = selectionHashOf([engine, ...(wal !== undefined && existsSync(wal) ? [wal] : [])]);
  const engineKind = isOfMemory(engine) ? "memory" : "blackboard";
  if (selectionHash !== undefined) return { path, engine, wal, selectionHash, isProduct, engineKind };
  const expected = "neither a store of a product (engine/, wal/) nor a bare one (CURRENT, *.sst), or no header is left";
  throw new LatheError("NOT_FOUND", `${path} holds ${expected}`);
}

/** Errors: LOCKED. */
export function refuseWhileServed({ path, engine }: StoreDirectory, wayOut: string): void {
  for (const directory of new Set([path, engine])) {
    const holder = lockHolderOf(directory);
    if (holder === undefined) continue;
    throw new LatheError("LOCKED", `${path} is in use by process ${holder.pid} on ${holder.host}; ${wayOut}`, {
      details: { path, pid: holder.pid },
    });
  }
}

/** What the first header that holds says; its checksum covers it. */
function selectionHashOf(directories: readonly string[]): string | undefined {
  for (const directory of directories) {
    for (const name of readdirSync(directory).sort()) {
      if (!/^(CURRENT|MANIFEST-\d+|\d+\.sst|\d+\.wal|snapshot-\d+\.mem)$/.test(name)) continue;
      const header = headerOf(join(directory, name));
      if (header?.magic.startsWith("LATHE") === true) return header.selectionHash;
    }
  }
  return undefined;
}

/** CURRENT says it; where it is damaged, the names of the other files do. */
function isOfMemory(engine: string): boolean {
  const current = join(engine, currentName);
  const magic = existsSync(current) ? headerOf(current)?.magic : undefined;
  if (magic !== undefined) return magic === currentMagic;
  return readdirSync(engine).some((name) => snapshotNumberOf(name) !== undefined);
}

function headerOf(path: string) {
  const file = nodeDisk.open(path, "read");
  try {
    const bytes = new Uint8Array(fileHeaderBytes);
    return peekFileHeader(bytes.subarray(0, file.readSync(bytes, 0, bytes.length, 0)));
  } finally {
    file.close();
  }
}
