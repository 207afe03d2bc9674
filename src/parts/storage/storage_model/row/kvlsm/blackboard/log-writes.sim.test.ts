/** An engine with a log of its own: what was acknowledged survives every crash, in order, without gaps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import {
  createSimulatedEnv,
  seededNumbers,
  type SimulatedEnv,
} from "../../../../../../simulation/simulated-env.ts";
import { openWal } from "../../../../../core/wal/wal.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";

const runs = Number(process.env.LATHE_TEST_RUNS ?? 30);
const bytesOf = (text: string) => new TextEncoder().encode(text);

async function open(env: SimulatedEnv): Promise<{ engine: BlackboardEngine; close: () => Promise<void> }> {
  const log = await openWal(env, { directory: "/wal", segmentBytes: 8192, selectionHash: noSelectionHash });
  const engine = await openBlackboardEngine(env, {
    directory: "/store",
    log,
    memtableBytes: 6144,
    blockBytes: 256,
    l0CompactionTrigger: 2,
  });
  const close = async () => {
    await engine.close();
    await log.close();
  };
  return { engine, close };
}

/** Four writers at a time; each write puts its number and a counter that must never go back. */
async function work(env: SimulatedEnv, acknowledged: { index: number; count: number }): Promise<void> {
  const { engine, close } = await open(env);
  for (let round = 0; round < 60; round++) {
    const writes = [0, 1, 2, 3].map(async (writer) => {
      const batch = new WriteBatch().put(bytesOf(`w${round * 4 + writer}`), bytesOf("x".repeat(60)));
      batch.put(bytesOf("last"), bytesOf(String(round * 4 + writer)));
      const sync = writer !== 3;
      const index = await engine.write(batch, { sync });
      if (!sync) return;
      acknowledged.index = Math.max(acknowledged.index, index);
      acknowledged.count++;
    });
    await Promise.all(writes);
    if (round === 30) await engine.flush();
  }
  await engine.settle();
  await close();
}

async function check(
  disk: SimulatedDisk,
  seed: number,
  acknowledged: { index: number; count: number },
): Promise<void> {
  const env = createSimulatedEnv({ seed, disk });
  await env.run(
    (async () => {
      const { engine, close } = await open(env);
      assert.ok(engine.appliedIndex >= acknowledged.index, `${engine.appliedIndex} < ${acknowledged.index}`);
      const cursor = engine.scan({ gte: bytesOf("w") });
      let found = 0;
      while (cursor.next()) found++;
      cursor.close();
      assert.equal(
        found,
        engine.appliedIndex,
        "every entry up to the last one was applied, and nothing else",
      );
      await engine.write(new WriteBatch().put(bytesOf("after"), bytesOf("1")));
      await close();
    })(),
  );
}

test(`acknowledged writes survive power loss at any call (${runs} crashes)`, async () => {
  const whole = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk: whole });
  const all = { index: 0, count: 0 };
  await env.run(work(env, all));
  const { calls } = whole;
  assert.equal(all.count, 180);
  await check(whole, 1, all);
  let interrupted = 0;
  for (let run = 0; run < runs; run++) {
    const disk = new SimulatedDisk();
    disk.fault = { call: 1 + Math.floor((run * calls) / runs), code: "CRASH", persistent: true };
    const world = createSimulatedEnv({ seed: run, disk });
    const acknowledged = { index: 0, count: 0 };
    await world.run(work(world, acknowledged)).catch(() => undefined);
    if (acknowledged.count > 0 && acknowledged.count < 180) interrupted++;
    await check(disk.crash(seededNumbers(run)), run, acknowledged);
  }
  assert.ok(interrupted > runs / 3, `${interrupted} crashes between acknowledgements`);
});

