/**
 * The blackboard engine: a log-structured merge tree whose state one thread owns and whose background work
 * agents decide.
 *
 *   write   a batch goes into the memtable; a full memtable is frozen; the flush agent has it written as a table of
 *           level 0; the compaction agent has levels merged into the next.
 *   read    memtable, frozen memtables, level 0 newest first, then one table per deeper level; bloom filters keep a
 *           point read out of the tables that lack the key.
 *   open    take the directory, read CURRENT and the manifest, open and check the tables, remove orphans, and with a
 *           log replay what it holds beyond the files. Without a log the caller applies from `durableIndex + 1` on.
 * Files on disk: see manifest.ts and table-format.ts. `getSync` hands out views of blocks and memtables; the
 * promised reads hand out copies.
 * Source: O'Neil et al. 1996; LevelDB; SNDV-KV for the blackboard.
 */
import type { DiskLock, Env } from "../../../../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../../../../kit/errors.ts";
import type { Metric } from "../../../../../../kit/metric.ts";
import type { Cursor, EngineCapabilities, ScanRange, Snapshot, StorageEngine } from "../../../../engine.ts";
import { countOperations, expiryBytes, expiryOf, type WriteBatch } from "../../../../write-batch.ts";
import { AdaptiveMemory } from "./adaptive-memory.ts";
import type { Agent } from "./agent.ts";
import { coordinate as coordinateByAgents } from "./agent-coordination.ts";
import { Blackboard } from "./blackboard.ts";
import { BlockCache } from "./block-cache.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import type { BackgroundRunner, BackPressure, Coordinate } from "./coordination.ts";
import { EngineCursor } from "./engine-cursor.ts";
import { engineMetrics } from "./engine-metrics.ts";
import { ExpiryClock } from "../../../../expiry-clock.ts";
import { copyOf, type EncodableBatch, LogWrites } from "./log-writes.ts";
import { lookupMissing, lookupPut, lookupPutExpiring } from "./lookup.ts";
import { type BlackboardOptions, changedTuning, resolveTuning, selectionHashOf, type Tuning } from "./options.ts";
import { PointReader } from "./point-reader.ts";
import { rangeDeletesMax } from "./range-batch.ts";
import { ReadCounters } from "./read-counters.ts";
import { ReadPace } from "./read-pace.ts";
import { VersionSet } from "./version-set.ts";

export const blackboardCapabilities: EngineCapabilities = {
  durable: true,
  snapshots: true,
  reverseScan: true,
  checkpoint: true,
  ttl: true,
  rangeDelete: true,
  keyBytesMax: 0xffff,
  valueBytesMax: 1 << 26,
};

/** A cursor pins files, memtables and a block per sorted run: some 50 KB each. */
export const cursorsMax = 4096;
/** A batch lives in one memtable, so it must have bounds. */
const batchBytesMax = 1 << 28;
const batchOperationsMax = 1 << 22;
/**
 * Blocks that one pooled read waits for before it reads the rest itself; eviction could undo its work for ever.
 */
const pooledAttemptsMax = 16;
/** A clock that is this far behind the store's time is worth a line in the log. */
const clockSlackMs = 1000;
/** Keys of one getMany that wait for the disk at a time. */
const pooledReadsMax = 16;

/**
 * Opens or creates a store.
 * Errors: LOCKED, CORRUPTION, FORMAT_UNKNOWN, INVALID_ARGUMENT, DISK_FULL, READ_ONLY, PERMISSION, IO_ERROR.
 */
export async function openBlackboardEngine(
  env: Env,
  options: BlackboardOptions,
  coordinate: Coordinate = coordinateByAgents,
): Promise<BlackboardEngine> {
  const tuning = resolveTuning(options);
  const { directory } = options;
  const expiryTime = options.expiryTime ?? "clock";
  if (expiryTime === "entry" && options.log !== undefined) {
    throw new LatheError(
      "INVALID_ARGUMENT",
      'expiryTime "entry" takes the time from applySync; an engine with a log of its own has "clock"',
    );
  }
  env.disk.makeDirectory(directory);
  const lock = env.disk.lock(directory);
  let engine: BlackboardEngine | undefined;
  try {
    const cache = new BlockCache(tuning.blockCacheBytes);
    const counters = new ReadCounters();
    const { disk, log } = env;
    const selectionHash = selectionHashOf(options);
    const versions = VersionSet.open({ disk, log, directory, selectionHash, cache, counters });
    const expiry = new ExpiryClock(env.clock, expiryTime, versions.expiryTimeMs);
    const aheadMs = versions.expiryTimeMs - env.clock.nowMs();
    if (expiryTime === "clock" && aheadMs > clockSlackMs) log.warn("lsm_clock_behind_store", { directory, aheadMs });
    const board = new Blackboard(tuning, versions, cache, counters, expiry);
    engine = new BlackboardEngine(env, options, board, lock, coordinate);
    await engine.replayLog();
    return engine;
  } catch (error) {
    if (engine === undefined) lock.release();
    else await engine.close();
    throw error;
  }
}

