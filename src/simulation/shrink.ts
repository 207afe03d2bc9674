/**
 * Shrinks a failing scenario: leaves out operations, faults and everything that takes time, as long as it still fails.
 *
 *   1. Operations go in chunks of half the list, then a quarter, down to single ones (delta debugging, Zeller 2002).
 *   2. Faults go one by one; the schedule and the limit of space are left out where they do not matter.
 * A failure of another message counts too: the smallest scenario that shows something wrong is what is wanted.
 */
import type { Scenario } from "./scenario.ts";

export async function shrinkScenario(
  scenario: Scenario,
  fails: (candidate: Scenario) => Promise<boolean>,
  runsMax = 150,
): Promise<Scenario> {
  let best = scenario;
  let runs = 0;
  const attempt = async (candidate: Scenario): Promise<boolean> => {
    if (runs++ >= runsMax || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  await attempt({ ...best, schedule: undefined });
  await attempt({ ...best, capacityBytes: undefined });
  for (let size = best.operations.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.operations.length && runs < runsMax; ) {
      const operations = [...best.operations.slice(0, at), ...best.operations.slice(at + size)];
      if (!(await attempt({ ...best, operations }))) at += size;
    }
  }
  for (let life = best.faults.length - 1; life >= 0; life--) {
    for (let at = (best.faults[life]?.length ?? 0) - 1; at >= 0; at--) {
      const faults = best.faults.map((list, place) => (place === life ? list.filter((_, i) => i !== at) : list));
      await attempt({ ...best, faults });
    }
  }
  const last = best.faults.findLastIndex((list) => list.length > 0);
  await attempt({ ...best, faults: best.faults.slice(0, last + 1) });
  return best;
}