test("a log that does not reach back to the files is refused", async () => {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  await env.run(
    (async () => {
      const { engine, close } = await open(env);
      for (let i = 0; i < 5; i++) await engine.write(new WriteBatch().put(bytesOf(`k${i}`), bytesOf("v")));
      await engine.flush();
      await close();
      for (const name of disk.list("/wal")) disk.unlink(`/wal/${name}`);
      await assert.rejects(open(env), { code: "CORRUPTION", message: /they do not belong together/ });
    })(),
  );
});

test("background work settles although the log takes nothing any more", async () => {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  await env.run(
    (async () => {
      const { engine } = await open(env);
      for (let i = 0; i < 5; i++) await engine.write(new WriteBatch().put(bytesOf(`k${i}`), bytesOf("v")));
      disk.nemesis = ({ kind, path }) =>
        kind === "sync" && path.startsWith("/wal") ? { kind: "error", code: "IO_ERROR" } : undefined;
      await assert.rejects(engine.write(new WriteBatch().put(bytesOf("lost"), bytesOf("v"))), { code: "IO_ERROR" });
      await engine.flush();
      await engine.settle();
      assert.equal(engine.durableIndex, 5);
      await engine.close();
    })(),
  );
});

test("a batch that waits for room is the caller's again: what it was then is written", async () => {
  const env = createSimulatedEnv({ seed: 1, disk: new SimulatedDisk() });
  await env.run(
    (async () => {
      const { engine, close } = await open(env);
      const before: Promise<number>[] = [];
      const large = new WriteBatch().put(bytesOf("large"), new Uint8Array(5000));
      while (engine.backpressure() === undefined) before.push(engine.write(large, { sync: false }));
      const batch = new WriteBatch().put(bytesOf("first"), bytesOf("1"));
      const first = engine.write(batch);
      batch.clear();
      const second = engine.write(batch.put(bytesOf("second"), bytesOf("2")));
      await Promise.all([...before, first, second]);
      for (const [key, value] of [["first", "1"], ["second", "2"]]) {
        assert.deepEqual(engine.getSync(bytesOf(key)), bytesOf(value), key);
      }
      await close();
    })(),
  );
});

test("a log that fails for good does not make flushes fill the disk", async () => {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  await env.run(
    (async () => {
      const { engine } = await open(env);
      await engine.write(new WriteBatch().put(bytesOf("key"), bytesOf("v")), { sync: false });
      disk.nemesis = ({ kind, path }) =>
        kind === "sync" && path.startsWith("/wal") ? { kind: "error", code: "IO_ERROR" } : undefined;
      const flushed = engine.flush().catch((error: { code?: string }) => error.code);
      await new Promise<void>((resolve) => void env.clock.setTimer(60_000, resolve));
      const tables = disk.list("/store").filter((name) => name.endsWith(".sst"));
      assert.ok(tables.length <= 1, `${tables.length} tables were left behind`);
      assert.equal(await flushed, "IO_ERROR");
      await engine.close();
    })(),
  );
});

test("without a log, write is refused", async () => {
  const env = createSimulatedEnv({ seed: 1, disk: new SimulatedDisk() });
  await env.run(
    (async () => {
      const engine = await openBlackboardEngine(env, { directory: "/store" });
      await assert.rejects(engine.write(new WriteBatch()), { code: "INVALID_ARGUMENT" });
      await engine.close();
    })(),
  );
});

test("a write without a sync that comes behind one with a sync is visible when it resolves", async () => {
  const env = createSimulatedEnv({ seed: 1, disk: new SimulatedDisk() });
  await env.run(
    (async () => {
      const { engine, close } = await open(env);
      const synced = engine.write(new WriteBatch().put(bytesOf("first"), bytesOf("1")));
      const index = await engine.write(new WriteBatch().put(bytesOf("second"), bytesOf("2")), { sync: false });
      assert.notEqual(engine.getSync(bytesOf("second")), undefined, "its writer reads what it wrote");
      assert.ok(engine.appliedIndex >= index);
      await synced;
      await close();
    })(),
  );
});