export class BlackboardEngine implements StorageEngine {
  readonly capabilities = blackboardCapabilities;
  readonly #env: Env;
  readonly #options: BlackboardOptions;
  readonly #board: Blackboard;
  readonly #runner: BackgroundRunner;
  readonly #stall: BackPressure;
  readonly #memory: AdaptiveMemory;
  readonly #reader: PointReader;
  readonly #logWrites: LogWrites | undefined;
  readonly #lock: DiskLock;
  readonly #pace = new ReadPace();
  #closed: Promise<void> | undefined = undefined;

  constructor(env: Env, options: BlackboardOptions, board: Blackboard, lock: DiskLock, coordinate: Coordinate) {
    this.#env = env;
    this.#options = options;
    this.#board = board;
    this.#lock = lock;
    const { directory, log, logDurable } = options;
    const selectionHash = selectionHashOf(options);
    const work = { env, board, directory, selectionHash, log, logDurable };
    ({ runner: this.#runner, stall: this.#stall } = coordinate(work));
    this.#memory = new AdaptiveMemory({
      env,
      board,
      pressure: () => this.#stall.present.pressure,
      changed: (before) => this.#runner.retuned(before),
    });
    this.#reader = new PointReader(board);
    const apply = (encoded: Uint8Array, count: number, rangeDeletes: number, index: number) =>
      this.#apply(encoded, count, rangeDeletes, index, 0);
    this.#logWrites = log === undefined ? undefined : new LogWrites(log, apply);
    this.#runner.schedule();
  }

  get appliedIndex(): number {
    return this.#board.appliedIndex;
  }

  get durableIndex(): number {
    return this.#board.versions.durableIndex;
  }

