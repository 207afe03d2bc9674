/**
 * A large load, measured from outside: `node load.bench.ts [--keys 20000000] [--batch 1] [--directory DIR]
 * [--set OPTION=VALUE]… [--record DIR] [--skip-curve] [--skip-reopen]`. With --record it writes load.json, load.md,
 * load.svg and load-memory.svg there.
 *
 *   load     16-byte keys in random order, 128-byte values that do not compress, through a log (unsynced) into a store
 *            with the shipped options. Latency of a put: from the end of the one before it, so that turns in which the
 *            owner's thread did something else count too. Memory: the kernel's peak (VmHWM), at the end and on the way,
 *            and samples of VmRSS.
 *   space    bytes in the directory per byte of keys and values; bytes written to files per byte put in.
 *   reopen   kill -9 with a million keys in the log only, then the time until the store is open again.
 *   curve    cost of a random get in stores of 10^4 keys up to the loaded one.
 * Each phase is a process of its own, with Node's cache of compiled code (NODE_COMPILE_CACHE), which a small load fills
 * first. Bars: peak memory below budget + 150 MiB, p99.9 of a put below 50 ms, reopening below 3 s.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { createNodeEnv } from "../../../../../../kit/env/node-env.ts";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import { Histogram } from "../../../../../../kit/histogram.ts";
import { boundYoungGeneration } from "../../../../../../kit/young-generation.ts";
import { openWal } from "../../../../../core/wal/wal.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import { type Figures, type LoadRecord, writeRecord } from "./load-record.bench.ts";
import type { Tuning } from "./options.ts";

const { values } = parseArgs({
  options: {
    keys: { type: "string", default: "20000000" },
    batch: { type: "string", default: "1" },
    directory: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
    record: { type: "string" },
    "skip-curve": { type: "boolean", default: false },
    "skip-reopen": { type: "boolean", default: false },
    phase: { type: "string" },
    /** Of the child processes. */
    store: { type: "string" },
  },
});
const keyCount = Number(values.keys);
const batchSize = Number(values.batch);
const keyBytes = 16;
const valueBytes = 128;
const mebibyte = 2 ** 20;
const turnEvery = 64;
const sampleMs = 100;
const replayKeys = 1_000_000;
const firstKeys = 600_000;
/** How often the peak is noted on the way. */
const peaksPerLoad = 20;

/** A bijection of 32-bit integers: keys in random order without repetition. */
function scramble(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}

function writeKey(target: Uint8Array, id: number): Uint8Array {
  const view = new DataView(target.buffer, target.byteOffset);
  view.setUint32(0, 7);
  view.setUint32(8, scramble(id));
  view.setUint32(12, id);
  return target;
}

function options(): Partial<Tuning> {
  const pairs = values.set.map((text) => text.split("=") as [string, string]);
  return Object.fromEntries(pairs.map(([name, text]) => [name, Number.isNaN(Number(text)) ? text : Number(text)]));
}

interface Store {
  readonly engine: BlackboardEngine;
  close(): Promise<void>;
}

async function openStore(directory: string, tuning: Partial<Tuning>): Promise<Store> {
  const env = createNodeEnv({ logLevel: "warn" });
  const log = await openWal(env, { directory: join(directory, "wal"), selectionHash: noSelectionHash });
  const engine = await openBlackboardEngine(env, { directory: join(directory, "engine"), log, ...tuning });
  const close = async () => {
    await engine.close();
    await log.close();
    await env.threads.close();
  };
  return { engine, close };
}

interface LoadFigures {
  readonly latency: Histogram;
  readonly rssSamples: readonly number[];
  /** The kernel's peak when so many keys were in. */
  readonly peaks: readonly Figures[];
  readonly seconds: number;
}

async function load(engine: BlackboardEngine, from: number, count: number): Promise<LoadFigures> {
  const key = new Uint8Array(keyBytes);
  const value = new Uint8Array(valueBytes);
  crypto.getRandomValues(value);
  const batch = new WriteBatch(batchSize * 160);
  const latency = new Histogram();
  const rssSamples: number[] = [];
  const peaks: Figures[] = [];
  const startMs = performance.now();
  let beforeMs = startMs;
  let sampleAtMs = startMs;
  for (let id = from; id < from + count; id += batchSize) {
    if (id % (turnEvery * batchSize) === 0) await new Promise((resolve) => setImmediate(resolve));
    batch.clear();
    const end = Math.min(from + count, id + batchSize);
    for (let i = id; i < end; i++) {
      value[i & 127] = i;
      batch.put(writeKey(key, i), value);
    }
    await engine.write(batch, { sync: false });
    const nowMs = performance.now();
    latency.record((nowMs - beforeMs) * 1000);
    beforeMs = nowMs;
    if (nowMs >= sampleAtMs) {
      rssSamples.push(process.memoryUsage.rss());
      sampleAtMs = nowMs + sampleMs;
    }
    if (end - from >= (peaks.length + 1) * (count / peaksPerLoad)) peaks.push({ keys: end, peakMiB: peakMiB() });
  }
  return { latency, rssSamples, peaks, seconds: (performance.now() - startMs) / 1000 };
}

