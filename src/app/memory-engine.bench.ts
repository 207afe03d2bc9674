/**
 * The engine in memory beside the LSM engine, which has everything in its block cache, by turns:
 * `node src/app/memory-engine.bench.ts [--keys 200000] [--launches 5] [--directory DIR] [--record DIR]`; with --record
 * it writes memory-engine.json and memory-engine.md there.
 *
 * A launch is a process per engine, in an order drawn by coin. Each does the same: load all keys in random order in
 * batches of 100, get random ones, overwrite random ones one by one, scan all, close, open again. A ratio is of one
 * launch; what is told is their median with the smallest and the largest. Latencies of single overwrites are those of
 * the worst launch: a snapshot in memory, a flush or a compaction in the LSM engine fall on some of them.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SeededRandom } from "../bench/statistics/seeded-random.ts";
import { createNodeEnv } from "../kit/env/node-env.ts";
import { describeMachine, machineText } from "../kit/machine.ts";
import type { StorageEngine } from "../parts/storage/engine.ts";
import { openMemoryEngine } from "../parts/storage/storage_model/memory/memory-engine.ts";
import { openBlackboardEngine } from "../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { WriteBatch } from "../parts/storage/write-batch.ts";

const { values } = parseArgs({
  options: {
    keys: { type: "string", default: "200000" },
    launches: { type: "string", default: "5" },
    directory: { type: "string", default: tmpdir() },
    record: { type: "string" },
    /** Of the processes that it starts: which engine to drive. */
    side: { type: "string" },
  },
});
const keys = Number(values.keys);
const launches = Number(values.launches);
const valueBytes = 128;

