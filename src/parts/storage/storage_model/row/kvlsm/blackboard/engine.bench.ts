/**
 * What the engine does per second on this machine: `node engine.bench.ts [keys]` (1,000,000 by default).
 * 16-byte keys in random order, 128-byte incompressible values; one process, one owner thread. The last column is the
 * CPU time of the whole process per operation, which other work on the machine disturbs less than the rate.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeEnv } from "../../../../../../kit/env/node-env.ts";
import type { StorageEngine } from "../../../../engine.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { openBlackboardEngine } from "./blackboard-engine.ts";
import type { BlackboardOptions } from "./options.ts";

const count = Number(process.argv[2] ?? 1_000_000);
const batchSize = 100;

/** A bijection of 32-bit integers, so that keys come in random order without repetition. */
function scramble(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (x ^ (x >>> 16)) >>> 0;
}

function keyOf(id: number): Uint8Array {
  const key = new Uint8Array(16);
  const view = new DataView(key.buffer);
  view.setUint32(0, 7);
  view.setUint32(8, scramble(id));
  view.setUint32(12, id);
  return key;
}

interface Start {
  readonly ms: number;
  readonly cpu: NodeJS.CpuUsage;
}

function start(): Start {
  return { ms: performance.now(), cpu: process.cpuUsage() };
}

function print(name: string, operations: number, { ms, cpu }: Start): void {
  const seconds = (performance.now() - ms) / 1000;
  const used = process.cpuUsage(cpu);
  const rate = Math.round(operations / seconds).toLocaleString("en");
  const cpuUs = ((used.user + used.system) / operations).toFixed(2);
  console.log(`${name.padEnd(44)} ${rate.padStart(12)} /s ${cpuUs.padStart(8)} us CPU`);
}

function timed(name: string, operations: number, run: () => void): void {
  const began = start();
  run();
  print(name, operations, began);
}

function value(engine: StorageEngine, name: string): number {
  return engine
    .metrics()
    .filter((metric) => metric.name === name)
    .reduce((total, metric) => total + (metric.kind === "histogram" ? 0 : metric.value), 0);
}

async function fill(engine: StorageEngine): Promise<void> {
  const payload = new Uint8Array(128);
  crypto.getRandomValues(payload);
  const batch = new WriteBatch(batchSize * 160);
  let index = engine.appliedIndex;
  const began = start();
  for (let id = 0; id < count; id += batchSize) {
    batch.clear();
    for (let i = id; i < id + batchSize; i++) {
      payload[i & 127] = i;
      batch.put(keyOf(i), payload);
    }
    for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
    engine.applySync(batch, ++index);
    if (id % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  print(`fill random, batches of ${batchSize}`, count, began);
}

function reads(engine: StorageEngine, name: string, idOf: (i: number) => number): void {
  const keys: Uint8Array[] = [];
  const bytes = new Uint8Array(200_000 * 16);
  for (let i = 0; i < 200_000; i++) {
    const key = bytes.subarray(i * 16, i * 16 + 16);
    key.set(keyOf(idOf(i)));
    keys.push(key);
  }
  const rounds = 3;
  for (let i = 0; i < keys.length; i++) engine.getSync(keys[i]);
  let found = 0;
  timed(name, keys.length * rounds, () => {
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < keys.length; i++) if (engine.getSync(keys[i]) !== undefined) found++;
    }
  });
  if (found !== 0 && found !== keys.length * rounds) throw new Error(`${found} found`);
}

function scans(engine: StorageEngine, reverse: boolean): void {
  let entries = 0;
  timed(`scan all${reverse ? ", backwards" : ""}`, count, () => {
    const cursor = engine.scan({ reverse });
    while (cursor.next()) entries += cursor.key.length + cursor.value.length;
    cursor.close();
  });
  if (entries !== count * 144) throw new Error(`${entries} bytes scanned`);
  timed(`short scan of 10${reverse ? ", backwards" : ""} (per scan)`, 20_000, () => {
    for (let i = 0; i < 20_000; i++) {
      const bound = keyOf(scramble(i) % count);
      const cursor = engine.scan(reverse ? { lt: bound, reverse } : { gte: bound });
      for (let n = 0; n < 10; n++) cursor.next();
      cursor.close();
    }
  });
}

async function run(options: Omit<BlackboardOptions, "directory">, title: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "lathe-lsm-bench-"));
  const env = createNodeEnv({ logLevel: "warn" });
  console.log(`\n${title}, ${count} keys`);
  try {
    let engine = await openBlackboardEngine(env, { directory, ...options });
    await fill(engine);
    const random = (i: number) => scramble(i + 1) % count;
    const last = Math.min(50_000, count);
    reads(engine, "getSync, in the memtable", (i) => count - 1 - (scramble(i) % Math.min(last, 30_000)));
    await engine.flush();
    const settleStart = performance.now();
    await engine.settle();
    console.log(`settled after ${Math.round(performance.now() - settleStart)} ms`);
    reads(engine, "getSync, random", random);
    reads(engine, "getSync, random, hot tenth", (i) => scramble(i + 1) % Math.ceil(count / 10));
    reads(engine, "getSync, absent", (i) => count + i);
    scans(engine, false);
    scans(engine, true);
    const compactStart = performance.now();
    await engine.compactAll();
    console.log(`compactAll took ${Math.round(performance.now() - compactStart)} ms`);
    reads(engine, "getSync, random, after compactAll", random);
    const awaitStart = start();
    for (let i = 0; i < 100_000; i++) await engine.get(keyOf(random(i)));
    print("await get, random", 100_000, awaitStart);
    for (const name of [
      "lsm_write_amplification",
      "lsm_stall_seconds_total",
      "lsm_stalls_total",
      "lsm_slowdowns_total",
    ]) {
      console.log(`${name} ${value(engine, name)}`);
    }
    await engine.close();
    const openStart = performance.now();
    engine = await openBlackboardEngine(env, { directory, ...options });
    console.log(
      `open took ${Math.round(performance.now() - openStart)} ms; rss ${process.memoryUsage.rss() >> 20} MiB`,
    );
    await engine.close();
  } finally {
    await env.threads.close();
    rmSync(directory, { recursive: true });
  }
}

await run({ blockCacheBytes: 1 << 29 }, "all blocks fit the cache");
await run({}, "defaults");