function metric(engine: BlackboardEngine, name: string): number {
  const found = engine.metrics().filter((one) => one.name === name);
  return found.reduce((total, one) => total + (one.kind === "histogram" ? 0 : one.value), 0);
}

function directoryBytes(directory: string): number {
  return readdirSync(directory).reduce((total, name) => total + statSync(join(directory, name)).size, 0);
}

/** The most memory that the process ever had, as the kernel counts it. */
function peakMiB(): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
  return line === null ? 0 : Math.round(Number(line[1]) / 1024);
}

async function loadPhase(directory: string): Promise<Record<string, unknown>> {
  const tuning = options();
  const { engine, close } = await openStore(directory, tuning);
  const { latency, rssSamples, peaks, seconds } = await load(engine, 0, keyCount);
  const spaceDuring = directoryBytes(join(directory, "engine"));
  const settleMs = performance.now();
  await engine.flush();
  await engine.settle();
  const payload = keyCount * (keyBytes + valueBytes);
  const written = metric(engine, "lsm_flushed_bytes_total") + metric(engine, "lsm_compaction_written_bytes_total");
  const millis = (percent: number) => Number((latency.percentile(percent) / 1000).toFixed(3));
  const inForce = engine.tuning;
  const memtables = (1 + inForce.immutableMemtablesMax) * inForce.memtableBytes;
  const budget = inForce.memoryBudgetBytes || inForce.blockCacheBytes + memtables;
  const levels = engine.metrics().flatMap((one) =>
    one.name === "lsm_level_bytes" && one.kind !== "histogram" ? [Math.round(one.value / mebibyte)] : [],
  );
  const figures = {
    keys: keyCount,
    seconds: Number(seconds.toFixed(1)),
    putsPerSecond: Math.round(keyCount / seconds),
    settleSeconds: Number(((performance.now() - settleMs) / 1000).toFixed(1)),
    putMs: { p50: millis(50), p99: millis(99), p999: millis(99.9), p9999: millis(99.99), max: millis(100) },
    rssMiB: { peak: peakMiB(), sampled: Math.round(Math.max(...rssSamples) / mebibyte) },
    peaks,
    budgetMiB: Math.round(budget / mebibyte),
    memoryMiB: Object.fromEntries(
      engine.metrics().flatMap((one) =>
        one.name === "lsm_memory_bytes" && one.kind !== "histogram"
          ? [[one.labels?.component ?? "", Math.round(one.value / mebibyte)]]
          : [],
      ),
    ),
    stalls: metric(engine, "lsm_stalls_total"),
    stallSeconds: Number(metric(engine, "lsm_stall_seconds_total").toFixed(2)),
    slowdowns: metric(engine, "lsm_slowdowns_total"),
    slowdownSeconds: Number(metric(engine, "lsm_slowdown_seconds_total").toFixed(2)),
    writeAmplification: Number((written / payload).toFixed(2)),
    spaceAmplification: Number((directoryBytes(join(directory, "engine")) / payload).toFixed(3)),
    spaceAmplificationWhileLoading: Number((spaceDuring / payload).toFixed(3)),
    levelsMiB: levels,
  };
  await close();
  return figures;
}

/** Fills the log and then waits to be killed: memtables are so large that nothing is flushed. */
async function fillLogPhase(directory: string): Promise<Record<string, unknown>> {
  const { engine } = await openStore(directory, { ...options(), memtableBytes: 2 ** 30 });
  await load(engine, 0, replayKeys);
  const key = writeKey(new Uint8Array(keyBytes), replayKeys);
  await engine.write(new WriteBatch().put(key, new Uint8Array(valueBytes)), { sync: true });
  return { durableIndex: engine.durableIndex };
}

async function reopenPhase(directory: string): Promise<Record<string, unknown>> {
  const startMs = performance.now();
  const { engine, close } = await openStore(directory, options());
  const seconds = Number(((performance.now() - startMs) / 1000).toFixed(2));
  const key = new Uint8Array(keyBytes);
  for (let id = 0; id <= replayKeys; id += 997) {
    if (engine.getSync(writeKey(key, id)) === undefined) throw new Error(`key ${id} is lost`);
  }
  await close();
  return { keysInLog: replayKeys, openSeconds: seconds, peakMiB: peakMiB() };
}

