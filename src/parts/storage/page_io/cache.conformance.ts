/**
 * What every Cache must do, whatever its policy. The judge of staleness is a model test: an engine (a
 * map), writes that pass through the cache in commit order, and reads that take their ticket, read, and
 * fill only some steps later.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Cache } from "./cache.ts";

export function cacheConformance(name: string, makeCache: (capacityBytes: number) => Cache): void {
  describe(`Cache conformance: ${name}`, () => {
    test("what was filled is found, until it is invalidated or cleared", () => {
      const cache = makeCache(1 << 20);
      assert.equal(cache.get(key(1)), undefined);
      cache.fill(key(1), value(1, 100), cache.epoch());
      cache.fill(key(2), value(2, 0), cache.epoch());
      assert.deepEqual(copy(cache.get(key(1))), value(1, 100));
      assert.deepEqual(copy(cache.get(key(2))), value(2, 0));
      cache.invalidate(key(1));
      assert.equal(cache.get(key(1)), undefined);
      cache.clear();
      assert.equal(cache.get(key(2)), undefined);
    });

    test("an update replaces what is cached and admits nothing new", () => {
      const cache = makeCache(1 << 20);
      cache.update(key(1), value(1, 10));
      assert.equal(cache.get(key(1)), undefined);
      cache.fill(key(1), value(1, 10), cache.epoch());
      for (const length of [10, 500, 3]) {
        cache.update(key(1), value(length, length));
        assert.deepEqual(copy(cache.get(key(1))), value(length, length));
      }
    });

    test("a fill whose read began before a write, an invalidation or a clear is refused", () => {
      const cache = makeCache(1 << 20);
      const events = [
        () => cache.update(key(1), value(2, 10)),
        () => cache.invalidate(key(1)),
        () => cache.clear(),
      ];
      for (const happen of events) {
        const epoch = cache.epoch();
        happen();
        cache.fill(key(1), value(1, 10), epoch);
        assert.equal(cache.get(key(1)), undefined);
      }
      cache.fill(key(1), value(2, 10), cache.epoch());
      assert.deepEqual(copy(cache.get(key(1))), value(2, 10));
    });

    test("the caller may reuse its buffers", () => {
      const cache = makeCache(1 << 20);
      const [ownKey, ownValue] = [key(1), value(1, 50)];
      cache.fill(ownKey, ownValue, cache.epoch());
      ownKey.fill(0);
      ownValue.fill(0);
      assert.deepEqual(copy(cache.get(key(1))), value(1, 50));
    });

    test("too small a capacity caches nothing and breaks nothing", () => {
      for (const capacityBytes of [0, 1, 64, 1000, 5000]) {
        const cache = makeCache(capacityBytes);
        for (let at = 0; at < 50; at++) {
          cache.fill(key(at), value(at, 10_000), cache.epoch());
          cache.update(key(at), value(at, 1));
          assert.equal(cache.get(key(at)), undefined);
          assert.ok(cache.sizeBytes <= capacityBytes);
        }
      }
    });

    test("stays within its capacity, and right, while entries of all sizes push one another out", () => {
      for (const capacityBytes of [10_000, 100_000]) {
        const cache = makeCache(capacityBytes);
        let found = 0;
        for (let at = 0; at < 5000; at++) {
          const number = (at * 7919) % 1000;
          const length = (number * 37) % 700;
          cache.fill(key(number), value(number, length), cache.epoch());
          assert.ok(cache.sizeBytes <= capacityBytes, `${cache.sizeBytes} bytes in ${capacityBytes}`);
          const other = (at * 31) % 1000;
          const present = cache.get(key(other));
          if (present === undefined) continue;
          found++;
          assert.equal(Buffer.compare(present, value(other, (other * 37) % 700)), 0);
        }
        assert.ok(found > 0, "something must be kept");
      }
    });

    test("counts hits and misses", () => {
      const cache = makeCache(1 << 20);
      cache.get(key(1));
      cache.fill(key(1), value(1, 1), cache.epoch());
      cache.get(key(1));
      cache.get(key(1));
      const counts = ["row_cache_hits_total", "row_cache_misses_total"].map((metric) => {
        const found = cache.metrics().find((one) => one.name === metric);
        return found?.kind === "counter" ? found.value : undefined;
      });
      assert.deepEqual(counts, [2, 1]);
    });

    test("is never stale and never above its capacity, under random operations", () => {
      fc.assert(fc.property(operations, (steps) => assert.equal(firstFault(makeCache, steps), undefined)), { numRuns: 150 });
    });

    test("the model finds a cache that ignores epochs, and one that forgets a write", () => {
      const ignoring = (capacityBytes: number) => {
        const cache = makeCache(capacityBytes);
        return overriding(cache, { fill: (k, v) => cache.fill(k, v, cache.epoch()) });
      };
      const forgetful = (capacityBytes: number) => overriding(makeCache(capacityBytes), { update: () => {} });
      for (const planted of [ignoring, forgetful]) {
        const property = fc.property(operations, (steps) => firstFault(planted, steps) === undefined);
        assert.ok(fc.check(property, { numRuns: 500, endOnFailure: true }).failed, "the planted fault was not found");
      }
    });
  });
}

const keys = 6;
const step = fc.record({
  kind: fc.constantFrom("read", "read", "beginRead", "beginRead", "endRead", "endRead", "write", "delete", "clear"),
  key: fc.nat(keys - 1),
  length: fc.oneof(fc.nat(40), fc.nat(400), fc.nat(2000), fc.nat(4000)),
});
// `size` asks for long runs; by default most would be too short for a read to be overtaken by a write.
const operations = fc.array(step, { maxLength: 120, size: "max" });

type Step = { kind: string; key: number; length: number };

/** Runs the steps; returns what was wrong first, or undefined. */
function firstFault(makeCache: (capacityBytes: number) => Cache, steps: readonly Step[]): string | undefined {
  const cache = makeCache(20_000);
  const engine = new Map<number, Uint8Array>();
  const pending: { key: number; epoch: number; found: Uint8Array }[] = [];
  let version = 0;
  for (const { kind, key: number, length } of steps) {
    const bytes = key(number);
    if (kind === "read") {
      const found = cache.get(bytes);
      const truth = engine.get(number);
      if (found !== undefined && (truth === undefined || Buffer.compare(found, truth) !== 0)) return `stale key ${number}`;
    } else if (kind === "beginRead") {
      const epoch = cache.epoch();
      const found = engine.get(number);
      if (found !== undefined) pending.push({ key: number, epoch, found });
    } else if (kind === "endRead") {
      const read = pending.splice(length % Math.max(1, pending.length), 1)[0];
      if (read !== undefined) cache.fill(key(read.key), read.found, read.epoch);
    } else if (kind === "write") {
      const written = value(++version, length);
      engine.set(number, written);
      cache.update(bytes, written);
    } else if (kind === "delete") {
      engine.delete(number);
      cache.invalidate(bytes);
    } else cache.clear();
    if (cache.sizeBytes > cache.capacityBytes) return `${cache.sizeBytes} bytes in ${cache.capacityBytes}`;
  }
  return undefined;
}

function overriding(cache: Cache, changes: Partial<Cache>): Cache {
  return new Proxy(cache, {
    get(target, property) {
      if (property in changes) return changes[property as keyof Cache];
      const found = Reflect.get(target, property, target) as unknown;
      return typeof found === "function" ? (found.bind(target) as unknown) : found;
    },
  });
}

/** Keys of different lengths, some longer than a cache line. */
function key(number: number): Uint8Array {
  return new TextEncoder().encode(`key-${number}-${"k".repeat((number * 17) % 90)}`);
}

function value(fill: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = fill * 31 + at;
  return bytes;
}

function copy(view: Uint8Array | undefined): Uint8Array | undefined {
  return view?.slice();
}
