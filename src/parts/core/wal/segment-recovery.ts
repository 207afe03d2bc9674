/**
 * Finds out what a directory of segments holds after a clean end, a crash or damage.
 *
 *   1. Segments are ordered by the sequence number in their names. One without a valid base record was
 *   never used, or lost it in a crash before anything in it was synced.
 *   2. A segment whose base index is at or above that of a later one was cut off by `truncateSuffix`:
 *   it is retired.
 *   3. Each remaining segment is walked from its base: records must verify and have ascending indexes,
 *   up to the base index of the next segment.
 *   4. Where the walk ends early, at index i, everything behind is searched for a record that says that
 *   entry i was durable when it was written. Such a record proves damage: CORRUPTION. Otherwise the
 *   tail was torn by a crash before it was synced, and the log ends at i - 1.
 *   5. If any whole record stands behind the end, the log must go on in a new segment, or else that
 *   record could later be taken for a continuation (`leftovers`).
 *   6. A read that ends before the end of its file is damage too: taken for the torn end of the log, it would hide what
 *   is there until the next opening finds it again.
 *   7. The first segment of all without a base record is damaged: what was given up before it went oldest first, and
 *   those that were never used before any other, so that none of them can have come to be the first.
 *
 * What cannot be told: damage within the very last synced group looks like a torn tail, because nothing
 * later speaks of it. (Two devices or a replica can tell; one log cannot.) Source: etcd's wal.ReadAll
 * and its torn-entry check, RocksDB's kPointInTimeRecovery, TigerBeetle's journal recovery.
 */
import { assert } from "../../../kit/assert.ts";
import { releaseBuffer } from "../../../kit/buffer-release.ts";
import { readU64LE } from "../../../kit/bytes.ts";
import type { Disk, DiskFile } from "../../../kit/env/env.ts";
import { LatheError } from "../../../kit/errors.ts";
import {
  baseRecordBytes, decodeSegmentHeader, isRecord, readIndex, readPayloadLength, readSyncedIndex, recordBytes,
  recordHeaderBytes, recordKinds, segmentHeaderBytes,
} from "./segment-format.ts";
import { isSpareName, LogSegment, sequenceOfName } from "./segment.ts";

export interface RecoveredLog {
  /** Ascending; empty for a new log. The last one takes the next entries. */
  readonly segments: LogSegment[];
  /** Files that are no part of the log, in the order in which they must be used again or removed. */
  readonly retiredNames: string[];
  readonly lastSequence: number;
  readonly lastIndex: number;
  /** Highest index that the log itself proves to have been durable. */
  readonly provenIndex: number;
  readonly leftovers: boolean;
}

interface FoundSegment {
  readonly name: string;
  readonly sequence: number;
  readonly file: DiskFile;
  readonly salt: number;
  readonly capacityBytes: number;
  readonly base: { readonly index: number; readonly syncedIndex: number } | undefined;
}

interface Leftovers {
  readonly found: boolean;
  readonly syncedIndex: number;
}

/**
 * Records behind the end are sought at the cost of at most so many times the segment's size in
 * checksummed bytes.
 */
const searchEffortMax = 16;

/** Segments are read in such pieces, and those of zeros alone passed over. */
const chunkBytes = 1 << 20;

/** Errors: CORRUPTION, FORMAT_UNKNOWN, IO_ERROR. */
export function recoverSegments(disk: Disk, directory: string, selectionHash: string): RecoveredLog {
  const names = disk.list(directory);
  const found: FoundSegment[] = [];
  try {
    for (const name of names) {
      if (sequenceOfName(name) !== undefined) found.push(findSegment(disk, directory, name, selectionHash));
    }
    const recovery = new Recovery(directory, found);
    const recovered = recovery.run();
    recovery.release();
    const kept = new Set(recovered.segments.map(({ file }) => file));
    for (const { file } of found) if (!kept.has(file)) file.close();
    return { ...recovered, retiredNames: [...recovered.retiredNames, ...names.filter(isSpareName)] };
  } catch (error) {
    for (const { file } of found) file.close();
    throw error;
  }
}

