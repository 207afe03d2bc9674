/**
 * The write-ahead log on a disk that loses, tears, refuses and flips.
 *
 * Each test compares with what a log may be after a fault: a prefix of what was appended, with
 * everything that was synced; or CORRUPTION where durable bytes are damaged. `LATHE_TEST_SEEDS` sets
 * the number of random histories.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { errorCodeOf } from "../../../kit/errors.ts";
import { noSelectionHash } from "../../../kit/file-header.ts";
import { SimulatedDisk } from "../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, type SimulatedEnv, seededNumbers } from "../../../simulation/simulated-env.ts";
import type { DurableLog } from "../durable-log.ts";
import { baseRecordBytes, recordBytes, recordHeaderBytes, segmentHeaderBytes } from "./segment-format.ts";
import { openWal } from "./wal.ts";

const directory = "/wal";
const seeds = Number(process.env.LATHE_TEST_SEEDS ?? 150);

/** What was done to a log: the entry at each index, and what must, or must no longer, be there. */
class History {
  readonly entries = new Map<number, Uint8Array>();
  last = 0;
  synced = 0;
  first = 1;
  /** A suffix truncation in flight: its index, or undefined. Until it resolves both outcomes are right. */
  truncatingFrom: number | undefined;
}

function open(env: SimulatedEnv, segmentBytes = 4096): Promise<DurableLog> {
  return env.run(openWal(env, { directory, segmentBytes, selectionHash: noSelectionHash, recycledSegments: 2 }));
}

function readAll(log: DurableLog): Map<number, Uint8Array> {
  return new Map(Array.from(log.read(log.firstIndex), ({ index, entry }) => [index, entry.slice()]));
}

function entryOf(next: () => number, stamp: number): Uint8Array {
  const bytes = new Uint8Array(1 + Math.floor(next() * (next() < 0.2 ? 1800 : 120)));
  return bytes.map((_, at) => (stamp * 13 + at * 7) & 0xff);
}

async function act(env: SimulatedEnv, log: DurableLog, history: History, stamp: number): Promise<void> {
  const choice = env.next();
  if (choice < 0.6) {
    const bytes = entryOf(env.next, stamp);
    // Noted before the call: a crash inside it may still have brought the entry to the disk.
    history.entries.set(history.last + 1, bytes);
    assert.equal(log.append(bytes), ++history.last);
  } else if (choice < 0.9) {
    const target = history.last;
    await env.run(log.sync());
    history.synced = target;
  } else if (choice < 0.96) {
    const index = Math.min(history.synced, history.last);
    if (index < history.first) return;
    history.first = index + 1;
    log.truncatePrefix(index);
  } else {
    const index = Math.max(history.first, history.last - Math.floor(env.next() * 4));
    history.truncatingFrom = index;
    history.synced = Math.min(history.synced, index - 1);
    await env.run(log.truncateSuffix(index));
    history.last = Math.min(history.last, index - 1);
    history.synced = history.last;
    history.truncatingFrom = undefined;
  }
}

/** What is wrong with the log after a crash, or undefined. */
function fault(log: DurableLog, history: History): string | undefined {
  if (log.firstIndex > Math.max(history.first, 1)) return `begins at ${log.firstIndex}, truncated up to ${history.first}`;
  if (log.lastIndex < history.synced) return `ends at ${log.lastIndex}, synced ${history.synced}`;
  if (log.lastIndex > history.last + 1) return `ends at ${log.lastIndex}, appended ${history.last}`;
  for (const [index, found] of readAll(log)) {
    const expected = history.entries.get(index);
    if (expected === undefined || Buffer.compare(found, expected) !== 0) return `entry ${index} is not what was appended`;
  }
  return undefined;
}

async function crashLoop(seed: number, makeDisk: (disk: SimulatedDisk) => SimulatedDisk): Promise<string | undefined> {
  const next = seededNumbers(seed);
  const history = new History();
  let disk = new SimulatedDisk();
  for (let life = 0; life < 4; life++) {
    const env = createSimulatedEnv({ seed: seed * 10 + life, disk: makeDisk(disk) });
    disk.fault = { call: disk.calls + 1 + Math.floor(next() * 80), code: "CRASH", persistent: true };
    try {
      const log = await open(env);
      const problem = fault(log, history);
      if (problem !== undefined) return `life ${life}: ${problem}`;
      // What the crash left is the log from here on.
      history.last = log.lastIndex;
      history.synced = log.syncedIndex;
      history.truncatingFrom = undefined;
      for (let stamp = 0; !disk.crashed && stamp < 300; stamp++) await act(env, log, history, life * 1000 + stamp);
    } catch (error) {
      if (!disk.crashed) return `life ${life}: ${String(error)}`;
    }
    disk = disk.crash(next);
  }
  return undefined;
}

