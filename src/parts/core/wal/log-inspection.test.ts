/** Segments are damaged region by region, inspected, salvaged and copied; a copy opens as a log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk } from "../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv } from "../../../simulation/simulated-env.ts";
import { writeLogCopy } from "./log-copy.ts";
import { inspectLog, salvageEntries } from "./log-inspection.ts";
import { openWal } from "./wal.ts";

const selectionHash = "ab".repeat(16);
const directory = "/log";
const name = "0000000001.wal";
const entryOf = (index: number) => new TextEncoder().encode(`entry ${index} ${"x".repeat(index % 50)}`);

function simulate(run: (env: SimulatedEnv, disk: SimulatedDisk) => Promise<void>): Promise<void> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 7, disk });
  return env.run(run(env, disk));
}

/** A closed log of `count` entries, every tenth synced. */
async function writeLog(env: SimulatedEnv, count: number, segmentBytes = 1 << 16): Promise<void> {
  const wal = await openWal(env, { directory, segmentBytes, selectionHash });
  for (let i = 1; i <= count; i++) {
    wal.append(entryOf(i));
    if (i % 10 === 0) await wal.sync();
  }
  await wal.close();
}

function flip(disk: SimulatedDisk, path: string, offset: number): void {
  const file = disk.open(path, "write");
  const byte = new Uint8Array(1);
  file.readSync(byte, 0, 1, offset);
  byte[0] ^= 0x55;
  file.writeSync(byte, 0, 1, offset);
  file.close();
}

/** Where the record of an entry stands, found by its text. */
function placeOf(disk: SimulatedDisk, path: string, index: number): number {
  const bytes = new Uint8Array(disk.size(path));
  disk.open(path, "read").readSync(bytes, 0, bytes.length, 0);
  return Buffer.from(bytes).indexOf(`entry ${index} `);
}

const indexesOf = (disk: SimulatedDisk, from = 1) =>
  [...salvageEntries(disk, directory, selectionHash, from)].map(({ index }) => index);

test("an undamaged log: counts, indexes, no problem; nothing is written", () =>
  simulate(async (env, disk) => {
    await writeLog(env, 100, 4096);
    const { calls } = disk;
    const report = inspectLog(disk, directory, selectionHash);
    assert.equal(report.refusal, undefined);
    assert.deepEqual([report.firstIndex, report.lastIndex], [1, 100]);
    const segments = report.segments.filter(({ kind }) => kind === "segment");
    assert.ok(segments.length > 1);
    assert.equal(segments.reduce((sum, { entryCount }) => sum + entryCount, 0), 100);
    assert.ok(segments.every(({ damage }) => damage === undefined));
    const opened = calls + segments.length * 2;
    assert.ok(disk.calls <= opened, `${disk.calls} calls, at most ${opened} opens expected`);
  }));

test("damage in the middle is found with its offset; the rest is salvaged", () =>
  simulate(async (env, disk) => {
    await writeLog(env, 100);
    const at = placeOf(disk, `${directory}/${name}`, 42);
    flip(disk, `${directory}/${name}`, at);
    const report = inspectLog(disk, directory, selectionHash);
    assert.match(report.refusal?.what ?? "", /0000000001\.wal/);
    const [segment] = report.segments.filter(({ kind }) => kind === "segment");
    assert.equal(segment.entryCount, 41);
    assert.equal(segment.recordsBehind, 58);
    assert.ok(segment.damage !== undefined && segment.damage.offset <= at && segment.damage.offset > at - 64);
    assert.deepEqual(indexesOf(disk), Array.from({ length: 100 }, (_, i) => i + 1).filter((i) => i !== 42));
    assert.deepEqual(indexesOf(disk, 90), [90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100]);
  }));

test("damage at the end looks like a torn write and is no damage; the header and the first record are", () =>
  simulate(async (env, disk) => {
    await writeLog(env, 100);
    flip(disk, `${directory}/${name}`, placeOf(disk, `${directory}/${name}`, 100));
    const torn = inspectLog(disk, directory, selectionHash);
    assert.deepEqual([torn.refusal, torn.lastIndex], [undefined, 99]);
    flip(disk, `${directory}/${name}`, 70);
    const base = inspectLog(disk, directory, selectionHash);
    assert.match(base.segments[0].damage?.what ?? "", /first record/);
    assert.notEqual(base.refusal, undefined);
    assert.equal(indexesOf(disk).length, 99);
    flip(disk, `${directory}/${name}`, 33);
    const header = inspectLog(disk, directory, selectionHash);
    assert.match(header.segments[0].damage?.what ?? "", /header/);
    assert.deepEqual(indexesOf(disk), []);
  }));

test("another selection is refused, not reported as damage", () =>
  simulate(async (env, disk) => {
    await writeLog(env, 10);
    assert.throws(() => inspectLog(disk, directory, "cd".repeat(16)), { code: "FORMAT_UNKNOWN" });
  }));

test("what truncateSuffix superseded is not salvaged", () =>
  simulate(async (env, disk) => {
    const wal = await openWal(env, { directory, segmentBytes: 1 << 16, selectionHash });
    for (let i = 1; i <= 20; i++) wal.append(entryOf(i));
    await wal.sync();
    await wal.truncateSuffix(11);
    wal.append(new TextEncoder().encode("another eleventh"));
    await wal.close();
    const found = [...salvageEntries(disk, directory, selectionHash, 1)].map(({ index, entry }) => ({
      index,
      text: Buffer.from(entry).toString(),
    }));
    assert.equal(found.length, 11);
    assert.equal(found[10].text, "another eleventh");
  }));

test("a copy opens, reads the same and goes on; an empty one says where to go on", () =>
  simulate(async (env, disk) => {
    for (const count of [0, 1, 500]) {
      const options = {
        directory: `/copy-${count}`,
        selectionHash,
        firstIndex: 77,
        nextSalt: () => env.random.u32(),
        segmentBytes: 4096,
      };
      const entries = Array.from({ length: count }, (_, i) => entryOf(77 + i));
      assert.equal(writeLogCopy(disk, options, entries), count);
      const wal = await openWal(env, { directory: options.directory, selectionHash, segmentBytes: 1 << 16 });
      assert.deepEqual([wal.firstIndex, wal.lastIndex], [77, 76 + count]);
      const read = Array.from(wal.read(77), ({ entry }) => Buffer.from(entry).toString());
      assert.deepEqual(read, entries.map((entry) => Buffer.from(entry).toString()));
      assert.equal(wal.append(entryOf(1)), 77 + count);
      await wal.sync();
      await wal.close();
      const again = await openWal(env, { directory: options.directory, selectionHash, segmentBytes: 1 << 16 });
      assert.equal(again.lastIndex, 77 + count);
      await again.close();
    }
  }));
