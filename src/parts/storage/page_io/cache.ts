/**
 * Cache: a bounded map from byte keys to byte values in front of the engine.
 *
 * Contract:
 *   1. `sizeBytes` never exceeds `capacityBytes`; it counts keys, values, what an entry costs besides, and
 *   the tables that the policy keeps (buckets, write numbers, frequency sketch).
 *   2. Never stale: the one thread that applies commands calls `update` or `invalidate` in commit order, in
 *   the same turn as it applies them; a fill from a read that began before a write to that key is refused
 *   (`fill` with the epoch taken before the read).
 *   3. Never expired: an entry with `expiresAtMs` is not returned to a caller whose time is `expiresAtMs` or
 *   later. The time is the caller's, because a replicated command reads with the time of its log entry and
 *   not with the clock of the machine that applies it. Times need not rise from call to call; a cache may
 *   forget what some caller found expired.
 *   4. `get` returns a view that is valid until the next call on the cache.
 * Source: Caffeine's and Ristretto's interfaces; invalidation in commit order is ours.
 */
import type { Metric } from "../../../kit/metric.ts";

export interface Cache {
  readonly capacityBytes: number;
  readonly sizeBytes: number;
  /** Without `nowMs` entries that expire are as good as missing: a caller without a time cannot judge them. */
  get(key: Uint8Array, nowMs?: number): Uint8Array | undefined;
  /** A ticket for a later `fill`: take it before reading the engine. */
  epoch(): number;
  /**
   * Offers a value read from the engine. Ignored where any write came after `epoch`, or by the policy.
   * Without `expiresAtMs` (or with Infinity) the entry does not expire.
   */
  fill(key: Uint8Array, value: Uint8Array, epoch: number, expiresAtMs?: number): void;
  /** A committed write: replaces value and expiry where the key is cached (does not admit a new one). */
  update(key: Uint8Array, value: Uint8Array, expiresAtMs?: number): void;
  invalidate(key: Uint8Array): void;
  clear(): void;
  metrics(): Metric[];
}
