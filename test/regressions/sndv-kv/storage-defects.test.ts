/**
 * The defects of SNDV-KV that live in its engine (numbers of the list that its reading gave), one test each: Lathe's
 * engine passes, and a model of SNDV-KV with that one defect must fail in the same test.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk } from "../../../src/simulation/simulated-disk.ts";
import { createSimulatedEnv } from "../../../src/simulation/simulated-env.ts";
import { openBlackboardEngine } from "../../../src/parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { WriteBatch } from "../../../src/parts/storage/write-batch.ts";
import { plantLateFreeze } from "./late-freeze.ts";
import { type Defect, DefectiveStore, openLatheStore, type Store } from "./store.ts";

type Check = (store: Store) => Promise<void>;

/** The check passes on Lathe and fails, by an assertion or an error, on a store with the defect. */
function regression(number: number, title: string, defect: Defect, fails: RegExp, check: Check): void {
  test(`defect ${number}: ${title}`, async () => {
    await check(await openLatheStore());
    await assert.rejects(check(new DefectiveStore(defect)), (error: Error) => fails.test(error.message));
  });
}

const many = (count: number, version: string) =>
  Array.from({ length: count }, (_, i) => ({ key: `k${String(i).padStart(4, "0")}`, value: `${version}-${i}` }));

async function expect(store: Store, items: readonly { key: string; value: string | undefined }[]): Promise<void> {
  for (const { key, value } of items) assert.equal(store.get(key), value, `value of ${key}`);
}

regression(1, "the log stored zeros instead of values: a restart gave NUL bytes", "log holds zeros", /value of k0000/, async (store) => {
  const items = many(20, "first");
  await store.write(items);
  await store.write([{ key: "k0003", value: undefined }]);
  const after = await store.crash(1);
  await expect(after, items.filter(({ key }) => key !== "k0003"));
  await expect(after, [{ key: "k0003", value: undefined }]);
  await after.close();
});

regression(
  2, "tables and rotated logs were not read at a start: all that was flushed was lost", "tables are not opened again",
  /value of k0000/,
  async (store) => {
    let items = many(300, "flushed");
    await store.write(items);
    await store.beginFlush()();
    const late = ["late", "later", "latest"].map((key) => ({ key, value: "in the log" }));
    for (const item of late) await store.write([item]);
    for (let restart = 0; restart < 3; restart++) {
      store = await store.crash(restart);
      await expect(store, items);
      await expect(store, late);
      items = many(300, `after restart ${restart}`);
      await store.write(items);
      await store.beginFlush()();
    }
    await store.close();
  },
);

regression(3, "a torn end of the log kept the server from starting", "a torn log is refused", /unexpected EOF/, async (first) => {
  let store = first;
  const acknowledged: { key: string; value: string }[] = [];
  for (let fate = 0; fate < 40; fate++) {
    const item = { key: `acknowledged${fate}`, value: `of ${fate}` };
    await store.write([item]);
    acknowledged.push(item);
    // Longer than a sector, so that it can be torn.
    store.writeInFlight([{ key: `torn${fate}`, value: "t".repeat(3000) }]);
    store = await store.crash(fate);
    await expect(store, acknowledged);
    const torn = store.get(`torn${fate}`);
    assert.ok(torn === undefined || torn === "t".repeat(3000), "whole or absent");
  }
  await store.close();
});

regression(
  4, "an error of the log was swallowed for batches: acknowledged, but not durable", "errors of a batch are swallowed",
  /Missing expected rejection/,
  async (store) => {
    await store.write(many(5, "before"));
    store.breakLog();
    await assert.rejects(store.write([{ key: "single", value: "x" }]));
    await assert.rejects(store.write(many(5, "after")));
    const again = await store.crash(1);
    await expect(again, many(5, "before"));
  },
);

regression(5, "expired keys were served from the cache", "the cache knows no expiry", /value of short/, async (store) => {
  await store.write([{ key: "short", value: "s", ttlMs: 1000 }, { key: "long", value: "l", ttlMs: 60_000 }]);
  await expect(store, [{ key: "short", value: "s" }]);
  store.wait(999);
  await expect(store, [{ key: "short", value: "s" }]);
  store.wait(1);
  await expect(store, [{ key: "short", value: undefined }, { key: "long", value: "l" }]);
  await store.write([{ key: "short", value: "again", ttlMs: 1000 }]);
  await store.beginFlush()();
  await expect(store, [{ key: "short", value: "again" }]);
  store.wait(1000);
  await expect(store, [{ key: "short", value: undefined }, { key: "long", value: "l" }]);
  await store.close();
});

