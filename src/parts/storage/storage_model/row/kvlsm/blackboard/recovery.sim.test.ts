/**
 * Crashes and faults of a whole engine on a simulated disk, at every call that changes it.
 * `LATHE_TEST_RUNS` sets how many schedules of each are tried. Disks that lie show that the checks would
 * notice.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodeOf } from "../../../../../../kit/errors.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import {
  createSimulatedEnv,
  seededNumbers,
  type SimulatedEnv,
} from "../../../../../../simulation/simulated-env.ts";
import type { StorageEngine } from "../../../../engine.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import type { BlackboardOptions } from "./options.ts";

const runs = Number(process.env.LATHE_TEST_RUNS ?? 40);
const directory = "/store";
const options: BlackboardOptions = {
  directory,
  memtableBytes: 6144,
  blockBytes: 128,
  blockCacheBytes: 4096,
  levelBaseBytes: 4096,
  levelMultiplier: 2,
  targetFileBytes: 1024,
  l0CompactionTrigger: 2,
  l0SlowdownTrigger: 4,
  l0StallTrigger: 5,
  troubleLimitMs: 2000,
};

const bytesOf = (text: string) => new TextEncoder().encode(text);
const keyOf = (id: number) => bytesOf(`key${String(id).padStart(3, "0")}`);

/** Batch number `index` of the one history that all runs share: the contents after it are known. */
function batchAt(index: number): WriteBatch {
  const next = seededNumbers(index);
  const batch = new WriteBatch();
  for (let i = 0; i < 4; i++) {
    const key = keyOf(Math.floor(next() * 80));
    if (next() < 0.2) batch.delete(key);
    else batch.put(key, bytesOf(`${index}.${i}.${"v".repeat(Math.floor(next() * 30))}`));
  }
  return batch;
}

function contentsAfter(index: number): string[] {
  const map = new Map<string, string>();
  for (let i = 1; i <= index; i++) {
    batchAt(i).forEach((kind, bytes, keyStart, keyEnd, valueEnd) => {
      const key = Buffer.from(bytes.subarray(keyStart, keyEnd)).toString();
      if (kind === 1) map.set(key, Buffer.from(bytes.subarray(keyEnd, valueEnd)).toString());
      else map.delete(key);
    });
  }
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
}

function contentsOf(engine: StorageEngine): string[] {
  const found: string[] = [];
  const cursor = engine.scan({});
  while (cursor.next()) found.push(`${Buffer.from(cursor.key)}=${Buffer.from(cursor.value)}`);
  cursor.close();
  for (const line of found) {
    const [key, value] = line.split("=");
    assert.equal(
      Buffer.from(engine.getSync(bytesOf(key)) ?? []).toString(),
      value,
      "getSync agrees with the scan",
    );
  }
  return found;
}

/** What the run was promised before the lights went out. */
interface Promised {
  durable: number;
  checkpoints: number[];
}

async function work(env: SimulatedEnv, promised: Promised): Promise<void> {
  const engine = await openBlackboardEngine(env, options);
  for (let index = engine.appliedIndex + 1; index <= 240; index++) {
    for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
    engine.applySync(batchAt(index), index);
    if (index % 37 === 0) {
      await engine.flush();
      promised.durable = index;
    }
    promised.durable = Math.max(promised.durable, engine.durableIndex);
    if (index === 120) {
      await engine.checkpoint("/checkpoint");
      promised.checkpoints.push(index);
    }
    if (index === 200) await engine.compactAll();
  }
  await engine.settle();
  await engine.close();
}

/**
 * Opens the disk as it is and checks that it holds exactly the history up to some batch that was promised or
 * later.
 */
async function check(disk: SimulatedDisk, seed: number, promised: Promised): Promise<void> {
  const env = createSimulatedEnv({ seed, disk });
  await env.run(
    (async () => {
      const engine = await openBlackboardEngine(env, options);
      assert.ok(
        engine.durableIndex >= promised.durable,
        `${engine.durableIndex} is less than ${promised.durable}`,
      );
      assert.deepEqual(contentsOf(engine), contentsAfter(engine.durableIndex));
      // And it goes on from there.
      for (let index = engine.appliedIndex + 1; index <= 245; index++) {
        for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
        engine.applySync(batchAt(index), index);
      }
      await engine.compactAll();
      assert.deepEqual(contentsOf(engine), contentsAfter(245));
      await engine.close();
      for (const index of promised.checkpoints) {
        const copy = await openBlackboardEngine(env, { ...options, directory: "/checkpoint" });
        assert.deepEqual(contentsOf(copy), contentsAfter(index));
        await copy.close();
      }
    })(),
  );
}

async function callsOfWholeRun(): Promise<number> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  const promised: Promised = { durable: 0, checkpoints: [] };
  await env.run(work(env, promised));
  const { calls } = disk;
  await check(disk, 1, promised);
  return calls;
}