/** Operations per second, milliseconds of `open`, and percentiles of single overwrites in microseconds. */
interface Figures {
  readonly load: number;
  readonly get: number;
  readonly overwrite: number;
  readonly scan: number;
  readonly openMs: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

function keyOf(id: number, key = new Uint8Array(16)): Uint8Array {
  const view = new DataView(key.buffer, key.byteOffset);
  view.setUint32(0, 7);
  // A bijection of 32-bit integers: keys come in random order without repetition.
  view.setUint32(8, Math.imul(id, 0x9e3779b1) >>> 0);
  view.setUint32(12, id);
  return key;
}

const openers: Readonly<Record<string, (directory: string) => Promise<StorageEngine>>> = {
  memory: (directory) => openMemoryEngine(createNodeEnv({ logLevel: "warn" }), { directory, bytesMax: 2 ** 30 }),
  lsm: (directory) => {
    return openBlackboardEngine(createNodeEnv({ logLevel: "warn" }), { directory, blockCacheBytes: 2 ** 29 });
  },
};

async function applied(engine: StorageEngine, batch: WriteBatch, index: number): Promise<void> {
  for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
  engine.applySync(batch, index);
}

/** Operations per second of `run`. */
async function rate(operations: number, run: () => void | Promise<void>): Promise<number> {
  const from = performance.now();
  await run();
  return operations / ((performance.now() - from) / 1000);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function drive(side: string, directory: string): Promise<Figures> {
  let engine = await openers[side](directory);
  const random = new SeededRandom(1);
  const batch = new WriteBatch();
  const value = new Uint8Array(valueBytes);
  for (let at = 0; at < valueBytes; at++) value[at] = random.integer(256);
  const load = await rate(keys, async () => {
    for (let id = 0; id < keys; id += 100) {
      batch.clear();
      for (let i = id; i < Math.min(keys, id + 100); i++) batch.put(keyOf(i), value);
      await applied(engine, batch, engine.appliedIndex + 1);
      if (id % 10_000 === 0) await turn();
    }
  });
  await engine.settle();
  const asked = Array.from({ length: keys }, () => keyOf(random.integer(keys)));
  const get = await rate(keys * 3, () => {
    for (let round = 0; round < 3; round++) {
      for (const key of asked) if (engine.getSync(key)?.length !== valueBytes) throw new Error("a key is missing");
    }
  });
  const took = new Float64Array(keys);
  const overwrite = await rate(keys, async () => {
    for (let i = 0; i < keys; i++) {
      batch.clear();
      batch.put(asked[i], value);
      const from = performance.now();
      await applied(engine, batch, engine.appliedIndex + 1);
      took[i] = (performance.now() - from) * 1000;
      if (i % 1000 === 0) await turn();
    }
  });
  await engine.settle();
  const scan = await rate(keys, () => {
    const cursor = engine.scan({});
    let rows = 0;
    while (cursor.next()) rows++;
    cursor.close();
    if (rows !== keys) throw new Error(`${rows} rows were scanned, not ${keys}`);
  });
  // There is no log: what is not in a snapshot or a table would be gone.
  await engine.flush();
  await engine.close();
  const from = performance.now();
  engine = await openers[side](directory);
  const openMs = performance.now() - from;
  if (engine.getSync(keyOf(1)) === undefined) throw new Error("a key is missing after reopening");
  await engine.close();
  took.sort();
  const at = (share: number) => took[Math.min(keys - 1, Math.floor(keys * share))];
  return { load, get, overwrite, scan, openMs, p99Us: at(0.99), p999Us: at(0.999), maxUs: took[keys - 1] };
}

function launch(side: string): Figures {
  const directory = mkdtempSync(join(values.directory, "lathe-memory-bench-"));
  try {
    const args = [import.meta.filename, "--side", side, "--keys", String(keys), "--directory", directory];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`${side} ended with ${status}: ${stderr}`);
    return JSON.parse(stdout) as Figures;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function spread(ratios: readonly number[]): string {
  const sorted = ratios.toSorted((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return `${middle.toFixed(2)} (${sorted[0].toFixed(2)}–${sorted[sorted.length - 1].toFixed(2)})`;
}

function table(memory: readonly Figures[], lsm: readonly Figures[]): string {
  const ratio = (of: (figures: Figures) => number) => spread(memory.map((one, at) => of(one) / of(lsm[at])));
  const worst = (side: readonly Figures[], of: (figures: Figures) => number) => Math.max(...side.map(of)).toFixed(0);
  const rates = (["load", "get", "overwrite", "scan"] as const).map((name) => {
    const perSecond = (side: readonly Figures[]) => {
      const sorted = side.map((one) => one[name]).toSorted((one, other) => one - other);
      return Math.round(sorted[Math.floor(sorted.length / 2)]).toLocaleString("en");
    };
    return `| ${name}, per second | ${perSecond(memory)} | ${perSecond(lsm)} | ${ratio((one) => one[name])} |`;
  });
  const latencies = (["p99Us", "p999Us", "maxUs"] as const).map((name) => {
    const title = { p99Us: "p99", p999Us: "p99.9", maxUs: "largest" }[name];
    const [ours, theirs] = [worst(memory, (one) => one[name]), worst(lsm, (one) => one[name])];
    return `| one overwrite, ${title} of the worst launch, µs | ${ours} | ${theirs} | |`;
  });
  const openMs = (one: Figures) => one.openMs;
  const open = `| opening, ms, largest | ${worst(memory, openMs)} | ${worst(lsm, openMs)} | ${ratio(openMs)} |`;
  const head = ["| what | in memory | LSM | ratio, median (smallest–largest) |", "|---|--:|--:|--:|"];
  return [...head, ...rates, ...latencies, open].join("\n");
}

function main(): void {
  const coin = new SeededRandom(launches);
  const [memory, lsm]: [Figures[], Figures[]] = [[], []];
  for (let at = 0; at < launches; at++) {
    const order = coin.integer(2) === 0 ? ["memory", "lsm"] : ["lsm", "memory"];
    for (const side of order) (side === "memory" ? memory : lsm).push(launch(side));
    console.error(`launch ${at + 1} of ${launches}`);
  }
  const text = table(memory, lsm);
  console.log(text);
  if (values.record === undefined) return;
  mkdirSync(values.record, { recursive: true });
  const machine = describeMachine();
  const json = { keys, valueBytes, launches, machine, memory, lsm };
  writeFileSync(join(values.record, "memory-engine.json"), `${JSON.stringify(json, undefined, 1)}\n`);
  const about = `${launches} launches of ${keys.toLocaleString("en")} keys of 16 bytes with values of ${valueBytes}, ` +
    `both without a log before them, on ${machineText(machine)}. ` +
    "Made by `node src/app/memory-engine.bench.ts --record examples/bars`.";
  const page = `# The engine in memory beside the LSM engine\n\n${text}\n\n${about}\n`;
  writeFileSync(join(values.record, "memory-engine.md"), page);
}

if (values.side === undefined) main();
else {
  console.log(JSON.stringify(await drive(values.side, join(values.directory, "store"))));
  process.exit(0);
}
