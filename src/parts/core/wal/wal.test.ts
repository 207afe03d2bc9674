import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Clock } from "../../../kit/env/env.ts";
import { createNodeEnv } from "../../../kit/env/node-env.ts";
import { noSelectionHash } from "../../../kit/file-header.ts";
import type { Metric } from "../../../kit/metric.ts";
import { durableLogConformance } from "../durable-log.conformance.ts";
import { openWal } from "./wal.ts";

const env = createNodeEnv({ threads: 1, logLevel: "silent" });
const base = mkdtempSync(join(tmpdir(), "lathe-wal-"));
let places = 0;

after(async () => {
  await env.threads.close();
  rmSync(base, { recursive: true });
});

async function makePlace() {
  const directory = join(base, String(places++));
  return {
    open: () => openWal(env, { directory, segmentBytes: 8192, selectionHash: noSelectionHash }),
    remove: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

durableLogConformance("wal", makePlace);

function metric(metrics: readonly Metric[], name: string): number {
  const found = metrics.find((one) => one.name === name);
  assert.ok(found !== undefined && found.kind !== "histogram");
  return found.value;
}

test("concurrent syncs share device flushes", async () => {
  const log = await openWal(env, { directory: join(base, "group"), selectionHash: noSelectionHash, segmentBytes: 1 << 20 });
  const before = metric(log.metrics(), "wal_syncs_total");
  const syncs = Array.from({ length: 100 }, () => {
    log.append(new Uint8Array(100));
    return log.sync();
  });
  await Promise.all(syncs);
  // One for the first, one for all that came while it was in flight.
  assert.equal(metric(log.metrics(), "wal_syncs_total") - before, 2);
  await log.close();
});

test("segments are recycled: files do not grow in number, nor does the log in bytes", { timeout: 120_000 }, async () => {
  const directory = join(base, "recycle");
  const options = { directory, segmentBytes: 8192, selectionHash: noSelectionHash, recycledSegments: 2 };
  const log = await openWal(env, options);
  for (let index = 1; index <= 400; index++) {
    log.append(new Uint8Array(500).fill(index));
    if (index % 5 === 0) {
      await log.sync();
      log.truncatePrefix(index - 2);
    }
  }
  // What is no longer needed is removed beside the writing, on a busy machine later than the last write.
  while (env.disk.list(directory).length > 6) await new Promise((resolve) => setTimeout(resolve, 5));
  await log.close();
  assert.ok(env.disk.list(directory).length <= 6, `${env.disk.list(directory).join(" ")}`);
  const reopened = await openWal(env, options);
  const found = Array.from(reopened.read(reopened.firstIndex), ({ index, entry }) => [index, entry[0]]);
  assert.deepEqual(found.at(-1), [400, 400 & 255]);
  assert.ok(found.every(([index, fill]) => fill === (index & 255)));
  await reopened.close();
});

test("group delay gathers commits that come apart", async () => {
  const options = { directory: join(base, "delay"), segmentBytes: 1 << 20, selectionHash: noSelectionHash };
  // Once it is open, timers are held until all have committed: on a busy machine any delay may be over in between.
  const held = Promise.withResolvers<void>();
  let begin = Promise.resolve();
  const clock: Clock = {
    nowMs: () => env.clock.nowMs(), monotonicUs: () => env.clock.monotonicUs(),
    setTimer(delayMs, callback) {
      void begin.then(() => env.clock.setTimer(delayMs, callback).keepAlive());
      return { cancel: () => undefined, keepAlive: () => undefined };
    },
    defer: (callback) => env.clock.defer(callback),
  };
  const log = await openWal({ ...env, clock }, { ...options, groupDelayUs: 20_000 });
  begin = held.promise;
  const before = metric(log.metrics(), "wal_syncs_total");
  const syncs: Promise<void>[] = [];
  for (let count = 0; count < 3; count++) {
    log.append(new Uint8Array(10));
    syncs.push(log.sync());
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(metric(log.metrics(), "wal_syncs_total") - before, 0, "before its time nothing is flushed");
  held.resolve();
  await Promise.all(syncs);
  assert.equal(metric(log.metrics(), "wal_syncs_total") - before, 1);
  await log.close();
});

test("with the batch agent commits are as durable and as many as without, and its metrics are there", async () => {
  const options = { directory: join(base, "adaptive"), segmentBytes: 1 << 20, selectionHash: noSelectionHash };
  const log = await openWal(env, { ...options, adaptiveBatch: "on" });
  const write = async (writer: number) => {
    for (let count = 0; count < 50; count++) {
      const index = log.append(Uint8Array.of(writer, count));
      await log.sync();
      assert.ok(log.syncedIndex >= index, "acknowledged after it was flushed");
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
  const held = metric(log.metrics(), "wal_batch_held_groups_total");
  assert.ok(held >= metric(log.metrics(), "wal_batch_filled_groups_total"));
  assert.ok(metric(log.metrics(), "wal_batch_hold_seconds") <= 0.002);
  await log.close();
  const reopened = await openWal(env, options);
  assert.equal(Array.from(reopened.read(1)).length, 16 * 50);
  assert.equal(metric(reopened.metrics(), "wal_batch_commits"), 0, "off by default");
  await reopened.close();
});

test("another product's log and impossible options are refused", async () => {
  const options = { directory: join(base, "foreign"), segmentBytes: 8192, selectionHash: noSelectionHash };
  await (await openWal(env, options)).close();
  await assert.rejects(openWal(env, { ...options, selectionHash: "ab".repeat(16) }), { code: "FORMAT_UNKNOWN" });
  await assert.rejects(openWal(env, { ...options, segmentBytes: 100 }), { code: "INVALID_ARGUMENT" });
  await (await openWal(env, { ...options, segmentBytes: 16384 })).close();
});

test("the first segment of a new log is small, what does not fit goes into the next, and both are read again", async () => {
  const directory = join(base, "first");
  const options = { directory, selectionHash: noSelectionHash, segmentBytes: 8 << 20 };
  const log = await openWal(env, options);
  assert.equal(statSync(join(directory, "0000000001.wal")).size, 4 << 20);
  const lengths = [100, 5 << 20, 200];
  for (const length of lengths) log.append(new Uint8Array(length).fill(length & 255));
  await log.sync();
  await log.close();
  assert.equal(statSync(join(directory, "0000000002.wal")).size, 8 << 20);
  const reopened = await openWal(env, options);
  assert.deepEqual(Array.from(reopened.read(1), ({ entry }) => entry.length), lengths);
  await reopened.close();
});

test("durable entries behind megabytes of zeros are damage, as behind one wrong byte", async () => {
  const directory = join(base, "zeros");
  const options = { directory, selectionHash: noSelectionHash, segmentBytes: 8 << 20 };
  const log = await openWal(env, options);
  for (let count = 0; count < 36; count++) {
    log.append(new Uint8Array(100_000).fill(count + 1));
    await log.sync();
  }
  await log.close();
  const file = openSync(join(directory, "0000000001.wal"), "r+");
  // From the middle of the first mebibyte to the middle of the last but one: whole pieces of zeros in between.
  writeSync(file, new Uint8Array(2 << 20), 0, 2 << 20, 600_000);
  closeSync(file);
  await assert.rejects(openWal(env, options), { code: "CORRUPTION", message: /entry 6 was durable/ });
});
