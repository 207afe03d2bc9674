/** Conformance of the StorageEngine port: entries that expire. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { StorageEngine } from "./engine.ts";
import {
  apply,
  bytesOf,
  type EngineHarness,
  fill,
  read,
  textOf,
  walk,
  withEngine,
} from "./engine-harness.conformance.ts";

export function testExpiry(harness: EngineHarness): void {
  const { ttl, snapshots, durable, reverseScan } = harness.capabilities;
  const clock = harness.clock ?? { nowMs: 0 };
  const settable = ttl && harness.clock !== undefined;
  const skip = settable ? false : "the engine does not claim ttl, or its clock cannot be set";
  const putExpiring = (engine: StorageEngine, key: string, value: string, lifeMs: number) =>
    apply(engine, (batch) => batch.put(bytesOf(key), bytesOf(value), { expiresAtMs: clock.nowMs + lifeMs }));

  test("an entry is there until its time and gone from then on, for every kind of read", { skip }, () =>
    withEngine(harness, async (engine) => {
      for (const step of [() => undefined, () => engine.flush(), () => engine.compactAll()]) {
        putExpiring(engine, "a", "", 10);
        putExpiring(engine, "b", "b".repeat(100), 20);
        apply(engine, (batch) => batch.put(bytesOf("c"), bytesOf("3")));
        const early = engine.scan({});
        assert.ok(early.next());
        await step();
        clock.nowMs += 9;
        assert.equal(read(engine, "a"), "");
        assert.deepEqual(walk(engine, {}), ["a=", `b=${"b".repeat(100)}`, "c=3"]);
        clock.nowMs += 1;
        assert.equal(read(engine, "a"), undefined);
        assert.equal(await engine.get(bytesOf("a")), undefined);
        const many = await engine.getMany(["a", "b", "c"].map(bytesOf));
        assert.deepEqual(many.map(textOf), [undefined, "b".repeat(100), "3"]);
        clock.nowMs += 10;
        assert.ok(early.next());
        assert.equal(textOf(early.key), "c", "a cursor that was there before leaves it out too");
        early.close();
        assert.deepEqual(walk(engine, {}), ["c=3"]);
        if (reverseScan) assert.deepEqual(walk(engine, { reverse: true }), ["c=3"]);
      }
    }),
  );

  test("an expired entry hides the versions below it, through flushes and compactions", { skip }, () =>
    withEngine(harness, async (engine) => {
      await fill(engine, 200, (i) => `old${i}`);
      await engine.compactAll();
      putExpiring(engine, "key000007", "short", 5);
      putExpiring(engine, "key000008", "long", 50);
      clock.nowMs += 5;
      const steps = [() => undefined, () => engine.flush(), () => engine.settle(), () => engine.compactAll()];
      for (const step of steps) {
        await step();
        assert.equal(read(engine, "key000007"), undefined);
        assert.equal(read(engine, "key000008"), "long");
        assert.equal(walk(engine, {}).length, 199);
      }
    }),
  );

  test("writing again and deleting end a life; the last operation of a batch counts", { skip }, () =>
    withEngine(harness, (engine) => {
      putExpiring(engine, "a", "1", 10);
      apply(engine, (batch) => batch.put(bytesOf("a"), bytesOf("2")));
      putExpiring(engine, "b", "1", 10);
      apply(engine, (batch) => batch.delete(bytesOf("b")));
      apply(engine, (batch) => {
        batch.put(bytesOf("c"), bytesOf("1"), { expiresAtMs: clock.nowMs + 10 }).put(bytesOf("c"), bytesOf("2"));
        batch.put(bytesOf("d"), bytesOf("1")).put(bytesOf("d"), bytesOf("2"), { expiresAtMs: clock.nowMs + 10 });
      });
      assert.deepEqual(walk(engine, {}), ["a=2", "c=2", "d=2"]);
      clock.nowMs += 10;
      assert.deepEqual(walk(engine, {}), ["a=2", "c=2"]);
      putExpiring(engine, "e", "born dead", 0);
      assert.equal(read(engine, "e"), undefined);
    }),
  );

  const noSnapshots = snapshots ? skip : "the engine does not claim snapshots";
  test("a snapshot does not keep an entry from expiring", { skip: noSnapshots }, () =>
    withEngine(harness, async (engine) => {
      apply(engine, (batch) => batch.put(bytesOf("a"), bytesOf("old")));
      const before = engine.snapshot();
      putExpiring(engine, "a", "1", 10);
      const during = engine.snapshot();
      for (const step of [() => undefined, () => engine.compactAll()]) {
        await step();
        assert.equal(read(engine, "a", during), "1");
      }
      clock.nowMs += 10;
      for (const step of [() => undefined, () => engine.compactAll()]) {
        await step();
        assert.equal(read(engine, "a", during), undefined);
        assert.deepEqual(walk(engine, { snapshot: during }), []);
        assert.deepEqual(walk(engine, { snapshot: before }), ["a=old"]);
      }
      before.release();
      during.release();
    }),
  );

  const notDurable = durable ? skip : "the engine is not durable";
  test("what has expired takes no room after everything was compacted", { skip: notDurable }, async (context) => {
    const directory = harness.newDirectory();
    const engine = await harness.open(directory);
    try {
      if (!existsSync(directory)) return context.skip("its files are on no file system that can be looked at");
      for (let i = 0; i < 80; i++) {
        for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
        putExpiring(engine, `key${i}`, String(i).repeat(300), 10);
      }
      await engine.compactAll();
      const before = bytesIn(directory);
      // Long after: an engine may take its time.
      clock.nowMs += 60_000;
      // A write, so that there is something to flush and to merge with the rest.
      apply(engine, (batch) => batch.put(bytesOf("a"), bytesOf("1")).put(bytesOf("z"), bytesOf("2")));
      await engine.compactAll();
      await engine.settle();
      assert.deepEqual(walk(engine, {}), ["a=1", "z=2"]);
      assert.ok(bytesIn(directory) < before / 4, `${bytesIn(directory)} bytes of ${before} are left`);
    } finally {
      await engine.close();
    }
  });

  test("after an orderly restart with the clock set back nothing comes back", { skip: notDurable }, async () => {
    const directory = harness.newDirectory();
    let engine = await harness.open(directory);
    apply(engine, (batch) => batch.put(bytesOf("a"), bytesOf("old")));
    putExpiring(engine, "a", "1", 10);
    putExpiring(engine, "b", "2", 1000);
    await engine.flush();
    clock.nowMs += 10;
    assert.deepEqual(walk(engine, {}), ["b=2"]);
    await engine.close();
    clock.nowMs -= 1_000_000;
    engine = await harness.open(directory);
    assert.deepEqual(walk(engine, {}), ["b=2"]);
    await engine.compactAll();
    assert.equal(read(engine, "a"), undefined);
    clock.nowMs += 1_000_000;
    await engine.close();
  });
}

function bytesIn(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
