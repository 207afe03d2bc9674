/** Entries that expire: by a clock that moves, jumps back and restarts, in every run of the store and in replay. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import type { Clock, Env } from "../../../../../../kit/env/env.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { openWal } from "../../../../../core/wal/wal.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import { ExpiryClock } from "../../../../expiry-clock.ts";
import type { BlackboardOptions } from "./options.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

/** A simulated world whose wall clock the test sets. */
class World {
  nowMs = 1_000_000;
  readonly sim: SimulatedEnv;
  readonly env: Env;

  constructor(disk = new SimulatedDisk()) {
    this.sim = createSimulatedEnv({ seed: 1, disk });
    const { clock } = this.sim;
    const settable: Clock = {
      nowMs: () => this.nowMs,
      monotonicUs: () => clock.monotonicUs(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
      defer: (callback) => clock.defer(callback),
    };
    this.env = { ...this.sim, clock: settable };
  }

  open(options: Partial<BlackboardOptions> = {}): Promise<BlackboardEngine> {
    return this.sim.run(openBlackboardEngine(this.env, { directory: "/store", ...options }));
  }
}

function put(engine: BlackboardEngine, key: string, value: string, expiresAtMs?: number, timeMs?: number): void {
  engine.applySync(
    new WriteBatch().put(bytesOf(key), bytesOf(value), { expiresAtMs }),
    engine.appliedIndex + 1,
    timeMs,
  );
}

function read(engine: BlackboardEngine, key: string): string | undefined {
  return textOf(engine.getSync(bytesOf(key)));
}

function metric(engine: BlackboardEngine, name: string): number {
  const found = engine.metrics().find((one) => one.name === name);
  assert.ok(found !== undefined && found.kind !== "histogram", name);
  return found.value;
}

test("the time never goes backwards, whatever the clock does", () => {
  let nowMs = 10;
  const clock = { nowMs: () => nowMs } as Clock;
  const expiry = new ExpiryClock(clock, "clock", 5);
  assert.equal(expiry.nowMs(), 10);
  nowMs = 7;
  assert.equal(expiry.nowMs(), 10);
  assert.ok(expiry.isPast(10) && !expiry.isPast(11));
  assert.equal(new ExpiryClock(clock, "clock", 20).nowMs(), 20);
  const byEntry = new ExpiryClock(clock, "entry", 3);
  assert.equal(byEntry.nowMs(), 3);
  byEntry.advance(6);
  byEntry.advance(4);
  assert.equal(byEntry.nowMs(), 6);
});

test("a clock set back brings nothing back, within a run and after an orderly restart", async () => {
  const world = new World();
  let engine = await world.open();
  put(engine, "a", "old");
  put(engine, "a", "1", 1_000_100);
  put(engine, "b", "2", 1_000_200);
  assert.equal(read(engine, "a"), "1");
  await world.sim.run(engine.flush());
  world.nowMs = 1_000_100;
  assert.equal(read(engine, "a"), undefined);
  assert.equal(read(engine, "b"), "2");
  world.nowMs = 900_000;
  assert.equal(read(engine, "a"), undefined);
  await world.sim.run(engine.close());
  engine = await world.open();
  assert.equal(read(engine, "a"), undefined, "neither the entry nor the version it hides");
  assert.equal(read(engine, "b"), "2");
  await world.sim.run(engine.close());
});

test("after a crash what had expired by the last flush stays gone; what came later is judged anew", async () => {
  const world = new World();
  let engine = await world.open();
  put(engine, "a", "1", 1_000_100);
  put(engine, "b", "2", 1_000_300);
  await world.sim.run(engine.flush());
  world.nowMs = 1_000_200;
  put(engine, "c", "3");
  await world.sim.run(engine.flush());
  world.nowMs = 1_000_300;
  assert.equal(read(engine, "b"), undefined);
  const after = new World(world.sim.disk.crash(() => 0.5));
  after.nowMs = 5;
  engine = await after.open();
  assert.equal(read(engine, "a"), undefined);
  assert.equal(read(engine, "b"), "2");
  await after.sim.run(engine.close());
});

test("flush and compaction drop the values of what expired, and only at the bottom the entry", async () => {
  const world = new World();
  const engine = await world.open({ memtableBytes: 8192 });
  put(engine, "a", "old");
  await world.sim.run(engine.compactAll());
  put(engine, "a", "secret-value", 1_000_050);
  const snapshot = engine.snapshot();
  put(engine, "a", "newer-value", 1_000_060);
  world.nowMs = 1_000_060;
  await world.sim.run(engine.flush());
  assert.equal(metric(engine, "lsm_expired_dropped_total"), 2);
  assert.equal(read(engine, "a"), undefined);
  assert.equal(engine.getSync(bytesOf("a"), snapshot), undefined);
  await world.sim.run(engine.compactAll());
  assert.equal(read(engine, "a"), undefined);
  snapshot.release();
  put(engine, "b", "1");
  await world.sim.run(engine.compactAll());
  assert.equal(read(engine, "a"), undefined);
  const cursor = engine.scan({});
  assert.ok(cursor.next());
  assert.equal(textOf(cursor.key), "b");
  assert.ok(!cursor.next());
  cursor.close();
  await world.sim.run(engine.close());
});

test("an engine with a log replays expiries, and a checkpoint has them", async () => {
  const world = new World();
  const openWithLog = async () => {
    const log = await openWal(world.env, { directory: "/wal", segmentBytes: 8192, selectionHash: noSelectionHash });
    return { log, engine: await openBlackboardEngine(world.env, { directory: "/store", log }) };
  };
  const first = await world.sim.run(openWithLog());
  await world.sim.run(first.engine.write(new WriteBatch().put(bytesOf("a"), bytesOf("1"), { expiresAtMs: 1_000_100 })));
  await world.sim.run(first.engine.write(new WriteBatch().put(bytesOf("b"), bytesOf("2"), { expiresAtMs: 1_000_300 })));
  await world.sim.run(Promise.all([first.engine.close(), first.log.close()]));
  const { log, engine } = await world.sim.run(openWithLog());
  assert.equal(read(engine, "a"), "1");
  world.nowMs = 1_000_100;
  assert.equal(read(engine, "a"), undefined);
  assert.equal(read(engine, "b"), "2");
  await world.sim.run(engine.checkpoint("/copy"));
  await world.sim.run(Promise.all([engine.close(), log.close()]));
  const copy = await world.sim.run(openBlackboardEngine(world.env, { directory: "/copy" }));
  assert.equal(read(copy, "b"), "2");
  assert.equal(read(copy, "a"), undefined);
  world.nowMs = 1_000_300;
  assert.equal(read(copy, "b"), undefined);
  await world.sim.run(copy.close());
});

test("by entry time: the clock does not matter, and replay finds what was found the first time", async () => {
  const world = new World();
  let engine = await world.open({ expiryTime: "entry" });
  const steps: { key: string; expiresAtMs: number | undefined; timeMs: number }[] = [
    { key: "a", expiresAtMs: 50, timeMs: 10 },
    { key: "b", expiresAtMs: undefined, timeMs: 20 },
    { key: "c", expiresAtMs: undefined, timeMs: 60 },
  ];
  const seen: (string | undefined)[] = [];
  const apply = ({ key, expiresAtMs, timeMs }: (typeof steps)[number]) => {
    put(engine, key, key, expiresAtMs, timeMs);
    return read(engine, "a");
  };
  seen.push(apply(steps[0]));
  await world.sim.run(engine.flush());
  world.nowMs += 1e9;
  for (const step of steps.slice(1)) seen.push(apply(step));
  assert.deepEqual(seen, ["a", "a", undefined]);
  // The compaction knows that the time is 60, but its files end at the entry of time 10.
  await world.sim.run(engine.settle());
  await world.sim.run(engine.close());
  engine = await world.open({ expiryTime: "entry" });
  assert.equal(engine.appliedIndex, 1);
  assert.equal(read(engine, "a"), "a");
  assert.deepEqual(steps.slice(1).map(apply), seen.slice(1));
  await world.sim.run(engine.close());
  await assert.rejects(world.open({ expiryTime: "entry", log: {} as never }), { code: "INVALID_ARGUMENT" });
});

test("times that are no times are refused", () => {
  for (const expiresAtMs of [-1, 1.5, Number.NaN, 2 ** 60]) {
    const put = () => new WriteBatch().put(bytesOf("a"), bytesOf("1"), { expiresAtMs });
    assert.throws(put, { code: "INVALID_ARGUMENT" });
  }
  const batch = new WriteBatch().put(bytesOf("a"), bytesOf("1"), { expiresAtMs: 2 ** 50 });
  batch.deleteRange(bytesOf("a"), bytesOf("b"));
  const copy = WriteBatch.decode(batch.encode());
  assert.deepEqual([copy.count, copy.rangeDeleteCount], [2, 1]);
  assert.deepEqual(copy.encode(), batch.encode());
  for (const kind of [0, 5, 200]) {
    const bytes = batch.encode().slice();
    bytes[0] = kind;
    assert.throws(() => WriteBatch.decode(bytes), { code: "CORRUPTION" });
  }
});