test("after any crash the log is a prefix with everything that was synced", async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    assert.equal(await crashLoop(seed, (disk) => disk), undefined, `seed ${seed}`);
  }
});

test("the crash loop finds a log that skips the device flush", async () => {
  const forgetful = (disk: SimulatedDisk): SimulatedDisk => {
    const openFile = disk.open.bind(disk);
    disk.open = (path, mode) => {
      const file = openFile(path, mode);
      file.sync = async () => {};
      return file;
    };
    return disk;
  };
  for (let seed = 1; seed <= 200; seed++) {
    if ((await crashLoop(seed, forgetful)) !== undefined) return;
  }
  assert.fail("200 histories and the planted fault was not found");
});

test("a failing call is final: every later call throws the same, and nothing synced is lost", async () => {
  for (const code of ["IO_ERROR", "DISK_FULL"] as const) {
    for (let call = 1; call <= 60; call++) {
      const disk = new SimulatedDisk();
      const env = createSimulatedEnv({ seed: call, disk });
      const log = await open(env);
      const history = new History();
      disk.fault = { call: disk.calls + call, code, persistent: false };
      let failure: unknown;
      for (let stamp = 0; stamp < 60 && failure === undefined; stamp++) {
        await act(env, log, history, stamp).catch((error: unknown) => (failure = error));
      }
      if (failure !== undefined) await assertRefusedOrUsable(env, log, history, failure, code);
      // The fault may also strike the last flush, in `close`.
      await env.run(log.close()).catch((error: unknown) => assert.equal(errorCodeOf(error), code));
      const reopened = await open(createSimulatedEnv({ seed: 1, disk: disk.crash(seededNumbers(call)) }));
      assert.equal(fault(reopened, history), undefined, `${code} at call ${call}`);
    }
  }
});

/** A failed write or flush is final; a segment that could not be had may be had later. */
async function assertRefusedOrUsable(
  env: SimulatedEnv, log: DurableLog, history: History, failure: unknown, code: string,
): Promise<void> {
  assert.equal(errorCodeOf(failure), code);
  try {
    history.entries.set(history.last + 1, Uint8Array.of(1));
    log.append(Uint8Array.of(1));
    history.last++;
    await env.run(log.sync());
    history.synced = history.last;
  } catch (error) {
    assert.equal(error, failure, "the first error stays");
    await assert.rejects(env.run(log.sync()), (again: unknown) => again === failure);
  }
}

/**
 * A log of some synced groups and one that was written but not synced; the bytes of its only segment
 * before and after.
 */
async function logWithTail() {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 7, disk });
  const log = await open(env);
  const entries: Uint8Array[] = [];
  for (let stamp = 1; stamp <= 8; stamp++) {
    entries.push(new Uint8Array(stamp * 9).fill(stamp));
    log.append(entries[stamp - 1]);
    if (stamp % 2 === 0) await env.run(log.sync());
  }
  const synced = segmentBytesOf(disk);
  for (let stamp = 9; stamp <= 11; stamp++) {
    entries.push(new Uint8Array(stamp * 5).fill(stamp));
    log.append(entries[stamp - 1]);
  }
  await env.run(log.close());
  return { synced, written: segmentBytesOf(disk), entries, syncedEntries: 8 };
}

function segmentBytesOf(disk: SimulatedDisk): Uint8Array {
  const bytes = new Uint8Array(4096);
  disk.open(`${directory}/0000000001.wal`, "read").readSync(bytes, 0, bytes.length, 0);
  return bytes;
}

async function openBytes(bytes: Uint8Array): Promise<DurableLog> {
  return (await openBytesIn(bytes)).log;
}

