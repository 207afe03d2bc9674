/**
 * What every Cache must do, whatever its policy. The judge of staleness and expiry is a model test: an
 * engine (a map with times of expiry), a clock that now and then jumps either way, writes that pass through
 * the cache in commit order, and reads that take their ticket, read, and fill only some steps later.
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

    test("a fill is refused so whatever the capacity", () => {
      let kept = 0;
      for (let capacityBytes = 0; capacityBytes < 4096; capacityBytes += 52) {
        const cache = makeCache(capacityBytes);
        cache.fill(key(1), value(1, 1), cache.epoch());
        if (cache.get(key(1)) !== undefined) kept++;
        cache.invalidate(key(1));
        const epoch = cache.epoch();
        cache.update(key(1), value(2, 1));
        cache.fill(key(1), value(1, 1), epoch);
        assert.equal(cache.get(key(1)), undefined, `a cache of ${capacityBytes} bytes`);
      }
      assert.ok(kept > 10);
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

    test("an entry is returned until its time of expiry, and without a time not at all", () => {
      const cache = makeCache(1 << 20);
      const fill = () => cache.fill(key(1), value(1, 33), cache.epoch(), 1000.5);
      fill();
      assert.deepEqual(copy(cache.get(key(1), 1000)), value(1, 33));
      assert.equal(cache.get(key(1), 1000.5), undefined);
      fill();
      assert.equal(cache.get(key(1), 2 ** 60), undefined);
      fill();
      assert.equal(cache.get(key(1)), undefined);
      cache.fill(key(1), value(1, 33), cache.epoch(), Infinity);
      assert.deepEqual(copy(cache.get(key(1), 2 ** 60)), value(1, 33));
      assert.deepEqual(copy(cache.get(key(1))), value(1, 33));
    });

    test("a write replaces the time of expiry: sooner, later, none, some", () => {
      const cache = makeCache(1 << 20);
      cache.fill(key(1), value(0, 40), cache.epoch());
      for (const [length, expiresAtMs] of [[40, 50], [40, 90], [300, 20], [300, Infinity], [40, 70], [0, 10]]) {
        cache.update(key(1), value(length, length), expiresAtMs);
        const last = expiresAtMs === Infinity ? 1e15 : expiresAtMs - 1;
        assert.deepEqual(copy(cache.get(key(1), last)), value(length, length));
        if (expiresAtMs === Infinity) continue;
        assert.equal(cache.get(key(1), expiresAtMs), undefined);
        cache.fill(key(1), value(0, 40), cache.epoch());
      }
    });

    test("what leaves the cache gives back all of its bytes", () => {
      assert.equal(leakedBytes(makeCache), 0);
    });

    test("is never stale, never expired and never above its capacity, under random operations", () => {
      const property = fc.property(operations, (steps) => assert.equal(firstFault(makeCache, steps), undefined));
      fc.assert(property, { numRuns: 200 });
    });

    test("the model finds planted faults", () => {
      for (const [name, plant] of Object.entries(plantedFaults)) {
        const planted = (capacityBytes: number) => overriding(makeCache(capacityBytes), plant);
        const property = fc.property(operations, (steps) => firstFault(planted, steps) === undefined);
        assert.ok(fc.check(property, { numRuns: 5000, endOnFailure: true }).failed, `not found: ${name}`);
      }
      // Bytes are lost with every fourth entry that leaves.
      assert.ok(leakedBytes((capacityBytes) => overriding(makeCache(capacityBytes), leaking())) > 0);
    });
  });
}

const emptied = 500;

/** Bytes that are missing after entries of all sizes were evicted, replaced, invalidated and expired. */
function leakedBytes(makeCache: (capacityBytes: number) => Cache): number {
  const cache = makeCache(60_000);
  const emptyBytes = cache.sizeBytes;
  const expiresAtMs = (at: number) => (at % 3 === 0 ? 100 + at : undefined);
  for (let at = 0; at < 6000; at++) {
    const number = (at * 7919) % emptied;
    cache.fill(key(number), value(at, (at * 37) % 900), cache.epoch(), expiresAtMs(at));
    cache.get(key((at * 31) % emptied), at % 400);
    cache.update(key((at * 17) % emptied), value(at, (at * 53) % 700), expiresAtMs(at + 1));
  }
  assert.ok(cache.sizeBytes > emptyBytes, "something must have been kept");
  for (let number = 0; number < emptied; number++) {
    if (number % 2 === 0) cache.invalidate(key(number));
    else cache.get(key(number), Infinity);
  }
  for (let number = 0; number < emptied; number++) cache.invalidate(key(number));
  return cache.sizeBytes - emptyBytes;
}