function findSegment(disk: Disk, directory: string, name: string, selectionHash: string): FoundSegment {
  const path = `${directory}/${name}`;
  const sequence = sequenceOfName(name) as number;
  const file = disk.open(path, "write");
  const head = new Uint8Array(segmentHeaderBytes + baseRecordBytes);
  let length: number;
  let salt: number;
  try {
    length = readWhole(file, head, Math.min(head.length, file.sizeSync()));
    salt = decodeSegmentHeader(head.subarray(0, length), selectionHash, path);
  } catch (error) {
    file.close();
    throw error;
  }
  const at = segmentHeaderBytes;
  const hasBase =
    isRecord(head, at, length, recordKinds.base, salt) &&
    readPayloadLength(head, at) === 8 &&
    readU64LE(head, at + recordHeaderBytes) === sequence;
  const base = hasBase ? { index: readIndex(head, at), syncedIndex: readSyncedIndex(head, at) } : undefined;
  return { name, sequence, file, salt, capacityBytes: file.sizeSync(), base };
}

/** Reads so many bytes of a file that has them. Errors: CORRUPTION. */
function readWhole(file: DiskFile, target: Uint8Array, length: number, offset = 0): number {
  const count = file.readSync(target, 0, length, offset);
  if (count === length) return count;
  const { path } = file;
  const end = offset + count;
  const message = `${path} ends at ${end}, but is said to hold ${file.sizeSync()} bytes; restore the log from a copy`;
  throw new LatheError("CORRUPTION", message, { details: { path, offset: end } });
}

class Recovery {
  readonly #directory: string;
  readonly #found: readonly FoundSegment[];
  #bytes = new Uint8Array(0);
  /** Zeros follow from here on in the loaded segment: no record begins there. */
  #filledBytes = 0;
  readonly #chunk = new Uint8Array(chunkBytes);
  readonly #zeros = new Uint8Array(chunkBytes);
  #provenIndex = 0;

  constructor(directory: string, found: readonly FoundSegment[]) {
    this.#directory = directory;
    this.#found = found;
  }

  run(): RecoveredLog {
    const live = this.#unsuperseded();
    if (live.length === 0) return this.#startNew();
    if (this.#found[0].base === undefined) throw this.#damaged(this.#found[0], segmentHeaderBytes, "its first record");
    const segments: LogSegment[] = [];
    this.#provenIndex = live[0].base?.syncedIndex ?? 0;
    for (const [position, found] of live.entries()) {
      const next = live[position + 1];
      const segment = this.#walk(found, next?.base?.index ?? Number.MAX_SAFE_INTEGER);
      const { lastIndex, endOffset } = segment;
      segments.push(segment.segment);
      if (next?.base?.index === lastIndex + 1) continue;
      const leftovers = this.#searchBehind(found, endOffset);
      if (leftovers.syncedIndex > lastIndex) throw this.#damaged(found, endOffset, `entry ${lastIndex + 1}`);
      return this.#finish(segments, lastIndex, leftovers.found);
    }
    throw new Error("unreachable: the last segment has no next one");
  }

  /** Frees the memory for segments; nothing is read afterwards. */
  release(): void {
    releaseBuffer(this.#bytes);
    releaseBuffer(this.#chunk);
    releaseBuffer(this.#zeros);
  }

  #unsuperseded(): FoundSegment[] {
    let lowestBase = Infinity;
    const kept = this.#found.toReversed().filter(({ base }) => {
      if (base === undefined || base.index >= lowestBase) return false;
      lowestBase = base.index;
      return true;
    });
    return kept.reverse();
  }

  /** No segment has a base: right for a log that crashed while it was created, and for nothing else. */
  #startNew(): RecoveredLog {
    for (const found of this.#found) {
      this.#load(found);
      const leftovers = this.#search(found, segmentHeaderBytes);
      if (found.sequence !== 1 || leftovers.found) throw this.#damaged(found, segmentHeaderBytes, "its first record");
    }
    // The new first segment takes the name, and so the place, of such a file: to recycle it would be to recycle that.
    return { segments: [], retiredNames: [], lastSequence: 0, lastIndex: 0, provenIndex: 0, leftovers: false };
  }

  #finish(segments: LogSegment[], lastIndex: number, leftovers: boolean): RecoveredLog {
    const kept = new Set(segments.map(({ sequence }) => sequence));
    const retired = this.#found.filter(({ sequence }) => !kept.has(sequence));
    // Those that were never used go first: one that comes to be the first of all looks as if it had lost its base.
    const ordered = [...retired.filter(({ base }) => base === undefined), ...retired.filter(({ base }) => base)];
    return {
      segments,
      retiredNames: ordered.map(({ name }) => name),
      lastSequence: this.#found[this.#found.length - 1].sequence,
      lastIndex,
      provenIndex: Math.min(this.#provenIndex, lastIndex),
      leftovers,
    };
  }

