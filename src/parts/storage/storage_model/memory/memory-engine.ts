/**
 * The memory engine: all data in memory, found by hash, ordered beside it, kept by snapshots and the caller's log.
 *
 *   write   a batch changes the records and both indexes at once (record-store.ts). The caller's log has made it
 *           durable.
 *   read    a point read is one probe of the hash index; a scan walks the ordered index.
 *   keep    a snapshot of everything is written beside the work (snapshot-writer.ts); the log is needed from its index
 *           on.
 *   open    take the directory, read CURRENT, flush the directory, remove files that CURRENT does not name, load the
 *           snapshot. The caller applies from `durableIndex + 1` on.
 * Memory is limited, and that is decided before a batch is logged (`room`, write-room.ts): puts beyond `bytesMax` are
 * refused as a whole batch, reads and deletes go on. What the log holds is applied, at once and at every replay, under
 * whatever limit: CURRENT names how much live entries may come to by it, and so much is reserved at the opening. Logs
 * from before (CURRENT of version 2 and below) hold batches that were refused when they were applied; those are judged
 * again by the limit of their time, until the log is replayed (`recovered`) and a snapshot is between them and what
 * follows.
 * Files on disk: snapshot-file.ts, current-file.ts.
 * Source: Redis and VoltDB (snapshot and log; Redis asks for memory before a command runs and not when it loads),
 * Hekaton (versions).
 */
