/**
 * DurableLog: an append-only sequence of entries that survives crashes.
 *
 * Purpose: the one durable log of a product. On a single node it is the write-ahead log; under Raft it
 * holds the replicated entries (hence `truncateSuffix`). Contract:
 *   1. Entries are numbered from `firstIndex` to `lastIndex` without gaps; a new log starts at 1.
 *   2. `append` buffers and returns the index; the entry is durable once a `sync` begun afterwards has
 *   resolved.
 *   3. Concurrent `sync` calls share one device flush (group commit).
 *   4. After a crash the log is a prefix of what was appended that contains everything synced. A torn
 *   tail is cut off; damage before the last synced entry is CORRUPTION, never silently dropped.
 *   5. After a failed write or sync the log refuses everything with the first error (fsync is not retried).
 * Source: etcd's wal package, RocksDB's recycled WAL, PostgreSQL's fsync policy after 2018.
 */
import type { Metric } from "../../kit/metric.ts";

export interface DurableLog {
  readonly firstIndex: number;
  /** 0 (or firstIndex - 1) when empty. */
  readonly lastIndex: number;
  readonly syncedIndex: number;
  /** Errors: LIMIT_EXCEEDED, DISK_FULL, IO_ERROR, CLOSED. */
  append(entry: Uint8Array): number;
  /** Resolves when all entries appended before the call are durable. */
  sync(): Promise<void>;
  /** Hands what was appended to the operating system: it outlives this process then, though not a loss of power. */
  writeOut(): void;
  /**
   * Entries from an index on, in order. The bytes are valid until the next step. Errors: CORRUPTION,
   * NOT_FOUND.
   */
  read(fromIndex: number): Iterable<LogRecord>;
  /** Forgets entries up to and including `index`; whole segments are recycled, so more may stay on disk. */
  truncatePrefix(index: number): void;
  /** Drops entries from `index` on; durable when it resolves. */
  truncateSuffix(index: number): Promise<void>;
  metrics(): Metric[];
  close(): Promise<void>;
}

export interface LogRecord {
  readonly index: number;
  readonly entry: Uint8Array;
}
