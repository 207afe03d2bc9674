/** The adaptive cache agent: what it does on steady, swinging and idle workloads, and in a running engine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { AdaptiveCacheAgent, type MemoryChange, type MemoryView } from "./adaptive-cache-agent.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import type { BlackboardOptions } from "./options.ts";

const mebibyte = 2 ** 20;
const total = 80 * mebibyte;

/** A store as the agent sees it, driven interval by interval. */
class ModelMemory {
  memtableBytes = 16 * mebibyte;
  readonly changes: (MemoryChange & { readonly second: number })[] = [];
  #second = 0;

  run(agent: AdaptiveCacheAgent, seconds: number, work: Partial<MemoryView>): void {
    for (let i = 0; i < seconds; i++) {
      this.#second++;
      const change = agent.step({ ...this.view(), ...work });
      if (change === undefined) continue;
      this.memtableBytes = change.memtableBytes;
      this.changes.push({ ...change, second: this.#second });
    }
  }

  view(): MemoryView {
    const blockCacheBytes = total - 3 * this.memtableBytes;
    return {
      seconds: 1, memtableBytes: this.memtableBytes, blockCacheBytes, memtables: 3,
      memtableBytesMin: 4 * mebibyte, memtableBytesMax: 64 * mebibyte, cacheBytesMin: 4 * mebibyte,
      ghostHits: 0, appliedBytes: 0, ghostBytes: blockCacheBytes / 8, pressure: 0,
      levelBaseBytes: 64 * mebibyte, l0CompactionTrigger: 4,
    };
  }
}

const reading = { ghostHits: 20_000, appliedBytes: 100_000 };
const writing = { ghostHits: 10, appliedBytes: 20 * mebibyte };

test("a workload of reads gets cache, one of writes memtables, one that rests nothing; bounds hold", () => {
  const [reads, writes, rests] = [new ModelMemory(), new ModelMemory(), new ModelMemory()];
  reads.run(new AdaptiveCacheAgent(), 200, reading);
  assert.equal(reads.memtableBytes, 4 * mebibyte);
  assert.ok(reads.changes.every((change) => change.direction === "to_cache"));
  writes.run(new AdaptiveCacheAgent(), 200, writing);
  assert.ok(writes.memtableBytes > 20 * mebibyte && total - 3 * writes.memtableBytes >= 4 * mebibyte);
  rests.run(new AdaptiveCacheAgent(), 200, { ghostHits: 1, appliedBytes: 1000 });
  assert.deepEqual(rests.changes, []);
});

test("a cache below its least does not make memtables smaller than theirs", () => {
  const agent = new AdaptiveCacheAgent();
  const small = { memtableBytes: 16_384, blockCacheBytes: 65_536, memtableBytesMin: 4096, cacheBytesMin: mebibyte };
  const changes = Array.from({ length: 100 }, () =>
    agent.step({ ...new ModelMemory().view(), ...small, ghostHits: 20_000, ghostBytes: 8192 }),
  ).filter((change) => change !== undefined);
  assert.ok(changes.length > 0);
  for (const { memtableBytes, blockCacheBytes } of changes) {
    assert.ok(memtableBytes >= 4096 && blockCacheBytes <= 65_536 + 3 * 16_384, `${memtableBytes}, ${blockCacheBytes}`);
  }
});

test("it comes to rest: after the last step towards a steady workload nothing moves any more", () => {
  const load = fc.record({ ghostHits: fc.nat(50_000), appliedBytes: fc.nat(50 * mebibyte) });
  fc.assert(
    fc.property(load, (steady) => {
      const memory = new ModelMemory();
      memory.run(new AdaptiveCacheAgent(), 600, steady);
      assert.ok(memory.changes.length <= 8, `${memory.changes.length} changes`);
      assert.equal(new Set(memory.changes.map((change) => change.direction)).size <= 1, true, "no step is taken back");
      assert.ok(memory.changes.every((change, i) => i === 0 || change.second - memory.changes[i - 1].second >= 10));
    }),
  );
});

test("a workload that swings does not make it swing along; without its brakes it would", () => {
  const swing = (agent: AdaptiveCacheAgent): ModelMemory => {
    const memory = new ModelMemory();
    for (let hour = 0; hour < 120; hour++) {
      memory.run(agent, 15, reading);
      memory.run(agent, 15, writing);
    }
    return memory;
  };
  const eager = swing(new AdaptiveCacheAgent({ hysteresis: 1, dwell: 1, cooldownSeconds: 0 }));
  assert.ok(eager.changes.length > 400, `the swing tempts: ${eager.changes.length} changes`);
  const calm = swing(new AdaptiveCacheAgent());
  assert.ok(calm.changes.length <= 20, `${calm.changes.length} changes in an hour`);
});

test("memtables do not shrink while writers are slowed down, and after a calm time it is as quick as at first", () => {
  const memory = new ModelMemory();
  const agent = new AdaptiveCacheAgent();
  memory.run(agent, 100, { ...reading, pressure: 0.2 });
  assert.deepEqual(memory.changes, []);
  for (let i = 0; i < 20; i++) {
    memory.run(agent, 60, writing);
    memory.run(agent, 60, reading);
  }
  memory.run(agent, 6000, {});
  const before = memory.changes.length;
  memory.run(agent, 40, memory.memtableBytes > 8 * mebibyte ? reading : writing);
  assert.ok(memory.changes.length >= before + 2);
});

const bytesOf = (text: string) => new TextEncoder().encode(text);
const keyOf = (i: number) => bytesOf(`key${String(i).padStart(6, "0")}`);

async function put(engine: BlackboardEngine, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) {
    for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
    engine.applySync(new WriteBatch().put(keyOf(i), bytesOf("v".repeat(190))), engine.appliedIndex + 1);
  }
}

function metric(engine: BlackboardEngine, name: string): number {
  const found = engine.metrics().filter((one) => one.name === name);
  assert.ok(found.length > 0, name);
  return found.reduce((sum, one) => sum + (one.kind === "histogram" ? one.count : one.value), 0);
}

const directory = "/store";
const options: BlackboardOptions = {
  directory, memtableBytes: 1 << 20, immutableMemtablesMax: 2, blockCacheBytes: 3 << 20, blockBytes: 1024,
};

function simulate(run: (env: SimulatedEnv) => Promise<void>): Promise<void> {
  const env = createSimulatedEnv({ seed: 5, disk: new SimulatedDisk() });
  return env.run(run(env));
}

const pause = (env: SimulatedEnv, delayMs: number) =>
  new Promise<void>((resolve) => void env.clock.setTimer(delayMs, resolve));

/** Reads at random from more than the cache holds. */
async function readSeconds(env: SimulatedEnv, engine: BlackboardEngine, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    for (let i = 0; i < 300; i++) engine.getSync(keyOf(env.random.u32() % 20_000));
    await pause(env, 1000);
  }
}

