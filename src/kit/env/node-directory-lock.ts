/**
 * One process per data directory, by a lock file that names its holder.
 *
 * Node has no flock(2), so the holder's identity decides: process id, the process's start time and the
 * machine's boot. Algorithm to acquire `path`:
 *   1. Write the own identity to a temporary file and link(2) it to `path`. Linking is atomic and fails
 *   where the name exists; a reader therefore never sees half a lock file.
 *   2. Where it exists, read the holder. A living holder: LOCKED. This process itself counts as living.
 *   3. A dead holder X: acquire `path.takeover` by the same algorithm, check that `path` still names X,
 *   rename the own file over `path`, release the takeover. Invariants:
 *   1. `path` changes away from X only by X itself (release) or by the holder of `path.takeover`. Two
 *   processes that both saw a dead X can therefore not both replace it: the later one finds another
 *   name at step 3 and starts again.
 *   2. A process that dies while it holds the takeover leaves a stale takeover, which step 3 handles
 *   one level deeper. Source: the dotfile lock of SQLite (os_unix.c) and Emacs, with PostgreSQL's
 *   postmaster.pid start-time check.
 */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, readlinkSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { LatheError } from "../errors.ts";
import type { DiskLock } from "./env.ts";
import { translateSystemError } from "./system-error.ts";

export const lockFileName = "LOCK";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process; empty where the system does not tell. */
  readonly startTime: string;
  readonly bootId: string;
  /** Process ids of another namespace (a container) cannot be looked up from here. */
  readonly pidNamespace: string;
  readonly host: string;
}

const takeoverDepthMax = 4;
const attemptsMax = 100;

/** Errors: LOCKED, NOT_FOUND (no such directory), READ_ONLY, PERMISSION, DISK_FULL, IO_ERROR. */
export function lockDirectory(directory: string, identity: ProcessIdentity = ownIdentity()): DiskLock {
  return lockAt(join(directory, lockFileName), identity);
}

/** A lock file of any name, for what stands beside it. Errors: as `lockDirectory`. */
export function lockAt(path: string, identity: ProcessIdentity = ownIdentity()): DiskLock {
  acquire(path, identity, 0);
  let released = false;
  return {
    release() {
      if (released) return;
      released = true;
      removeOwn(path, identity);
    },
  };
}

/** Who holds a directory now; undefined where nobody does, or its holder has died. Changes nothing. */
export function lockHolderOf(directory: string): ProcessIdentity | undefined {
  const holder = readHolder(join(directory, lockFileName));
  return holder !== undefined && isAlive(holder, ownIdentity()) ? holder : undefined;
}

function acquire(path: string, identity: ProcessIdentity, depth: number): void {
  if (depth > takeoverDepthMax) {
    throw new LatheError("LOCKED", `cannot lock ${path}: too many abandoned takeovers; remove ${path} and its like`);
  }
  const temporary = `${path}.${identity.pid}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(temporary, JSON.stringify(identity), { flag: "wx" });
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      if (linkNew(temporary, path)) return;
      const holder = readHolder(path);
      if (holder === undefined) continue;
      if (isAlive(holder, identity)) throw lockedError(path, holder, identity);
      if (replaceDead(temporary, path, holder, identity, depth)) return;
    }
    throw new LatheError("LOCKED", `cannot lock ${path}: other processes keep taking and leaving it`);
  } catch (error) {
    throw translateSystemError(error, "lock", path);
  } finally {
    try {
      removeIfPresent(temporary);
    } catch {
      // Whether the lock is held does not depend on it, and an error here would hide that it is.
    }
  }
}

function linkNew(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
  }
  // No hard links on this file system: exclusive creation, with a moment in which the file is empty
  // (see readHolder).
  try {
    writeFileSync(path, readFileSync(temporary), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function replaceDead(
  temporary: string, path: string, dead: ProcessIdentity, identity: ProcessIdentity, depth: number,
): boolean {
  const takeover = `${path}.takeover`;
  acquire(takeover, identity, depth + 1);
  try {
    const holder = readHolder(path);
    if (holder === undefined || !isSame(holder, dead)) return false;
    renameSync(temporary, path);
    return true;
  } finally {
    removeOwn(takeover, identity);
  }
}

/**
 * Undefined where the file is gone. A file that says nothing sensible is nobody's, hence a dead
 * holder's.
 */
function readHolder(path: string): ProcessIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const nobody: ProcessIdentity = { pid: 0, startTime: "", bootId: "", pidNamespace: "", host: "" };
  try {
    const parsed = JSON.parse(text) as Partial<ProcessIdentity> | null;
    if (parsed === null || typeof parsed !== "object" || !Number.isSafeInteger(parsed.pid)) return nobody;
    return { ...nobody, ...parsed };
  } catch {
    return nobody;
  }
}

function isSame(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId && a.host === b.host;
}

function isAlive(holder: ProcessIdentity, own: ProcessIdentity): boolean {
  if (holder.pid <= 0) return false;
  const sameBoot = holder.bootId === own.bootId;
  if (holder.host !== own.host) return true;
  if (!sameBoot) return false;
  if (holder.pidNamespace !== own.pidNamespace) return true;
  if (!processExists(holder.pid)) return false;
  return holder.startTime === "" || holder.startTime === startTimeOf(holder.pid);
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function lockedError(path: string, holder: ProcessIdentity, own: ProcessIdentity): LatheError {
  const elsewhere = holder.host !== own.host || holder.pidNamespace !== own.pidNamespace;
  const who = isSame(holder, own) ? `this process (${holder.pid})` : `process ${holder.pid}`;
  const where = elsewhere ? ` on ${holder.host}, which cannot be looked up from here` : "";
  const wayOut = elsewhere ? `if it is gone for good, remove ${path}` : "stop it, or use another directory";
  return new LatheError("LOCKED", `${path} is held by ${who}${where}; ${wayOut}`, { details: { path, ...holder } });
}

function removeOwn(path: string, identity: ProcessIdentity): void {
  const holder = readHolder(path);
  if (holder !== undefined && isSame(holder, identity)) removeIfPresent(path);
}

function removeIfPresent(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    bootId: readOrEmpty(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    pidNamespace: readOrEmpty(() => readlinkSync("/proc/self/ns/pid")),
    host: hostname(),
  };
}

/**
 * Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and brackets, so counting begins
 * after it.
 */
export function startTimeOf(pid: number): string {
  return readOrEmpty(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  });
}

function readOrEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
