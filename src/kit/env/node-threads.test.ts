import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { getHeapStatistics } from "node:v8";
import { LatheError } from "../errors.ts";
import type { Job, JobContext } from "./env.ts";
import { youngGenerationBytes } from "../young-generation.ts";
import { NodeThreads } from "./node-threads.ts";

const base = mkdtempSync(join(tmpdir(), "lathe-threads-"));
after(() => rmSync(base, { recursive: true }));

// The jobs live in this file; a worker thread imports it, and must not start the tests.
export const writeFileJob: Job<{ path: string; bytes: Uint8Array }, number> = function* ({ disk }: JobContext, input) {
  const file = disk.open(input.path, "create");
  yield;
  file.writeSync(input.bytes, 0, input.bytes.length, 0);
  yield;
  file.close();
  return disk.size(input.path);
};

export const failingJob: Job<string, void> = function* (_context, kind) {
  yield;
  if (kind === "code") throw new LatheError("DISK_FULL", "no room", { details: { path: "x", odd: () => 0 } });
  if (kind === "bug") throw new TypeError("a bug");
  process.exit(3);
};

export const uncloneableJob: Job<void, () => void> = function* () {
  yield;
  return () => undefined;
};

export const sleepJob: Job<number, number> = function* ({ clock }, milliseconds) {
  const endUs = clock.monotonicUs() + milliseconds * 1000;
  while (clock.monotonicUs() < endUs) yield;
  return milliseconds;
};

/** Leaves a mebibyte of garbage beside the heap between two yields; returns how much it ever saw of it, in bytes. */
export const litteringJob: Job<number, number> = function* (_context, mebibytes) {
  let most = 0;
  for (let i = 0; i < mebibytes; i++) {
    most = Math.max(most, new Uint8Array(1 << 20).length && getHeapStatistics().external_memory);
    // A rest, in which the collector's own thread gives back what it found.
    yield 1;
  }
  return most;
};

/** Objects of which some live for a while, so that V8 would give them ever more room; returns the bytes of that room. */
export const churningJob: Job<number, number> = function* (_context, turns) {
  const kept: object[] = [];
  for (let turn = 0; turn < turns; turn++) {
    for (let i = 0; i < 20_000; i++) kept[(turn * 20_000 + i) % 30_000] = { i, list: [i] };
    yield;
  }
  return youngGenerationBytes();
};

const job = (exportName: string) => ({ moduleUrl: import.meta.url, exportName });

test("a job runs to its end on another thread, with the doors it was given", async () => {
  const threads = new NodeThreads(2);
  const path = join(base, "written");
  assert.equal(await threads.run(job("writeFileJob"), { path, bytes: new Uint8Array(10) }), 10);
  await threads.close();
});

test("more jobs than threads wait their turn and all end", async () => {
  const threads = new NodeThreads(2);
  const results = await Promise.all(Array.from({ length: 20 }, (_, at) => threads.run(job("sleepJob"), at % 3)));
  assert.deepEqual(results, Array.from({ length: 20 }, (_, at) => at % 3));
  await threads.close();
});

test("errors cross threads by code; a bug stays an ordinary error", async () => {
  const threads = new NodeThreads(1);
  const failure = await threads.run(job("failingJob"), "code").catch((error: unknown) => error);
  assert.equal((failure as LatheError).code, "DISK_FULL");
  assert.deepEqual((failure as LatheError).details, { path: "x" });
  await assert.rejects(threads.run(job("failingJob"), "bug"), { message: "a bug" });
  await assert.rejects(threads.run(job("missing"), 0), { message: /exports no function named missing/ });
  await assert.rejects(threads.run(job("uncloneableJob"), undefined), /could not be cloned/);
  await assert.rejects(threads.run(job("sleepJob"), () => 0), /could not be cloned/);
  assert.equal(await threads.run(job("sleepJob"), 0), 0);
  await threads.close();
});

test("a thread that dies loses its job only, and is replaced", async () => {
  const threads = new NodeThreads(1);
  const lost = threads.run(job("failingJob"), "exit");
  const waiting = threads.run(job("sleepJob"), 1);
  await assert.rejects(lost, { code: "JOB_LOST", message: /failingJob was not finished/ });
  assert.equal(await waiting, 1);
  await threads.close();
});

test("a thread collects its garbage early, of which this one lets tens of megabytes lie", async () => {
  const threads = new NodeThreads(1);
  const onThread = await threads.run<number, number>(job("litteringJob"), 200);
  await threads.close();
  const steps = litteringJob({} as JobContext, 200);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  assert.ok(step.value > 60 << 20, `${step.value} bytes here: the test would notice a thread that does not collect`);
  assert.ok(onThread < step.value * 0.75, `${onThread} bytes on the thread, ${step.value} here`);
});

test("a thread's young generation stays small, and that of this one does not", async () => {
  const threads = new NodeThreads(1);
  const onThread = await threads.run<number, number>(job("churningJob"), 150);
  await threads.close();
  assert.ok(onThread <= 6 << 20, `${onThread} bytes on the thread`);
  const steps = churningJob({} as JobContext, 150);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  assert.ok(step.value > 6 << 20, `${step.value} bytes here`);
});

test("closing rejects what waits and what runs", async () => {
  const threads = new NodeThreads(1);
  const settled = Promise.allSettled([threads.run(job("sleepJob"), 10_000), threads.run(job("sleepJob"), 1)]);
  await threads.close();
  const codes = (await settled).map((result) => (result as PromiseRejectedResult).reason.code);
  assert.deepEqual(codes, ["JOB_LOST", "CLOSED"]);
  await assert.rejects(threads.run(job("sleepJob"), 1), { code: "CLOSED" });
});
