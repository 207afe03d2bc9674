/** Background work seen from outside: agents that are replaced, damaged files, slow disks, metrics. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Disk, DiskFile, Env } from "../../../../../../kit/env/env.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import type { Agent } from "./agent.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import { compactionAgent } from "./compaction-agent.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const keyOf = (i: number) => bytesOf(`key${String(i).padStart(5, "0")}`);

function simulate(run: (env: SimulatedEnv, disk: SimulatedDisk) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  return env.run(run(env, disk));
}

async function fillAndFlush(engine: BlackboardEngine, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    engine.applySync(new WriteBatch().put(keyOf(i), bytesOf("v".repeat(50))), engine.appliedIndex + 1);
  }
  await engine.flush();
}

function metric(engine: BlackboardEngine, name: string, label?: string): number {
  const found = engine
    .metrics()
    .find(
      (one) => one.name === name && (label === undefined || Object.values(one.labels ?? {}).includes(label)),
    );
  assert.ok(found !== undefined && found.kind !== "histogram", name);
  return found.value;
}

test("an agent is replaced while the engine runs", () =>
  simulate(async (env) => {
    const engine = await openBlackboardEngine(env, { directory: "/store", l0CompactionTrigger: 2 });
    const seen: number[] = [];
    const idle: Agent = {
      name: compactionAgent.name,
      step(view) {
        seen.push(view.levels[0].length);
        return undefined;
      },
    };
    engine.replaceAgent(compactionAgent.name, idle);
    for (let round = 0; round < 5; round++) await fillAndFlush(engine, 20);
    await engine.settle();
    assert.equal(metric(engine, "lsm_l0_files"), 5);
    assert.equal(Math.max(...seen), 5);
    assert.ok(metric(engine, "lsm_compaction_debt_bytes") > 0);
    engine.replaceAgent(compactionAgent.name, compactionAgent);
    await engine.settle();
    assert.equal(metric(engine, "lsm_l0_files"), 0);
    assert.equal(metric(engine, "lsm_compaction_debt_bytes"), 0);
    await engine.close();
  }));

test("tables that cannot be opened after they were written are not left behind at every attempt", () =>
  simulate(async (env, disk) => {
    const engine = await openBlackboardEngine(env, { directory: "/store" });
    engine.applySync(new WriteBatch().put(keyOf(1), bytesOf("v")), 1);
    // As where the process has no file descriptors left: only what is opened to be read fails.
    disk.nemesis = ({ kind, path }) =>
      kind === "read" && path.endsWith(".sst") ? { kind: "error", code: "IO_ERROR" } : undefined;
    const flushed = engine.flush();
    flushed.catch(() => undefined);
    await new Promise<void>((resolve) => void env.clock.setTimer(5000, resolve));
    const tables = disk.list("/store").filter((name) => name.endsWith(".sst"));
    assert.ok(tables.length <= 1, `${tables.length} tables were left behind`);
    disk.nemesis = undefined;
    await flushed;
    assert.equal(engine.durableIndex, 1);
    await engine.close();
  }));

test("a damaged block: its keys are CORRUPTION, other keys are read, compactions stop, writes and flushes go on", () =>
  simulate(async (env, disk) => {
    const options = { directory: "/store", blockBytes: 256, l0CompactionTrigger: 2, blockCacheBytes: 0 };
    const engine = await openBlackboardEngine(env, options);
    await fillAndFlush(engine, 200);
    const name = disk.list("/store").find((one) => one.endsWith(".sst")) as string;
    disk.open(`/store/${name}`, "write").writeSync(Uint8Array.of(0xaa, 0xbb), 0, 2, 100);
    assert.throws(() => engine.getSync(keyOf(0)), {
      code: "CORRUPTION",
      message: new RegExp(`${name} at byte 32`),
    });
    await assert.rejects(engine.get(keyOf(0)), { code: "CORRUPTION" });
    assert.notEqual(engine.getSync(keyOf(199)), undefined);
    const cursor = engine.scan({});
    assert.throws(() => cursor.next(), { code: "CORRUPTION" });
    assert.throws(() => cursor.next(), { code: "CORRUPTION" }, "it does not go on behind the damage");
    cursor.close();
    await assert.rejects(engine.compactAll(), { code: "CORRUPTION" });
    for (let round = 0; round < 4; round++) await fillAndFlush(engine, 10);
    await engine.settle();
    assert.equal(metric(engine, "lsm_compaction_halted"), 1);
    assert.notEqual(engine.getSync(keyOf(0)), undefined, "a newer version hides the damage");
    await assert.rejects(engine.compactAll(), { code: "CORRUPTION" });
    await engine.close();
  }));

/** The environment with a disk whose reads take `slowUs()` each, and a clock that goes on with them. */
function slowEnv(env: SimulatedEnv, slowUs: () => number, calls: { sync: number; pool: number }): Env {
  let nowUs = 0;
  const slowFile = (file: DiskFile): DiskFile => ({
    path: file.path,
    readSync(target, targetOffset, length, position) {
      calls.sync++;
      nowUs += slowUs();
      return file.readSync(target, targetOffset, length, position);
    },
    async read(target, targetOffset, length, position) {
      calls.pool++;
      return file.readSync(target, targetOffset, length, position);
    },
    writeSync: (source, sourceOffset, length, position) =>
      file.writeSync(source, sourceOffset, length, position),
    sync: () => file.sync(),
    syncSync: () => file.syncSync(),
    sizeSync: () => file.sizeSync(),
    allocateSync: (length) => file.allocateSync(length),
    truncateSync: (length) => file.truncateSync(length),
    close: () => file.close(),
  });
  const disk = new Proxy(env.disk as Disk, {
    get(target, name) {
      if (name === "open") return (path: string, mode: "read") => slowFile(target.open(path, mode));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const clock = { ...env.clock, monotonicUs: () => nowUs };
  return { ...env, disk, clock };
}

test("adaptive reads block while the disk is fast, use the pool for a second after a slow one, then block again", () =>
  simulate(async (env) => {
    const calls = { sync: 0, pool: 0 };
    let slowUs = 2;
    const world = slowEnv(env, () => slowUs, calls);
    const options = {
      directory: "/store",
      blockBytes: 128,
      // Pages of filter and index fit, and few blocks.
      blockCacheBytes: 14_000,
      readMode: "adaptive" as const,
    };
    const engine = await openBlackboardEngine(world, options);
    await fillAndFlush(engine, 300);
    const readSome = async (from: number) => {
      calls.sync = 0;
      calls.pool = 0;
      const keys = Array.from({ length: 40 }, (_, i) => keyOf(from + i * 6));
      const values = await engine.getMany(keys);
      assert.ok(values.every((value) => value?.length === 50));
    };
    await readSome(0);
    assert.deepEqual([calls.sync > 30, calls.pool], [true, 0]);
    slowUs = 50_000;
    await readSome(1);
    assert.equal(metric(engine, "lsm_slow_reads_total") > 0, true);
    assert.ok(calls.pool > 0 && calls.sync < 20, JSON.stringify(calls));
    await readSome(2);
    assert.equal(calls.sync, 0);
    slowUs = 600_000;
    engine.getSync(keyOf(299));
    engine.getSync(keyOf(0));
    slowUs = 2;
    await readSome(3);
    assert.deepEqual([calls.sync > 30, calls.pool], [true, 0]);
    await engine.close();
  }));

test("the metrics tell what was done", () =>
  simulate(async (env) => {
    const engine = await openBlackboardEngine(env, { directory: "/store", blockBytes: 128 });
    await fillAndFlush(engine, 100);
    await engine.compactAll();
    for (let i = 0; i < 100; i++) engine.getSync(keyOf(i));
    for (let i = 0; i < 100; i++) engine.getSync(keyOf(i));
    for (let i = 0; i < 100; i++) engine.getSync(keyOf(i + 1000));
    assert.equal(metric(engine, "lsm_point_reads_total"), 300);
    assert.ok(metric(engine, "lsm_block_cache_misses_total") < 101);
    assert.ok(metric(engine, "lsm_block_cache_hits_total") >= 100);
    assert.ok(metric(engine, "lsm_filter_rejections_total") > 90);
    assert.ok(metric(engine, "lsm_read_amplification") >= 2 / 3);
    assert.ok(metric(engine, "lsm_write_amplification") > 1.5);
    assert.equal(metric(engine, "lsm_flushes_total"), 1);
    assert.equal(metric(engine, "lsm_compactions_total"), 1);
    assert.equal(metric(engine, "lsm_level_files", "1"), 1);
    assert.ok(metric(engine, "lsm_memory_bytes", "block_cache") > 0);
    assert.ok(metric(engine, "lsm_memory_bytes", "filter") > 100);
    await engine.close();
  }));
