import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loop } from "./access-traces.fixture.ts";
import { optimalHits } from "./belady.fixture.ts";

test("equals an exhaustive search on short traces", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 11 }), fc.integer({ min: 0, max: 3 }), (keys, capacity) => {
      assert.equal(optimalHits(Uint32Array.from(keys), capacity), bestHits(keys, capacity, new Set()));
    }),
    { numRuns: 300 },
  );
});

test("keeps a part of a loop that does not fit", () => {
  // With bypass: 10 keys stay for ever, the other 10 are never kept.
  assert.equal(optimalHits(loop(20, 2000), 10), 10 * 99);
  assert.equal(optimalHits(loop(20, 2000), 20), 20 * 99);
});

/** Tries every choice: take the newcomer in place of each resident, or of none. */
function bestHits(keys: readonly number[], capacity: number, residents: ReadonlySet<number>): number {
  if (keys.length === 0) return 0;
  const [key, ...rest] = keys;
  if (residents.has(key)) return 1 + bestHits(rest, capacity, residents);
  let best = bestHits(rest, capacity, residents);
  if (residents.size < capacity) best = Math.max(best, bestHits(rest, capacity, new Set([...residents, key])));
  else {
    for (const victim of residents) {
      const next = new Set([...residents, key]);
      next.delete(victim);
      best = Math.max(best, bestHits(rest, capacity, next));
    }
  }
  return best;
}