import type { DiskLock, Env } from "../../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../../kit/errors.ts";
import type { Metric } from "../../../../kit/metric.ts";
import type {
  Cursor, EngineCapabilities, ScanRange, Snapshot, StorageEngine,
} from "../../engine.ts";
import { ExpiryClock } from "../../expiry-clock.ts";
import { batchKindPutExpiring, expiryBytes, type WriteBatch } from "../../write-batch.ts";
import { type CurrentState, readCurrent, writeCurrentSync } from "./current-file.ts";
import { MemoryCursor } from "./memory-cursor.ts";
import { memoryMetrics } from "./memory-metrics.ts";
import { type MemoryOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { RecordLoader } from "./record-loader.ts";
import { reclaimedAtOnce, RecordStore } from "./record-store.ts";
import { readSnapshot, snapshotName, snapshotNumberOf } from "./snapshot-file.ts";
import { SnapshotWriter } from "./snapshot-writer.ts";
import { refuseMore } from "./view-list.ts";
import { MemoryRoom } from "./write-room.ts";

export const memoryCapabilities: EngineCapabilities = {
  durable: true,
  snapshots: true,
  reverseScan: true,
  checkpoint: true,
  ttl: true,
  rangeDelete: true,
  keyBytesMax: 0xffff,
  valueBytesMax: 1 << 26,
};

export const cursorsMax = 4096;
export const snapshotsMax = 4096;
const batchBytesMax = 1 << 28;
const batchOperationsMax = 1 << 22;
/** A clock that is this far behind the store's time is worth a line in the log. */
const clockSlackMs = 1000;
/** What there is beside the limit: old versions, free cells, nodes of the ordered index. */
const reserveBytes = 1 << 22;
/** Memory per byte of the limit that puts are admitted to. */
const roomPerLimit = 1.5;
/**
 * What is reserved, and not touched but in need: tombstones for what views still see, and cells that lie otherwise
 * after a restart than they did when the log was written.
 */
const reservedPerLimit = 3;
/** What references of 32 bits reach. */
const reservedMax = 2 ** 35 - 2 ** 20;

/**
 * Opens or creates a store.
 * Errors: LOCKED, CORRUPTION, FORMAT_UNKNOWN, INVALID_ARGUMENT, LIMIT_EXCEEDED, DISK_FULL, READ_ONLY, PERMISSION,
 * IO_ERROR.
 */
export async function openMemoryEngine(env: Env, options: MemoryOptions): Promise<MemoryEngine> {
  const resolved = resolveOptions(options);
  const { directory } = resolved;
  env.disk.makeDirectory(directory);
  const lock = env.disk.lock(directory);
  try {
    return openLocked(env, resolved, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function openLocked(env: Env, options: ResolvedOptions, lock: DiskLock): MemoryEngine {
  const { directory, expiryTime } = options;
  const { current, lastNumber } = recoverDirectory(env, options);
  const expiry = new ExpiryClock(env.clock, expiryTime, current.timeMs);
  const aheadMs = current.timeMs - env.clock.nowMs();
  if (expiryTime === "clock" && aheadMs > clockSlackMs) {
    env.log.warn("memory_clock_behind_store", { directory, aheadMs });
  }
  const reachBytes = Math.max(options.bytesMax, current.limitBytes);
  const store = reserveStore(reachBytes, env.random.u32(), expiry);
  if (current.snapshotNumber > 0) load(env, store, options, current);
  return new MemoryEngine(env, options, store, { current, lastNumber }, lock);
}

/** Errors: LIMIT_EXCEEDED. */
function reserveStore(limitBytes: number, seed: number, expiry: ExpiryClock): RecordStore {
  const roomBytes = Math.ceil(limitBytes * roomPerLimit) + reserveBytes;
  const arenaBytes = Math.min(Math.ceil(limitBytes * reservedPerLimit) + reserveBytes, reservedMax);
  try {
    return new RecordStore({ arenaBytes, roomBytes, seed, expiry });
  } catch (error) {
    if (errorCodeOf(error) !== "LIMIT_EXCEEDED") throw error;
    // Systems that promise no more memory than they have.
    return new RecordStore({ arenaBytes: roomBytes, seed, expiry });
  }
}

/** CURRENT, made where there is none; everything that it does not name is removed. */
function recoverDirectory(
  { disk, log }: Env, { directory, selectionHash, bytesMax }: ResolvedOptions,
): { current: CurrentState; lastNumber: number } {
  const found = readCurrent(disk, directory, selectionHash);
  const snapshots = disk.list(directory).filter((name) => snapshotNumberOf(name) !== undefined);
  if (found === undefined && snapshots.length > 0) {
    throw new LatheError(
      "CORRUPTION",
      `${directory} has ${snapshots[0]} but no CURRENT that says which snapshot is in force; restore it from a backup`,
      { details: { path: directory } },
    );
  }
  const current = found ?? { snapshotNumber: 0, index: 0, timeMs: 0, limitBytes: bytesMax, isAdmitted: true };
  if (found === undefined) writeCurrentSync(disk, directory, selectionHash, current);
  // The name that was just read may not be durable yet, and what it followed must not go before it is.
  else disk.syncDirectory(directory);
  let lastNumber = current.snapshotNumber;
  for (const name of snapshots) {
    const number = snapshotNumberOf(name) as number;
    lastNumber = Math.max(lastNumber, number);
    if (number === current.snapshotNumber) continue;
    disk.unlink(`${directory}/${name}`);
    log.info("memory_orphan_removed", { name });
  }
  return { current, lastNumber };
}

function load(env: Env, store: RecordStore, options: ResolvedOptions, { snapshotNumber, index }: CurrentState): void {
  const path = `${options.directory}/${snapshotName(snapshotNumber)}`;
  const loader = new RecordLoader(store, index);
  const { index: reached } = readSnapshot(env.disk, path, options.selectionHash, {
    begin: (entryCount) => loader.begin(entryCount),
    visit: (kind, bytes, keyStart, keyEnd, valueEnd) => {
      if (!store.canHold(valueEnd - keyStart, 1)) throw tooLarge(path, options.bytesMax);
      return loader.add(kind, bytes, keyStart, keyEnd, valueEnd);
    },
  });
  loader.end();
  if (reached === index) return;
  const message = `${path} reaches up to ${reached}, CURRENT says ${index}; restore the store from a backup`;
  throw new LatheError("CORRUPTION", message, { details: { path } });
}

export class MemoryEngine implements StorageEngine {
  readonly capabilities = memoryCapabilities;
  readonly #env: Env;
  readonly #options: ResolvedOptions;
  readonly #store: RecordStore;
  readonly #writer: SnapshotWriter;
  readonly #lock: DiskLock;
  readonly room: MemoryRoom;
  #appliedIndex: number;
  #closed: Promise<void> | undefined = undefined;
  #cursors = 0;
  #snapshots = 0;
  #isReclaiming = false;
  readonly #counts = { batches: 0, reads: 0, scans: 0 };

  constructor(
    env: Env, options: ResolvedOptions, store: RecordStore, found: { current: CurrentState; lastNumber: number },
    lock: DiskLock,
  ) {
    this.#env = env;
    this.#options = options;
    this.#store = store;
    this.#lock = lock;
    this.#appliedIndex = found.current.index;
    this.#writer = new SnapshotWriter(env, store, options, { ...found, appliedIndex: () => this.#appliedIndex });
    this.room = new MemoryRoom(store, options.bytesMax, {
      checkLimits: (batch) => this.#checkLimits(batch),
      isSnapshotRunning: () => this.#writer.isRunning,
    });
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get durableIndex(): number {
    return this.#writer.current.index;
  }

  getSync(key: Uint8Array, snapshot?: Snapshot): Uint8Array | undefined {
    if (this.#closed !== undefined) throw closedError();
    this.#counts.reads++;
    const ref = this.#store.find(key, snapshot === undefined ? Infinity : snapshot.index);
    if (ref === 0 || !this.#store.isLive(ref)) return undefined;
    const { heap } = this.#store;
    const start = heap.keyStartOf(ref) + heap.keyLengthOf(ref);
    const before = heap.kindOf(ref) === batchKindPutExpiring ? expiryBytes : 0;
    return heap.sourceOf(ref).subarray(start + before, start + heap.valueLengthOf(ref));
  }

  /** The bytes are a copy: whoever awaits cannot know what is written in between. */
  async get(key: Uint8Array, snapshot?: Snapshot): Promise<Uint8Array | undefined> {
    return this.getSync(key, snapshot)?.slice();
  }

  async getMany(keys: readonly Uint8Array[], snapshot?: Snapshot): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.getSync(key, snapshot)?.slice());
  }

  applySync(batch: WriteBatch, index: number, timeMs = 0): void {
    if (this.#closed !== undefined) throw closedError();
    if (!Number.isSafeInteger(index) || index <= this.#appliedIndex) {
      throw new LatheError("INVALID_ARGUMENT", `index ${index} does not follow the last one, ${this.#appliedIndex}`);
    }
    this.#checkLimits(batch);
    this.#store.expiry.advance(timeMs);
    const { current } = this.#writer;
    // The log is one from before admission.
    if (!current.isAdmitted) this.room.judge(batch, current.limitBytes || this.#options.bytesMax);
    this.room.makeRoom(batch);
    this.#store.apply(batch.encode(), index);
    this.#appliedIndex = index;
    this.#counts.batches++;
    this.#writer.note(batch.byteLength);
  }

  /** From here on the log holds nothing but what the limit of the options let in. Errors: DISK_FULL, IO_ERROR. */
  async recovered(index: number): Promise<void> {
    // Entries behind the last batch were refused, or changed nothing; they are not to be judged again.
    this.#appliedIndex = Math.max(this.#appliedIndex, index);
    const { bytesMax, directory } = this.#options;
    const { liveBytes } = this.#store;
    if (liveBytes > bytesMax) this.#env.log.warn("memory_above_limit", { directory, liveBytes, bytesMax });
    await this.#writer.adoptLimit();
  }

  backpressure(): Promise<void> | undefined {
    return this.#writer.backpressure() ?? (this.room.isShort() ? this.#writer.ended : undefined);
  }

  write(): Promise<number> {
    const message = "the memory engine keeps no log: keep one, use applySync, and replay behind durableIndex";
    return Promise.reject(new LatheError("INVALID_ARGUMENT", message));
  }

  scan(range: ScanRange): Cursor {
    if (this.#closed !== undefined) throw closedError();
    refuseMore("cursors", this.#cursors, cursorsMax);
    this.#cursors++;
    this.#counts.scans++;
    return new MemoryCursor(this.#store, range, range.snapshot?.index ?? this.#appliedIndex, () => {
      this.#cursors--;
      this.#released();
    });
  }

  snapshot(): Snapshot {
    refuseMore("snapshots", this.#snapshots, snapshotsMax);
    const index = this.#appliedIndex;
    this.#snapshots++;
    this.#store.views.take(index);
    let isLive = true;
    const release = () => {
      if (!isLive) return;
      isLive = false;
      this.#snapshots--;
      this.#store.views.release(index);
      this.#released();
    };
    return { index, release };
  }

  async flush(): Promise<void> {
    if (this.#closed !== undefined) throw closedError();
    await this.#writer.flush();
  }

  /** Drops what has expired, and writes what is left. */
  async compactAll(): Promise<void> {
    if (this.#closed !== undefined) throw closedError();
    const before = this.#store.expiredDropped;
    if (this.#store.expiringCount > 0) this.#store.sweep(this.#store.hashed.slotCount);
    if (this.#store.expiredDropped > before) await this.#writer.rewrite();
    await this.flush();
  }

  settle(): Promise<void> {
    return this.#writer.settle();
  }

  /** Errors: ALREADY_EXISTS where the target holds anything, DISK_FULL, IO_ERROR. */
  async checkpoint(directory: string): Promise<void> {
    await this.flush();
    if (this.#closed !== undefined) throw closedError();
    const { disk } = this.#env;
    const { current } = this.#writer;
    disk.makeDirectory(directory);
    const present = disk.list(directory);
    if (present.length > 0) {
      const message = `${directory} is not empty (it holds ${present[0]}); name an empty directory`;
      throw new LatheError("ALREADY_EXISTS", message);
    }
    if (current.snapshotNumber > 0) {
      const name = snapshotName(current.snapshotNumber);
      disk.link(`${this.#options.directory}/${name}`, `${directory}/${name}`);
    }
    writeCurrentSync(disk, directory, this.#options.selectionHash, current);
  }

  metrics(): Metric[] {
    const views = { cursors: this.#cursors, snapshots: this.#snapshots };
    const { refused } = this.room;
    return memoryMetrics(this.#store, this.#writer, {
      ...this.#counts, ...views, refused, bytesMax: this.#options.bytesMax,
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #checkLimits(batch: WriteBatch): void {
    const { valueBytesMax } = this.capabilities;
    if (batch.byteLength > batchBytesMax || batch.count > batchOperationsMax) {
      throw new LatheError(
        "LIMIT_EXCEEDED",
        `a batch of ${batch.count} operations and ${batch.byteLength} bytes; ` +
          `at most ${batchOperationsMax} and ${batchBytesMax} go into one`,
      );
    }
    if (batch.byteLength <= valueBytesMax) return;
    batch.forEach((_kind, _bytes, _keyStart, keyEnd, valueEnd) => {
      if (valueEnd - keyEnd <= valueBytesMax) return;
      throw new LatheError("LIMIT_EXCEEDED", `a value of ${valueEnd - keyEnd} bytes is longer than ${valueBytesMax}`);
    });
  }

  /** Frees what a view held, some at a time and in turns of their own. */
  #released(): void {
    if (this.#isReclaiming || this.#store.followedCount === 0) return;
    if (!this.#store.reclaim(reclaimedAtOnce)) return;
    this.#isReclaiming = true;
    this.#env.clock.defer(() => {
      this.#isReclaiming = false;
      if (this.#closed === undefined) this.#released();
    });
  }

  /** Writes down the time that entries were judged by, so that they stay gone if the clock is set back. */
  #rememberTime(): void {
    const { expiry } = this.#store;
    if (!expiry.wasAsked || expiry.source === "entry") return;
    const { directory, selectionHash } = this.#options;
    try {
      const state = { ...this.#writer.current, timeMs: expiry.nowMs() };
      writeCurrentSync(this.#env.disk, directory, selectionHash, state);
    } catch (error) {
      this.#env.log.warn("memory_expiry_time_not_kept", { code: errorCodeOf(error) });
    }
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    this.#rememberTime();
    this.#lock.release();
  }
}

function tooLarge(path: string, bytesMax: number): LatheError {
  return new LatheError(
    "LIMIT_EXCEEDED",
    `${path} holds more than there is memory for with a memory.bytes_max of ${bytesMax}; start with a higher one`,
    { details: { path, bytesMax } },
  );
}

function closedError(): LatheError {
  return new LatheError("CLOSED", "the store is closed");
}
