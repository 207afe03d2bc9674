/**
 * The journal of a study: append-only, hash-chained NDJSON (`chain.ts`), one entry per line (`entry.ts`).
 *
 * Purpose: whatever happens to the process, what was appended is there, in order, and no byte of it can
 *   change unnoticed.
 * Algorithm:
 *   1. `append` writes one line with its newline and flushes it to the device before it returns.
 *   2. A write that fails is cut off again; if that or a flush fails, the journal refuses further appends,
 *      because what the device holds is then unknown.
 *   3. `openJournal` verifies every line. Bytes after the last newline are a line that a kill or a power
 *      cut left half done, and was never acknowledged: they are cut, and the cut is recorded as an entry.
 *      So is a last line that holds zero bytes, which is how a file system shows blocks that it never
 *      wrote. Any other damage: CORRUPTION.
 * Invariants: one writer per journal (the lock of its directory); any number of readers, which need no
 * lock. Source: PostgreSQL's end-of-WAL rule, etcd's wal.Repair (a torn tail is cut, a torn middle is
 * an error).
 */
import { createHash } from "node:crypto";
import {
  closeSync, existsSync, fdatasyncSync, fsyncSync, ftruncateSync, mkdirSync, openSync, renameSync, rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { LatheError } from "../kit/errors.ts";
import type { DiskLock } from "../kit/env/env.ts";
import { lockDirectory } from "../kit/env/node-directory-lock.ts";
import { translateSystemError } from "../kit/env/system-error.ts";
import type { ChainHead } from "./chain.ts";
import { chainStart, decodeLine, encodeLine } from "./chain.ts";
import type { Entry, JournalEntry, StudyHeader } from "./entry.ts";
import { JournalReader, readEntries } from "./journal-reader.ts";

export interface JournalOptions {
  /** Wall clock for the entries' times; the system's by default. */
  readonly nowMs?: (() => number) | undefined;
}

/** Where an open journal stands. */
interface Position {
  readonly file: number;
  readonly head: ChainHead;
  readonly bytes: number;
}

/**
 * Creates the journal with its first entry, `study_started`; it is there as a whole or not at all.
 * Errors: ALREADY_EXISTS, LOCKED, INVALID_ARGUMENT, DISK_FULL, READ_ONLY, PERMISSION, IO_ERROR.
 */
export function createJournal(path: string, header: StudyHeader, options: JournalOptions = {}): Journal {
  const nowMs = options.nowMs ?? Date.now;
  const started: Entry = { ...header, kind: "study_started", format: "lathe-journal", version: 1 };
  const { line, entry } = encodeLine(chainStart, nowMs(), started);
  const lock = lockJournal(path);
  try {
    if (existsSync(path)) {
      throw new LatheError("ALREADY_EXISTS", `the journal ${path} exists; open it to go on with its study`);
    }
    const file = createFile(path, Buffer.concat([line, Buffer.from("\n")]));
    return new Journal(path, nowMs, lock, { file, head: entry, bytes: line.length + 1 });
  } catch (error) {
    lock.release();
    throw translateSystemError(error, "create the journal", path);
  }
}

/**
 * Opens a journal to append to it, after verifying all of it and cutting a torn last line.
 * Errors: NOT_FOUND, LOCKED, CORRUPTION, FORMAT_UNKNOWN, READ_ONLY, PERMISSION, IO_ERROR.
 */
export function openJournal(path: string, options: JournalOptions = {}): Journal {
  if (!existsSync(path)) throw new LatheError("NOT_FOUND", `there is no journal at ${path}`);
  const lock = lockJournal(path);
  try {
    const { head, bytes, tail } = verify(path);
    const file = openSync(path, "r+");
    const journal = new Journal(path, options.nowMs ?? Date.now, lock, { file, head, bytes });
    if (tail.length > 0) journal.repair(tail);
    return journal;
  } catch (error) {
    lock.release();
    throw translateSystemError(error, "open the journal", path);
  }
}

export class Journal {
  readonly path: string;
  private readonly nowMs: () => number;
  private readonly lock: DiskLock;
  private position: Position;
  private state: "open" | "failed" | "closed" = "open";

  /** Use `createJournal` or `openJournal`. */
  constructor(path: string, nowMs: () => number, lock: DiskLock, position: Position) {
    this.path = path;
    this.nowMs = nowMs;
    this.lock = lock;
    this.position = position;
  }

  /** The last line; its hash stands for the whole journal. */
  get head(): ChainHead {
    return { seq: this.position.head.seq, hash: this.position.head.hash };
  }

  /** Durable when it returns. Errors: INVALID_ARGUMENT, LIMIT_EXCEEDED, CLOSED, DISK_FULL, IO_ERROR. */
  append(entry: Entry): JournalEntry {
    this.requireOpen();
    const encoded = encodeLine(this.position.head, this.nowMs(), entry);
    this.write(Buffer.concat([encoded.line, Buffer.from("\n")]));
    this.position = { ...this.position, head: { seq: encoded.entry.seq, hash: encoded.entry.hash } };
    return encoded.entry;
  }

  /** Every entry from the first on, read from the file and verified again. */
  entries(): Generator<JournalEntry, void, undefined> {
    return readEntries(this.path);
  }

  /** Releases the file and the lock; harmless when closed already. */
  close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    closeSync(this.position.file);
    this.lock.release();
  }

  /** Deals with bytes after the last complete line, and records it. Called by `openJournal` only. */
  repair(tail: Buffer): void {
    const cut = {
      kind: "journal_repaired" as const,
      cutBytes: tail.length,
      cutSha256: createHash("sha256").update(tail).digest("hex"),
    };
    const whole = decodeOrUndefined(this.position.head, tail);
    if (whole === undefined) {
      ftruncateSync(this.position.file, this.position.bytes);
      this.append({ ...cut, reason: "the last line was half written when its writer died; it has been cut" });
      return;
    }
    // Only the newline is missing: the entry is whole, so it stays.
    this.position = { ...this.position, head: { seq: whole.seq, hash: whole.hash } };
    this.write(Buffer.concat([tail, Buffer.from("\n")]));
    this.append({ ...cut, cutBytes: 0, reason: "the last line lacked its newline only; it has been kept" });
  }

  private write(bytes: Buffer): void {
    const { file, bytes: end } = this.position;
    try {
      writeAll(file, bytes, end);
    } catch (error) {
      this.cutBack(end);
      throw translateSystemError(error, "append to the journal", this.path);
    }
    try {
      fdatasyncSync(file);
    } catch (error) {
      // After a failed flush the kernel may have dropped the pages: what is on the device is unknown.
      this.state = "failed";
      throw translateSystemError(error, "flush the journal", this.path);
    }
    this.position = { ...this.position, bytes: end + bytes.length };
  }

  private cutBack(end: number): void {
    try {
      ftruncateSync(this.position.file, end);
    } catch {
      this.state = "failed";
    }
  }

  private requireOpen(): void {
    if (this.state === "open") return;
    const why = this.state === "closed" ? "is closed" : "failed to write or flush; open it again";
    throw new LatheError("CLOSED", `the journal ${this.path} ${why}`);
  }
}

