/**
 * One engine of the side-by-side bench in a process of its own. It answers requests of its parent one by one:
 * load a store, open it, run a test for one round. What it measures is its own clock and CPU time around the calls.
 */
import { mkdirSync, rmSync } from "node:fs";
import { type BenchEngine, type EngineName, openEngine } from "./adapters.bench.ts";
import { keyBytes, keyOf, randomFrom, shuffled, valueBytes, valueOf } from "./dataset.bench.ts";

export type TestName = "get" | "getLent" | "batches" | "scan" | "writers";

export type Request =
  | { do: "load"; engine: EngineName; directory: string; peers: string; keys: number }
  | { do: "open"; engine: EngineName; directory: string; peers: string; cacheBytes: number; keys: number }
  | { do: "run"; test: TestName; round: number }
  | { do: "batches"; engine: EngineName; directory: string; peers: string; keys: number; round: number }
  | { do: "close" };

export interface Sample {
  readonly operations: number;
  readonly seconds: number;
  readonly cpuUsPerOperation: number;
  readonly note?: string;
}

const batchSize = 1000;
const loadCacheBytes = 32 << 20;
const getKeys = 200_000;
const getPasses = 2;
const writerCount = 64;
const writersMs = 1500;
const stepsMax = 6;
/** Sorted runs of ours that the reads must have to deal with. */
export const runsMin = 3;

let engine: BenchEngine | undefined;
let keyCount = 0;

async function load({ engine: name, directory, peers, keys }: Extract<Request, { do: "load" }>): Promise<string> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const store = await openEngine(name, { directory, cacheBytes: loadCacheBytes, unsynced: true, peers });
  const ids = shuffled(keys, 1);
  await fill(store, ids, 0);
  await store.settle(true);
  // Overwrites, flushed in three steps, make three more runs; where that made a compaction due, some more follow.
  const again = shuffled(keys, 2);
  const step = Math.ceil(keys / 50);
  for (let i = 0; i < 3 || (i < stepsMax && (store.runs?.() ?? runsMin) < runsMin); i++) {
    await fill(store, again.subarray(i * step, (i + 1) * step), 1 + i);
    await store.settle(true);
  }
  // What comes last stays in memory.
  await fill(store, again.subarray(stepsMax * step, (stepsMax + 1) * step), 4);
  const shape = store.shape();
  await store.close();
  return shape;
}

async function fill(store: BenchEngine, ids: Uint32Array, generation: number): Promise<void> {
  for (let at = 0; at < ids.length; at += batchSize) {
    const some = Array.from(ids.subarray(at, at + batchSize));
    await store.writeBatch(some.map((id) => ({ key: keyOf(id), value: valueOf(id, generation) })));
  }
}

async function measured(operations: number, run: () => Promise<void> | void): Promise<Sample> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  return { operations, seconds, cpuUsPerOperation: (used.user + used.system) / operations };
}

let getKeySet: Buffer[] = [];

async function runGets(store: BenchEngine, lent: boolean): Promise<Sample> {
  if (getKeySet.length === 0) {
    const random = randomFrom(5);
    const bytes = Buffer.alloc(getKeys * keyBytes);
    getKeySet = Array.from({ length: getKeys }, (_, i) => {
      keyOf(random() % keyCount).copy(bytes, i * keyBytes);
      return bytes.subarray(i * keyBytes, (i + 1) * keyBytes);
    });
    for (const key of getKeySet) {
      const value = store.getSync(key);
      if (value === undefined || Buffer.from(value).readUInt32LE(0) !== Number(key.toString())) {
        throw new Error(`wrong value of ${key}`);
      }
    }
    // Everything into the block cache, whatever its size.
    for (let id = 0; id < keyCount; id++) store.getSync(keyOf(id));
  }
  const get = lent ? (key: Buffer) => store.getLent?.(key) : (key: Buffer) => store.getSync(key);
  let bytes = 0;
  const pass = () => {
    for (let i = 0; i < getKeySet.length; i++) bytes += get(getKeySet[i])?.length ?? 0;
  };
  pass();
  bytes = 0;
  const sample = await measured(getKeys * getPasses, () => {
    for (let i = 0; i < getPasses; i++) pass();
  });
  if (bytes !== getKeys * getPasses * valueBytes) throw new Error(`${bytes} bytes got`);
  return sample;
}

async function runScan(store: BenchEngine): Promise<Sample> {
  let bytes = 0;
  const sample = await measured(keyCount, async () => {
    bytes = await store.scan();
  });
  if (bytes !== keyCount * (keyBytes + valueBytes)) throw new Error(`${bytes} bytes scanned`);
  return sample;
}

async function runWriters(store: BenchEngine, round: number): Promise<Sample> {
  const random = randomFrom(round + 77);
  let count = 0;
  const end = performance.now() + writersMs;
  const writer = async () => {
    while (performance.now() < end) {
      const id = random() % keyCount;
      await store.putDurable(keyOf(id), valueOf(id, round));
      count++;
    }
  };
  const sample = await measured(1, async () => {
    await Promise.all(Array.from({ length: writerCount }, writer));
  });
  return { ...sample, operations: count, cpuUsPerOperation: sample.cpuUsPerOperation / count };
}

/** Fills a fresh store; what the background still has to do afterwards is not counted, for nobody. */
async function runBatches(request: Extract<Request, { do: "batches" }>): Promise<Sample> {
  const { engine: name, directory, peers, keys, round } = request;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const store = await openEngine(name, { directory, cacheBytes: loadCacheBytes, unsynced: true, peers });
  const ids = shuffled(keys, 100 + round);
  const batches = Array.from({ length: Math.ceil(keys / batchSize) }, (_, i) =>
    Array.from(ids.subarray(i * batchSize, (i + 1) * batchSize), (id) => ({ key: keyOf(id), value: valueOf(id, 0) })),
  );
  const sample = await measured(keys, async () => {
    for (const batch of batches) await store.writeBatch(batch);
  });
  const start = performance.now();
  await store.settle(false);
  const note = `settled after ${Math.round(performance.now() - start)} ms`;
  await store.close();
  rmSync(directory, { recursive: true, force: true });
  return { ...sample, note };
}

async function answer(request: Request): Promise<unknown> {
  switch (request.do) {
    case "load":
      return load(request);
    case "open": {
      await engine?.close();
      getKeySet = [];
      keyCount = request.keys;
      engine = await openEngine(request.engine, { ...request, unsynced: false });
      return { settings: engine.settings, shape: engine.shape(), lends: engine.getLent !== undefined };
    }
    case "run": {
      if (engine === undefined) throw new Error("no store is open");
      if (request.test === "scan") return runScan(engine);
      if (request.test === "writers") return runWriters(engine, request.round);
      return runGets(engine, request.test === "getLent");
    }
    case "batches":
      return runBatches(request);
    case "close":
      await engine?.close();
      engine = undefined;
      return undefined;
  }
}

if (process.send !== undefined) process.on("message", (request: Request) => {
  answer(request).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
