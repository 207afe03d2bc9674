/** Every region of every kind of file is damaged; scrub must find it, name the file and the place, and change nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFileHeader, noSelectionHash } from "../../../../../../kit/file-header.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { searchBlocks } from "./block-search.ts";
import { scrubStore, selectionHashOfStore, type StoreReport } from "./scrub.ts";
import {
  directory, flip, largestTable, manifestOf, readAll, regionsOf, tablesOf, writeStore,
} from "./store-damage.fixture.ts";

function simulate(run: (env: SimulatedEnv, disk: SimulatedDisk) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  return env.run(run(env, disk));
}

function scrub(disk: SimulatedDisk): StoreReport {
  const steps = scrubStore(disk, directory, noSelectionHash);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function damages(report: StoreReport): { file: string; offset: number; what: string }[] {
  return report.files.flatMap(({ file, problems }) =>
    problems.filter(({ severity }) => severity === "damage").map(({ offset, what }) => ({ file, offset, what })),
  );
}

test("an undamaged store: every file is read whole, nothing is wrong, nothing is written", () =>
  simulate(async (env, disk) => {
    await writeStore(env);
    const before = disk.list(directory).map((name) => [name, Buffer.from(readAll(disk, `${directory}/${name}`))]);
    const report = scrub(disk);
    assert.deepEqual(report.files.flatMap(({ problems }) => problems), []);
    const tables = report.files.filter(({ kind }) => kind === "table");
    assert.ok(tables.length >= 3, "several tables");
    assert.ok(tables.every(({ sizeBytes, checkedBytes }) => sizeBytes > 0 && checkedBytes === sizeBytes));
    assert.equal(report.entryCount, 600 + 200 + 86 - 29, "old versions, new ones and tombstones");
    assert.equal(selectionHashOfStore(disk, directory), noSelectionHash);
    const after = disk.list(directory).map((name) => [name, Buffer.from(readAll(disk, `${directory}/${name}`))]);
    assert.deepEqual(after, before);
  }));

test("a flipped byte anywhere in an SSTable is found in its part, at its place", () =>
  simulate(async (env, disk) => {
    await writeStore(env);
    const name = largestTable(disk);
    const path = `${directory}/${name}`;
    const parts = new Set<string>();
    for (const { part, start, end } of regionsOf(disk, path)) {
      parts.add(part);
      for (const offset of new Set([start, (start + end) >>> 1, end - 1])) {
        flip(disk, path, offset);
        const found = damages(scrub(disk));
        assert.ok(found.length > 0, `${part}: byte ${offset} was flipped and nothing was found`);
        assert.ok(found.every(({ file }) => file === name), `${part}: ${JSON.stringify(found)}`);
        assert.ok(
          found.some((one) => one.offset >= start && one.offset < end),
          `${part}: byte ${offset} of ${start} to ${end}, found ${JSON.stringify(found)}`,
        );
        flip(disk, path, offset);
      }
    }
    assert.deepEqual([...parts].sort(), [
      "block", "filter", "footer", "header", "index", "prefix filter", "properties", "range tombstones",
    ]);
    assert.deepEqual(damages(scrub(disk)), []);
  }));

test("a flipped byte anywhere in CURRENT and in the manifest's middle is found; its end is a torn append", () =>
  simulate(async (env, disk) => {
    await writeStore(env);
    for (let offset = 0; offset < disk.size(`${directory}/CURRENT`); offset++) {
      flip(disk, `${directory}/CURRENT`, offset);
      const found = damages(scrub(disk));
      assert.equal(found[0]?.file, "CURRENT", `byte ${offset}`);
      assert.equal(found.length, 1, "the tables are looked at on their own, and hold");
      flip(disk, `${directory}/CURRENT`, offset);
    }
    const manifest = manifestOf(disk);
    const path = `${directory}/${manifest}`;
    for (const offset of [0, 9, 20, 33, 40, 50]) {
      flip(disk, path, offset);
      const found = damages(scrub(disk));
      assert.deepEqual([found[0]?.file, found.length], [manifest, 1], `byte ${offset}`);
      flip(disk, path, offset);
    }
    const last = disk.size(path) - 1;
    flip(disk, path, last);
    const report = scrub(disk);
    const torn = report.files.find(({ file }) => file === manifest)?.problems[0];
    assert.equal(torn?.severity, "note");
    assert.match(torn?.what ?? "", /torn/);
  }));

test("missing files, orphans, strangers, other versions and other tables under a name are told apart", () =>
  simulate(async (env, disk) => {
    await writeStore(env);
    const [first, second] = tablesOf(disk);
    disk.rename(`${directory}/${first}`, "/aside.sst");
    assert.deepEqual(damages(scrub(disk)).map(({ file, what }) => [file, what.slice(0, 13)]), [[first, "it is missing"]]);

    // Another table under its name: undamaged, and not what the manifest means.
    disk.link(`${directory}/${second}`, `${directory}/${first}`);
    assert.match(damages(scrub(disk)).map(({ what }) => what).join(), /number/);
    disk.unlink(`${directory}/${first}`);
    disk.rename("/aside.sst", `${directory}/${first}`);

    disk.link(`${directory}/${first}`, `${directory}/00009999.sst`);
    for (const name of ["CURRENT.tmp", "MANIFEST-00009998", "notes.txt"]) disk.open(`${directory}/${name}`, "create").close();
    const report = scrub(disk);
    assert.deepEqual(damages(report), []);
    const noted = report.files.filter(({ problems }) => problems.length > 0).map(({ file }) => file);
    assert.deepEqual(noted, ["00009999.sst", "CURRENT.tmp", "MANIFEST-00009998", "notes.txt"]);

    const file = disk.open(`${directory}/${first}`, "write");
    file.writeSync(encodeFileHeader({ magic: "LATHESST", version: 99, selectionHash: noSelectionHash }), 0, 32, 0);
    assert.match(damages(scrub(disk))[0].what, /version 99/);
  }));

test("without an index blocks are found by their checksums, also behind a damaged one", () =>
  simulate(async (env, disk) => {
    await writeStore(env);
    const name = largestTable(disk);
    const path = `${directory}/${name}`;
    const regions = regionsOf(disk, path);
    const blocks = regions.filter(({ part }) => part === "block");
    const bytes = readAll(disk, path);
    const end = blocks[blocks.length - 1].end;
    const body = bytes.slice(32, end);
    const found = searchBlocks(body, 32);
    assert.deepEqual(found.covered.map(({ start }) => start + 32), blocks.map(({ start }) => start));
    assert.deepEqual(found.gaps, []);
    body[blocks[1].start - 32 + 20] ^= 1;
    const damaged = searchBlocks(body, 32);
    assert.deepEqual(damaged.covered.map(({ start }) => start + 32), blocks.filter((_, i) => i !== 1).map(({ start }) => start));
    assert.deepEqual(damaged.gaps, [{ start: blocks[1].start - 32, end: blocks[1].end - 32 }]);

    const index = regions.find(({ part }) => part === "index");
    flip(disk, path, index?.start ?? 0);
    const before = scrub(disk);
    assert.deepEqual(damages(before).map(({ what }) => what), ["the checksum of the index does not match"]);
    assert.equal(before.entryCount, 857, "all entries are found all the same");
  }));
