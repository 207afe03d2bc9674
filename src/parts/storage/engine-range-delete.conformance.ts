/** Conformance of the StorageEngine port: deletes of ranges. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StorageEngine } from "./engine.ts";
import {
  apply,
  bytesOf,
  type EngineHarness,
  fill,
  put,
  read,
  textOf,
  walk,
  withEngine,
} from "./engine-harness.conformance.ts";

function deleteRange(engine: StorageEngine, gte: string, lt: string): void {
  apply(engine, (batch) => batch.deleteRange(bytesOf(gte), bytesOf(lt)));
}

export function testRangeDeletes(harness: EngineHarness): void {
  const { rangeDelete, snapshots, durable, reverseScan, checkpoint } = harness.capabilities;
  const skip = rangeDelete ? false : "the engine does not claim rangeDelete";

  test("a range delete covers what was there, not what comes, from its lower bound to below its upper", { skip }, () =>
    withEngine(harness, async (engine) => {
      put(engine, ["a", "1"], ["b", "2"], ["ba", "3"], ["c", "4"], ["d", "5"]);
      deleteRange(engine, "b", "c");
      put(engine, ["bb", "6"]);
      for (const step of [() => undefined, () => engine.flush(), () => engine.compactAll()]) {
        await step();
        assert.deepEqual(walk(engine, {}), ["a=1", "bb=6", "c=4", "d=5"]);
        assert.deepEqual(walk(engine, { gte: bytesOf("b"), lt: bytesOf("c") }), ["bb=6"]);
        if (reverseScan) assert.deepEqual(walk(engine, { reverse: true }), ["d=5", "c=4", "bb=6", "a=1"]);
        for (const key of ["b", "ba"]) assert.equal(read(engine, key), undefined);
        const many = await engine.getMany(["b", "bb", "c"].map(bytesOf));
        assert.deepEqual(many.map(textOf), [undefined, "6", "4"]);
      }
    }),
  );

  test("ranges that hold no key delete nothing; bounds must be keys", { skip }, () =>
    withEngine(harness, (engine) => {
      put(engine, ["a", "1"], ["b", "2"]);
      deleteRange(engine, "b", "b");
      deleteRange(engine, "b", "a");
      assert.deepEqual(walk(engine, {}), ["a=1", "b=2"]);
      assert.throws(() => deleteRange(engine, "", "b"), { code: "INVALID_ARGUMENT" });
    }),
  );

  test("within a batch a range delete covers what stands before it and not what follows", { skip }, () =>
    withEngine(harness, async (engine) => {
      put(engine, ["a", "0"], ["b", "0"], ["c", "0"]);
      apply(engine, (batch) => {
        batch.put(bytesOf("a"), bytesOf("1")).put(bytesOf("b"), bytesOf("1"));
        batch.deleteRange(bytesOf("a"), bytesOf("c")).put(bytesOf("b"), bytesOf("2"));
        batch.deleteRange(bytesOf("c"), bytesOf("d")).put(bytesOf("ca"), bytesOf("3"));
        batch.deleteRange(bytesOf("ca"), bytesOf("cb"));
      });
      for (const step of [() => undefined, () => engine.flush(), () => engine.compactAll()]) {
        await step();
        assert.deepEqual(walk(engine, {}), ["b=2"]);
        for (const key of ["a", "c", "ca"]) assert.equal(read(engine, key), undefined);
        assert.equal(read(engine, "b"), "2");
      }
    }),
  );

  test("wide deletes over several levels, over one another, and written over again", { skip }, () =>
    withEngine(harness, async (engine) => {
      await fill(engine, 400, (i) => `first${i}`);
      await engine.compactAll();
      await fill(engine, 200, (i) => `second${i}`);
      deleteRange(engine, "key000100", "key000300");
      await engine.flush();
      deleteRange(engine, "key000050", "key000150");
      put(engine, ["key000120", "third"]);
      const check = () => {
        const found = walk(engine, {});
        assert.equal(found.length, 151);
        assert.equal(found[49], "key000049=second49");
        assert.equal(found[50], "key000120=third");
        assert.equal(found[51], "key000300=first300");
        for (const i of ["050", "099", "100", "150", "299"]) assert.equal(read(engine, `key000${i}`), undefined);
      };
      for (const step of [() => undefined, () => engine.flush(), () => engine.settle(), () => engine.compactAll()]) {
        await step();
        check();
      }
      deleteRange(engine, "a", "z");
      await engine.compactAll();
      assert.deepEqual(walk(engine, {}), []);
    }),
  );

  const noSnapshots = snapshots ? skip : "the engine does not claim snapshots";
  test("a snapshot sees what it saw before the range was deleted", { skip: noSnapshots }, () =>
    withEngine(harness, async (engine) => {
      await fill(engine, 100, (i) => `old${i}`);
      const before = engine.snapshot();
      deleteRange(engine, "key000010", "key000090");
      const between = engine.snapshot();
      put(engine, ["key000020", "new"]);
      deleteRange(engine, "key000000", "key000050");
      const check = () => {
        assert.equal(walk(engine, { snapshot: before }).length, 100);
        assert.equal(walk(engine, { snapshot: between }).length, 20);
        assert.equal(walk(engine, {}).length, 10);
        assert.equal(read(engine, "key000020", before), "old20");
        assert.equal(read(engine, "key000020", between), undefined);
        assert.equal(read(engine, "key000005", between), "old5");
        assert.equal(read(engine, "key000005"), undefined);
      };
      const steps = [() => undefined, () => engine.flush(), () => engine.compactAll(), () => engine.compactAll()];
      for (const step of steps) {
        await step();
        check();
      }
      before.release();
      await engine.compactAll();
      assert.equal(walk(engine, { snapshot: between }).length, 20);
      between.release();
      await engine.compactAll();
      assert.equal(walk(engine, {}).length, 10);
    }),
  );

  const notDurable = durable ? skip : "the engine is not durable";
  test("range deletes survive reopening and are in checkpoints", { skip: notDurable }, async () => {
    const directory = harness.newDirectory();
    let engine = await harness.open(directory);
    await fill(engine, 100, (i) => `v${i}`);
    deleteRange(engine, "key000020", "key000080");
    await engine.flush();
    await engine.close();
    engine = await harness.open(directory);
    assert.equal(walk(engine, {}).length, 40);
    if (checkpoint) {
      const target = harness.newDirectory();
      await engine.checkpoint(target);
      deleteRange(engine, "a", "z");
      const copy = await harness.open(target);
      assert.equal(walk(copy, {}).length, 40);
      await copy.compactAll();
      assert.equal(walk(copy, {}).length, 40);
      await copy.close();
    }
    await engine.close();
  });
}
