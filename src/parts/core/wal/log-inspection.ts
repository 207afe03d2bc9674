/**
 * LogInspection: looks at a directory of log segments without changing it, and says per file what it holds.
 *
 *   1. Of each segment: header, base record, then records one after the other as far as they verify; behind the first
 *      that does not, whether whole records follow (damage) or none (the torn end of a crash, or room not used yet).
 *   2. Over all of them: what recovery would make of the log, or why it would refuse (segment-recovery.ts); this knows
 *      which segments `truncateSuffix` superseded, and which damage only looks like a torn end.
 *   3. `salvageEntries` gives every whole entry, also those that recovery would refuse with the rest; where several
 *      segments hold an index, the last one's is the entry.
 * Source: LevelDB's repair.cc and etcd's wal.Verify.
 */
import { readU64LE } from "../../../kit/bytes.ts";
import type { Disk, DiskFile } from "../../../kit/env/env.ts";
import { isDamage } from "../../../kit/file-header.ts";
import type { LogRecord } from "../durable-log.ts";
import {
  baseRecordBytes, decodeSegmentHeader, isRecord, readIndex, readPayloadLength, recordBytes, recordHeaderBytes,
  recordKinds, segmentHeaderBytes,
} from "./segment-format.ts";
import { recoverSegments } from "./segment-recovery.ts";
import { isSpareName, sequenceOfName } from "./segment.ts";

export interface LogProblem {
  readonly offset: number;
  readonly what: string;
}

export interface SegmentReport {
  readonly name: string;
  readonly kind: "segment" | "spare" | "other";
  readonly sizeBytes: number;
  /** Whole records in order, from the base on. */
  readonly entryCount: number;
  readonly firstIndex: number | undefined;
  readonly lastIndex: number | undefined;
  /** Damage of this file alone; undefined where there is none. */
  readonly damage: LogProblem | undefined;
  /** Whole records behind the first that does not verify. */
  readonly recordsBehind: number;
}

export interface LogReport {
  readonly segments: readonly SegmentReport[];
  /** What the log would hold once it is opened; undefined where it would be refused. */
  readonly firstIndex: number | undefined;
  readonly lastIndex: number | undefined;
  /** Why opening it would be refused. */
  readonly refusal: { readonly path: string | undefined; readonly offset: number; readonly what: string } | undefined;
}

/** Errors: FORMAT_UNKNOWN, IO_ERROR. Damage is a result. */
export function inspectLog(disk: Disk, directory: string, selectionHash: string): LogReport {
  const segments = disk.list(directory).map((name) => inspectFile(disk, directory, name, selectionHash));
  try {
    const recovered = recoverSegments(readOnly(disk), directory, selectionHash);
    for (const { file } of recovered.segments) file.close();
    const firstIndex = recovered.segments[0]?.baseIndex ?? 1;
    return { segments, firstIndex, lastIndex: recovered.lastIndex, refusal: undefined };
  } catch (error) {
    if (!isDamage(error)) throw error;
    const { message, details } = error as { message: string; details?: { path?: string; offset?: number } };
    const refusal = { path: details?.path, offset: details?.offset ?? 0, what: message };
    return { segments, firstIndex: undefined, lastIndex: undefined, refusal };
  }
}

/** Every whole entry from an index on, by ascending index, gaps and all. One segment at a time is in memory. */
export function* salvageEntries(
  disk: Disk, directory: string, selectionHash: string, from: number,
): Generator<LogRecord, void, void> {
  const names = disk.list(directory).filter((name) => sequenceOfName(name) !== undefined);
  // Which segment has the last word about an index: offsets only, the entries are read again when their turn comes.
  const places = new Map<number, { name: string; offset: number }>();
  for (const name of names) {
    const segment = readSegment(disk, directory, name, selectionHash);
    if (segment === undefined) continue;
    const base = baseOf(segment, name);
    if (base !== undefined) for (const index of places.keys()) if (index >= base) places.delete(index);
    for (const { index, offset } of wholeEntries(segment)) if (index >= from) places.set(index, { name, offset });
  }
  let open: Segment | undefined;
  let openName = "";
  for (const [index, { name, offset }] of [...places].sort(([one], [other]) => one - other)) {
    if (open === undefined || name !== openName) open = readSegment(disk, directory, name, selectionHash);
    openName = name;
    if (open === undefined) continue;
    const start = offset + recordHeaderBytes;
    yield { index, entry: open.bytes.subarray(start, start + readPayloadLength(open.bytes, offset)) };
  }
}