async function openBytesIn(bytes: Uint8Array) {
  const disk = new SimulatedDisk();
  disk.makeDirectory(directory);
  const file = disk.open(`${directory}/0000000001.wal`, "create");
  file.writeSync(bytes, 0, bytes.length, 0);
  const env = createSimulatedEnv({ seed: 3, disk });
  return { disk, env, log: await open(env) };
}

test("a tail torn at any byte is cut off at a record", async () => {
  const { synced, written, entries, syncedEntries } = await logWithTail();
  const seen = new Set<number>();
  const start = written.findIndex((byte, at) => byte !== synced[at]);
  const end = written.findLastIndex((byte, at) => byte !== synced[at]) + 1;
  assert.ok(end - start > 100);
  for (let cut = start; cut <= end; cut++) {
    const torn = synced.slice();
    torn.set(written.subarray(start, cut), start);
    const log = await openBytes(torn);
    assert.ok(log.lastIndex >= syncedEntries);
    seen.add(log.lastIndex);
    for (const [index, found] of readAll(log)) assert.deepEqual(found, entries[index - 1]);
    // The log goes on where it was cut, and what is behind the cut never comes back.
    const next = log.append(Uint8Array.of(cut & 0xff));
    assert.deepEqual([...readAll(log).values()].at(-1), Uint8Array.of(cut & 0xff));
    assert.equal(log.lastIndex, next);
  }
  assert.deepEqual([...seen].sort((a, b) => a - b), [8, 9, 10, 11]);
});

test("a whole record behind a torn one never becomes a part of the log", async () => {
  const { synced, written, entries } = await logWithTail();
  const start = written.findIndex((byte, at) => byte !== synced[at]);
  const torn = written.slice();
  torn.fill(0, start, start + 8);
  const { disk, env, log } = await openBytesIn(torn);
  assert.equal(log.lastIndex, 8);
  // As long as the torn entry, so that in the same place it would end just where the old entry 10 begins.
  const replacement = new Uint8Array(entries[8].length).fill(0xee);
  log.append(replacement);
  await env.run(log.close());
  const reopened = await open(createSimulatedEnv({ seed: 4, disk }));
  assert.equal(reopened.lastIndex, 9);
  assert.deepEqual(readAll(reopened).get(9), replacement);
});

test("a segment is not given up before its successor's base record is durable", async () => {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  const log = await open(env);
  for (let count = 0; count < 4; count++) log.append(new Uint8Array(900));
  await env.run(log.sync());
  log.append(new Uint8Array(900));
  log.truncatePrefix(4);
  // Lets background work pass; nothing of the new segment has been flushed.
  for (let turn = 0; turn < 20; turn++) {
    await env.run(new Promise<void>((resolve) => void env.clock.setTimer(1, resolve)));
  }
  const loseAllThatIsUnsynced = () => 0;
  const reopened = await open(createSimulatedEnv({ seed: 2, disk: disk.crash(loseAllThatIsUnsynced) }));
  assert.equal(reopened.lastIndex, 4);
});

test("a first segment that never got its base record is replaced, and its name is not recycled", async () => {
  const whole = new SimulatedDisk();
  await open(createSimulatedEnv({ seed: 1, disk: whole }));
  for (let call = 1; call <= whole.calls; call++) {
    const disk = new SimulatedDisk();
    disk.fault = { call, code: "CRASH", persistent: true };
    await open(createSimulatedEnv({ seed: 1, disk })).catch(() => undefined);
    // All that was written is there, or nothing that was not flushed: both leave a first segment without a base.
    for (const luck of [0.1, 0.25, 0.9]) {
      const after = disk.crash(seededNumbers(Math.floor(luck * 1000) + call));
      const env = createSimulatedEnv({ seed: 2, disk: after });
      const log = await open(env);
      log.append(Uint8Array.of(1, 2, 3));
      await env.run(log.sync());
      // Lets background work pass.
      for (let turn = 0; turn < 20; turn++) {
        await env.run(new Promise<void>((resolve) => void env.clock.setTimer(1, resolve)));
      }
      const reopened = await open(createSimulatedEnv({ seed: 3, disk: after.crash(() => 0) }));
      assert.equal(reopened.lastIndex, 1, `power lost at call ${call} of creating the log`);
    }
  }
});