/** Methods of a faulty cache, given the right one. */
type Plant = (cache: Cache) => Partial<Cache>;

const plantedFaults: Readonly<Record<string, Plant>> = {
  "a fill that ignores its epoch": (cache) => ({
    fill: (k, v, _, expiresAtMs) => cache.fill(k, v, cache.epoch(), expiresAtMs),
  }),
  "a write that is forgotten": () => ({ update: () => {} }),
  "a delete that is forgotten": () => ({ invalidate: () => {} }),
  "a clear that is forgotten": () => ({ clear: () => {} }),
  "an expired entry that is served": (cache) => ({ get: (k, nowMs = 0) => cache.get(k, nowMs - 1) }),
  "an expiry that a fill drops": (cache) => ({ fill: (k, v, epoch) => cache.fill(k, v, epoch) }),
  "an expiry that a write drops": (cache) => ({ update: (k, v) => cache.update(k, v) }),
  "a bound that is exceeded": (cache) => ({
    get sizeBytes() {
      return cache.sizeBytes * 1.2;
    },
  }),
};

function leaking(): Plant {
  let leakedBytes = 0;
  return (cache) => ({
    invalidate: (k) => {
      const before = cache.sizeBytes;
      cache.invalidate(k);
      leakedBytes += (before - cache.sizeBytes) / 4;
    },
    get sizeBytes() {
      return cache.sizeBytes + leakedBytes;
    },
  });
}

/** Some keys come often, so that reads and writes meet; the rest fill the cache to its bound. */
const someKey = fc.oneof(fc.nat(3), fc.nat(3), fc.nat(59));
const modelCapacityBytes = 9000;
const step = fc.record({
  kind: fc.constantFrom(
    "read", "read", "readThrough", "readThrough", "beginRead", "beginRead", "endRead", "endRead", "write", "write",
    "write", "delete", "clear", "tick", "tick",
  ),
  key: someKey,
  length: fc.oneof(fc.nat(40), fc.nat(400), fc.integer({ min: 400, max: 800 }), fc.nat(4000)),
});
// `size` asks for long runs; by default most would be too short for a read to be overtaken by a write.
const operations = fc.array(step, { maxLength: 250, size: "max" });

type Step = { kind: string; key: number; length: number };

/** Runs the steps; returns what was wrong first, or undefined. */
function firstFault(makeCache: (capacityBytes: number) => Cache, steps: readonly Step[]): string | undefined {
  const cache = makeCache(modelCapacityBytes);
  const engine = new Map<number, { bytes: Uint8Array; expiresAtMs: number }>();
  for (let number = 0; number < 60; number++) {
    engine.set(number, { bytes: value(number, 300 + 5 * number), expiresAtMs: Infinity });
  }
  const pending: { key: number; epoch: number; bytes: Uint8Array; expiresAtMs: number }[] = [];
  let version = 0;
  let nowMs = 1000;
  for (const { kind, key: number, length } of steps) {
    const bytes = key(number);
    if (kind === "read" || kind === "readThrough") {
      const found = cache.get(bytes, nowMs);
      const truth = engine.get(number);
      if (found === undefined) {
        if (kind === "readThrough" && truth) cache.fill(bytes, truth.bytes, cache.epoch(), truth.expiresAtMs);
        continue;
      }
      if (truth === undefined || Buffer.compare(found, truth.bytes) !== 0) return `stale key ${number}`;
      if (truth.expiresAtMs <= nowMs) return `key ${number} expired at ${truth.expiresAtMs}, read at ${nowMs}`;
    } else if (kind === "beginRead") {
      const epoch = cache.epoch();
      const found = engine.get(number);
      if (found !== undefined) pending.push({ key: number, epoch, ...found });
    } else if (kind === "endRead") {
      const read = pending.splice(length % Math.max(1, pending.length), 1)[0];
      if (read !== undefined) cache.fill(key(read.key), read.bytes, read.epoch, read.expiresAtMs);
    } else if (kind === "write") {
      const expiresAtMs = length % 3 === 0 ? Infinity : nowMs + (length % 11);
      const written = { bytes: value(++version, length), expiresAtMs };
      engine.set(number, written);
      cache.update(bytes, written.bytes, expiresAtMs);
    } else if (kind === "delete") {
      engine.delete(number);
      cache.invalidate(bytes);
    } else if (kind === "tick") nowMs += (length % 9) - 2;
    else if (length < 10) {
      engine.clear();
      cache.clear();
    }
    if (cache.sizeBytes > cache.capacityBytes) return `${cache.sizeBytes} bytes in ${cache.capacityBytes}`;
  }
  return undefined;
}

function overriding(cache: Cache, plant: Plant): Cache {
  const changes = plant(cache);
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
