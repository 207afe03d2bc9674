import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cacheConformance } from "../../cache.conformance.ts";
import type { Cache } from "../../cache.ts";
import { createWTinyLfuCache } from "./w-tinylfu-cache.ts";

cacheConformance("W-TinyLFU", (capacityBytes) => createWTinyLfuCache({ capacityBytes }));

const key = (number: number) => new TextEncoder().encode(`user${number}`);

function read(cache: Cache, number: number, valueBytes = 20): boolean {
  if (cache.get(key(number)) !== undefined) return true;
  cache.fill(key(number), new Uint8Array(valueBytes), cache.epoch());
  return false;
}

function metric(cache: Cache, name: string): number {
  const found = cache.metrics().find((one) => one.name === name);
  assert.ok(found !== undefined && found.kind !== "histogram", name);
  return found.value;
}

test("what is used often survives a scan of any length", () => {
  const cache = createWTinyLfuCache({ capacityBytes: 64 << 10 });
  const hot = 600;
  for (let at = 0; at < 20 * hot; at++) read(cache, at % hot);
  for (let number = 10_000; number < 30_000; number++) read(cache, number);
  let kept = 0;
  for (let number = 0; number < hot; number++) if (cache.get(key(number)) !== undefined) kept++;
  assert.ok(kept > 0.95 * hot, `${kept} of ${hot} kept`);
  const rejected = metric(cache, "row_cache_rejections_total");
  assert.ok(rejected > 0.9 * 20_000, `${rejected} rejected`);
});

test("what was popular once makes room for what is popular now", () => {
  const cache = createWTinyLfuCache({ capacityBytes: 64 << 10 });
  for (let at = 0; at < 30_000; at++) read(cache, at % 600);
  let hits = 0;
  for (let at = 0; at < 60_000; at++) {
    const hit = read(cache, 1000 + (at % 600));
    if (at >= 50_000 && hit) hits++;
  }
  assert.ok(hits > 9900, `${hits} of 10000`);
});

test("the same calls with the same seed leave the same entries, with another seed others", () => {
  const kept = (seed: number) => {
    const cache = createWTinyLfuCache({ capacityBytes: 32 << 10, seed });
    let state = 1;
    for (let at = 0; at < 50_000; at++) {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      read(cache, Math.floor((state / 2 ** 31) ** 3 * 5000), state % 90);
    }
    return Array.from({ length: 5000 }, (_, number) => number).filter((number) => cache.get(key(number)) !== undefined);
  };
  assert.deepEqual(kept(1), kept(1));
  assert.notDeepEqual(kept(1), kept(2));
});

test("a full cache uses nearly all of its capacity", () => {
  const cache = createWTinyLfuCache({ capacityBytes: 1 << 20 });
  for (let number = 0; number < 20_000; number++) read(cache, number, 150);
  assert.ok(cache.sizeBytes > 0.99 * cache.capacityBytes, `${cache.sizeBytes}`);
  assert.ok(cache.sizeBytes <= cache.capacityBytes);
});

test("a large entry has to beat every victim, and then stays", () => {
  const cache = createWTinyLfuCache({ capacityBytes: 64 << 10 });
  for (let at = 0; at < 20_000; at++) read(cache, at % 1500);
  const entriesBefore = metric(cache, "row_cache_entries");
  assert.equal(read(cache, 9_999_999, 4000), false);
  assert.equal(cache.get(key(9_999_999)), undefined, "a newcomer of 60 cells is not worth 60 entries in use");
  assert.ok(metric(cache, "row_cache_entries") > entriesBefore - 3);
  for (let at = 0; at < 20; at++) read(cache, 9_999_999, 4000);
  assert.ok(cache.get(key(9_999_999)) !== undefined, "it became popular");
});

test("without its seed nobody can keep newcomers out by collisions", () => {
  // Victims as warm as can be, which were raised by keys that nobody reads any more.
  const cache = createWTinyLfuCache({ capacityBytes: 64 << 10, seed: 42 });
  for (let round = 0; round < 15; round++) for (let number = 0; number < 900; number++) read(cache, number);
  let admitted = 0;
  for (let number = 0; number < 2000; number++) {
    for (let use = 0; use < 16; use++) read(cache, 100_000 + number);
    if (cache.get(key(100_000 + number)) !== undefined) admitted++;
  }
  assert.ok(admitted > 0, "chance lets warm candidates in");
});

test("bounds and bookkeeping hold under every mix of sizes, windows and expiries", () => {
  const operation = fc.record({
    kind: fc.constantFrom("read", "read", "read", "read", "update", "invalidate", "clear"),
    number: fc.nat(60),
    length: fc.oneof(fc.nat(60), fc.nat(700)),
    repeat: fc.integer({ min: 1, max: 40 }),
  });
  const operations = fc.array(operation, { maxLength: 300, size: "max" });
  fc.assert(
    fc.property(operations, fc.integer({ min: 4000, max: 16_000 }), (steps, capacityBytes) => {
      const cache = createWTinyLfuCache({ capacityBytes });
      steps.forEach(({ kind, number, length, repeat }, at) => {
        if (kind === "clear" && at % 5 === 0) cache.clear();
        else if (kind === "invalidate") cache.invalidate(key(number));
        else if (kind === "update") cache.update(key(number), new Uint8Array(length));
        else for (let use = 0; use < repeat; use++) read(cache, number + (use % 3), length);
        assert.ok(cache.sizeBytes <= capacityBytes);
      });
      const ratio = metric(cache, "row_cache_window_ratio");
      assert.ok(ratio > 0 && ratio <= 1, `${ratio}`);
      for (let number = 0; number < 63; number++) cache.invalidate(key(number));
      assert.equal(cache.sizeBytes, createWTinyLfuCache({ capacityBytes }).sizeBytes);
    }),
    { numRuns: 60 },
  );
});

test("what is read over and over stays, though most of its reads move nothing", () => {
  const cache = createWTinyLfuCache({ capacityBytes: 64 << 10 });
  const hot = 500;
  for (let at = 0; at < 40 * hot; at++) read(cache, at % hot);
  // Longer than stamps count: what was moved long ago must not pass for new for ever.
  let hits = 0;
  for (let at = 0; at < 600_000; at++) {
    if (read(cache, (at * 7919) % hot)) hits++;
    if (at % 3 === 0) read(cache, 10_000 + at);
  }
  assert.ok(hits > 0.97 * 600_000, `${hits} of 600000`);
});
