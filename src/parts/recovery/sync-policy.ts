/**
 * SyncPolicy: when a command that is in the log may be answered, where that is not only when it is durable.
 *
 * Contract:
 *   1. Whoever answers asks `answerable` after appending, and `due` again before an answer that comes later. Undefined
 *   says: now. A promise says: not before it resolves; where it rejects, never.
 *   2. Whoever makes state durable elsewhere that the log must not fall behind awaits `durable` first (log first).
 *   3. After a failed write or flush of the log both reject with its first error, for good.
 * Without a policy answers wait for a flush each (`DurableLog.sync`).
 */
import type { Metric } from "../../kit/metric.ts";

export interface SyncPolicy {
  /** For how long before a loss of power, in ms, what was answered may be lost with it. */
  readonly lossWindowMs: number;
  /** To be called when entries of so many bytes were appended, and before any of them is answered. */
  answerable(bytes: number): Promise<void> | undefined;
  due(): Promise<void> | undefined;
  /** Undefined where the device has everything up to the index. Errors: the log's. */
  durable(index: number): Promise<void> | undefined;
  /** Of entries that may have been answered and no flush has covered yet. */
  readonly unsyncedBytes: number;
  /** The error after which nothing is answered any more. */
  readonly failure: unknown;
  metrics(): Metric[];
  /** Before the log is closed, which flushes what is left. */
  close(): void;
}