function verify(path: string): { head: ChainHead; bytes: number; tail: Buffer } {
  const reader = new JournalReader(path);
  try {
    let headerSeen = false;
    for (const entry of reader.poll()) {
      if (headerSeen !== (entry.kind !== "study_started")) {
        const message = `line ${entry.seq + 1} of the journal ${path} has no business there`;
        throw new LatheError("CORRUPTION", message);
      }
      headerSeen = true;
    }
    if (!headerSeen) throw new LatheError("CORRUPTION", `line 1 of the journal ${path} is incomplete`);
    return { head: reader.head, bytes: reader.verifiedBytes, tail: reader.pendingTail() };
  } catch (error) {
    const tail = reader.pendingTail();
    // Zero bytes never occur in a line; in the last one they are blocks that the device never got.
    const unwritten = reader.head.seq >= 0 && tail.includes(0) && tail.indexOf(0x0a) === tail.length - 1;
    if (!unwritten) throw error;
    return { head: reader.head, bytes: reader.verifiedBytes, tail };
  } finally {
    reader.close();
  }
}

function decodeOrUndefined(head: ChainHead, line: Buffer): JournalEntry | undefined {
  try {
    return decodeLine(head, line);
  } catch {
    return undefined;
  }
}

/** The directory is locked, not the file: a study owns its directory. */
function lockJournal(path: string): DiskLock {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw translateSystemError(error, "make the directory of the journal", path);
  }
  return lockDirectory(dirname(path));
}

/** A file that is there with all of its content or not at all; open for writing. */
function createFile(path: string, content: Buffer): number {
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w+");
  try {
    writeAll(file, content, 0);
    fsyncSync(file);
    renameSync(temporary, path);
    syncDirectory(dirname(path));
    return file;
  } catch (error) {
    closeSync(file);
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeAll(file: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(file, bytes, written, bytes.length - written, position + written);
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