test(`power lost at any call: nothing flushed is lost, nothing is half there (${runs} crashes)`, async () => {
  const calls = await callsOfWholeRun();
  assert.ok(calls > 300, `${calls} calls`);
  for (let run = 0; run < runs; run++) {
    const disk = new SimulatedDisk();
    disk.fault = { call: 1 + Math.floor((run * calls) / runs), code: "CRASH", persistent: true };
    const env = createSimulatedEnv({ seed: run, disk });
    const promised: Promised = { durable: 0, checkpoints: [] };
    await env.run(work(env, promised)).catch(() => undefined);
    assert.ok(disk.crashed, `run ${run} did not reach its crash`);
    const next = seededNumbers(run);
    for (let fate = 0; fate < 3; fate++) await check(disk.crash(next), run, promised);
  }
});

/**
 * Devices and file systems that do not keep what they say; an engine that forgot a sync would look like one on
 * them.
 */
const lies: Readonly<Record<string, (disk: SimulatedDisk) => void>> = {
  "files are not synced": (disk) => {
    const open = disk.open.bind(disk);
    disk.open = (path, mode) => Object.assign(open(path, mode), { syncSync: () => {}, sync: async () => {} });
  },
  "directories are not synced": (disk) => {
    disk.syncDirectory = () => {};
  },
};

for (const [name, lie] of Object.entries(lies)) {
  test(`planted bug: ${name}, and the crash check finds it`, async () => {
    let found = 0;
    for (let run = 0; run < 20 && found === 0; run++) {
      const disk = new SimulatedDisk();
      lie(disk);
      disk.fault = { call: 150 + run * 17, code: "CRASH", persistent: true };
      const promised: Promised = { durable: 0, checkpoints: [] };
      const env = createSimulatedEnv({ seed: run, disk });
      await env.run(work(env, promised)).catch(() => undefined);
      await check(disk.crash(seededNumbers(run)), run, promised).catch(() => found++);
    }
    assert.ok(found > 0);
  });
}

test(`one failing call: the engine recovers or says so, and loses nothing (${runs} faults)`, async () => {
  const calls = await callsOfWholeRun();
  let recovered = 0;
  for (let run = 0; run < runs; run++) {
    const disk = new SimulatedDisk();
    const code = run % 2 === 0 ? "IO_ERROR" : "DISK_FULL";
    disk.fault = { call: 1 + Math.floor((run * calls) / runs), code, persistent: false };
    const env = createSimulatedEnv({ seed: run, disk });
    const promised: Promised = { durable: 0, checkpoints: [] };
    try {
      await env.run(work(env, promised));
      recovered++;
      disk.fault = undefined;
      await check(disk, run, promised);
    } catch (error) {
      assert.equal(errorCodeOf(error), code, String(error));
      disk.fault = undefined;
    }
    await check(disk.crash(seededNumbers(run)), run, promised);
  }
  assert.ok(recovered > runs / 2, `${recovered} of ${runs} recovered`);
});

test("a disk that stays full: reads go on, writers get DISK_FULL; with room again all goes on", async () => {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  let durable = 0;
  await env.run(
    (async () => {
      const engine = await openBlackboardEngine(env, options);
      let index = 0;
      while (index < 60) await writeNext(engine, ++index);
      await engine.flush();
      disk.fault = { call: disk.calls + 1, code: "DISK_FULL", persistent: true };
      const startUs = env.clock.monotonicUs();
      await assert.rejects(
        (async () => {
          while (index < 2000) {
            await writeNext(engine, index + 1);
            index++;
          }
        })(),
        { code: "DISK_FULL" },
      );
      const waitedUs = env.clock.monotonicUs() - startUs;
      assert.ok(waitedUs >= 2_000_000, `the limit of ${options.troubleLimitMs} ms was kept: ${waitedUs} us`);
      assert.deepEqual(contentsOf(engine), contentsAfter(index));
      await assert.rejects(engine.flush(), { code: "DISK_FULL" });
      assert.throws(
        () => {
          for (let next = index + 1; next < 3000; next++) {
            engine.applySync(batchAt(next), next);
            index = next;
          }
        },
        { code: "DISK_FULL" },
        "a writer that does not ask is refused before memory runs out",
      );
      disk.fault = undefined;
      await engine.flush();
      await engine.settle();
      assert.equal(engine.durableIndex, index);
      await writeNext(engine, ++index);
      assert.deepEqual(contentsOf(engine), contentsAfter(index));
      await engine.close();
      durable = index - 1;
    })(),
  );
  await check(disk.crash(seededNumbers(3)), 3, { durable, checkpoints: [] });
});

async function writeNext(engine: BlackboardEngine, index: number): Promise<void> {
  for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
  engine.applySync(batchAt(index), index);
}
