/**
 * LogCopy: writes entries as a new, closed log in a directory of its own, from any index on. For checkpoints and
 * repair; `openWal` opens what it wrote, and goes on in a segment of its usual size.
 *
 *   1. Entries gather in memory until a segment's worth is there; it is written whole and synced.
 *   2. The base record of each segment names the index of its first entry, and claims that everything before it is
 *      durable. Entries claim it of their predecessors, because they were when they were copied.
 *   3. A log without entries is one segment with a base record: it says where the next entry belongs.
 *   4. At last the directory is synced: only then the copy counts.
 * Memory: one segment. Errors: ALREADY_EXISTS, DISK_FULL, IO_ERROR.
 */
import { writeU64LE } from "../../../kit/bytes.ts";
import type { Disk } from "../../../kit/env/env.ts";
import type { DurableLog } from "../durable-log.ts";
import {
  baseRecordBytes, encodeRecord, encodeSegmentHeader, recordBytes, recordKinds, segmentHeaderBytes,
} from "./segment-format.ts";
import { segmentFileName } from "./segment.ts";

export interface LogCopyOptions {
  readonly directory: string;
  readonly selectionHash: string;
  /** Index of the first entry, or of the next one where there is none. */
  readonly firstIndex: number;
  /** Random numbers in [0, 2^32), one per segment. */
  readonly nextSalt: () => number;
  /** A segment is begun beyond this. */
  readonly segmentBytes?: number;
}

const segmentBytesDefault = 8 << 20;

/** Writes the entries, which follow one another without gaps; returns how many there were. */
export function writeLogCopy(disk: Disk, options: LogCopyOptions, entries: Iterable<Uint8Array>): number {
  const { directory, firstIndex, segmentBytes = segmentBytesDefault } = options;
  disk.makeDirectory(directory);
  let sequence = 0;
  let index = firstIndex;
  let baseIndex = firstIndex;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  const writeOut = () => {
    writeSegment(disk, options, ++sequence, baseIndex, gathered, gatheredBytes);
    baseIndex = index;
    gathered = [];
    gatheredBytes = 0;
  };
  for (const entry of entries) {
    const length = recordBytes(entry.length);
    if (gathered.length > 0 && gatheredBytes + length > segmentBytes) writeOut();
    gathered.push(entry.slice());
    gatheredBytes += length;
    index++;
  }
  if (gathered.length > 0 || sequence === 0) writeOut();
  disk.syncDirectory(directory);
  return index - firstIndex;
}

/**
 * Copies what a live log holds from an index on, or from its first entry where that is later, up to its end. In one
 * turn: nothing is appended or truncated meanwhile.
 */
export function copyLog(
  disk: Disk, log: Pick<DurableLog, "firstIndex" | "lastIndex" | "read">, fromIndex: number,
  options: Omit<LogCopyOptions, "firstIndex">,
): number {
  const firstIndex = Math.max(log.firstIndex, Math.min(fromIndex, log.lastIndex + 1));
  const entries = function* () {
    if (firstIndex <= log.lastIndex) for (const { entry } of log.read(firstIndex)) yield entry;
  };
  return writeLogCopy(disk, { ...options, firstIndex }, entries());
}

function writeSegment(
  disk: Disk, options: LogCopyOptions, sequence: number, baseIndex: number, entries: readonly Uint8Array[],
  bytes: number,
): void {
  const salt = options.nextSalt();
  const segment = new Uint8Array(segmentHeaderBytes + baseRecordBytes + bytes);
  segment.set(encodeSegmentHeader(salt, options.selectionHash));
  const payload = new Uint8Array(8);
  writeU64LE(payload, 0, sequence);
  const base = { kind: recordKinds.base, index: baseIndex, syncedIndex: baseIndex - 1 };
  let at = encodeRecord(segment, segmentHeaderBytes, base, payload, salt);
  for (const [position, entry] of entries.entries()) {
    const index = baseIndex + position;
    at = encodeRecord(segment, at, { kind: recordKinds.entry, index, syncedIndex: index - 1 }, entry, salt);
  }
  const file = disk.open(`${options.directory}/${segmentFileName(sequence)}`, "create");
  try {
    file.writeSync(segment, 0, segment.length, 0);
    file.syncSync();
  } finally {
    file.close();
  }
}
