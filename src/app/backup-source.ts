/**
 * BackupSource: a consistent picture of a data directory that nobody changes while it is copied.
 *
 *   stopped   The directory's lock is taken; tables, manifest and CURRENT are taken as they lie, and the log from where
 *             the tables end is written out into a directory of its own.
 *   running   The server is asked for a checkpoint over its control socket (kit/serve-control.ts); it is removed after.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join, resolve } from "node:path";
import { lockHolderOf } from "../kit/env/node-directory-lock.ts";
import { nodeDisk } from "../kit/env/node-disk.ts";
import { type ErrorCode, errorCodes, LatheError } from "../kit/errors.ts";
import { controlSocketName } from "../kit/serve-control.ts";
import { writeLogCopy } from "../parts/core/wal/log-copy.ts";
import { inspectLog, salvageEntries } from "../parts/core/wal/log-inspection.ts";
import { type EngineState, readEngineState } from "./engine-files.ts";
import { findStore, type StoreDirectory } from "./store-directory.ts";

export interface BackupSource {
  readonly store: StoreDirectory;
  readonly state: EngineState;
  /** Absolute path of each file, by its place in a data directory. */
  readonly files: ReadonlyMap<string, string>;
  release(): void;
}

const checkpointTimeoutMs = 600_000;

/** Errors: NOT_FOUND, LOCKED, CORRUPTION, DISK_FULL, TIMEOUT, IO_ERROR. */
export async function openBackupSource(directory: string, scratch: string): Promise<BackupSource> {
  const data = resolve(directory);
  if (!existsSync(data)) throw new LatheError("NOT_FOUND", `${data} does not exist; name a data directory`);
  const holder = lockHolderOf(data);
  if (holder === undefined) return stoppedSource(data, scratch);
  if (!existsSync(join(data, controlSocketName))) {
    throw new LatheError(
      "LOCKED",
      `${data} is held by process ${holder.pid}, which has no ${controlSocketName} there and so cannot be asked for ` +
        "a checkpoint; stop it, then try again",
    );
  }
  const name = `backup-${randomBytes(6).toString("hex")}`;
  const checkpoint = join(data, await askForCheckpoint(join(data, controlSocketName), name));
  const release = () => rmSync(checkpoint, { recursive: true, force: true });
  try {
    const store = findStore(checkpoint);
    const { state, files } = engineFiles(store);
    for (const { name: segment } of inspectLog(nodeDisk, store.wal ?? "", store.selectionHash).segments) {
      files.set(`wal/${segment}`, join(store.wal ?? "", segment));
    }
    return { store, state, files, release };
  } catch (error) {
    release();
    throw error;
  }
}

function stoppedSource(data: string, scratch: string): BackupSource {
  const lock = nodeDisk.lock(data);
  try {
    const store = findStore(data);
    const { state, files } = engineFiles(store);
    if (store.wal !== undefined) {
      for (const name of copyLogOf(store, store.wal, state, scratch)) files.set(`wal/${name}`, join(scratch, name));
    }
    const release = () => {
      rmSync(scratch, { recursive: true, force: true });
      lock.release();
    };
    return { store, state, files, release };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function engineFiles(store: StoreDirectory): { state: EngineState; files: Map<string, string> } {
  const state = readEngineState(store);
  const prefix = store.isProduct ? "engine/" : "";
  return { state, files: new Map(state.fileNames.map((name) => [`${prefix}${name}`, join(store.engine, name)])) };
}

/** The log from the last entry that the tables hold on: segments as they lie are mostly empty room. */
function copyLogOf(store: StoreDirectory, wal: string, { durableIndex }: EngineState, scratch: string): string[] {
  const way = "run `lathe repair` and back up what it makes";
  if (!nodeDisk.exists(wal)) throw new LatheError("CORRUPTION", `${wal} is missing; ${way}`);
  const { refusal, firstIndex, lastIndex } = inspectLog(nodeDisk, wal, store.selectionHash);
  if (refusal !== undefined || firstIndex === undefined || lastIndex === undefined) {
    throw new LatheError("CORRUPTION", `${refusal?.what ?? wal}; ${way}`);
  }
  const from = Math.max(firstIndex, Math.min(durableIndex, lastIndex + 1));
  const entries = function* () {
    for (const { index, entry } of salvageEntries(nodeDisk, wal, store.selectionHash, from)) {
      if (index <= lastIndex) yield entry;
    }
  };
  mkdirSync(scratch, { recursive: true });
  const nextSalt = () => randomBytes(4).readUInt32LE();
  const { selectionHash } = store;
  writeLogCopy(nodeDisk, { directory: scratch, selectionHash, firstIndex: from, nextSalt }, entries());
  return nodeDisk.list(scratch);
}

/** Where the server put it, relative to the data directory. */
function askForCheckpoint(path: string, name: string): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(path);
    let text = "";
    const waited = "the server did not make a checkpoint within 10 minutes";
    const late = () => socket.destroy(new LatheError("TIMEOUT", waited));
    socket.setTimeout(checkpointTimeoutMs, late);
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(`${JSON.stringify({ command: "checkpoint", name })}\n`));
    socket.on("data", (part: string) => (text += part));
    socket.on("error", (error) => {
      if (error instanceof LatheError) fail(error);
      else fail(new LatheError("IO_ERROR", `cannot ask the server at ${path}: ${error.message}`, { cause: error }));
    });
    socket.on("close", () => {
      try {
        const answer = JSON.parse(text) as { ok: boolean; directory?: string; code?: string; message?: string };
        if (answer.ok && answer.directory !== undefined) return done(answer.directory);
        const code = Object.hasOwn(errorCodes, answer.code ?? "") ? (answer.code as ErrorCode) : "IO_ERROR";
        fail(new LatheError(code, `the server made no checkpoint: ${answer.message}`));
      } catch {
        fail(new LatheError("IO_ERROR", "the server ended while it made a checkpoint; look at its log"));
      }
    });
  });
}
