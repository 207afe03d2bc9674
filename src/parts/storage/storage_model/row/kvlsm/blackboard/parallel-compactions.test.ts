/** Compactions side by side and in parts, styles, rates and refused proposals, on the engine itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import type { Agent, CompactionProposal } from "./agent.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import { compactionAgent } from "./compaction-agent.ts";
import { splitRanges } from "./compaction-split.ts";
import type { BlackboardOptions } from "./options.ts";
import { SortedKeys } from "./sorted-keys.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const keyOf = (i: number) => bytesOf(`key${String(i).padStart(5, "0")}`);
const keyCount = 3000;

const small: Omit<BlackboardOptions, "directory"> = {
  memtableBytes: 16 << 10,
  blockBytes: 512,
  levelBaseBytes: 32 << 10,
  levelMultiplier: 3,
  targetFileBytes: 8 << 10,
  l0CompactionTrigger: 3,
};

interface World {
  readonly env: SimulatedEnv;
  readonly disk: SimulatedDisk;
  /** Names of the jobs that were started. */
  readonly jobs: string[];
}

/** A world with four threads. */
function simulate(run: (world: World) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 7, disk });
  const jobs: string[] = [];
  const { threads } = env;
  const wide: SimulatedEnv = {
    ...env,
    threads: {
      concurrency: 4,
      close: () => threads.close(),
      run: (job, input) => {
        jobs.push(job.exportName);
        return threads.run(job, input);
      },
    },
  };
  return env.run(run({ env: wide, disk, jobs }));
}

/** Overwrites keys in an order that mixes them, and returns what must be read. */
async function fill(engine: BlackboardEngine, rounds: number, truth: Map<number, string>): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < 1000; i += 10) {
      const batch = new WriteBatch();
      for (let j = i; j < i + 10; j++) {
        const id = (j * 7919 + round * 104729) % keyCount;
        if ((j + round) % 11 === 0) {
          batch.delete(keyOf(id));
          truth.delete(id);
        } else {
          const value = `${round}.${j}.${"v".repeat(40)}`;
          batch.put(keyOf(id), bytesOf(value));
          truth.set(id, value);
        }
      }
      for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
      engine.applySync(batch, engine.appliedIndex + 1);
    }
  }
}

function check(engine: BlackboardEngine, truth: ReadonlyMap<number, string>): void {
  for (let id = 0; id < keyCount; id++) {
    const value = engine.getSync(keyOf(id));
    assert.equal(value === undefined ? undefined : new TextDecoder().decode(value), truth.get(id), `key ${id}`);
  }
  const cursor = engine.scan({});
  let entries = 0;
  while (cursor.next()) entries++;
  cursor.close();
  assert.equal(entries, truth.size);
}

function metric(engine: BlackboardEngine, name: string): number {
  const found = engine.metrics().find((one) => one.name === name);
  assert.ok(found !== undefined && found.kind !== "histogram", name);
  return found.value;
}

const variants: readonly { name: string; options: Partial<BlackboardOptions> }[] = [
  { name: "leveled", options: {} },
  { name: "leveled, dynamic sizes", options: { levelSizing: "dynamic" } },
  { name: "leveled, three at once", options: { compactionsMax: 3 } },
  { name: "leveled, in three parts", options: { subcompactionsMax: 3 } },
  { name: "leveled, dynamic, both", options: { levelSizing: "dynamic", compactionsMax: 3, subcompactionsMax: 2 } },
  { name: "tiered", options: { compactionStyle: "tiered" } },
  { name: "tiered, three at once, in parts", options: { compactionStyle: "tiered", compactionsMax: 3, subcompactionsMax: 3 } },
];

for (const { name, options } of variants) {
  test(`${name}: nothing is lost, and a store reopened with another style goes on`, () =>
    simulate(async ({ env }) => {
      const directory = "/store";
      const truth = new Map<number, string>();
      let engine = await openBlackboardEngine(env, { directory, ...small, ...options });
      await fill(engine, 12, truth);
      check(engine, truth);
      await engine.flush();
      await engine.settle();
      check(engine, truth);
      assert.ok(metric(engine, "lsm_compactions_total") > 3);
      assert.equal(metric(engine, "lsm_refused_proposals_total"), 0);
      await engine.close();
      for (const other of variants) {
        engine = await openBlackboardEngine(env, { directory, ...small, ...other.options });
        await fill(engine, 1, truth);
        await engine.flush();
        await engine.settle();
        check(engine, truth);
        await engine.close();
      }
      engine = await openBlackboardEngine(env, { directory, ...small, ...options });
      await engine.compactAll();
      check(engine, truth);
      await engine.close();
    }));
}

