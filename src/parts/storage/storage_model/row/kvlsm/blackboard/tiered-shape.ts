/**
 * The shape that tiered compaction aims at: sorted runs in tiers by their size, and which of them are due for a merge.
 *
 * A run is of tier t where its size is from `memtableBytes` · T^t up to T times that, T being `l0CompactionTrigger`.
 * The newest runs are due, as many as the first of these says:
 *   1. All of them, where those above the oldest are together larger than `tieredSpacePercent` of it.
 *   2. Down to the last run of the first tier that has T runs or more, newer smaller ones included. Their merge is of a
 *      tier above, so every entry is written about once per tier.
 *   3. As many as bring the number of runs below `l0SlowdownTrigger` (but not below T), for readers' sake, and below
 *      `l0StallTrigger` in any case, or writers would wait for a merge that is never due.
 * Source: size-tiered compaction of Bigtable and Cassandra; the space rule of RocksDB's universal compaction.
 */
import type { Tuning } from "./options.ts";

export type TierRules = Pick<
  Tuning,
  "l0CompactionTrigger" | "l0SlowdownTrigger" | "l0StallTrigger" | "memtableBytes" | "tieredSpacePercent"
>;

/** How many of the newest runs are due for a merge; 0: none. `runs` are sizes, the newest first. */
export function dueRuns(runs: readonly number[], rules: TierRules): number {
  if (runs.length < 2) return 0;
  const perTier = Math.max(2, rules.l0CompactionTrigger);
  if (runs.length >= perTier) {
    const newer = runs.slice(0, -1).reduce((total, bytes) => total + bytes, 0);
    if (newer * 100 > rules.tieredSpacePercent * runs[runs.length - 1]) return runs.length;
  }
  const counts = new Map<number, number>();
  for (const [at, bytes] of runs.entries()) {
    const tier = tierOf(bytes, rules, perTier);
    const count = (counts.get(tier) ?? 0) + 1;
    counts.set(tier, count);
    const endsTier = at + 1 === runs.length || tierOf(runs[at + 1], rules, perTier) > tier;
    if (count >= perTier && endsTier) return at + 1;
  }
  const runsMax = Math.min(rules.l0StallTrigger - 1, Math.max(perTier, rules.l0SlowdownTrigger - 1));
  const excess = runs.length - Math.max(1, runsMax);
  return excess > 0 ? excess + 1 : 0;
}

function tierOf(bytes: number, { memtableBytes }: TierRules, perTier: number): number {
  return Math.max(0, Math.floor(Math.log(bytes / memtableBytes) / Math.log(perTier)));
}
