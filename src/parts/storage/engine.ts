/**
 * StorageEngine: an ordered map from byte keys to byte values, with atomic batches, snapshots and recovery.
 *
 * Purpose: the port behind which storage engines stand (blackboard LSM, later RocksDB, Pebble, B-tree,
 * in memory). Contract:
 *   1. Keys and values are bytes; keys are ordered by memcmp (unsigned, a prefix sorts first). Keys are
 *   0 < n ≤ `keyBytesMax` bytes, values 0 ≤ n ≤ `valueBytesMax`.
 *   2. A batch is atomic: after any crash either all of its operations are there or none. Of several
 *   operations on one key in a batch the last wins.
 *   3. Every batch has an index, ascending without repetition; it is the engine's sequence number and
 *   is stored atomically with the data. `appliedIndex` is the index of the last batch applied.
 *   4. The engine has no log of its own unless it was opened with one: the caller keeps batches (or
 *   commands) durable in its log, and replays those after `durableIndex` when it opens the engine.
 *   5. Reads see every batch applied before the call; a snapshot sees those applied before it was
 *   taken, whatever flushes and compactions do meanwhile.
 *   6. Bytes handed out are valid until the caller's next call on the engine; to keep them, copy them.
 *   Bytes handed in belong to the caller again when the call returns.
 *   7. An entry put with `expiresAtMs` is gone from that time on: no read returns it, through snapshots and
 *   cursors neither. Time never goes backwards for an engine, not even when the clock does; what had expired
 *   by the last flush or orderly close stays gone after a restart with the clock set back.
 *   8. A range delete covers what was written before it, earlier in its own batch too.
 *   9. Corrupt bytes are never returned as data: the call throws CORRUPTION and names the file.
 * Source: LevelDB's DB, RocksDB's DB, abstract-level's capability manifest.
 */
import type { Metric } from "../../kit/metric.ts";
import type { WriteBatch } from "./write-batch.ts";

export interface StorageEngine {
  readonly capabilities: EngineCapabilities;
  /** Index of the last applied batch; 0 when empty. */
  readonly appliedIndex: number;
  /** Highest index such that all batches up to it survive a crash without any log. */
  readonly durableIndex: number;

  /** The value of a key, or undefined. May block on the disk. */
  getSync(key: Uint8Array, snapshot?: Snapshot): Uint8Array | undefined;
  /** As `getSync`, off the caller's thread where the disk would block. */
  get(key: Uint8Array, snapshot?: Snapshot): Promise<Uint8Array | undefined>;
  /** Values in the order of the keys; the bytes are copies. */
  getMany(keys: readonly Uint8Array[], snapshot?: Snapshot): Promise<(Uint8Array | undefined)[]>;

  /**
   * Applies a batch under the given index (> appliedIndex). Visible when the call returns; durable by
   * the caller's log. `timeMs` is the time of the log entry that the batch comes from: an engine that was
   * opened to judge expiry by its entries, as replicas do, takes its time from there. Errors:
   * INVALID_ARGUMENT, LIMIT_EXCEEDED, CLOSED, and DISK_FULL or IO_ERROR once background work has failed for
   * good.
   */
  applySync(batch: WriteBatch, index: number, timeMs?: number): void;
  /**
   * Told by the log once it has been replayed up to an index, with what was refused: what follows is new, and admitted
   * before it is logged. Errors: DISK_FULL, IO_ERROR.
   */
  recovered?(index: number): Promise<void>;
  /** Of an engine with a limit: what decides whether a write may be logged. Without it every write may. */
  readonly room?: WriteRoom | undefined;
  /**
   * Undefined while there is room for more writes; otherwise a promise that resolves when there is.
   * Writers must wait for it before `applySync`: this is the engine's back-pressure.
   */
  backpressure(): Promise<void> | undefined;
  /**
   * For an engine opened with a log: appends the batch to it, makes it durable (with the others that
   * wait) unless `sync` is false, applies it, and resolves with its index. Rejects with
   * INVALID_ARGUMENT where there is no log.
   */
  write(batch: WriteBatch, options?: { sync?: boolean }): Promise<number>;

  /** A cursor over a range. Close it. */
  scan(range: ScanRange): Cursor;
  snapshot(): Snapshot;
  /**
   * Makes everything applied so far durable in the engine's own files (`durableIndex` reaches
   * `appliedIndex`).
   */
  flush(): Promise<void>;
  /** Flushes and merges all runs into the last level with the present options. */
  compactAll(): Promise<void>;
  /** Resolves when no background work is due or running. */
  settle(): Promise<void>;
  /**
   * Makes an openable copy of the store in an empty or missing directory on the same file system,
   * cheaply.
   */
  checkpoint(directory: string): Promise<void>;
  metrics(): Metric[];
  close(): Promise<void>;
}

/** What writes take of an engine's room at most: their keys and values, put and deleted. */
export interface Demand {
  readonly puts: number;
  /** Puts and deletes. */
  readonly entries: number;
  /** Of the keys and values of them all. */
  readonly bytes: number;
}

export const noDemand: Demand = { puts: 0, entries: 0, bytes: 0 };

/**
 * The limit of an engine, as it is seen before a write is logged. Whether a write is refused for want of room is
 * decided here and nowhere else: what is logged is applied, now and at every replay, whatever room there is then.
 */
export interface WriteRoom {
  /** No entry, key and value, that the engine holds has more bytes. */
  readonly entryBytesHighest: number;
  /** Whether writes that demand so much are sure to fit, whatever their keys are, beside what is in flight. */
  holds(demand: Demand, inFlight: Demand): boolean;
  /**
   * What exactly a batch demands, where nothing else is between here and its being applied; undefined: not now, but
   * `backpressure` is there to wait for. `timeMs` is the time of its log entry. Errors: LIMIT_EXCEEDED.
   */
  admit(batch: WriteBatch, timeMs: number): Demand | undefined;
}

/** What an engine can do; the conformance suite skips what it cannot, and says so. */
export interface EngineCapabilities {
  /** Survives a crash of the process with what was flushed. */
  readonly durable: boolean;
  readonly snapshots: boolean;
  readonly reverseScan: boolean;
  readonly checkpoint: boolean;
  /** Takes puts that expire. An engine without refuses them: INVALID_ARGUMENT. */
  readonly ttl: boolean;
  /** Takes deletes of ranges. An engine without refuses them: INVALID_ARGUMENT. */
  readonly rangeDelete: boolean;
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
}

/** A view of the store as of one moment. It pins files and versions until released. */
export interface Snapshot {
  readonly index: number;
  release(): void;
}

export interface ScanRange {
  /** Inclusive lower bound; undefined: from the first key. */
  gte?: Uint8Array | undefined;
  /** Exclusive upper bound; undefined: to the last key. */
  lt?: Uint8Array | undefined;
  reverse?: boolean;
  snapshot?: Snapshot;
}

/**
 * Walks a range. `next` returns whether there is an entry; `key` and `value` are valid until the next
 * call of `next`. A cursor sees the store as of its creation.
 */
export interface Cursor {
  next(): boolean;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  close(): void;
}