test("a compaction in parts: several jobs, one edit; where one part fails no file of the others stays", () =>
  simulate(async ({ env, disk, jobs }) => {
    const truth = new Map<number, string>();
    const options = { directory: "/store", ...small, subcompactionsMax: 3, l0CompactionTrigger: 100, l0SlowdownTrigger: 200, l0StallTrigger: 300 };
    const engine = await openBlackboardEngine(env, options);
    await fill(engine, 6, truth);
    await engine.flush();
    const before = disk.list("/store");
    const { run } = env.threads;
    let count = 0;
    env.threads.run = (job, input) => {
      if (job.exportName === "compactionJob" && ++count === 2) return Promise.reject(new Error("a part fails"));
      return run(job, input);
    };
    await assert.rejects(engine.compactAll(), /a part fails/);
    assert.equal(count, 3);
    assert.deepEqual(disk.list("/store").filter((file) => !before.includes(file)), []);
    check(engine, truth);
    env.threads.run = run;
    jobs.length = 0;
    await engine.compactAll();
    assert.deepEqual(jobs, ["compactionJob", "compactionJob", "compactionJob"]);
    assert.equal(metric(engine, "lsm_compactions_total"), 1);
    assert.equal(metric(engine, "lsm_subcompactions_total"), 3);
    check(engine, truth);
    await engine.close();
  }));

test("an agent that proposes what is under way, or files that are gone, is refused and does no harm", () =>
  simulate(async ({ env }) => {
    const truth = new Map<number, string>();
    const engine = await openBlackboardEngine(env, { directory: "/store", ...small, compactionsMax: 3 });
    let last: CompactionProposal | undefined;
    const greedy: Agent = {
      name: compactionAgent.name,
      step(view) {
        const proposal = compactionAgent.step(view);
        if (proposal?.kind === "compaction") last = proposal;
        return proposal ?? last;
      },
    };
    engine.replaceAgent(compactionAgent.name, greedy);
    await fill(engine, 8, truth);
    check(engine, truth);
    assert.ok(metric(engine, "lsm_refused_proposals_total") > 0);
    assert.ok(metric(engine, "lsm_compactions_total") > 0);
    engine.replaceAgent(compactionAgent.name, compactionAgent);
    await engine.settle();
    check(engine, truth);
    await engine.close();
  }));

test("background work keeps to its rate", () =>
  simulate(async ({ env }) => {
    const truth = new Map<number, string>();
    const rate = 256 << 10;
    const options = { directory: "/store", ...small, backgroundBytesPerSecond: rate, immutableMemtablesMax: 1 };
    const engine = await openBlackboardEngine(env, options);
    const startUs = env.clock.monotonicUs();
    await fill(engine, 10, truth);
    await engine.flush();
    await engine.settle();
    const seconds = (env.clock.monotonicUs() - startUs) / 1e6;
    const moved =
      metric(engine, "lsm_flushed_bytes_total") +
      metric(engine, "lsm_compaction_read_bytes_total") +
      metric(engine, "lsm_compaction_written_bytes_total");
    assert.ok(moved / seconds <= rate * 1.05, `${moved} bytes in ${seconds} s`);
    assert.ok(moved / seconds > rate / 8, `${moved} bytes in ${seconds} s`);
    check(engine, truth);
    await engine.close();
  }));

test("ranges cut the inputs into about equal parts and cover every key once", () => {
  const keys = Array.from({ length: 500 }, (_, i) => keyOf(i * 6));
  const fences = SortedKeys.from(keys);
  const ranges = splitRanges([{ fences, sizeBytes: 1000 }, { fences: SortedKeys.from(keys.slice(0, 250)), sizeBytes: 1000 }], 4);
  assert.equal(ranges.length, 4);
  assert.equal(ranges[0].from, undefined);
  assert.equal(ranges[3].to, undefined);
  for (let i = 1; i < ranges.length; i++) assert.deepEqual(ranges[i].from, ranges[i - 1].to);
  const cuts = ranges.slice(1).map(({ from }) => fences.floor(from as Uint8Array));
  for (const [at, expected] of [83, 166, 250].entries()) {
    assert.ok(Math.abs(cuts[at] - expected) < 20, `cut ${at} at ${cuts[at]}, expected about ${expected}`);
  }
  assert.equal(splitRanges([{ fences: SortedKeys.from([keyOf(1)]), sizeBytes: 9 }], 4).length, 1);
});
