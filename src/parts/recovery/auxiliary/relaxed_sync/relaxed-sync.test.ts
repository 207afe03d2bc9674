/** The rule of the window, on a clock that is set by hand and a log that only counts; on a disk: `relaxed-sync.sim`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Env } from "../../../../kit/env/env.ts";
import { LatheError } from "../../../../kit/errors.ts";
import { createRelaxedSync, durabilityFacts, durabilityHealth } from "./relaxed-sync.ts";

const windowMs = 100;

/** Entries are appended by `lastIndex`; a flush that has begun ends when the test says so. */
function open(unsyncedBytesMax?: number) {
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  const flushes: { end(error?: LatheError): void }[] = [];
  let nowMs = 0;
  const log = {
    lastIndex: 0,
    syncedIndex: 0,
    writtenOut: 0,
    writeOut: () => void (log.writtenOut = log.lastIndex),
    sync: () => new Promise<void>((resolve, reject) => {
      const covers = log.lastIndex;
      flushes.push({ end: (error) => {
        if (error !== undefined) return reject(error);
        log.syncedIndex = covers;
        resolve();
      } });
    }),
  };
  const setTimer = (delayMs: number, callback: () => void) => {
    const timer = { atMs: nowMs + delayMs, callback };
    timers.add(timer);
    return { cancel: () => void timers.delete(timer), keepAlive() {} };
  };
  const env = {
    clock: { nowMs: () => nowMs, monotonicUs: () => nowMs * 1000, setTimer, defer: queueMicrotask },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  } as unknown as Env;
  const policy = createRelaxedSync(env, { log, lossWindowMs: windowMs, ...(unsyncedBytesMax && { unsyncedBytesMax }) });
  const answer = (bytes = 100) => {
    log.lastIndex++;
    return policy.answerable(bytes);
  };
  const pass = (ms: number) => {
    nowMs += ms;
    for (const timer of timers) if (timer.atMs <= nowMs && timers.delete(timer)) timer.callback();
  };
  return { policy, log, flushes, answer, pass };
}

test("an answer is given at once and written out; the flush comes at half of the window", async () => {
  const { policy, log, flushes, answer, pass } = open();
  assert.equal(answer(), undefined);
  assert.equal(log.writtenOut, 1);
  pass(windowMs / 2 - 1);
  assert.equal(flushes.length, 0);
  pass(1);
  assert.equal(flushes.length, 1);
  assert.equal(policy.unsyncedBytes, 100);
  const durable = policy.durable(1);
  flushes[0].end();
  await durable;
  assert.equal(policy.unsyncedBytes, 0);
  assert.equal(policy.durable(1), undefined);
  policy.close();
});

test("answers wait when the flush is late, or too much is unsynced, until the flush has ended", async () => {
  for (const late of [true, false]) {
    const { flushes, answer, pass } = open(late ? undefined : 1000);
    assert.equal(answer(late ? 100 : 600), undefined);
    if (late) pass(windowMs);
    let answered = false;
    const waits = answer(late ? 100 : 600)?.then(() => (answered = true));
    assert.ok(waits !== undefined, `late ${late}`);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(answered, false);
    flushes[0].end();
    await new Promise((resolve) => setImmediate(resolve));
    // The first flush may have begun before this entry was answered for; the next one covers it in any case.
    flushes[1]?.end();
    await waits;
  }
});

test("after a failed flush nothing is answered, and it says so", async () => {
  const { policy, flushes, answer, pass } = open();
  assert.equal(answer(), undefined);
  pass(windowMs / 2);
  flushes[0].end(new LatheError("IO_ERROR", "the device is gone"));
  await assert.rejects(Promise.resolve(policy.durable(1)), { code: "IO_ERROR" });
  await assert.rejects(Promise.resolve(answer()), { code: "IO_ERROR" });
  assert.match(durabilityHealth(policy).reason ?? "", /the device is gone; restart/);
  assert.deepEqual(durabilityFacts(policy).status()[0], ["Lathe_sync_state", "failed"]);
});