async function getsPhase(directory: string): Promise<Record<string, unknown>> {
  const { engine, close } = await openStore(directory, options());
  if (engine.appliedIndex === 0) {
    await load(engine, 0, keyCount);
    await engine.flush();
    await engine.settle();
  }
  const key = new Uint8Array(keyBytes);
  const round = (seed: number, count: number): number => {
    const startMs = performance.now();
    for (let i = 0; i < count; i++) engine.getSync(writeKey(key, scramble(i + seed) % keyCount));
    return ((performance.now() - startMs) * 1000) / count;
  };
  round(1, 200_000);
  const rounds = [1, 2, 3, 4, 5].map((seed) => round(seed * 1_000_003, 100_000)).sort((a, b) => a - b);
  const runs = metric(engine, "lsm_runs_touched_total") / metric(engine, "lsm_point_reads_total");
  await close();
  const us = (at: number) => Number(rounds[at].toFixed(2));
  return { keys: keyCount, getUs: us(2), low: us(0), high: us(4), runsPerGet: Number(runs.toFixed(2)) };
}

/** Runs a phase in a process of its own; `kill` ends it with SIGKILL as soon as it has answered. */
async function inChild(phase: string, store: string, keys: number, kill = false): Promise<Figures> {
  const settings = values.set.flatMap((text) => ["--set", text]);
  const flags = ["--phase", phase, "--store", store, "--keys", String(keys), "--batch", String(batchSize), ...settings];
  // Without it every thread keeps the compiler that strips types from the sources in memory, 20 MiB each.
  const env = { NODE_COMPILE_CACHE: join(tmpdir(), "lathe-load-bench-code"), ...process.env };
  const child = spawn(process.execPath, [import.meta.filename, ...flags], { env, stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.on("exit", resolve));
  try {
    for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line) as Figures;
    throw new Error(`the phase ${phase} ended without an answer`);
  } finally {
    if (kill) child.kill("SIGKILL");
    await exited;
  }
}

/** Cost of a get in stores of 10^4 keys and more, the loaded one last. */
async function curve(storeOf: (name: string) => string): Promise<Figures[]> {
  const points: Figures[] = [];
  for (let keys = 10_000; keys < keyCount; keys *= 10) {
    points.push(await inChild("gets", storeOf(String(keys)), keys));
  }
  points.push(await inChild("gets", storeOf("main"), keyCount));
  console.log("      keys   us per get        low       high  runs per get");
  for (const { keys, getUs, low, high, runsPerGet } of points) {
    const row = [getUs, low, high, runsPerGet].map((one) => String(one).padStart(10));
    console.log(`${String(keys).padStart(10)} ${row.join(" ")}`);
  }
  return points;
}

async function main(): Promise<void> {
  const root = mkdtempSync(join(values.directory ?? tmpdir(), "lathe-load-bench-"));
  const loadAverageBefore = loadavg()[0];
  try {
    const storeOf = (name: string) => {
      const directory = join(root, name);
      mkdirSync(directory, { recursive: true });
      return directory;
    };
    const record: { -readonly [Name in keyof LoadRecord]: LoadRecord[Name] } = {
      loadAverage: [loadAverageBefore, loadAverageBefore],
    };
    // Written after every phase: what was measured stays where a later phase is ended from outside.
    const note = () => {
      record.loadAverage = [loadAverageBefore, loadavg()[0]];
      if (values.record !== undefined) writeRecord(values.record, record);
    };
    // Fills the cache of compiled code: flushes and compactions run in it, too.
    await inChild("load", storeOf("first"), Math.min(keyCount, firstKeys));
    rmSync(storeOf("first"), { recursive: true });
    record.load = await inChild("load", storeOf("main"), keyCount);
    console.log("load", JSON.stringify(record.load, null, 1));
    note();
    if (!values["skip-reopen"]) {
      await inChild("fill-log", storeOf("killed"), keyCount, true);
      record.reopen = await inChild("reopen", storeOf("killed"), keyCount);
      console.log("reopen", JSON.stringify(record.reopen));
      rmSync(storeOf("killed"), { recursive: true });
      note();
    }
    if (!values["skip-curve"]) {
      record.curve = await curve(storeOf);
      note();
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const phases: Readonly<Record<string, (directory: string) => Promise<Record<string, unknown>>>> = {
  load: loadPhase,
  "fill-log": fillLogPhase,
  reopen: reopenPhase,
  gets: getsPhase,
};
if (values.phase === undefined) await main();
else {
  // As products do.
  boundYoungGeneration();
  // Timers and threads of the engine keep no process alive; and one that is to be killed must wait for it.
  setInterval(() => undefined, 2 ** 30);
  console.log(JSON.stringify(await phases[values.phase](values.store ?? ".")));
  if (values.phase !== "fill-log") process.exit(0);
}
