/**
 * The write-ahead log: a DurableLog over preallocated, recycled segments (see `segment-format.ts` for
 * the bytes).
 *
 *   1. `append` frames the entry into a buffer and gives it the next index. A full buffer is written
 *   out; a full segment is followed by one that was prepared beforehand.
 *   2. `sync` joins a group (`group-commit.ts`): the group writes the buffer out with one positional
 *   write and flushes the device once. The space was allocated and written before, so fdatasync has no
 *   metadata to flush.
 *   3. `truncatePrefix` retires whole segments whose successor's base record is durable.
 *   4. `truncateSuffix` begins a new segment at the index; its base record supersedes every entry from
 *   there on in earlier segments, atomically when it becomes durable.
 *   5. Opening recovers (`segment-recovery.ts`), writes out once more what is not proven durable, and
 *   flushes it: after a failed flush the page cache may claim to be clean and yet differ from the disk.
 *   Invariants:
 *   1. Ascending sequence numbers never have ascending holes of durable entries.
 *   2. The first segment's base record is durable before an older segment is given up.
 *   3. After a failed write or flush nothing is accepted any more; every call throws the first error.
 * Source: etcd's wal package, RocksDB's recycled WAL, PostgreSQL's fsync policy after 2018.
 */
import { assert } from "../../../kit/assert.ts";
import { writeU64LE } from "../../../kit/bytes.ts";
import type { Env } from "../../../kit/env/env.ts";
import { LatheError } from "../../../kit/errors.ts";
import { Histogram } from "../../../kit/histogram.ts";
import type { Metric } from "../../../kit/metric.ts";
import type { DurableLog, LogRecord } from "../durable-log.ts";
import { AdaptiveBatchAgent } from "./batch-agent.ts";
import { GroupCommit } from "./group-commit.ts";
import {
  baseRecordBytes, encodeRecord, recordBytes, recordHeaderBytes, recordKinds, segmentHeaderBytes,
} from "./segment-format.ts";
import { SegmentReader } from "./segment-reader.ts";
import { type RecoveredLog, recoverSegments } from "./segment-recovery.ts";
import { SegmentSupply } from "./segment-supply.ts";
import { LogSegment, segmentFileName } from "./segment.ts";

export interface WalOptions {
  /** For this log alone; created where missing. */
  directory: string;
  /** Size of a segment file; also bounds an entry (see `entryBytesMax`). Default: 32 MiB. */
  segmentBytes?: number;
  /** How long a group waits for more to join it. Default: 0. */
  groupDelayUs?: number;
  /** Whether an agent holds groups back while that pays; see batch-agent.ts. Default: off. */
  adaptiveBatch?: "off" | "on";
  /** Retired segments that are kept for use again. Default: 2. */
  recycledSegments?: number;
  selectionHash: string;
}

const bufferBytesMax = 256 << 10;
const segmentBytesMin = 4096;
const segmentBytesMax = 1 << 30;
const rewriteChunkBytes = 1 << 20;
const aheadShareMax = 3 / 4;

/** Errors: CORRUPTION, FORMAT_UNKNOWN, DISK_FULL, IO_ERROR, PERMISSION, READ_ONLY, INVALID_ARGUMENT. */
export async function openWal(env: Env, options: WalOptions): Promise<DurableLog> {
  const { directory, selectionHash, segmentBytes = 32 << 20, recycledSegments = 2 } = options;
  if (segmentBytes < segmentBytesMin || segmentBytes > segmentBytesMax || segmentBytes % 8 !== 0) {
    const range = `a multiple of 8 between ${segmentBytesMin} and ${segmentBytesMax}`;
    throw new LatheError("INVALID_ARGUMENT", `wal.segment_bytes is ${segmentBytes}; it must be ${range}`);
  }
  env.disk.makeDirectory(directory);
  const recovered = recoverSegments(env.disk, directory, selectionHash);
  const supplyOptions = { directory, segmentBytes, recycledSegments, selectionHash };
  const supply = new SegmentSupply(env, supplyOptions, recovered.retiredNames);
  const wal = new WriteAheadLog(env, { ...options, segmentBytes }, supply, recovered);
  await wal.settleAfterRecovery(recovered);
  return wal;
}

