/**
 * MemoryBudget: what memtables and the block cache may take together.
 *
 *   1. Memtables come first: the one that takes writes counts as full, frozen ones and arenas that wait for their next
 *      use by what was touched of them.
 *   2. What open tables hold beside the cache comes second: some bytes per block, and filters and block indexes that
 *      are kept whole, which take an eighth of the cache or so. Others are pages in the cache (paged-section.ts).
 *   3. The block cache has what is left, no more than `blockCacheBytes`, and at least `cacheBytesMin`: a store that
 *      has outgrown its budget goes on with little cache, and says so in its metrics.
 * It is looked at whenever a memtable is frozen or retired, or the files change; the cache drops blocks at once.
 * Source: RocksDB's WriteBufferManager that charges memtables to the block cache.
 */
import type { Tuning } from "./options.ts";

export const cacheBytesMin = 1 << 20;

export interface MemoryUse {
  /** Memtables, as point 1 counts them. */
  readonly memtableBytes: number;
  /** What open tables hold beside the cache. */
  readonly tableBytes: number;
}

/** Bytes for the block cache. */
export function cacheBytesWithin(
  use: MemoryUse, tuning: Pick<Tuning, "blockCacheBytes" | "memoryBudgetBytes">,
): number {
  const { blockCacheBytes, memoryBudgetBytes } = tuning;
  if (memoryBudgetBytes === 0) return blockCacheBytes;
  const left = memoryBudgetBytes - use.memtableBytes - use.tableBytes;
  return Math.min(blockCacheBytes, Math.max(cacheBytesMin, left));
}
