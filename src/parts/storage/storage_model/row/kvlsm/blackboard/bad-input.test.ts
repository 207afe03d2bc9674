/** What a caller, a disk or a machine may do wrong: each ends in a clear error or at a stated limit, and the store goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFileHeader, noSelectionHash } from "../../../../../../kit/file-header.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import type { Disk, DiskFile, Env } from "../../../../../../kit/env/env.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { cursorsMax, openBlackboardEngine } from "./blackboard-engine.ts";
import { snapshotsMax } from "./snapshot-list.ts";
import {
  bytesOf, contentsOf, directory, keyOf, largestTable, manifestOf, metric, smallBlocks, tablesOf, textOf, writeStore,
} from "./store-damage.fixture.ts";

function simulate(run: (env: SimulatedEnv, disk: SimulatedDisk) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 5, disk });
  return env.run(run(env, disk));
}

/** The environment with room for `bytesLeft()` more bytes in files that are written from now on. */
function withRoom(env: SimulatedEnv, room: { bytes: number }): Env {
  const limited = (file: DiskFile): DiskFile =>
    new Proxy(file, {
      get(target, name) {
        if (name === "writeSync") {
          return (source: Uint8Array, offset: number, length: number, position: number) => {
            room.bytes -= length;
            if (room.bytes < 0) throw new LatheError("DISK_FULL", `cannot write ${target.path}: no space is left`);
            target.writeSync(source, offset, length, position);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  const disk = new Proxy(env.disk as Disk, {
    get(target, name) {
      if (name === "open") return (path: string, mode: "read") => limited(target.open(path, mode));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const threads = {
    ...env.threads,
    run: async <Input, Output>(job: { moduleUrl: string; exportName: string }, input: Input): Promise<Output> => {
      const module = (await import(job.moduleUrl)) as Record<string, (...args: unknown[]) => Generator>;
      const steps = module[job.exportName]({ disk, clock: env.clock }, structuredClone(input));
      for (;;) {
        const step = steps.next();
        if (step.done === true) return step.value as Output;
      }
    },
  };
  return { ...env, disk, threads };
}

test("the disk is full in the middle of a compaction: nothing is lost, nothing is left behind, room heals it", () =>
  simulate(async (env, disk) => {
    const model = await writeStore(env);
    const room = { bytes: 2 ** 40 };
    const world = withRoom(env, room);
    for (const bytes of [0, 3000, 8000, 15_000]) {
      room.bytes = 2 ** 40;
      const engine = await openBlackboardEngine(world, { ...smallBlocks, troubleLimitMs: 1 });
      const before = tablesOf(disk);
      room.bytes = bytes;
      await assert.rejects(engine.compactAll(), { code: "DISK_FULL" });
      assert.deepEqual(tablesOf(disk), before, "outputs that were begun are removed");
      assert.equal(contentsOf(engine).size, model.size);
      room.bytes = 2 ** 40;
      engine.applySync(new WriteBatch().put(bytesOf("a"), bytesOf(String(bytes))), engine.appliedIndex + 1);
      model.set("a", String(bytes));
      await engine.flush();
      await engine.close();
    }
    const engine = await openBlackboardEngine(world, smallBlocks);
    await engine.compactAll();
    assert.deepEqual(contentsOf(engine), new Map([...model].sort(([a], [b]) => (a < b ? -1 : 1))));
    await engine.close();
  }));

test("a newer format of any file is refused by name, and says what to do; nothing is changed", () =>
  simulate(async (env, disk) => {
    await writeStore(env);
    const magics = [["CURRENT", "LATHECUR"], [manifestOf(disk), "LATHEMAN"], [largestTable(disk), "LATHESST"]];
    for (const [name, magic] of magics) {
      const file = disk.open(`${directory}/${name}`, "write");
      const before = new Uint8Array(32);
      file.readSync(before, 0, 32, 0);
      file.writeSync(encodeFileHeader({ magic, version: 1000, selectionHash: noSelectionHash }), 0, 32, 0);
      const names = disk.list(directory);
      await assert.rejects(openBlackboardEngine(env, smallBlocks), {
        code: "FORMAT_UNKNOWN",
        message: new RegExp(`${name} has format version 1000.*open it with the product that wrote it`),
      });
      assert.deepEqual(disk.list(directory), names);
      file.writeSync(before, 0, 32, 0);
    }
    const engine = await openBlackboardEngine(env, smallBlocks);
    assert.ok(contentsOf(engine).size > 400);
    await engine.close();
  }));

test("empty keys, long keys, a value of 1 GiB and a batch that adds up to one are refused by number; the store goes on", () =>
  simulate(async (env) => {
    const engine = await openBlackboardEngine(env, smallBlocks);
    assert.throws(() => new WriteBatch().put(new Uint8Array(0), bytesOf("v")), { code: "INVALID_ARGUMENT", message: /key/ });
    assert.throws(() => new WriteBatch().delete(new Uint8Array(0)), { code: "INVALID_ARGUMENT" });
    assert.equal(engine.getSync(new Uint8Array(0)), undefined);
    assert.throws(() => new WriteBatch().put(new Uint8Array(65_536), bytesOf("v")), { code: "LIMIT_EXCEEDED", message: /65,535/ });
    const value = new Uint8Array(1 << 30);
    let refusal: { code?: string; message?: string } = {};
    try {
      engine.applySync(new WriteBatch().put(bytesOf("k"), value), 1);
    } catch (error) {
      refusal = error as typeof refusal;
    }
    assert.equal(refusal.code, "LIMIT_EXCEEDED");
    assert.match(refusal.message ?? "", /1073741824|1073741832|268435456/);
    assert.equal(engine.appliedIndex, 0);
    engine.applySync(new WriteBatch().put(bytesOf("k"), bytesOf("v")), 1);
    assert.equal(textOf(engine.getSync(bytesOf("k")) ?? new Uint8Array()), "v");
    await engine.close();
  }));

test("far too many cursors and snapshots: a stated limit, after which the store goes on", () =>
  simulate(async (env) => {
    const engine = await openBlackboardEngine(env, smallBlocks);
    for (let i = 0; i < 100; i++) engine.applySync(new WriteBatch().put(keyOf(i), bytesOf("v")), i + 1);
    const cursors = [];
    let refused = 0;
    for (let i = 0; i < 100_000; i++) {
      try {
        cursors.push(engine.scan({}));
      } catch (error) {
        assert.equal((error as { code: string }).code, "BACKPRESSURE");
        if (refused++ === 0) assert.match((error as Error).message, /4096 cursors are open.*close some/);
      }
    }
    assert.deepEqual([cursors.length, refused], [cursorsMax, 100_000 - cursorsMax]);
    for (const cursor of cursors) cursor.close();
    assert.equal(contentsOf(engine).size, 100);
    const snapshots = Array.from({ length: snapshotsMax }, () => engine.snapshot());
    assert.throws(() => engine.snapshot(), { code: "BACKPRESSURE", message: /4096 snapshots/ });
    assert.equal(metric(engine, "lsm_snapshots"), snapshotsMax);
    for (const snapshot of snapshots) snapshot.release();
    engine.snapshot().release();
    await engine.close();
  }));