class WriteAheadLog implements DurableLog {
  readonly #env: Env;
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #entryBytesMax: number;
  readonly #supply: SegmentSupply;
  readonly #group: GroupCommit;
  readonly #segments: LogSegment[];
  readonly #buffer: Uint8Array;
  #buffered = 0;
  /** Segments written to since the last flush began, oldest first. */
  #unflushed: LogSegment[] = [];
  #directoryChanged = false;
  #sequence: number;
  #firstIndex: number;
  #lastIndex: number;
  #syncedIndex: number;
  #failure: unknown;
  #truncating = false;
  #closed = false;
  readonly #syncUs = new Histogram();
  readonly #groupEntries = new Histogram();
  #appendedBytes = 0;
  #writtenBytes = 0;

  constructor(
    env: Env, options: WalOptions & { readonly segmentBytes: number }, supply: SegmentSupply, found: RecoveredLog,
  ) {
    const { directory, segmentBytes, groupDelayUs = 0, adaptiveBatch = "off" } = options;
    this.#env = env;
    this.#directory = directory;
    this.#segmentBytes = segmentBytes;
    this.#buffer = new Uint8Array(Math.min(bufferBytesMax, segmentBytes));
    this.#entryBytesMax = segmentBytes - segmentHeaderBytes - baseRecordBytes - recordHeaderBytes;
    this.#supply = supply;
    this.#group = new GroupCommit({
      clock: env.clock,
      delayUs: groupDelayUs,
      flush: () => this.#flush(),
      agent: adaptiveBatch === "on" ? new AdaptiveBatchAgent() : undefined,
      onPlan: (plan, before) => env.log.info("wal_batch_adapted", { from: before, to: plan }),
    });
    this.#segments = found.segments;
    this.#sequence = found.lastSequence;
    this.#lastIndex = found.lastIndex;
    this.#firstIndex = found.segments[0]?.baseIndex ?? 1;
    this.#syncedIndex = found.provenIndex;
  }

  get firstIndex(): number {
    return this.#firstIndex;
  }

  get lastIndex(): number {
    return this.#lastIndex;
  }

  get syncedIndex(): number {
    return this.#syncedIndex;
  }

  /** Makes what recovery found durable, and gets a segment to append to. */
  async settleAfterRecovery({ leftovers, provenIndex }: RecoveredLog): Promise<void> {
    for (const segment of this.#segments) {
      // An empty segment has a base record that may not be durable either.
      const unproven = this.#endIndexOf(segment) > provenIndex + 1 || segment.baseIndex > provenIndex;
      if (unproven) this.#rewriteFrom(segment, provenIndex + 1);
      this.#unflushed.push(segment);
    }
    if (this.#segments.length > 0) {
      this.#directoryChanged = true;
      await this.#group.request();
    }
    if (this.#segments.length === 0 || leftovers) {
      this.#startSegment();
      await this.#group.request();
    }
  }

  append(entry: Uint8Array): number {
    this.#check();
    assert(!this.#truncating, "nothing is appended while the log's suffix is being truncated");
    if (entry.length > this.#entryBytesMax) {
      throw new LatheError(
        "LIMIT_EXCEEDED",
        `an entry of ${entry.length} bytes does not fit into a log segment (at most ${this.#entryBytesMax}); ` +
          "split the batch or raise wal.segment_bytes",
        { details: { entryBytes: entry.length, entryBytesMax: this.#entryBytesMax } },
      );
    }
    const length = recordBytes(entry.length);
    let segment = this.#active;
    if (segment.endOffset + length > segment.capacityBytes) segment = this.#startSegment();
    const index = ++this.#lastIndex;
    segment.noteRecord(index, segment.endOffset);
    const fields = { kind: recordKinds.entry, index, syncedIndex: this.#syncedIndex };
    this.#put(length, (target, offset) => encodeRecord(target, offset, fields, entry, segment.salt));
    this.#appendedBytes += entry.length;
    const { capacityBytes } = segment;
    // Half of a segment is written while the next one is prepared; of a small one, as much of it as may be.
    const aheadBytes = Math.min(this.#segmentBytes / 2, capacityBytes * aheadShareMax);
    if (capacityBytes - segment.endOffset < aheadBytes) this.#supply.prepareAhead();
    return index;
  }

  sync(): Promise<void> {
    if (this.#failure !== undefined || this.#closed) return Promise.reject(this.#refusal());
    if (this.#syncedIndex === this.#lastIndex) return Promise.resolve();
    return this.#group.request();
  }

  writeOut(): void {
    this.#check();
    this.#writeOut();
  }

  *read(fromIndex: number): Generator<LogRecord> {
    this.#check();
    if (fromIndex < this.#firstIndex) {
      const range = `entries from ${this.#firstIndex} on`;
      throw new LatheError("NOT_FOUND", `log ${this.#directory} has ${range}, ${fromIndex} was truncated`);
    }
    this.#writeOut();
    const reader = new SegmentReader();
    const endIndex = this.#lastIndex + 1;
    for (const segment of this.#segments.slice()) {
      const start = Math.max(fromIndex, segment.baseIndex);
      const end = Math.min(endIndex, this.#endIndexOf(segment));
      if (start < end) yield* reader.read(segment, start, end);
    }
  }

  truncatePrefix(index: number): void {
    this.#check();
    if (index > this.#lastIndex) {
      throw new LatheError("INVALID_ARGUMENT", `cannot truncate up to ${index}: the log ends at ${this.#lastIndex}`);
    }
    this.#firstIndex = Math.max(this.#firstIndex, index + 1);
    while (this.#segments.length > 1) {
      const { baseDurable, baseIndex } = this.#segments[1];
      if (!baseDurable || baseIndex > index + 1 || baseIndex > this.#syncedIndex + 1) return;
      this.#retire(this.#segments.shift() as LogSegment);
    }
  }

  async truncateSuffix(index: number): Promise<void> {
    this.#check();
    if (index < this.#firstIndex) {
      throw new LatheError("INVALID_ARGUMENT", `cannot truncate from ${index}: the log begins at ${this.#firstIndex}`);
    }
    if (index > this.#lastIndex) return;
    assert(!this.#truncating, "one truncation at a time");
    this.#truncating = true;
    try {
      // A flush in flight would count entries as durable that are about to go.
      await this.sync();
      const active = this.#startSegment(index);
      this.#lastIndex = index - 1;
      this.#syncedIndex = index - 1;
      await this.#group.request();
      const superseded = this.#segments.filter((segment) => segment !== active && segment.baseIndex >= index);
      for (const segment of superseded) {
        this.#segments.splice(this.#segments.indexOf(segment), 1);
        this.#retire(segment);
      }
    } finally {
      this.#truncating = false;
    }
  }

  metrics(): Metric[] {
    const counter = (name: string, help: string, value: number): Metric => ({ kind: "counter", name, help, value });
    const gauge = (name: string, help: string, value: number): Metric => ({ kind: "gauge", name, help, value });
    return [
      this.#syncUs.toMetric({ name: "wal_fsync_seconds", help: "Time of a device flush of the log.", scale: 1e-6 }),
      this.#groupEntries.toMetric({ name: "wal_group_entries", help: "Entries per device flush.", scale: 1 }),
      counter("wal_syncs_total", "Device flushes of the log.", this.#syncUs.count),
      gauge("wal_batch_commits", "Commits that a group is held back for, 0: none.", this.#group.plan.commits),
      gauge("wal_batch_hold_seconds", "For how long at most.", this.#group.plan.holdUs / 1e6),
      counter("wal_batch_changes_total", "Times that the batch agent changed that.", this.#group.planChanges),
      counter("wal_batch_held_groups_total", "Groups that were held back.", this.#group.heldGroups),
      counter("wal_batch_filled_groups_total", "Held groups for which enough commits came.", this.#group.filledGroups),
      counter("wal_batch_held_seconds_total", "Time that groups were held back.", this.#group.heldUs / 1e6),
      counter("wal_appended_bytes_total", "Bytes of entries appended to the log.", this.#appendedBytes),
      counter("wal_written_bytes_total", "Bytes written to the log, with framing.", this.#writtenBytes),
      counter("wal_inline_segments_total", "Segments that writers had to wait for.", this.#supply.inlinePreparations),
      gauge("wal_segments", "Segment files that hold entries.", this.#segments.length),
      gauge("wal_spare_segments", "Segment files that are ready for use.", this.#supply.readySegments),
      gauge("wal_retained_entries", "Entries that are not truncated.", this.#lastIndex - this.#firstIndex + 1),
    ];
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const synced = this.#failure === undefined ? this.sync() : Promise.resolve();
    this.#closed = true;
    try {
      await synced;
    } finally {
      await this.#supply.close();
      for (const { file } of this.#segments) file.close();
    }
  }

  get #active(): LogSegment {
    return this.#segments[this.#segments.length - 1];
  }

  /** Index after the last entry that a segment contributes. */
  #endIndexOf(segment: LogSegment): number {
    return this.#segments[this.#segments.indexOf(segment) + 1]?.baseIndex ?? this.#lastIndex + 1;
  }

  #check(): void {
    if (this.#failure !== undefined || this.#closed) throw this.#refusal();
  }

  #refusal(): unknown {
    return this.#failure ?? new LatheError("CLOSED", `log ${this.#directory} is closed`);
  }

  /** Remembers the first failure of a write or flush; the state of the file is unknown from here on. */
  #fail(error: unknown): unknown {
    if (this.#failure === undefined) {
      this.#failure = error;
      this.#env.log.error("wal.failed", { directory: this.#directory, error });
    }
    return this.#failure;
  }

  /**
   * Lets `encode` write a record of `length` bytes where it belongs: into the buffer, or past it where
   * it is too large.
   */
  #put(length: number, encode: (target: Uint8Array, offset: number) => void): void {
    const segment = this.#active;
    if (this.#buffered + length > this.#buffer.length) this.#writeOut();
    if (length <= this.#buffer.length) {
      encode(this.#buffer, this.#buffered);
      this.#buffered += length;
      segment.endOffset += length;
      return;
    }
    const large = new Uint8Array(length);
    encode(large, 0);
    this.#write(segment, large, length, segment.endOffset);
    segment.endOffset += length;
  }

  #writeOut(): void {
    if (this.#buffered === 0) return;
    const segment = this.#active;
    this.#write(segment, this.#buffer, this.#buffered, segment.endOffset - this.#buffered);
    this.#buffered = 0;
  }

  #write(segment: LogSegment, bytes: Uint8Array, length: number, offset: number): void {
    try {
      segment.file.writeSync(bytes, 0, length, offset);
    } catch (error) {
      throw this.#fail(error);
    }
    this.#writtenBytes += length;
    if (this.#unflushed[this.#unflushed.length - 1] !== segment) this.#unflushed.push(segment);
  }

  /** Begins a segment. Where no file is to be had, the log stays as it is. Errors: DISK_FULL, IO_ERROR. */
  #startSegment(baseIndex = this.#lastIndex + 1): LogSegment {
    if (this.#segments.length > 0) this.#writeOut();
    const prepared = this.#sequence === 0 ? this.#supply.takeFirst() : this.#supply.take();
    const sequence = ++this.#sequence;
    const path = `${this.#directory}/${segmentFileName(sequence)}`;
    const syncedIndex = Math.min(this.#syncedIndex, baseIndex - 1);
    try {
      this.#env.disk.rename(`${this.#directory}/${prepared.name}`, path);
      this.#directoryChanged = true;
      const segment = new LogSegment({
        sequence,
        salt: prepared.salt,
        file: this.#env.disk.open(path, "write"),
        capacityBytes: prepared.bytes,
        baseIndex,
        endOffset: segmentHeaderBytes,
        baseDurable: false,
      });
      this.#segments.push(segment);
      const payload = new Uint8Array(8);
      writeU64LE(payload, 0, sequence);
      const fields = { kind: recordKinds.base, index: baseIndex, syncedIndex };
      this.#put(baseRecordBytes, (target, offset) => encodeRecord(target, offset, fields, payload, segment.salt));
      return segment;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** What one group does: write out, flush every segment written to, then the names of new ones. */
  async #flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#writeOut();
      const target = this.#lastIndex;
      const segments = this.#unflushed;
      const directoryChanged = this.#directoryChanged;
      this.#unflushed = [];
      this.#directoryChanged = false;
      const startUs = this.#env.clock.monotonicUs();
      for (const { file } of segments) await file.sync();
      if (directoryChanged) this.#env.disk.syncDirectory(this.#directory);
      this.#syncUs.record(this.#env.clock.monotonicUs() - startUs);
      this.#groupEntries.record(target - this.#syncedIndex);
      for (const segment of segments) segment.baseDurable = true;
      this.#syncedIndex = target;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #retire({ file, sequence }: LogSegment): void {
    file.close();
    this.#supply.retire(segmentFileName(sequence));
  }

  /**
   * Writes the segment's bytes from the record of an index on to where they are, so that a flush
   * covers them.
   */
  #rewriteFrom(segment: LogSegment, index: number): void {
    let offset = segment.placeBefore(Math.max(index, segment.baseIndex)).offset;
    const chunk = new Uint8Array(Math.min(rewriteChunkBytes, segment.endOffset - offset));
    while (offset < segment.endOffset) {
      const length = Math.min(chunk.length, segment.endOffset - offset);
      const count = segment.file.readSync(chunk, 0, length, offset);
      if (count < length) {
        const { path } = segment.file;
        throw new LatheError("CORRUPTION", `${path} ends at ${offset + count}, where recovery has read more before`, {
          details: { path, offset: offset + count },
        });
      }
      segment.file.writeSync(chunk, 0, length, offset);
      offset += length;
    }
  }
}
