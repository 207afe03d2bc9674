/** Options changed while the engine runs, back-pressure that is measured, and the memory budget. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import type { BlackboardOptions } from "./options.ts";
import { tieredCompactionAgent } from "./tiered-compaction-agent.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const keyOf = (i: number) => bytesOf(`key${String(i).padStart(6, "0")}`);
const directory = "/store";

function simulate(run: (env: SimulatedEnv, disk: SimulatedDisk) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 3, disk });
  return env.run(run(env, disk));
}

async function put(engine: BlackboardEngine, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) {
    for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
    engine.applySync(new WriteBatch().put(keyOf(i), bytesOf("v".repeat(90))), engine.appliedIndex + 1);
  }
}

function metric(engine: BlackboardEngine, name: string, label?: string): number {
  const found = engine
    .metrics()
    .filter((one) => one.name === name)
    .filter((one) => label === undefined || Object.values(one.labels ?? {}).includes(label));
  assert.ok(found.length > 0, name);
  return found.reduce((total, one) => total + (one.kind === "histogram" ? one.count : one.value), 0);
}

const small: BlackboardOptions = { directory, memtableBytes: 32 << 10, blockBytes: 512 };

test("options change while the engine runs: memtables, triggers, block size, style; all is read as before", () =>
  simulate(async (env) => {
    const engine = await openBlackboardEngine(env, small);
    await put(engine, 0, 600);
    await engine.flush();
    const files = metric(engine, "lsm_l0_files");
    assert.deepEqual([...engine.setTuning({ memtableBytes: 8 << 10, blockBytes: 256 })].sort(), [
      "blockBytes",
      "memtableBytes",
    ]);
    await put(engine, 600, 600);
    await engine.flush();
    await engine.settle();
    assert.ok(metric(engine, "lsm_flushes_total") > files + 5, "smaller memtables are flushed more often");
    engine.setTuning({ memtableBytes: 64 << 10, immutableMemtablesMax: 4 });
    await put(engine, 1200, 600);
    engine.setTuning({ compactionStyle: "tiered", l0CompactionTrigger: 2 });
    await put(engine, 1800, 600);
    await engine.flush();
    await engine.settle();
    engine.replaceAgent(tieredCompactionAgent.name, tieredCompactionAgent);
    assert.deepEqual(engine.setTuning({ compactionStyle: "tiered" }), []);
    for (let i = 0; i < 2400; i++) assert.equal(engine.getSync(keyOf(i))?.length, 90, `key ${i}`);
    await engine.close();
    assert.throws(() => engine.setTuning({ blockBytes: 512 }), { code: "CLOSED" });
  }));

test("a wrong change is refused as a whole; what belongs to opening is named", () =>
  simulate(async (env) => {
    const engine = await openBlackboardEngine(env, small);
    const before = engine.tuning;
    assert.throws(() => engine.setTuning({ blockBytes: 512, memtableBytes: -1 }), {
      code: "INVALID_ARGUMENT",
      message: /memtableBytes is -1/,
    });
    assert.throws(() => engine.setTuning({ blockBytes: 256, directory: "/other" } as object), {
      code: "INVALID_ARGUMENT",
      message: /directory cannot be changed while the store is open/,
    });
    assert.throws(() => engine.setTuning({ l0CompactionTrigger: 100 }), { message: /level 0/ });
    assert.equal(engine.tuning, before);
    await engine.close();
  }));

test("a stalled writer goes on as soon as a change makes room", () =>
  simulate(async (env) => {
    const options = { ...small, l0CompactionTrigger: 3, l0SlowdownTrigger: 3, l0StallTrigger: 3 };
    const engine = await openBlackboardEngine(env, options);
    engine.replaceAgent("leveled-compaction", { name: "idle", step: () => undefined });
    for (let round = 0; round < 3; round++) {
      await put(engine, round * 10, 10);
      await engine.flush();
    }
    const wait = engine.backpressure();
    assert.ok(wait !== undefined);
    assert.equal(metric(engine, "lsm_stalls_total", "level0"), 1);
    assert.equal(metric(engine, "lsm_write_pressure"), 1);
    engine.setTuning({ l0SlowdownTrigger: 10, l0StallTrigger: 20 });
    await wait;
    assert.equal(metric(engine, "lsm_write_pressure"), 0);
    assert.equal(metric(engine, "lsm_stall_seconds"), 1, "one stall was timed");
    await engine.close();
  }));

test("debt slows writers before it stops them, and both are measured", () =>
  simulate(async (env) => {
    const options = { ...small, l0CompactionTrigger: 1, debtSlowdownBytes: 40 << 10, slowdownBytesPerSecond: 64 << 10 };
    const engine = await openBlackboardEngine(env, { ...options, l0SlowdownTrigger: 500, l0StallTrigger: 900 });
    engine.replaceAgent("leveled-compaction", { name: "idle", step: () => undefined });
    const startUs = env.clock.monotonicUs();
    while (engine.backpressure() === undefined && engine.appliedIndex < 5000) {
      engine.applySync(new WriteBatch().put(keyOf(engine.appliedIndex), bytesOf("v".repeat(90))), engine.appliedIndex + 1);
      if (engine.appliedIndex % 50 === 0) await engine.flush();
    }
    await put(engine, 10_000, 300);
    assert.ok(metric(engine, "lsm_slowdowns_total", "debt") > 3);
    assert.equal(metric(engine, "lsm_slowdown_seconds"), metric(engine, "lsm_slowdowns_total"));
    const seconds = (env.clock.monotonicUs() - startUs) / 1e6;
    assert.ok(metric(engine, "lsm_slowdown_seconds_total") <= seconds);
    assert.ok(metric(engine, "lsm_slowdown_seconds_total") > 0.02);
    await engine.close();
  }));

test("the budget: the cache gives way to memtables and tables, and is given back", () =>
  simulate(async (env) => {
    const memtableBytes = 256 << 10;
    const memoryBudgetBytes = 5 << 20;
    const options = { ...small, memtableBytes, memoryBudgetBytes, blockCacheBytes: 8 << 20, l0CompactionTrigger: 50 };
    const engine = await openBlackboardEngine(env, { ...options, l0SlowdownTrigger: 60, l0StallTrigger: 70 });
    const most = { total: 0, cache: 0 };
    for (let round = 0; round < 40; round++) {
      await put(engine, round * 1000, 1000);
      for (let i = 0; i < (round + 1) * 1000; i += 3) engine.getSync(keyOf(i));
      const total = metric(engine, "lsm_memory_bytes");
      most.total = Math.max(most.total, total);
      most.cache = Math.max(most.cache, metric(engine, "lsm_memory_bytes", "block_cache"));
    }
    // One block may be over the bound, and a memtable over its own by one batch.
    assert.ok(most.total <= memoryBudgetBytes + 4096, JSON.stringify(most));
    assert.ok(most.cache > 3 << 20, "what is left is used");
    const withMemtables = metric(engine, "lsm_block_cache_capacity_bytes");
    engine.setTuning({ memoryBudgetBytes: 0 });
    assert.equal(metric(engine, "lsm_block_cache_capacity_bytes"), 8 << 20);
    assert.ok(withMemtables < 5 << 20);
    assert.throws(() => engine.setTuning({ memoryBudgetBytes: 1 << 20 }), { message: /3 memtables of 262144/ });
    await engine.close();
  }));
