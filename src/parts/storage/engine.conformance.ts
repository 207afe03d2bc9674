/**
 * The conformance suite of the StorageEngine port: what every engine must do, as node:test cases.
 *
 * Give it a way to open the engine on a directory, with options so small that flushes and compactions
 * happen within a few hundred keys. Cases that an engine does not claim in its capabilities are
 * skipped, and say so. The model test runs random programs against a sorted map; `LATHE_TEST_RUNS` sets
 * how many (default 25).
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import {
  bytesOf,
  type EngineHarness,
  fill,
  put,
  read,
  textOf,
  walk,
  withEngine,
} from "./engine-harness.conformance.ts";
import { testExpiry } from "./engine-expiry.conformance.ts";
import { checkAgainstModel } from "./engine-model.conformance.ts";
import { testRangeDeletes } from "./engine-range-delete.conformance.ts";
import { WriteBatch } from "./write-batch.ts";

export function testStorageEngine(name: string, createHarness: () => EngineHarness): void {
  describe(`StorageEngine: ${name}`, () => {
    const harness = createHarness();
    after(() => harness.dispose());
    testBatches(harness);
    testLimits(harness);
    testScans(harness);
    testSnapshots(harness);
    testRecovery(harness);
    testPressure(harness);
    testExpiry(harness);
    testRangeDeletes(harness);
    testModel(harness);
  });
}

function testBatches(harness: EngineHarness): void {
  test("a new store is empty", () =>
    withEngine(harness, async (engine) => {
      assert.equal(engine.appliedIndex, 0);
      assert.equal(engine.durableIndex, 0);
      assert.equal(read(engine, "a"), undefined);
      assert.deepEqual(walk(engine, {}), []);
      await engine.flush();
      await engine.settle();
    }));

  test("puts, overwrites and deletes are visible at once; the last operation on a key wins", () =>
    withEngine(harness, async (engine) => {
      put(engine, ["a", "1"], ["b", "2"]);
      put(engine, ["a", "3"], ["b", undefined], ["c", ""]);
      put(engine, ["d", "x"], ["d", undefined], ["e", undefined], ["e", "y"]);
      for (const settle of [() => undefined, () => engine.flush(), () => engine.compactAll()]) {
        await settle();
        assert.equal(read(engine, "a"), "3");
        assert.equal(read(engine, "b"), undefined);
        assert.equal(read(engine, "c"), "");
        assert.equal(read(engine, "d"), undefined);
        assert.equal(read(engine, "e"), "y");
        assert.equal(textOf(await engine.get(bytesOf("a"))), "3");
        const many = await engine.getMany(["e", "b", "a"].map(bytesOf));
        assert.deepEqual(many.map(textOf), ["y", undefined, "3"]);
      }
    }));

  test("bytes handed in belong to the caller again", () =>
    withEngine(harness, (engine) => {
      const key = bytesOf("key");
      const value = bytesOf("value");
      const batch = new WriteBatch().put(key, value);
      engine.applySync(batch, 1);
      key.fill(0);
      value.fill(0);
      batch.clear();
      batch.put(bytesOf("other"), bytesOf("thing"));
      assert.equal(read(engine, "key"), "value");
      assert.equal(read(engine, "other"), undefined);
    }));

  test("the index ascends, with gaps, and an empty batch counts", () =>
    withEngine(harness, async (engine) => {
      engine.applySync(new WriteBatch().put(bytesOf("a"), bytesOf("1")), 10);
      assert.throws(() => engine.applySync(new WriteBatch(), 10), { code: "INVALID_ARGUMENT" });
      assert.throws(() => engine.applySync(new WriteBatch(), 9.5), { code: "INVALID_ARGUMENT" });
      engine.applySync(new WriteBatch(), 2 ** 40);
      assert.equal(engine.appliedIndex, 2 ** 40);
      await engine.flush();
      assert.equal(engine.durableIndex, 2 ** 40);
    }));

  test("a closed engine refuses", async () => {
    const engine = await harness.open(harness.newDirectory());
    put(engine, ["a", "1"]);
    await engine.close();
    await engine.close();
    assert.throws(() => read(engine, "a"), { code: "CLOSED" });
    assert.throws(() => put(engine, ["a", "2"]), { code: "CLOSED" });
    assert.throws(() => engine.scan({}), { code: "CLOSED" });
  });
}

function testLimits(harness: EngineHarness): void {
  const { keyBytesMax, valueBytesMax } = harness.capabilities;

  test("keys and values of extreme sizes", () =>
    withEngine(harness, async (engine) => {
      const longKey = new Uint8Array(Math.min(keyBytesMax, 0xffff)).fill(7);
      const longerValue = new Uint8Array(Math.min(valueBytesMax, 1 << 20)).map((_, i) => i * 31);
      engine.applySync(new WriteBatch().put(longKey, bytesOf("long")).put(Uint8Array.of(0), longerValue), 1);
      engine.applySync(new WriteBatch().put(Uint8Array.of(255), new Uint8Array(0)), 2);
      for (const step of [() => undefined, () => engine.flush(), () => engine.compactAll()]) {
        await step();
        assert.equal(textOf(engine.getSync(longKey)), "long");
        assert.deepEqual(Buffer.from(engine.getSync(Uint8Array.of(0)) ?? []), Buffer.from(longerValue));
        assert.equal(engine.getSync(Uint8Array.of(255))?.length, 0);
        assert.equal(engine.getSync(longKey.subarray(1)), undefined);
      }
    }));

  test(
    "a value beyond the limit is refused and nothing of its batch is applied",
    { skip: valueBytesMax > 1 << 27 },
    () =>
      withEngine(harness, (engine) => {
        const batch = new WriteBatch().put(bytesOf("a"), bytesOf("1"));
        batch.put(bytesOf("b"), new Uint8Array(valueBytesMax + 1));
        assert.throws(() => engine.applySync(batch, 1), { code: "LIMIT_EXCEEDED" });
        assert.equal(read(engine, "a"), undefined);
        assert.equal(engine.appliedIndex, 0);
      }),
  );

  test("keys are ordered as unsigned bytes, prefixes first", () =>
    withEngine(harness, async (engine) => {
      const keys = [[0], [0, 0], [0, 1], [1], [127], [127, 255], [128], [128, 0], [255], [255, 255]];
      for (const [i, key] of [...keys].reverse().entries()) {
        engine.applySync(new WriteBatch().put(Uint8Array.from(key), Uint8Array.of(i)), i + 1);
      }
      for (const step of [() => undefined, () => engine.flush()]) {
        await step();
        const cursor = engine.scan({});
        const found: number[][] = [];
        while (cursor.next()) found.push([...cursor.key]);
        cursor.close();
        assert.deepEqual(found, keys);
      }
    }));
}

function testScans(harness: EngineHarness): void {
  const skip = harness.capabilities.reverseScan ? false : "the engine does not claim reverseScan";

  test("ranges: inclusive from, exclusive to, empty and inverted", () =>
    withEngine(harness, async (engine) => {
      put(engine, ["a", "1"], ["b", "2"], ["c", "3"], ["d", "4"]);
      for (const step of [() => undefined, () => engine.flush()]) {
        await step();
        assert.deepEqual(walk(engine, { gte: bytesOf("b"), lt: bytesOf("d") }), ["b=2", "c=3"]);
        assert.deepEqual(walk(engine, { gte: bytesOf("bb") }), ["c=3", "d=4"]);
        assert.deepEqual(walk(engine, { lt: bytesOf("a") }), []);
        assert.deepEqual(walk(engine, { gte: bytesOf("e") }), []);
        assert.deepEqual(walk(engine, { gte: bytesOf("c"), lt: bytesOf("b") }), []);
        assert.deepEqual(walk(engine, { gte: bytesOf("c"), lt: bytesOf("c") }), []);
      }
    }));

  test("the same backwards", { skip }, () =>
    withEngine(harness, async (engine) => {
      put(engine, ["a", "1"], ["b", "2"], ["c", "3"], ["d", "4"]);
      for (const step of [() => undefined, () => engine.flush()]) {
        await step();
        const reverse = true;
        assert.deepEqual(walk(engine, { reverse }), ["d=4", "c=3", "b=2", "a=1"]);
        assert.deepEqual(walk(engine, { gte: bytesOf("b"), lt: bytesOf("d"), reverse }), ["c=3", "b=2"]);
        assert.deepEqual(walk(engine, { lt: bytesOf("bb"), reverse }), ["b=2", "a=1"]);
        assert.deepEqual(walk(engine, { gte: bytesOf("e"), reverse }), []);
        assert.deepEqual(walk(engine, { lt: bytesOf("a"), reverse }), []);
        assert.deepEqual(walk(engine, { gte: bytesOf("c"), lt: bytesOf("b"), reverse }), []);
      }
    }),
  );

  test("a cursor sees the store as of its creation, whatever happens to the files", () =>
    withEngine(harness, async (engine) => {
      await fill(engine, 300, (i) => `old${i}`);
      const forwards = engine.scan({});
      const backwards = skip === false ? engine.scan({ reverse: true }) : undefined;
      assert.equal(forwards.next(), true);
      await fill(engine, 300, (i) => `new${i}`);
      put(engine, ["key000007", undefined], ["zzz", "later"]);
      await engine.compactAll();
      let count = 1;
      while (forwards.next()) assert.equal(textOf(forwards.value), `old${count++}`);
      forwards.close();
      assert.equal(count, 300);
      if (backwards === undefined) return;
      while (backwards.next()) assert.equal(textOf(backwards.value), `old${--count}`);
      backwards.close();
      assert.equal(count, 0);
    }));
}

function testSnapshots(harness: EngineHarness): void {
  const skip = harness.capabilities.snapshots ? false : "the engine does not claim snapshots";

  test("what a cursor walks stays while files and memory are used again", () =>
    withEngine(harness, async (engine) => {
      const count = 400;
      await fill(engine, count, (i) => `old${i}`.repeat(10));
      await engine.compactAll();
      // What it walks: files, a frozen memtable perhaps, and the live one.
      put(engine, ["key000398", "live"]);
      const cursor = engine.scan({});
      assert.ok(cursor.next());
      for (let round = 0; round < 3; round++) {
        await fill(engine, count, (i) => `new${round}-${i}`.repeat(10));
        await engine.flush();
        await engine.compactAll();
      }
      for (let i = 1; i < count; i++) {
        assert.ok(cursor.next());
        assert.equal(textOf(cursor.key), `key${String(i).padStart(6, "0")}`);
        assert.equal(textOf(cursor.value), i === 398 ? "live" : `old${i}`.repeat(10));
      }
      assert.equal(cursor.next(), false);
      cursor.close();
    }));

  test("a snapshot keeps what it saw through overwrites, flushes and compactions", { skip }, () =>
    withEngine(harness, async (engine) => {
      put(engine, ["a", "1"], ["b", "1"]);
      const first = engine.snapshot();
      put(engine, ["a", "2"], ["b", undefined]);
      const second = engine.snapshot();
      put(engine, ["a", undefined], ["c", "3"]);
      const check = async () => {
        assert.deepEqual(walk(engine, { snapshot: first }), ["a=1", "b=1"]);
        assert.deepEqual(walk(engine, { snapshot: second }), ["a=2"]);
        assert.deepEqual(walk(engine, {}), ["c=3"]);
        assert.equal(read(engine, "a", first), "1");
        assert.equal(read(engine, "a", second), "2");
        assert.equal(read(engine, "b", second), undefined);
        assert.equal(textOf(await engine.get(bytesOf("b"), first)), "1");
        assert.deepEqual((await engine.getMany([bytesOf("a")], second)).map(textOf), ["2"]);
      };
      await check();
      await engine.flush();
      await check();
      await engine.compactAll();
      await check();
      put(engine, ["a", "4"]);
      second.release();
      second.release();
      await engine.compactAll();
      assert.deepEqual(walk(engine, { snapshot: first }), ["a=1", "b=1"]);
      first.release();
      await engine.compactAll();
      assert.deepEqual(walk(engine, {}), ["a=4", "c=3"]);
    }),
  );
}

function testRecovery(harness: EngineHarness): void {
  const { durable, checkpoint } = harness.capabilities;

  test(
    "what was flushed is there after reopening",
    { skip: !durable && "the engine is not durable" },
    async () => {
      const directory = harness.newDirectory();
      let engine = await harness.open(directory);
      await fill(engine, 500, (i) => `value${i}`);
      await engine.flush();
      const flushed = engine.appliedIndex;
      put(engine, ["unflushed", "1"]);
      await engine.close();
      engine = await harness.open(directory);
      assert.ok(engine.durableIndex >= flushed);
      assert.equal(engine.appliedIndex, engine.durableIndex);
      assert.equal(walk(engine, { lt: bytesOf("u") }).length, 500);
      assert.equal(read(engine, "key000123"), "value123");
      await engine.close();
    },
  );

  test("a directory has one owner", { skip: !durable && "the engine is not durable" }, async () => {
    const directory = harness.newDirectory();
    const engine = await harness.open(directory);
    await assert.rejects(harness.open(directory), { code: "LOCKED" });
    await engine.close();
    await (await harness.open(directory)).close();
  });

  test(
    "a checkpoint opens, and neither store sees the other",
    { skip: !checkpoint && "no checkpoints" },
    () =>
      withEngine(harness, async (engine) => {
        await fill(engine, 400, (i) => `value${i}`);
        const target = harness.newDirectory();
        await engine.checkpoint(target);
        await assert.rejects(engine.checkpoint(target), { code: "ALREADY_EXISTS" });
        put(engine, ["key000000", "changed"]);
        await engine.compactAll();
        const copy = await harness.open(target);
        assert.equal(read(copy, "key000000"), "value0");
        put(copy, ["key000001", undefined]);
        await copy.compactAll();
        assert.equal(walk(copy, {}).length, 399);
        await copy.close();
        assert.equal(walk(engine, {}).length, 400);
        assert.equal(read(engine, "key000000"), "changed");
      }),
  );
}

function testPressure(harness: EngineHarness): void {
  test("writers that wait for back-pressure write any amount; the store settles", () =>
    withEngine(harness, async (engine) => {
      await fill(engine, 3000, (i) => `value${i}`.repeat(5));
      await engine.settle();
      assert.equal(engine.backpressure(), undefined);
      assert.equal(walk(engine, {}).length, 3000);
      const names = new Set(engine.metrics().map((metric) => metric.name));
      for (const name of names) assert.match(name, /^[a-z][a-z0-9_]*$/);
    }));
}

function testModel(harness: EngineHarness): void {
  const numRuns = Number(process.env.LATHE_TEST_RUNS ?? 25);
  test(`random programs behave as on a sorted map (${numRuns} runs)`, () =>
    checkAgainstModel(harness, { numRuns }));
}
