/**
 * Closing a store while work is asked for: nothing is begun once `close` was called, and nothing that was asked for
 * touches the directory after it, which may be another process's by then.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function simulate(run: (env: SimulatedEnv, disk: SimulatedDisk) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  return env.run(run(env, disk));
}

async function fill(engine: BlackboardEngine, files: number): Promise<void> {
  for (let file = 0; file < files; file++) {
    for (let key = 0; key < 20; key++) {
      const batch = new WriteBatch().put(bytesOf(`k${key}`), bytesOf(`value ${file}`));
      engine.applySync(batch, engine.appliedIndex + 1);
    }
    await engine.flush();
  }
}

const turn = (env: SimulatedEnv) => new Promise<void>((resolve) => env.clock.defer(resolve));

for (const [what, turns] of [["at once", 0], ["after 1 turn", 1], ["after 3 turns", 3]] as const) {
  test(`compactions asked for before the close, which comes ${what}: none touches the closed store`, () =>
    simulate(async (env, disk) => {
      const options = { directory: "/store", l0CompactionTrigger: 200, l0SlowdownTrigger: 300, l0StallTrigger: 400 };
      const engine = await openBlackboardEngine(env, options);
      await fill(engine, 3);
      const asked = [engine.compactAll(), engine.compactAll(), engine.compactAll()];
      const ends = Promise.allSettled(asked);
      for (let i = 0; i < turns; i++) await turn(env);
      await engine.close();
      const after = disk.list("/store").join(" ");
      for (let i = 0; i < 50; i++) await turn(env);
      assert.equal(disk.list("/store").join(" "), after);
      for (const end of await ends) {
        if (end.status === "rejected") assert.equal((end.reason as { code?: string }).code, "CLOSED", String(end.reason));
      }
      const again = await openBlackboardEngine(env, options);
      assert.equal(new TextDecoder().decode(again.getSync(bytesOf("k3"))), "value 2");
      await again.close();
    }));
}

test("a checkpoint asked for just before the close is CLOSED or whole", () =>
  simulate(async (env, disk) => {
    const engine = await openBlackboardEngine(env, { directory: "/store" });
    await fill(engine, 2);
    const asked = engine.checkpoint("/copy").then(() => "whole", (error: { code?: string }) => error.code);
    await engine.close();
    if ((await asked) === "whole") {
      const copy = await openBlackboardEngine(env, { directory: "/copy" });
      assert.equal(new TextDecoder().decode(copy.getSync(bytesOf("k3"))), "value 1");
      await copy.close();
    } else {
      assert.equal(await asked, "CLOSED");
      assert.deepEqual(disk.exists("/copy") ? disk.list("/copy") : [], []);
    }
  }));
