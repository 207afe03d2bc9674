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
 * Memory is limited: puts beyond `bytesMax` are refused as a whole batch, reads and deletes go on. What counts are the
 * lengths of the live entries, so that a replay of the same batches comes to the same refusals. So that it does also
 * where the limit was changed in between, CURRENT names the limit that batches behind the snapshot were judged by; a
 * new one comes into force once the log is replayed (`recovered`), with a snapshot between the two.
 * Files on disk: snapshot-file.ts, current-file.ts.
 * Source: Redis and VoltDB (snapshot and log), Hekaton (versions).
 */
import type { DiskLock, Env } from "../../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../../kit/errors.ts";
import type { Metric } from "../../../../kit/metric.ts";
import type { Cursor, EngineCapabilities, ScanRange, Snapshot, StorageEngine } from "../../engine.ts";
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
/** Before a put is refused for want of memory, so many slots are looked at for what has expired. */
const sweptBeforeRefusal = 1 << 16;
/** What is reserved beside the limit: old versions, free cells, nodes of the ordered index. */
const reserveBytes = 1 << 22;
/** So much more than a lowered limit says may be there. */
const loadedPerLimit = 1.25;

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
  const arenaBytes = Math.ceil(Math.max(options.bytesMax, current.limitBytes) * 1.5) + reserveBytes;
  const store = new RecordStore({ arenaBytes, seed: env.random.u32(), expiry });
  if (current.snapshotNumber > 0) load(env, store, options, current);
  return new MemoryEngine(env, options, store, { current, lastNumber }, lock);
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
  const current = found ?? { snapshotNumber: 0, index: 0, timeMs: 0, limitBytes: bytesMax };
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
  /** By which puts are judged now. */
  #limitBytes: number;
  #appliedIndex: number;
  #closed: Promise<void> | undefined = undefined;
  #cursors = 0;
  #snapshots = 0;
  #isReclaiming = false;
  readonly #counts = { batches: 0, reads: 0, scans: 0, refused: 0 };

  constructor(
    env: Env, options: ResolvedOptions, store: RecordStore, found: { current: CurrentState; lastNumber: number },
    lock: DiskLock,
  ) {
    this.#env = env;
    this.#options = options;
    this.#store = store;
    this.#lock = lock;
    this.#appliedIndex = found.current.index;
    this.#limitBytes = found.current.limitBytes === 0 ? options.bytesMax : found.current.limitBytes;
    this.#writer = new SnapshotWriter(env, store, options, { ...found, appliedIndex: () => this.#appliedIndex });
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
    this.#checkMemory(batch);
    this.#store.apply(batch.encode(), index);
    this.#appliedIndex = index;
    this.#counts.batches++;
    this.#writer.note(batch.byteLength);
  }

  /** Brings the limit of the options into force. Errors: LIMIT_EXCEEDED where more is there; DISK_FULL, IO_ERROR. */
  async recovered(): Promise<void> {
    const { bytesMax, directory } = this.#options;
    if (this.#writer.current.limitBytes === bytesMax) return;
    const { liveBytes } = this.#store;
    // Else there might be no memory for it at the next opening.
    if (liveBytes > bytesMax * loadedPerLimit) throw tooLarge(directory, bytesMax, liveBytes);
    await this.#writer.adoptLimit(bytesMax);
    this.#limitBytes = bytesMax;
  }

  backpressure(): Promise<void> | undefined {
    return this.#writer.backpressure() ?? this.#shortOfCells();
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
    return memoryMetrics(this.#store, this.#writer, { ...this.#counts, ...views, bytesMax: this.#limitBytes });
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

  /** Where a snapshot under way keeps so many old versions that there is hardly room for more: until it has ended. */
  #shortOfCells(): Promise<void> | undefined {
    const store = this.#store;
    const bytes = Math.min(reserveBytes, this.#limitBytes / 16);
    if (store.followedCount === 0 || store.canHold(bytes, 1)) return undefined;
    while (store.reclaim(reclaimedAtOnce));
    return store.canHold(bytes, 1) ? undefined : this.#writer.ended;
  }

  /** Refuses a batch that puts something where there is no memory for it. Nothing of it was applied. */
  #checkMemory(batch: WriteBatch): void {
    const store = this.#store;
    if (!store.canHold(batch.byteLength, batch.count)) {
      // Old versions that nobody sees any more may be in the way.
      while (store.reclaim(reclaimedAtOnce));
      if (!store.canHold(batch.byteLength, batch.count)) throw this.#fullError();
    }
    // A put counts some 50 bytes beside its own at most; so most batches are not looked at.
    if (store.liveBytes + batch.byteLength * 1.125 + batch.count * 64 <= this.#limitBytes) return;
    const weight = RecordStore.putWeight(batch.encode());
    if (weight === 0 || store.liveBytes + weight <= this.#limitBytes) return;
    if (store.expiringCount > 0) store.sweep(sweptBeforeRefusal);
    if (store.liveBytes + weight > this.#limitBytes) throw this.#fullError();
  }

  #fullError(): LatheError {
    this.#counts.refused++;
    const { liveBytes } = this.#store;
    const bytesMax = this.#limitBytes;
    return new LatheError(
      "LIMIT_EXCEEDED",
      `no memory for this write: entries take ${liveBytes} of ${bytesMax} bytes (memory.bytes_max); reads and ` +
        "deletes go on: delete some, or restart with a higher limit",
      { details: { liveBytes, bytesMax } },
    );
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

function tooLarge(path: string, bytesMax: number, liveBytes?: number): LatheError {
  const held = liveBytes === undefined ? "more" : `${liveBytes} bytes, more`;
  return new LatheError(
    "LIMIT_EXCEEDED",
    `${path} holds ${held} than memory.bytes_max (${bytesMax} bytes) allows; start with a higher limit`,
    { details: { path, bytesMax } },
  );
}

function closedError(): LatheError {
  return new LatheError("CLOSED", "the store is closed");
}
