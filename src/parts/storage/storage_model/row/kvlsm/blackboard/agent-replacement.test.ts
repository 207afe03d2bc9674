/** Compaction agents replaced while the engine runs: leveled, tiered, one that rests, under writes and compactions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type Schedule, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import type { Agent } from "./agent.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import { compactionAgent } from "./compaction-agent.ts";
import type { BlackboardOptions } from "./options.ts";
import { tieredCompactionAgent } from "./tiered-compaction-agent.ts";

const directory = "/store";
const keys = 400;
const small: BlackboardOptions = {
  directory, memtableBytes: 4096, blockBytes: 256, levelBaseBytes: 16 << 10, levelMultiplier: 3, targetFileBytes: 4096,
  l0CompactionTrigger: 3, l0SlowdownTrigger: 6, l0StallTrigger: 9, compactionsMax: 3, slowdownBytesPerSecond: 1 << 26,
};
/** Jobs take time beside the writes, and several run at once. */
const schedule: Schedule = {
  callUs: 50, jobStepUs: 50, deferUs: 5, timerLateUs: 100, concurrency: 4, clockJumps: 0, threadDeaths: 0,
};
const bytesOf = (text: string) => new TextEncoder().encode(text);
const keyOf = (i: number) => bytesOf(`key${String(i).padStart(5, "0")}`);
const textOf = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new TextDecoder().decode(bytes));

/** A store and what must be in it. */
class Watched {
  readonly engine: BlackboardEngine;
  readonly truth = new Map<number, string>();
  readonly #env: SimulatedEnv;

  constructor(engine: BlackboardEngine, env: SimulatedEnv) {
    this.engine = engine;
    this.#env = env;
  }

  /** Overwrites and deletes at random; what back-pressure asks for is awaited, so a stuck store would hang here. */
  async write(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      for (let wait = this.engine.backpressure(); wait !== undefined; wait = this.engine.backpressure()) await wait;
      if (n % 16 === 0) await this.pause(1);
      const batch = new WriteBatch();
      const i = this.#env.random.u32() % keys;
      if (this.#env.random.u32() % 5 === 0) {
        this.truth.delete(i);
        batch.delete(keyOf(i));
      } else {
        this.truth.set(i, `${n}-${"v".repeat(this.#env.random.u32() % 90)}`);
        batch.put(keyOf(i), bytesOf(this.truth.get(i) as string));
      }
      this.engine.applySync(batch, this.engine.appliedIndex + 1);
    }
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#env.clock.setTimer(delayMs, resolve));
  }

  check(): void {
    for (let i = 0; i < keys; i++) assert.equal(textOf(this.engine.getSync(keyOf(i))), this.truth.get(i), `key ${i}`);
  }

  metric(name: string): number {
    const found = this.engine.metrics().filter((one) => one.name === name);
    assert.ok(found.length > 0, name);
    return found.reduce((total, one) => total + (one.kind === "histogram" ? one.count : one.value), 0);
  }
}

async function simulate(seed: number, run: (env: SimulatedEnv) => Promise<void>): Promise<void> {
  const env = createSimulatedEnv({ seed, disk: new SimulatedDisk(), schedule });
  await env.run(run(env));
}

test("styles that change while compactions run lose nothing, leave nothing stuck, and come to rest", async () => {
  let switchedWhileRunning = 0;
  for (let seed = 1; seed <= 5; seed++) {
    await simulate(seed, async (env) => {
      const watched = new Watched(await openBlackboardEngine(env, small), env);
      const { engine } = watched;
      for (let round = 0; round < 24; round++) {
        await watched.write(60 + (env.random.u32() % 120));
        if (watched.metric("lsm_compactions_running") > 0) switchedWhileRunning++;
        engine.setTuning({ compactionStyle: round % 2 === 0 ? "tiered" : "leveled" });
        if (round % 4 === 3) watched.check();
      }
      for (const compactionStyle of ["tiered", "leveled"] as const) {
        engine.setTuning({ compactionStyle });
        await engine.flush();
        await engine.settle();
        watched.check();
        assert.equal(watched.metric("lsm_write_pressure"), 0, `seed ${seed}: writers are free at rest`);
      }
      assert.equal(watched.metric("lsm_refused_proposals_total"), 0, `seed ${seed}`);
      await engine.close();
      const again = new Watched(await openBlackboardEngine(env, { ...small, compactionStyle: "tiered" }), env);
      for (const [i, value] of watched.truth) again.truth.set(i, value);
      again.check();
      await again.engine.close();
    });
  }
  assert.ok(switchedWhileRunning > 10, `${switchedWhileRunning} changes while a compaction ran`);
});

test("agents from outside take turns with the engine's own; one that rests stops writers only until it is replaced", () =>
  simulate(9, async (env) => {
    const watched = new Watched(await openBlackboardEngine(env, small), env);
    const { engine } = watched;
    const resting: Agent = { name: "resting", step: () => undefined };
    await watched.write(300);
    engine.replaceAgent(compactionAgent.name, resting);
    const stuck = watched.write(2000);
    while (watched.metric("lsm_stalled") === 0) await watched.pause(5);
    engine.replaceAgent(resting.name, tieredCompactionAgent);
    await stuck;
    engine.replaceAgent(tieredCompactionAgent.name, compactionAgent);
    await watched.write(500);
    await engine.flush();
    await engine.settle();
    watched.check();
    assert.throws(() => engine.replaceAgent("resting", compactionAgent), /an agent named resting is there/);
    await engine.close();
  }));