const rotation: Check = async (store) => {
  await store.write(many(200, "before"));
  const end = store.beginFlush();
  const expected = [{ key: "k0007", value: "newer" }];
  await store.write(expected);
  // So many that some come at every stage of the flush, also after the memtable was read.
  for (let i = 0; i < 60; i++) {
    const item = { key: `during${i}`, value: `${i}` };
    await store.write([item]);
    expected.push(item);
    await store.turn();
  }
  await end();
  await store.write([{ key: "after", value: "2" }]);
  expected.push({ key: "after", value: "2" });
  await expect(store, expected);
  await expect(await store.crash(1), [...expected, ...many(200, "before").filter(({ key }) => key !== "k0007")]);
};

regression(
  6, "a write during the rotation of the memtable went into one already dumped", "writes go to a memtable that was dumped",
  /value of during0|value of k0007/, rotation,
);

test("defect 6, planted in Lathe's engine: the check for it fails there too", async () => {
  const restore = plantLateFreeze();
  try {
    // The loss must show in what is read; an engine that merely broke would prove nothing.
    const seen = (error: Error) => /value of (during\d+|k0007)/.test(error.message);
    await assert.rejects(async () => rotation(await openLatheStore()), seen);
  } finally {
    restore();
  }
  await rotation(await openLatheStore());
});

regression(
  7, "while a compaction ran its inputs were gone and its outputs not there: reads found nothing",
  "inputs leave before outputs come", /value of k0000/,
  async (store) => {
    for (const version of ["first", "second", "third"]) {
      await store.write(many(150, version));
      await store.beginFlush()();
    }
    const work = store.beginCompaction();
    let steps = 0;
    do {
      await expect(store, many(150, "third"));
      steps++;
    } while (!(await work.step()));
    await expect(store, many(150, "third"));
    assert.ok(steps > 1, "it was read while the compaction ran");
    await store.close();
  },
);

regression(
  8, "a merge had no order of recency: an older version or a deleted entry came back", "a merge takes any version",
  /value of/,
  async (store) => {
    const versions = ["1", undefined, "3", "4", undefined, "6"];
    for (const [round, value] of versions.entries()) {
      await store.write([{ key: "overwritten", value: `${round}` }, { key: "now and then", value }]);
      await store.write([{ key: "deleted last", value: round < 5 ? "there" : undefined }]);
      await store.beginFlush()();
      const work = store.beginCompaction();
      while (!(await work.step()));
      await expect(store, [{ key: "overwritten", value: `${round}` }, { key: "now and then", value }]);
    }
    await expect(store, [{ key: "deleted last", value: undefined }]);
    await store.close();
  },
);

/** Calls of the disk while flushing fails for a minute, and whether it comes right afterwards. */
async function failFlushes(pauseIsKept: boolean): Promise<number> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  const { clock } = env;
  // The planted one does not wait before it tries again.
  const hasty = { ...clock, setTimer: (_ms: number, callback: () => void) => clock.setTimer(0, callback) };
  const engine = await env.run(
    openBlackboardEngine(pauseIsKept ? env : { ...env, clock: hasty }, { directory: "/store", troubleLimitMs: 86_400_000 }),
  );
  engine.applySync(new WriteBatch().put(Uint8Array.of(1), Uint8Array.of(2)), 1);
  disk.fault = { call: disk.calls + 1, code: "DISK_FULL", persistent: true };
  const before = disk.calls;
  const flushed = engine.flush();
  if (pauseIsKept) await env.run(new Promise<void>((resolve) => void clock.setTimer(60_000, resolve)));
  else {
    // Without pauses the minute would never pass.
    for (let turn = 0; turn < 2000; turn++) await env.run(new Promise<void>((resolve) => clock.defer(resolve)));
  }
  const calls = disk.calls - before;
  disk.fault = undefined;
  await env.run(flushed);
  assert.equal(engine.durableIndex, 1);
  await env.run(engine.close());
  return calls;
}

test("defect 13: a flush that failed was tried again without a pause and spun", async () => {
  const calls = await failFlushes(true);
  assert.ok(calls > 5 && calls < 400, `${calls} calls of the disk in a minute of failing flushes`);
  assert.ok((await failFlushes(false)) > 400, "without pauses it spins, and this test sees it");
});