test("in an engine: reads that miss get the memtables' memory, which is logged, counted and given back", () =>
  simulate(async (env) => {
    const engine = await openBlackboardEngine(env, options);
    await put(engine, 0, 20_000);
    await engine.compactAll();
    await readSeconds(env, engine, 5);
    assert.deepEqual([metric(engine, "lsm_memory_moves_total"), metric(engine, "lsm_ghost_hits_total")], [0, 0], "off");
    engine.setTuning({ adaptiveMemory: "on" });
    await readSeconds(env, engine, 60);
    const moves = metric(engine, "lsm_memory_moves_total");
    assert.ok(moves >= 1 && moves <= 4, `${moves} moves`);
    const { memtableBytes, blockCacheBytes } = engine.tuning;
    assert.ok(memtableBytes < 1 << 20);
    assert.equal(blockCacheBytes + 3 * memtableBytes, 6 << 20);
    assert.equal(metric(engine, "lsm_memtable_capacity_bytes"), memtableBytes);
    // Something else changes: what was moved stays. The division itself changes: it begins anew.
    engine.setTuning({ l0CompactionTrigger: 5 });
    assert.equal(engine.tuning.memtableBytes, memtableBytes);
    assert.deepEqual(engine.setTuning({ blockCacheBytes: 4 << 20 }), ["blockCacheBytes"]);
    assert.deepEqual([engine.tuning.memtableBytes, engine.tuning.blockCacheBytes], [1 << 20, 4 << 20]);
    engine.setTuning({ adaptiveMemory: "off", blockCacheBytes: 3 << 20 });
    await readSeconds(env, engine, 20);
    assert.equal(metric(engine, "lsm_memory_moves_total"), moves);
    for (let i = 0; i < 20_000; i += 7) assert.equal(engine.getSync(keyOf(i))?.length, 190);
    await engine.close();
  }));