test("a segment that could not be removed is tried again before younger ones go: no hole is left", async () => {
  for (const recycledSegments of [0, 1]) {
    for (let failing = 1; failing <= 4; failing++) {
      const disk = new SimulatedDisk();
      const env = createSimulatedEnv({ seed: 1, disk });
      const options = { directory, segmentBytes: 4096, selectionHash: noSelectionHash, recycledSegments };
      const log = await env.run(openWal(env, options));
      let calls = 0;
      disk.nemesis = ({ kind, path }) => {
        const retires = kind === "unlink" || (kind === "rename" && !path.includes("spare"));
        return retires && ++calls === failing ? { kind: "error", code: "IO_ERROR" } : undefined;
      };
      for (let stamp = 0; stamp < 40; stamp++) {
        log.append(new Uint8Array(900));
        await env.run(log.sync());
        if (log.lastIndex > 5) log.truncatePrefix(log.lastIndex - 5);
        await env.run(new Promise<void>((resolve) => void env.clock.setTimer(1, resolve)));
      }
      assert.ok(calls >= failing, `${calls} segments were retired`);
      const reopened = await open(createSimulatedEnv({ seed: 2, disk: disk.restart() }));
      assert.equal(reopened.lastIndex, 40, `call ${failing} failed`);
    }
  }
});

test("a segment that became shorter while it was opened is CORRUPTION", async () => {
  const { written } = await logWithTail();
  // The reads of the header, of the whole segment, and of what is written out again.
  for (let read = 1; read <= 3; read++) {
    const disk = new SimulatedDisk();
    disk.makeDirectory(directory);
    const file = disk.open(`${directory}/0000000001.wal`, "create");
    file.writeSync(written, 0, written.length, 0);
    let reads = 0;
    disk.nemesis = ({ kind }) => (kind === "read" && ++reads === read ? { kind: "short" } : undefined);
    const opened = open(createSimulatedEnv({ seed: 1, disk }));
    await assert.rejects(opened, { code: "CORRUPTION" }, `read ${read} is short`);
  }
});

test("a base record whose flush failed is written out again by the next process", async () => {
  const disk = new SimulatedDisk();
  // Nothing of what the flush should have kept is on the device, and the cache keeps it for a while.
  const luck = [0.1, 0.1];
  disk.chance = () => luck.shift() ?? 0.9;
  disk.nemesis = ({ kind, path }) =>
    kind === "sync" && path.endsWith("1.wal") && !path.includes("spare") ? { kind: "error", code: "IO_ERROR" } : undefined;
  await assert.rejects(open(createSimulatedEnv({ seed: 1, disk })), { code: "IO_ERROR" });
  // The page cache of the machine still shows the record, as if it were on the device.
  const restarted = disk.restart();
  const env = createSimulatedEnv({ seed: 2, disk: restarted });
  const log = await open(env);
  log.append(Uint8Array.of(1));
  await env.run(log.sync());
  const reopened = await open(createSimulatedEnv({ seed: 3, disk: restarted.crash(() => 0) }));
  assert.equal(reopened.lastIndex, 1);
});

test("opening writes out again what is not proven durable, before it flushes", async () => {
  const { written } = await logWithTail();
  const disk = new SimulatedDisk();
  disk.makeDirectory(directory);
  const file = disk.open(`${directory}/0000000001.wal`, "create");
  file.writeSync(written, 0, written.length, 0);
  const lastByte = written.findLastIndex((byte) => byte !== 0);
  const calls: string[] = [];
  const openFile = disk.open.bind(disk);
  disk.open = (path, mode) => {
    const opened = openFile(path, mode);
    const { writeSync, sync } = opened;
    opened.writeSync = (source, offset, length, position) => {
      calls.push(`write ${position < lastByte && lastByte < position + length ? "tail" : "other"}`);
      writeSync.call(opened, source, offset, length, position);
    };
    opened.sync = () => {
      calls.push("sync");
      return sync.call(opened);
    };
    return opened;
  };
  await open(createSimulatedEnv({ seed: 1, disk }));
  assert.deepEqual(calls.slice(0, 2), ["write tail", "sync"]);
});

