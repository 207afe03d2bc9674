/**
 * Live snapshots divide the indexes into stripes: (…s1], (s1…s2], …, (sn…∞). Two versions of a key in one stripe are
 * seen by the same readers, or the older one by none.
 * Source: RocksDB's findEarliestVisibleSnapshot.
 */

/** How many of the snapshots (ascending) cannot see the index: the number of its stripe. */
export function stripeOf(snapshots: readonly number[], index: number): number {
  let stripe = 0;
  while (stripe < snapshots.length && snapshots[stripe] < index) stripe++;
  return stripe;
}