  getSync(key: Uint8Array, snapshot?: Snapshot): Uint8Array | undefined {
    if (this.#closed !== undefined) throw closedError();
    const indexMax = snapshot === undefined ? Infinity : snapshot.index;
    const result = this.#reader.find(key, indexMax, true);
    if (result !== lookupPut && !this.#takesLive(result)) return undefined;
    const { bytes, valueStart, valueEnd } = this.#reader.lookup;
    return bytes.subarray(valueStart, valueEnd);
  }

  /** The bytes are a copy: whoever awaits cannot know what is read in between. */
  async get(key: Uint8Array, snapshot?: Snapshot): Promise<Uint8Array | undefined> {
    const { readMode } = this.#board.tuning;
    if (readMode === "sync") return this.getSync(key, snapshot)?.slice();
    if (this.#closed !== undefined) throw closedError();
    const indexMax = snapshot === undefined ? Infinity : snapshot.index;
    const result = this.#reader.find(key, indexMax, false);
    if (result !== lookupMissing) return this.#copyOf(result);
    if (readMode === "adaptive" && this.#pace.mayBlock(this.#env.clock.monotonicUs())) {
      return this.#getTimed(key, indexMax);
    }
    return this.#getPooled(key.slice(), indexMax);
  }

  async getMany(keys: readonly Uint8Array[], snapshot?: Snapshot): Promise<(Uint8Array | undefined)[]> {
    if (this.#board.tuning.readMode === "sync")
      return keys.map((key) => this.getSync(key, snapshot)?.slice());
    const values: (Uint8Array | undefined)[] = [];
    for (let from = 0; from < keys.length; from += pooledReadsMax) {
      const some = keys.slice(from, from + pooledReadsMax);
      values.push(...(await Promise.all(some.map((key) => this.get(key, snapshot)))));
    }
    return values;
  }

  applySync(batch: WriteBatch, index: number, timeMs = 0): void {
    if (this.#closed !== undefined) throw closedError();
    if (!Number.isSafeInteger(index) || index <= this.appliedIndex) {
      throw new LatheError(
        "INVALID_ARGUMENT",
        `index ${index} does not follow the last one, ${this.appliedIndex}`,
      );
    }
    this.#checkLimits(batch);
    this.#stall.refuseOverrun();
    this.#apply(batch.encode(), batch.count, batch.rangeDeleteCount, index, timeMs);
  }

  backpressure(): Promise<void> | undefined {
    return this.#stall.wait();
  }

  async write(batch: WriteBatch, options: { sync?: boolean } = {}): Promise<number> {
    if (this.#logWrites === undefined) {
      throw new LatheError(
        "INVALID_ARGUMENT",
        "the engine was opened without a log: keep one and use applySync",
      );
    }
    this.#checkLimits(batch);
    let taken: EncodableBatch = batch;
    for (;;) {
      if (this.#closed !== undefined) throw closedError();
      const pressure = this.backpressure();
      if (pressure === undefined) return this.#logWrites.write(taken, options.sync !== false);
      // While the write waits for room, the batch is the caller's again.
      if (taken === batch) taken = copyOf(batch);
      await pressure;
    }
  }

  scan(range: ScanRange): Cursor {
    if (this.#closed !== undefined) throw closedError();
    if (this.#board.openCursors >= cursorsMax) {
      throw new LatheError("BACKPRESSURE", `${cursorsMax} cursors are open, which is the limit; close some first`);
    }
    return new EngineCursor(this.#board, range, range.snapshot?.index ?? this.appliedIndex);
  }

  snapshot(): Snapshot {
    return this.#board.snapshots.take(this.appliedIndex);
  }

  async flush(): Promise<void> {
    if (this.#closed !== undefined) throw closedError();
    const index = this.appliedIndex;
    if (this.#board.freeze()) this.#runner.schedule();
    await this.#runner.waitUntil(() => this.durableIndex >= index);
  }

  async compactAll(): Promise<void> {
    await this.flush();
    await this.#runner.compactAll();
  }

  settle(): Promise<void> {
    return this.#runner.waitUntil(() => this.#runner.isIdle());
  }

  async checkpoint(directory: string): Promise<void> {
    await this.flush();
    if (this.#closed !== undefined) throw closedError();
    const { disk } = this.#env;
    const selectionHash = selectionHashOf(this.#options);
    writeCheckpoint(disk, this.#board.versions, this.#options.directory, directory, selectionHash);
  }

  metrics(): Metric[] {
    return engineMetrics(this.#board, this.#runner, this.#stall);
  }

  /**
   * Changes options while the engine runs; returns the names of those that differ now. What shapes files takes effect
   * as files are written. A compaction agent that the engine does not know is left in its place.
   * Errors: INVALID_ARGUMENT, naming what is wrong, or what cannot change while the store is open; nothing changed.
   */
  setTuning(changes: Partial<Tuning>): readonly (keyof Tuning)[] {
    if (this.#closed !== undefined) throw closedError();
    const before = this.#memory.configured;
    const tuning = changedTuning(before, changes);
    const changed = (Object.keys(tuning) as (keyof Tuning)[]).filter((name) => tuning[name] !== before[name]);
    if (changed.length === 0) return changed;
    this.#memory.configure(tuning);
    this.#env.log.info("lsm_tuning_changed", Object.fromEntries(changed.map((name) => [name, tuning[name]])));
    this.#runner.retuned(before);
    return changed;
  }

  /** The options in force: those asked for, and what the adaptive cache agent changed of them. */
  get tuning(): Tuning {
    return this.#board.tuning;
  }

  /** Puts another agent in the place of `flush`, `leveled-compaction` or `tiered-compaction` while the engine runs. */
  replaceAgent(name: string, agent: Agent): void {
    this.#runner.replaceAgent(name, agent);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Applies what the log holds beyond the files. Errors: CORRUPTION where log and files do not meet. */
  async replayLog(): Promise<void> {
    const { log, directory } = this.#options;
    if (log === undefined) return;
    const { durableIndex } = this;
    if (log.firstIndex > durableIndex + 1 || log.lastIndex < durableIndex) {
      throw new LatheError(
        "CORRUPTION",
        `${directory} holds everything up to index ${durableIndex}, its log ${log.firstIndex} to ${log.lastIndex}: ` +
          "they do not belong together, or the end of a file was lost; restore both from one copy",
        {
          details: {
            path: directory,
            offset: 0,
            durableIndex,
            logFirst: log.firstIndex,
            logLast: log.lastIndex,
          },
        },
      );
    }
    this.#board.isReplaying = true;
    try {
      for (const { index, entry } of log.read(durableIndex + 1)) {
        const { operations, rangeDeletes } = countOperations(entry);
        if (this.#board.apply(entry, operations, rangeDeletes, index, 0)) {
          this.#runner.schedule();
          // The turn in which the flush begins; replay goes on beside it.
          await new Promise<void>((resolve) => this.#env.clock.defer(resolve));
        } else if (!this.#board.isMemtableFull) continue;
        // Nobody else wants the machine yet: replay waits for room, but is not slowed before it must.
        if (this.#stall.isStalled) await this.#stall.wait();
      }
    } finally {
      this.#board.isReplaying = false;
      this.#runner.schedule();
    }
  }

  /** Returns whether a memtable was frozen. */
  #apply(encoded: Uint8Array, count: number, rangeDeletes: number, index: number, timeMs: number): boolean {
    this.#stall.charge(encoded.length);
    const froze = this.#board.apply(encoded, count, rangeDeletes, index, timeMs);
    if (froze) this.#runner.schedule();
    return froze;
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
    if (batch.rangeDeleteCount > rangeDeletesMax) {
      throw new LatheError(
        "LIMIT_EXCEEDED",
        `a batch deletes ${batch.rangeDeleteCount} ranges; at most ${rangeDeletesMax} go into one`,
      );
    }
    // A batch smaller than the limit holds no value above it; this spares most batches the walk.
    if (batch.byteLength <= valueBytesMax) return;
    batch.forEach((_kind, _bytes, _keyStart, keyEnd, valueEnd) => {
      if (valueEnd - keyEnd <= valueBytesMax) return;
      throw new LatheError(
        "LIMIT_EXCEEDED",
        `a value of ${valueEnd - keyEnd} bytes is longer than ${valueBytesMax}`,
      );
    });
  }

  /** Whether the lookup found a put that has yet to expire; then its time is taken off its value. */
  #takesLive(result: number): boolean {
    if (result !== lookupPutExpiring) return false;
    const { lookup } = this.#reader;
    if (this.#board.expiry.isPast(expiryOf(lookup.bytes, lookup.valueStart))) {
      this.#board.reads.expiredEntries++;
      return false;
    }
    lookup.valueStart += expiryBytes;
    return true;
  }

  #copyOf(result: number): Uint8Array | undefined {
    if (result !== lookupPut && !this.#takesLive(result)) return undefined;
    const { bytes, valueStart, valueEnd } = this.#reader.lookup;
    return bytes.slice(valueStart, valueEnd);
  }

  #getTimed(key: Uint8Array, indexMax: number): Uint8Array | undefined {
    const { clock } = this.#env;
    const startUs = clock.monotonicUs();
    const result = this.#reader.find(key, indexMax, true);
    const endUs = clock.monotonicUs();
    if (this.#pace.note(endUs - startUs, endUs)) this.#board.reads.slowReads++;
    return this.#copyOf(result);
  }

  async #getPooled(key: Uint8Array, indexMax: number): Promise<Uint8Array | undefined> {
    for (let attempt = 0; attempt < pooledAttemptsMax; attempt++) {
      if (this.#closed !== undefined) throw closedError();
      const result = this.#reader.find(key, indexMax, false);
      if (result !== lookupMissing) return this.#copyOf(result);
      const { missingTable, missingBlock } = this.#reader.lookup;
      const version = this.#board.versions.current.retain();
      try {
        await missingTable?.loadBlock(missingBlock);
      } finally {
        version.release();
      }
    }
    return this.#copyOf(this.#reader.find(key, indexMax, true));
  }

  /** Writes down the time that entries were judged by, so that they stay gone if the clock is set back. */
  async #rememberTime(): Promise<void> {
    const { expiry, versions } = this.#board;
    if (!expiry.wasAsked || expiry.source === "entry") return;
    try {
      await versions.commit({ expiryTimeMs: expiry.nowMs(), removed: [], added: [] });
    } catch (error) {
      this.#env.log.warn("lsm_expiry_time_not_kept", { code: errorCodeOf(error) });
    }
  }

  async #close(): Promise<void> {
    this.#memory.close();
    await this.#runner.close();
    await this.#rememberTime();
    await this.#board.versions.close();
    this.#lock.release();
  }
}

function closedError(): LatheError {
  return new LatheError("CLOSED", "the store is closed");
}