test("a flipped bit in durable entries is CORRUPTION, and never wrong data", async () => {
  const { written, entries } = await logWithTail();
  const used = written.findLastIndex((byte) => byte !== 0) + 1;
  const outcomes = { corruption: 0, cut: 0, unharmed: 0 };
  for (let at = 0; at < used; at++) {
    const damaged = written.slice();
    damaged[at] ^= 1 << (at & 7);
    try {
      const log = await openBytes(damaged);
      for (const [index, found] of readAll(log)) assert.deepEqual(found, entries[index - 1]);
      // Group 9 to 11 was written last: damage there looks like a torn tail. Entries up to 8 are spoken
      // for.
      assert.ok(log.lastIndex >= 8, `damage at ${at} went unnoticed`);
      if (log.lastIndex === entries.length) outcomes.unharmed++;
      else outcomes.cut++;
    } catch (error) {
      assert.ok(["CORRUPTION", "FORMAT_UNKNOWN"].includes(errorCodeOf(error) ?? ""), String(error));
      outcomes.corruption++;
    }
  }
  assert.ok(outcomes.corruption > 400 && outcomes.cut > 100, JSON.stringify(outcomes));
  // Only padding is unchecked: at most 7 bytes for each record.
  assert.ok(outcomes.unharmed <= 7 * (entries.length + 1), JSON.stringify(outcomes));
});

test("damage that comes while the log is open is found by reading", async () => {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  const log = await open(env);
  log.append(new Uint8Array(100).fill(1));
  await env.run(log.sync());
  disk.open(`${directory}/0000000001.wal`, "write").writeSync(Uint8Array.of(9), 0, 1, 150);
  assert.throws(() => readAll(log), { code: "CORRUPTION" });
});

test("a whole record that stands in the place of another while the log is open is found by reading", async () => {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  const log = await open(env);
  const payloadBytes = 104;
  for (const stamp of [1, 2, 3]) log.append(new Uint8Array(payloadBytes).fill(stamp));
  await env.run(log.sync());
  // A device that writes to the wrong place leaves records that verify.
  const file = disk.open(`${directory}/0000000001.wal`, "write");
  const step = recordBytes(payloadBytes);
  const record = new Uint8Array(step);
  const placeOf = (index: number) => segmentHeaderBytes + baseRecordBytes + (index - 1) * step;
  assert.equal(file.readSync(record, 0, step, placeOf(3)), step);
  assert.equal(record[recordHeaderBytes], 3);
  file.writeSync(record, 0, step, placeOf(2));
  assert.throws(() => readAll(log), { code: "CORRUPTION" });
});

test("a missing segment in the middle is CORRUPTION", async () => {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  const log = await open(env);
  for (let stamp = 0; stamp < 20; stamp++) {
    log.append(new Uint8Array(900));
    await env.run(log.sync());
  }
  await env.run(log.close());
  for (const sequence of [1, 2, 3]) {
    const after = disk.crash(() => 0.9);
    after.unlink(`${directory}/000000000${sequence}.wal`);
    const reopening = open(createSimulatedEnv({ seed: 1, disk: after }));
    if (sequence === 1) assert.ok((await reopening).firstIndex > 1, "the state machine notices a missing beginning");
    else await assert.rejects(reopening, { code: "CORRUPTION" });
  }
});

test("the format of version 1 is read, and written to the byte, for ever", async () => {
  const golden = readFileSync(new URL("./golden/version-1.wal", import.meta.url));
  const { written, entries } = await logWithTail();
  assert.equal(Buffer.compare(golden, written), 0);
  const log = await openBytes(golden);
  assert.deepEqual([...readAll(log).values()], entries);
});

test("client data that looks like a record is never taken for one", async () => {
  const { written, entries } = await logWithTail();
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 11, disk });
  const log = await open(env, 16384);
  // A whole segment of another log as payload: its records verify under their own salt only.
  log.append(written);
  log.append(entries[0]);
  await env.run(log.sync());
  const file = disk.open(`${directory}/0000000001.wal`, "write");
  file.writeSync(new Uint8Array(64), 0, 64, 64 + 32 + 24);
  await env.run(log.close());
  const reopened = await open(createSimulatedEnv({ seed: 12, disk }));
  assert.equal(reopened.lastIndex, 0, "entry 1 is damaged, entry 2 behind it is no evidence of a flush");
  assert.deepEqual([...readAll(reopened)], []);
});
