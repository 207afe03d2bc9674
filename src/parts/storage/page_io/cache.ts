/**
 * Cache: a bounded map from byte keys to byte values in front of the engine.
 *
 * Contract:
 *   1. `sizeBytes` never exceeds `capacityBytes`; what an entry costs (key, value and a stated
 *   overhead) is counted.
 *   2. Never stale: the one thread that applies commands calls `update` or `invalidate` in commit
 *   order, in the same turn as it applies them; a fill from a read that began before a write to that
 *   key is refused (`fill` with the epoch taken before the read).
 *   3. `get` returns a view that is valid until the next call on the cache.
 * Source: Caffeine's and Ristretto's interfaces; invalidation in commit order is ours.
 */
import type { Metric } from "../../../kit/metric.ts";

export interface Cache {
  readonly capacityBytes: number;
  readonly sizeBytes: number;
  get(key: Uint8Array): Uint8Array | undefined;
  /** A ticket for a later `fill`: take it before reading the engine. */
  epoch(): number;
  /** Offers a value read from the engine. Ignored where any write came after `epoch`, or by the policy. */
  fill(key: Uint8Array, value: Uint8Array, epoch: number): void;
  /** A committed write: replaces the value where the key is cached (does not admit a new one). */
  update(key: Uint8Array, value: Uint8Array): void;
  invalidate(key: Uint8Array): void;
  clear(): void;
  metrics(): Metric[];
}
