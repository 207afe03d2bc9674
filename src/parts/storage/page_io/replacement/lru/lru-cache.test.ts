import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cacheConformance } from "../../cache.conformance.ts";
import { createLruCache } from "./lru-cache.ts";

cacheConformance("LRU", (capacityBytes) => createLruCache({ capacityBytes }));

const key = (number: number) => new TextEncoder().encode(`user${number}`);

test("drops what was not used for longest, in the order of a model", () => {
  const entryBytes = 20;
  const access = fc.record({ kind: fc.constantFrom("get", "fill"), number: fc.nat(500) });
  fc.assert(
    fc.property(fc.array(access, { minLength: 200, maxLength: 600 }), (accesses) => {
      const cache = createLruCache({ capacityBytes: 16 << 10 });
      // A Map iterates in the order of insertion: the model's oldest is its first.
      const model = new Map<number, true>();
      let room = 0;
      for (const { kind, number } of accesses) {
        const found = cache.get(key(number)) !== undefined;
        assert.equal(found, model.has(number));
        if (found) model.delete(number);
        if (found) model.set(number, true);
        if (kind === "get" || found) continue;
        const before = cache.sizeBytes;
        cache.fill(key(number), new Uint8Array(entryBytes), cache.epoch());
        model.set(number, true);
        if (cache.sizeBytes === before) model.delete(model.keys().next().value as number);
        else room = model.size;
      }
      assert.ok(room > 100 || model.size < 200);
    }),
    { numRuns: 30 },
  );
});

test("a full cache uses nearly all of its capacity", () => {
  const cache = createLruCache({ capacityBytes: 1 << 20 });
  for (let number = 0; number < 20_000; number++) cache.fill(key(number), new Uint8Array(150), cache.epoch());
  assert.ok(cache.sizeBytes > 0.99 * cache.capacityBytes, `${cache.sizeBytes}`);
  assert.ok(cache.sizeBytes <= cache.capacityBytes);
});
