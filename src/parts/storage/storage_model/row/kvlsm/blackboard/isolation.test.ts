/**
 * Damage of any file must not be taken for data, must be named, and must not keep the rest from being read and written.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import {
  boundsOf, bytesOf, contentsOf, directory, flip, largestTable, manifestOf, metric, regionsOf, smallBlocks, textOf,
  writeStore,
} from "./store-damage.fixture.ts";

function simulate(run: (env: SimulatedEnv, disk: SimulatedDisk) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 2, disk });
  return env.run(run(env, disk));
}

const quiet = { ...smallBlocks, l0CompactionTrigger: 100, l0SlowdownTrigger: 200, l0StallTrigger: 300 };

/** Every key is right or CORRUPTION that names the file; returns how many were refused. */
function checkReads(engine: BlackboardEngine, model: ReadonlyMap<string, string>, name: string): number {
  let refused = 0;
  for (let i = 0; i < 620; i++) {
    const key = `key/${String(i).padStart(5, "0")}`;
    try {
      const value = engine.getSync(bytesOf(key));
      assert.equal(value === undefined ? undefined : textOf(value), model.get(key), key);
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      assert.equal(code, "CORRUPTION", message);
      assert.match(message, new RegExp(name));
      refused++;
    }
  }
  return refused;
}

test("any damaged region of an SSTable: its keys are refused by name, all others are read, written and scanned", () =>
  simulate(async (env, disk) => {
    const model = await writeStore(env);
    const name = largestTable(disk);
    const path = `${directory}/${name}`;
    const seen = new Map<string, number>();
    for (const { part, start, end } of regionsOf(disk, path)) {
      if (part === "block" && (seen.get("block") ?? 0) > 0 && start % 3 !== 0) continue;
      flip(disk, path, (start + end) >>> 1);
      const engine = await openBlackboardEngine(env, quiet);
      const refused = checkReads(engine, model, name);
      assert.ok(refused > 0, `${part}: damage is noticed`);
      assert.ok(refused < 400, `${part}: ${refused} of 620 keys are refused`);
      assert.equal(metric(engine, "lsm_damaged_tables"), part === "block" ? 0 : 1);
      const added = bytesOf(`key/00${seen.size}zz`);
      engine.applySync(new WriteBatch().put(added, bytesOf("new")), engine.appliedIndex + 1);
      await engine.flush();
      assert.equal(textOf(engine.getSync(added) ?? new Uint8Array()), "new");
      model.set(textOf(added), "new");
      assert.throws(() => contentsOf(engine), { code: "CORRUPTION", message: new RegExp(name) });
      await engine.close();
      flip(disk, path, (start + end) >>> 1);
      seen.set(part, refused);
    }
    assert.equal(seen.size, 8);
    assert.ok((seen.get("block") ?? 0) < (seen.get("index") ?? 0), "a block takes fewer keys with it than a file");
    const engine = await openBlackboardEngine(env, quiet);
    assert.deepEqual(contentsOf(engine), new Map([...model].sort(([a], [b]) => (a < b ? -1 : 1))));
    await engine.close();
  }));

test("a table that is gone: its keys are refused, scans beside it and newer versions above it are read", () =>
  simulate(async (env, disk) => {
    const model = await writeStore(env);
    const name = largestTable(disk);
    const { smallest, largest } = boundsOf(disk, `${directory}/${name}`);
    const [first, last] = [textOf(smallest), textOf(largest)];
    disk.rename(`${directory}/${name}`, "/aside.sst");
    const engine = await openBlackboardEngine(env, quiet);
    assert.ok(checkReads(engine, model, name) > 20);
    const expected = [...model].filter(([key]) => key < first || key > last).sort(([a], [b]) => (a < b ? -1 : 1));
    for (const reverse of [false, true]) {
      const found: [string, string][] = [];
      for (const range of [{ lt: bytesOf(first) }, { gte: bytesOf(`${last}~`) }]) {
        const cursor = engine.scan({ ...range, reverse });
        while (cursor.next()) found.push([textOf(cursor.key), textOf(cursor.value)]);
        cursor.close();
      }
      assert.deepEqual(found.sort(([a], [b]) => (a < b ? -1 : 1)), expected);
    }
    engine.applySync(new WriteBatch().put(bytesOf(first), bytesOf("again")), engine.appliedIndex + 1);
    assert.equal(textOf(engine.getSync(bytesOf(first)) ?? new Uint8Array()), "again");
    await assert.rejects(engine.compactAll(), { code: "CORRUPTION", message: new RegExp(name) });
    await engine.close();
    // Nothing was given up: with the file back everything is there.
    disk.rename("/aside.sst", `${directory}/${name}`);
    const whole = await openBlackboardEngine(env, quiet);
    assert.equal(contentsOf(whole).size, model.size);
    await whole.close();
  }));

test("files that vanish under an open store: what was open is read on; the next opening names what is gone", () =>
  simulate(async (env, disk) => {
    const model = await writeStore(env);
    const engine = await openBlackboardEngine(env, quiet);
    const name = largestTable(disk);
    disk.unlink(`${directory}/${name}`);
    assert.equal(checkReads(engine, model, name), 0, "an open file stays readable");
    engine.applySync(new WriteBatch().put(bytesOf("zz"), bytesOf("1")), engine.appliedIndex + 1);
    await engine.flush();
    await assert.rejects(engine.compactAll(), { code: "CORRUPTION", message: new RegExp(`${name}.*missing`) });
    assert.equal(textOf(engine.getSync(bytesOf("zz")) ?? new Uint8Array()), "1");
    await engine.close();
    const again = await openBlackboardEngine(env, quiet);
    assert.ok(checkReads(again, model, name) > 0);
    assert.equal(textOf(again.getSync(bytesOf("zz")) ?? new Uint8Array()), "1");
    await again.close();
  }));

test("CURRENT and the middle of the manifest: the store is refused, and the file is named", () =>
  simulate(async (env, disk) => {
    const model = await writeStore(env);
    const manifest = manifestOf(disk);
    for (const [name, offsets] of [["CURRENT", [0, 10, 34, 41]], [manifest, [3, 20, 36, 50]]] as const) {
      for (const offset of offsets) {
        flip(disk, `${directory}/${name}`, offset);
        await assert.rejects(openBlackboardEngine(env, quiet), (error: { code: string; message: string }) => {
          assert.ok(["CORRUPTION", "FORMAT_UNKNOWN"].includes(error.code), error.code);
          assert.match(error.message, new RegExp(name));
          return true;
        });
        flip(disk, `${directory}/${name}`, offset);
      }
    }
    const engine = await openBlackboardEngine(env, quiet);
    assert.equal(contentsOf(engine).size, model.size);
    await engine.close();
  }));
