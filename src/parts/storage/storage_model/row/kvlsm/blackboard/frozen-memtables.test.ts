/** How many memtables there are while flushes are late: all that the options allow, and no more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Env } from "../../../../../../kit/env/env.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";

const memtableBytes = 64 << 10;
const keyOf = (id: number) => new TextEncoder().encode(`key ${id}`);

function metric(engine: BlackboardEngine, name: string, component?: string): number {
  const found = engine.metrics().find((one) => one.name === name && one.labels?.component === component);
  assert.ok(found !== undefined && found.kind !== "histogram", `${name} is a metric`);
  return found.value;
}

/** The environment with jobs that begin only once `released` resolves. */
function heldBack(env: Env, released: Promise<void>): Env {
  const { clock, random, disk, network, log } = env;
  const threads: Env["threads"] = {
    concurrency: env.threads.concurrency,
    run: (job, input) => released.then(() => env.threads.run(job, input)),
    close: () => env.threads.close(),
  };
  return { clock, random, disk, network, log, threads };
}

for (const immutableMemtablesMax of [1, 2, 4]) {
  test(`with ${immutableMemtablesMax} frozen memtables, writers fill one more before they wait`, () => {
    const env = createSimulatedEnv({ seed: 1, disk: new SimulatedDisk() });
    return env.run(
      (async () => {
        const released = Promise.withResolvers<void>();
        const options = { directory: "/store", memtableBytes, immutableMemtablesMax };
        const engine = await openBlackboardEngine(heldBack(env, released.promise), options);
        let count = 0;
        for (; metric(engine, "lsm_stalled") === 0; count++) {
          assert.ok(count < 100_000, "writers are stopped");
          await engine.backpressure();
          engine.applySync(new WriteBatch().put(keyOf(count), new Uint8Array(100)), engine.appliedIndex + 1);
        }
        const held = metric(engine, "lsm_memory_bytes", "memtable");
        assert.ok(held <= (1 + immutableMemtablesMax) * memtableBytes * 1.05, `${held} bytes of memtables`);
        assert.equal(metric(engine, "lsm_flushes_total"), 0);
        const waiting = engine.backpressure();
        assert.ok(waiting !== undefined, "a writer has to wait");
        released.resolve();
        await waiting;
        await engine.settle();
        // The last one was full, and nobody had to ask for its flush.
        assert.equal(metric(engine, "lsm_flushes_total"), 1 + immutableMemtablesMax);
        for (let id = 0; id < count; id++) assert.equal(engine.getSync(keyOf(id))?.length, 100, `key ${id}`);
        await engine.close();
      })(),
    );
  });
}
