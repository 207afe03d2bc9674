/**
 * Reads a journal from its first line on, verifying every hash, also while another process appends to it.
 *
 * Algorithm: `poll` reads what has been added since the last call, hands out complete lines and keeps the
 *   rest, which is either a line being written at this moment or one that a kill left half done; only the
 *   journal's writer can tell.
 * Memory: one chunk and one line, however long the journal.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { errorCodeOf, LatheError } from "../kit/errors.ts";
import { translateSystemError } from "../kit/env/system-error.ts";
import type { ChainHead } from "./chain.ts";
import { chainStart, decodeLine, lineBytesMax } from "./chain.ts";
import type { JournalEntry } from "./entry.ts";

const chunkBytes = 1 << 20;
const newline = 0x0a;

export class JournalReader {
  private readonly path: string;
  private readonly file: number;
  private chainHead: ChainHead = chainStart;
  private verified = 0;

  /** Errors: NOT_FOUND, PERMISSION, IO_ERROR. */
  constructor(path: string) {
    this.path = path;
    try {
      this.file = openSync(path, "r");
    } catch (error) {
      throw translateSystemError(error, "open the journal", path);
    }
  }

  /** The last entry handed out. */
  get head(): ChainHead {
    return this.chainHead;
  }

  /** Where the last line that was handed out ends, in bytes. */
  get verifiedBytes(): number {
    return this.verified;
  }

  /**
   * Entries that were completed since the last call; a caller may stop early and poll again.
   * Errors: CORRUPTION, naming the line; FORMAT_UNKNOWN; IO_ERROR.
   */
  *poll(): Generator<JournalEntry, void, undefined> {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    let pieces: Buffer[] = [];
    let offset = this.verified;
    for (;;) {
      const length = this.read(chunk, offset);
      if (length === 0) return;
      offset += length;
      let start = 0;
      for (;;) {
        const end = chunk.subarray(0, length).indexOf(newline, start);
        if (end < 0) break;
        const line = Buffer.concat([...pieces, chunk.subarray(start, end)]);
        pieces = [];
        start = end + 1;
        yield this.accept(line);
      }
      // A copy, because the chunk is read into again.
      pieces.push(Buffer.from(chunk.subarray(start, length)));
      if (offset - this.verified > lineBytesMax) {
        throw this.damaged(new LatheError("CORRUPTION", `it is longer than ${lineBytesMax} bytes`));
      }
    }
  }

  /** What follows the last complete line, after `poll` has been read to its end. */
  pendingTail(): Buffer {
    const pieces: Buffer[] = [];
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let offset = this.verified; ; ) {
      const length = this.read(chunk, offset);
      if (length === 0) return Buffer.concat(pieces);
      pieces.push(Buffer.from(chunk.subarray(0, length)));
      offset += length;
    }
  }

  close(): void {
    closeSync(this.file);
  }

  private read(chunk: Buffer, offset: number): number {
    try {
      return readSync(this.file, chunk, 0, chunk.length, offset);
    } catch (error) {
      throw translateSystemError(error, "read the journal", this.path);
    }
  }

  private accept(line: Buffer): JournalEntry {
    try {
      const entry = decodeLine(this.chainHead, line);
      this.chainHead = { seq: entry.seq, hash: entry.hash };
      this.verified += line.length + 1;
      return entry;
    } catch (error) {
      throw this.damaged(error);
    }
  }

  private damaged(cause: unknown): LatheError {
    const line = this.chainHead.seq + 2;
    return new LatheError(
      errorCodeOf(cause) ?? "CORRUPTION",
      `line ${line} of the journal ${this.path}: ${(cause as Error).message}. ` +
        `The ${line - 1} lines above it are intact.`,
      { cause, details: { path: this.path, line } },
    );
  }
}

/** All complete entries, verified; needs no lock. Errors: NOT_FOUND, CORRUPTION, FORMAT_UNKNOWN. */
export function* readEntries(path: string): Generator<JournalEntry, void, undefined> {
  const reader = new JournalReader(path);
  try {
    yield* reader.poll();
  } finally {
    reader.close();
  }
}