  #walk(found: FoundSegment, endIndex: number): { segment: LogSegment; lastIndex: number; endOffset: number } {
    const { base, sequence, salt, file, capacityBytes } = found;
    assert(base !== undefined, "only segments with a base are walked");
    this.#load(found);
    const bytes = this.#bytes;
    let offset = segmentHeaderBytes + baseRecordBytes;
    const segment = new LogSegment({
      sequence, salt, file, capacityBytes, baseIndex: base.index, endOffset: offset, baseDurable: true,
    });
    let index = base.index;
    while (index < endIndex && isRecord(bytes, offset, capacityBytes, recordKinds.entry, salt)) {
      if (readIndex(bytes, offset) !== index) break;
      segment.noteRecord(index, offset);
      this.#provenIndex = Math.max(this.#provenIndex, readSyncedIndex(bytes, offset));
      offset += recordBytes(readPayloadLength(bytes, offset));
      index++;
    }
    segment.endOffset = offset;
    return { segment, lastIndex: index - 1, endOffset: offset };
  }

  /**
   * What whole records stand behind the end of the log: in the rest of its segment and in all later
   * ones.
   */
  #searchBehind(last: FoundSegment, endOffset: number): Leftovers {
    let leftovers = this.#search(last, endOffset);
    for (const found of this.#found.filter(({ sequence }) => sequence > last.sequence)) {
      this.#load(found);
      const { syncedIndex } = this.#search(found, segmentHeaderBytes);
      leftovers = { found: true, syncedIndex: Math.max(leftovers.syncedIndex, syncedIndex) };
    }
    return leftovers;
  }

  /** Searches the loaded segment from an offset on at every place where a record may begin. */
  #search({ salt, capacityBytes }: FoundSegment, from: number): Leftovers {
    const bytes = this.#bytes;
    let found = false;
    let syncedIndex = 0;
    let effort = searchEffortMax * capacityBytes;
    const end = Math.min(this.#filledBytes, capacityBytes - recordHeaderBytes + 1);
    for (let offset = from; offset < end; offset += 8) {
      const kind = bytes[offset + 20];
      if (kind !== recordKinds.entry && kind !== recordKinds.base) continue;
      const length = readPayloadLength(bytes, offset);
      if (length > capacityBytes - offset) continue;
      // Data that is full of would-be records must not make the search quadratic; to suspect a leftover
      // is always safe.
      effort -= length;
      if (effort < 0) return { found: true, syncedIndex };
      if (!isRecord(bytes, offset, capacityBytes, kind, salt)) continue;
      found = true;
      syncedIndex = Math.max(syncedIndex, readSyncedIndex(bytes, offset));
    }
    return { found, syncedIndex };
  }

  /** Of a segment that is hardly used, only the chunks that hold something take memory: the others stay unmapped. */
  #load({ file, capacityBytes }: FoundSegment): void {
    if (this.#bytes.length < capacityBytes) {
      this.#bytes = new Uint8Array(capacityBytes);
      this.#filledBytes = 0;
    }
    const filledBefore = this.#filledBytes;
    this.#filledBytes = 0;
    for (let offset = 0; offset < capacityBytes; offset += chunkBytes) {
      const length = Math.min(chunkBytes, capacityBytes - offset);
      readWhole(file, this.#chunk, length, offset);
      if (!this.#isZero(length)) {
        this.#bytes.set(this.#chunk.subarray(0, length), offset);
        this.#filledBytes = offset + length;
      } else if (offset < filledBefore) this.#bytes.fill(0, offset, offset + length);
    }
    this.#bytes.fill(0, capacityBytes);
  }

  /** By the machine's own comparison: most of a segment is what was allocated and never written to. */
  #isZero(length: number): boolean {
    return Buffer.compare(this.#chunk.subarray(0, length), this.#zeros.subarray(0, length)) === 0;
  }

  #damaged(found: FoundSegment, offset: number, what: string): LatheError {
    const path = `${this.#directory}/${found.name}`;
    return new LatheError(
      "CORRUPTION",
      `${path} is damaged at offset ${offset}: ${what} was durable and is not readable; restore the log from a copy`,
      { details: { path, offset } },
    );
  }
}
