/**
 * Every kind of damage, then repair, then the repaired store against the model: what was outside of the damaged blocks
 * is there, nothing else is, the report says what is lost, and the original is as it was.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { openBlackboardEngine } from "./blackboard-engine.ts";
import { repairStore, type RepairReport } from "./repair.ts";
import { scrubStore } from "./scrub.ts";
import {
  contentsOf, directory, flip, largestTable, manifestOf, readAll, regionsOf, smallBlocks, tablesOf, textOf, writeStore,
} from "./store-damage.fixture.ts";

function simulate(run: (env: SimulatedEnv, disk: SimulatedDisk) => Promise<void>, seed = 3): Promise<void> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed, disk });
  return env.run(run(env, disk));
}

let targets = 0;

function repair(env: SimulatedEnv, dryRun = false): { report: RepairReport; target: string } {
  const target = `/repaired-${++targets}`;
  const options = { directory, target, selectionHash: noSelectionHash, dryRun };
  const steps = repairStore({ disk: env.disk, clock: env.clock }, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { report: step.value, target };
  }
}

async function contentsAt(env: SimulatedEnv, target: string): Promise<Map<string, string>> {
  const engine = await openBlackboardEngine(env, { ...smallBlocks, directory: target });
  try {
    return contentsOf(engine);
  } finally {
    await engine.close();
  }
}

/** Whether the report says that something of this key may be lost. */
function mayBeLost(report: RepairReport, key: string): boolean {
  return report.files.some(({ lostRanges }) =>
    lostRanges.some(({ first, next }) =>
      (first === undefined || key >= textOf(first)) && (next === undefined || key < textOf(next))),
  );
}

/** Everything outside of the lost ranges equals the model. Returns how many keys are inside of them. */
function compare(report: RepairReport, found: ReadonlyMap<string, string>, model: ReadonlyMap<string, string>): number {
  let inside = 0;
  for (const key of new Set([...found.keys(), ...model.keys()])) {
    if (mayBeLost(report, key)) inside++;
    else assert.equal(found.get(key), model.get(key), key);
  }
  return inside;
}

function snapshotOf(disk: SimulatedDisk): unknown {
  return disk.list(directory).map((name) => [name, Buffer.from(readAll(disk, `${directory}/${name}`)).toString("base64")]);
}

test("an undamaged store is copied as it is", () =>
  simulate(async (env, disk) => {
    const model = await writeStore(env);
    const { report, target } = repair(env);
    assert.equal(report.manifest, "kept");
    assert.ok(report.files.length >= 3 && report.files.every(({ outcome }) => outcome === "kept"));
    assert.deepEqual(await contentsAt(env, target), new Map([...model].sort(([a], [b]) => (a < b ? -1 : 1))));
    assert.ok(tablesOf(disk).length > 0);
  }));

test("each region of an SSTable: what is outside of a damaged block is saved, the original stays", () =>
  simulate(async (env, disk) => {
    const model = await writeStore(env);
    const name = largestTable(disk);
    const path = `${directory}/${name}`;
    for (const { part, start, end } of regionsOf(disk, path)) {
      if (part === "block" && start % 2 === 0 && start > 32) continue;
      flip(disk, path, (start + end) >>> 1);
      const before = snapshotOf(disk);
      const planned = repair(env, true).report;
      const { report, target } = repair(env);
      assert.deepEqual(snapshotOf(disk), before, "the original is only read");
      assert.deepEqual(planned, report, "a dry run says the same");
      const file = report.files.find((one) => one.file === name);
      assert.equal(file?.outcome, "salvaged", part);
      const inside = compare(report, await contentsAt(env, target), model);
      if (part === "block") assert.ok(inside > 0 && inside < 40 && (file?.lostEntries ?? 0) > 0, `${inside} keys`);
      else if (part !== "range tombstones") assert.deepEqual([inside, file?.lostEntries], [0, 0], part);
      const scrub = scrubStore(disk, target, noSelectionHash);
      let step = scrub.next();
      while (step.done !== true) step = scrub.next();
      assert.deepEqual(step.value.files.flatMap(({ problems }) => problems).filter(({ severity }) => severity === "damage"), []);
      flip(disk, path, (start + end) >>> 1);
    }
  }));

test("a missing table is lost, with its range; index and a block damaged together cost that block", () =>
  simulate(async (env, disk) => {
    const model = await writeStore(env);
    const name = largestTable(disk);
    const path = `${directory}/${name}`;
    const regions = regionsOf(disk, path);
    const block = regions.filter(({ part }) => part === "block")[2];
    const index = regions.find(({ part }) => part === "index");
    flip(disk, path, block.start + 9);
    flip(disk, path, index?.start ?? 0);
    const both = repair(env);
    const found = await contentsAt(env, both.target);
    const missing = [...model.keys()].filter((key) => !found.has(key));
    assert.ok(missing.length > 0 && missing.length < 20, `${missing.length} keys are lost`);
    for (const [key, value] of found) assert.ok(model.get(key) === value || value.startsWith("old "), key);
    flip(disk, path, block.start + 9);
    flip(disk, path, index?.start ?? 0);

    disk.rename(path, "/aside.sst");
    const gone = repair(env);
    const lost = gone.report.files.filter(({ outcome }) => outcome === "lost");
    assert.deepEqual(lost.map(({ file }) => file), [name]);
    assert.ok((lost[0].lostEntries ?? 0) > 30);
    assert.ok(compare(gone.report, await contentsAt(env, gone.target), model) > 30);
  }));

test("without a manifest all tables are merged by their indexes; nothing is lost", () =>
  simulate(async (env, disk) => {
    const model = await writeStore(env);
    for (const name of ["CURRENT", manifestOf(disk)]) {
      const path = `${directory}/${name}`;
      flip(disk, path, 40);
      const { report, target } = repair(env);
      assert.equal(report.manifest, "rebuilt");
      assert.equal(report.durableIndex > 800, true);
      assert.deepEqual(await contentsAt(env, target), new Map([...model].sort(([a], [b]) => (a < b ? -1 : 1))));
      flip(disk, path, 40);
      disk.rename(path, "/aside");
      const gone = repair(env);
      assert.equal((await contentsAt(env, gone.target)).size, model.size);
      disk.rename("/aside", path);
    }
  }));

test("random damage, many bytes at once: what is saved is true, what is not lost is there", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    await simulate(async (env, disk) => {
      const model = await writeStore(env);
      const names = disk.list(directory).filter((name) => env.next() < 0.7 || name.endsWith(".sst"));
      for (let hits = 0; hits < 6; hits++) {
        const name = names[Math.floor(env.next() * names.length)];
        const path = `${directory}/${name}`;
        flip(disk, path, Math.floor(env.next() * disk.size(path)));
      }
      const { report, target } = repair(env);
      const found = await contentsAt(env, target);
      for (const [key, value] of found) {
        const i = Number(key.slice(4));
        const truths = [`new ${i}`, `old ${i} ${"v".repeat(20)}`];
        assert.ok(truths.includes(value), `seed ${seed}: ${key} has ${value}`);
      }
      compare(report, found, model);
    }, seed);
  }
});

test("a target that holds something is refused", () =>
  simulate(async (env, disk) => {
    await writeStore(env);
    disk.open(`/repaired-${targets + 1}/x`, "create").close();
    assert.throws(() => repair(env), { code: "ALREADY_EXISTS" });
  }));