interface Segment {
  readonly bytes: Uint8Array;
  readonly salt: number;
}

/** Undefined where its header does not hold: without the salt no record can be told from another one's. */
function readSegment(disk: Disk, directory: string, name: string, selectionHash: string): Segment | undefined {
  const path = `${directory}/${name}`;
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.sizeSync());
    const length = file.readSync(bytes, 0, bytes.length, 0);
    const salt = decodeSegmentHeader(bytes.subarray(0, Math.min(length, segmentHeaderBytes)), selectionHash, path);
    return { bytes, salt };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  } finally {
    file.close();
  }
}

function inspectFile(disk: Disk, directory: string, name: string, selectionHash: string): SegmentReport {
  const sizeBytes = disk.size(`${directory}/${name}`);
  const sequence = sequenceOfName(name);
  const kind = sequence !== undefined ? "segment" : isSpareName(name) ? "spare" : "other";
  const empty = { entryCount: 0, firstIndex: undefined, lastIndex: undefined, damage: undefined, recordsBehind: 0 };
  if (kind !== "segment") return { name, kind, sizeBytes, ...empty };
  const segment = readSegment(disk, directory, name, selectionHash);
  if (segment === undefined) {
    return { name, kind, sizeBytes, ...empty, damage: { offset: 0, what: "the segment's header is damaged" } };
  }
  const base = baseOf(segment, name);
  const { bytes, salt } = segment;
  let offset = segmentHeaderBytes + (base === undefined ? 0 : baseRecordBytes);
  let entryCount = 0;
  if (base !== undefined) {
    while (isRecord(bytes, offset, bytes.length, recordKinds.entry, salt)) {
      if (readIndex(bytes, offset) !== base + entryCount) break;
      offset += recordBytes(readPayloadLength(bytes, offset));
      entryCount++;
    }
  }
  const recordsBehind = wholeEntries(segment, offset).length;
  const damage = recordsBehind === 0 ? undefined : {
    offset,
    what: base === undefined
      ? `the first record is damaged; ${recordsBehind} whole records follow`
      : `a record is damaged; ${recordsBehind} whole records follow`,
  };
  const lastIndex = base === undefined ? undefined : base + entryCount - 1;
  return { name, kind, sizeBytes, entryCount, firstIndex: base, lastIndex, damage, recordsBehind };
}

/** The index that the base record names, or undefined where it is damaged or was never written. */
function baseOf({ bytes, salt }: Segment, name: string): number | undefined {
  const at = segmentHeaderBytes;
  const holds =
    isRecord(bytes, at, bytes.length, recordKinds.base, salt) &&
    readPayloadLength(bytes, at) === 8 &&
    readU64LE(bytes, at + recordHeaderBytes) === sequenceOfName(name);
  return holds ? readIndex(bytes, at) : undefined;
}

/** Whole entries from an offset on: record by record, and behind damage at every place where one may begin. */
function wholeEntries({ bytes, salt }: Segment, from = segmentHeaderBytes): { index: number; offset: number }[] {
  const found: { index: number; offset: number }[] = [];
  for (let offset = from; offset + recordHeaderBytes <= bytes.length; ) {
    const kind = bytes[offset + 20];
    if (kind !== recordKinds.entry && kind !== recordKinds.base) offset += 8;
    else if (!isRecord(bytes, offset, bytes.length, kind, salt)) offset += 8;
    else {
      if (kind === recordKinds.entry) found.push({ index: readIndex(bytes, offset), offset });
      offset += recordBytes(readPayloadLength(bytes, offset));
    }
  }
  return found;
}

/** The same disk, of which nothing is opened for writing. */
function readOnly(disk: Disk): Disk {
  return {
    open: (path: string): DiskFile => disk.open(path, "read"),
    list: (path: string) => disk.list(path),
    exists: (path: string) => disk.exists(path),
    size: (path: string) => disk.size(path),
    makeDirectory: refuse,
    rename: refuse,
    unlink: refuse,
    link: refuse,
    syncDirectory: refuse,
    freeBytes: (path: string) => disk.freeBytes(path),
    lock: refuse,
  };
}

function refuse(): never {
  throw new Error("a log that is inspected is not changed");
}
