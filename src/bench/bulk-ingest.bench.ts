/**
 * The seed's workload against our engine, in process: `node src/bench/bulk-ingest.bench.ts [--sizes 100,1000,…]
 * [--repeats 5] [--trees now=DIR,before=DIR] [--peers rocksdb,classic-level] [--peers-in DIR] [--rows 1000]
 * [--directory DIR] [--json FILE] [--markdown FILE]`.
 *
 * `--trees` compares the parts of several source trees of Lathe side by side: medians of the pairs' ratios to the first.
 *
 * `--peers` adds native bindings (`bulk-peers.bench.ts`), installed in `--peers-in`.
 *
 * Steps per size and repeat, in a fresh directory on a disk, trees taking turns:
 *   open    the engine on an empty directory
 *   write   records (a row and two index entries each, `workload/bulk_ingest`) encoded and applied in batches of `--rows`
 *   flush   everything applied goes to table files, which are synced, as is the manifest: durable without any log
 *   sync    the directory itself; durable index equals applied index is asserted here
 *   close
 * Then, not timed with them: open again, every record read by key, both indexes walked and counted, and `read`: every
 * entitlement in pages of 100 rows through the index. A wrong count or row fails the run.
 * The engine has no log here, as in the seed, whose batches are unsynced until the end of the sync.
 */
import assert from "node:assert/strict";
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { isInMemory } from "../fleet/work-directory.ts";
import { createNodeEnv } from "../kit/env/node-env.ts";
import { describeMachine, machineText } from "../kit/machine.ts";
import type { Table } from "../parts/architecture/catalog/table.ts";
import type { SecondaryIndexes } from "../parts/indexing/secondary-indexes.ts";
import type { StorageEngine } from "../parts/storage/engine.ts";
import type { RowLayout } from "../parts/storage/layout/row-layout.ts";
import type { WriteBatch } from "../parts/storage/write-batch.ts";
import { grantsTable } from "../workload/bulk_ingest/bulk-workload.ts";
import { entitlementId, grantPools, grantRow } from "../workload/bulk_ingest/grant-record.ts";
import { peerVersions } from "../parts/storage/storage_model/row/kvlsm/blackboard/peers/record.bench.ts";
import { ingestIntoPeer, loadPeers, type PeerName } from "./bulk-peers.bench.ts";

const { values: flags } = parseArgs({
  options: {
    sizes: { type: "string", default: "100,1000,10000,100000,1000000" },
    repeats: { type: "string", default: "5" },
    trees: { type: "string", default: `lathe=${join(import.meta.dirname, "..", "..")}` },
    rows: { type: "string", default: "1000" },
    directory: { type: "string", default: tmpdir() },
    peers: { type: "string", default: "" },
    "peers-in": { type: "string", default: ".lathe/peers" },
    json: { type: "string" },
    markdown: { type: "string" },
  },
});

const ordinalOf = (name: string) => grantsTable.columns.findIndex((column) => column.name === name);
const table: Table = {
  id: 1,
  name: grantsTable.name,
  columns: grantsTable.columns,
  primaryKey: grantsTable.primaryKey.map(ordinalOf),
  indexes: (grantsTable.indexes ?? []).map(({ name, columns }, i) => ({ id: 2 + i, name, columns: columns.map(ordinalOf) })),
};
const phases = ["open", "write", "flush", "sync", "close", "total", "read"] as const;
type Times = Record<(typeof phases)[number], number>;

const env = createNodeEnv({ logLevel: "error" });

/** The parts of one source tree. */
interface Parts {
  readonly kvSecondary: SecondaryIndexes;
  readonly rowToKv: RowLayout;
  readonly Batch: new (capacityBytes: number) => WriteBatch;
  open(directory: string): Promise<StorageEngine>;
}

async function loadParts(tree: string): Promise<Parts> {
  const parts = join(tree, "src", "parts");
  const load = (path: string) => import(pathToFileURL(join(parts, path)).href) as Promise<Record<string, never>>;
  const { kvSecondary } = await load("indexing/equality/kv_secondary/kv-secondary.ts");
  const { rowToKv } = await load("storage/layout/row_to_kv/row-to-kv.ts");
  const { WriteBatch: Batch } = await load("storage/write-batch.ts");
  const engine = await load("storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts");
  const openEngine = engine.openBlackboardEngine as (env: unknown, options: unknown) => Promise<StorageEngine>;
  return { kvSecondary, rowToKv, Batch, open: (directory) => openEngine(env, { directory }) };
}

/** As the product does: rows in order, then the entries of their indexes. */
function* batchesOf({ kvSecondary, rowToKv, Batch }: Parts, records: number): Iterable<WriteBatch> {
  const rows = Number(flags.rows);
  const pools = grantPools(records);
  const writes = kvSecondary.createWrites(rowToKv);
  const batch = new Batch(rows * 600);
  for (let from = 0; from < records; from += rows) {
    batch.clear();
    writes.begin();
    for (let number = from; number < Math.min(from + rows, records); number++) {
      const row = grantRow(number, pools);
      const key = rowToKv.encodeKey(table, [row[0]]);
      batch.put(key, rowToKv.encodeValue(table, row));
      writes.inserted(table, key, row);
    }
    writes.addTo(batch);
    yield batch;
  }
}

async function write(parts: Parts, engine: StorageEngine, records: number): Promise<void> {
  for (const batch of batchesOf(parts, records)) {
    for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
    engine.applySync(batch, engine.appliedIndex + 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function once(parts: Parts, records: number): Promise<Times> {
  const root = mkdtempSync(join(flags.directory, "lathe-bulk-"));
  const directory = join(root, "engine");
  mkdirSync(directory);
  try {
    const times = { open: 0, write: 0, flush: 0, sync: 0, close: 0, total: 0, read: 0 };
    const timed = async <Result>(phase: keyof Times, run: () => Promise<Result>): Promise<Result> => {
      const began = performance.now();
      const result = await run();
      times[phase] += performance.now() - began;
      return result;
    };
    const engine = await timed("open", () => parts.open(directory));
    await timed("write", () => write(parts, engine, records));
    await timed("flush", () => engine.flush());
    await timed("sync", async () => {
      const handle = openSync(directory, "r");
      fsyncSync(handle);
      closeSync(handle);
      assert.equal(engine.durableIndex, engine.appliedIndex);
    });
    await timed("close", () => engine.close());
    times.total = times.open + times.write + times.flush + times.sync + times.close;
    const again = await parts.open(directory);
    verify(parts, again, records);
    await timed("read", async () => readPages(parts, again, records));
    await again.close();
    return times;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function verify({ rowToKv }: Parts, engine: StorageEngine, records: number): void {
  const pools = grantPools(records);
  for (let number = 0; number < records; number++) {
    const row = grantRow(number, pools);
    const value = engine.getSync(rowToKv.encodeKey(table, [row[0]]));
    assert.ok(value !== undefined, `record ${number} is gone`);
    assert.equal(Buffer.compare(value, rowToKv.encodeValue(table, row)), 0, `record ${number} differs`);
  }
  for (const { id } of table.indexes ?? []) {
    const prefix = rowToKv.encodeKey({ ...table, id }, []);
    const cursor = engine.scan({ gte: prefix, lt: rowToKv.prefixEnd(prefix) });
    let entries = 0;
    while (cursor.next()) entries++;
    cursor.close();
    assert.equal(entries, records, `entries of index ${id}`);
  }
}

/** Every entitlement in pages of 100 rows: entries by the index, rows by their keys. */
function readPages({ kvSecondary, rowToKv }: Parts, engine: StorageEngine, records: number): void {
  const [index] = table.indexes ?? [];
  const entries = kvSecondary.entriesOf(table, index);
  const rowKey = new Uint8Array(256);
  const { entitlements } = grantPools(records);
  let rows = 0;
  for (let entitlement = 0; entitlement < entitlements; entitlement++) {
    const prefix = rowToKv.encodeKey(entries, [entitlementId(entitlement)]);
    const lt = rowToKv.prefixEnd(prefix);
    for (let gte = prefix, inPage = 100; inPage === 100; ) {
      const cursor = engine.scan({ gte, lt });
      inPage = 0;
      while (inPage < 100 && cursor.next()) {
        const length = kvSecondary.writeRowKey(rowToKv, table, index, cursor.key, rowKey);
        if (++inPage === 100) gte = rowToKv.prefixEnd(cursor.key);
        assert.ok(engine.getSync(rowKey.subarray(0, length)) !== undefined);
        rows++;
      }
      cursor.close();
    }
  }
  assert.equal(rows, records);
}

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted[sorted.length - 1] };
}

function shownSpread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** One column of the comparison: a tree's parts, or a binding. */
interface Side {
  readonly name: string;
  once(records: number): Promise<Times>;
}

async function sidesOf(): Promise<Side[]> {
  const trees = flags.trees.split(",").map((each) => each.split("="));
  const sides: Side[] = [];
  let first: Parts | undefined;
  for (const [name, path] of trees) {
    const parts = await loadParts(path);
    first ??= parts;
    sides.push({ name, once: (records) => once(parts, records) });
  }
  for (const name of peerNames()) sides.push(await peerSide(name, first as Parts));
  return sides;
}

function peerNames(): PeerName[] {
  return flags.peers.split(",").filter((name) => name !== "") as PeerName[];
}

async function peerSide(name: PeerName, parts: Parts): Promise<Side> {
  const open = await loadPeers(join(import.meta.dirname, "..", ".."));
  const peers = resolve(flags["peers-in"]);
  const expected = function* (records: number) {
    const pools = grantPools(records);
    for (let number = 0; number < records; number++) {
      const row = grantRow(number, pools);
      yield { key: parts.rowToKv.encodeKey(table, [row[0]]), value: parts.rowToKv.encodeValue(table, row) };
    }
  };
  return {
    name,
    async once(records) {
      const directory = mkdtempSync(join(flags.directory, "lathe-bulk-"));
      try {
        const batches = () => batchesOf(parts, records);
        const times = await ingestIntoPeer({ open, name, directory, peers, batches, expected: () => expected(records) });
        const total = times.open + times.write + times.flush + times.sync + times.close;
        return { ...times, total, read: Number.NaN };
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
  };
}

interface Result {
  readonly records: number;
  readonly side: string;
  readonly ms: Record<string, Spread>;
  /** To the first side, pair by pair. */
  readonly ratio: Record<string, Spread>;
}

async function measureSize(sides: readonly Side[], records: number): Promise<Result[]> {
  const samples = sides.map((): Times[] => []);
  for (let repeat = 0; repeat < Number(flags.repeats); repeat++) {
    const order = sides.map((_, i) => i);
    for (const i of repeat % 2 === 0 ? order : order.toReversed()) samples[i].push(await sides[i].once(records));
  }
  return sides.map(({ name }, i) => {
    const ofPhases = (valueOf: (repeat: number, phase: (typeof phases)[number]) => number) =>
      Object.fromEntries(phases.map((phase) => [phase, spread(samples[i].map((_, repeat) => valueOf(repeat, phase)))]));
    const ms = ofPhases((repeat, phase) => samples[i][repeat][phase]);
    const ratio = ofPhases((repeat, phase) => samples[i][repeat][phase] / samples[0][repeat][phase]);
    return { records, side: name, ms, ratio };
  });
}

function show({ records, side, ms, ratio }: Result, first: string): void {
  const measured = phases.filter((phase) => !Number.isNaN(ms[phase].median));
  const shown = measured.map((phase) => `${phase} ${shownSpread(ms[phase], 1)}`);
  console.log(`${String(records).padStart(8)} ${side.padEnd(13)} ms: ${shown.join("  ")}`);
  if (side === first) return;
  const compared = (["write", "total", "read"] as const).filter((phase) => measured.includes(phase));
  const ratios = compared.map((phase) => `${phase} ${shownSpread(ratio[phase], 3)}`);
  console.log(`${" ".repeat(9)}${side} / ${first}: ${ratios.join("  ")}`);
}

function tableOf(results: readonly Result[], loadBefore: number): string {
  const command = ["node", "src/bench/bulk-ingest.bench.ts", ...commandFlags()].join(" ");
  const load = `load average of the machine ${loadBefore.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after`;
  const cell = (value: Spread) => (Number.isNaN(value.median) ? "–" : shownSpread(value, 1));
  return [
    `\`${command}\` on ${machineText(describeMachine())}; ${load}.`,
    "",
    "Records with two index entries each, in atomic batches, at engine level; milliseconds per phase, median",
    `(smallest–largest) of ${flags.repeats} repeats, sides taking turns. Times are valid where the load average is about 1;`,
    "ratios, of the total to the first side's, pair by pair, also under load. Everything is read back and checked.",
    ...versionLines(),
    "",
    `| records | engine | ${phases.join(" | ")} | records/s | ratio |`,
    `|--:|---|${phases.map(() => "--:").join("|")}|--:|--:|`,
    ...results.map(({ records, side, ms, ratio }) => {
      const perSecond = Math.round((records / ms.total.median) * 1000);
      return `| ${records} | ${side} | ${phases.map((phase) => cell(ms[phase])).join(" | ")} | ${perSecond} | ${shownSpread(ratio.total, 2)} |`;
    }),
    "",
  ].join("\n");
}

function versionLines(): string[] {
  const names = peerNames();
  if (names.length === 0) return [];
  const shown = Object.entries(peerVersions(resolve(flags["peers-in"]))).map(([name, version]) => `${name} ${version}`);
  return ["", `Installed bindings: ${shown.join(", ")}. Theirs have a log, which ours has not here.`];
}

/** The flags that tell what was run, without places of this machine. */
function commandFlags(): string[] {
  const { sizes, repeats, rows, peers } = flags;
  const shown = ["--sizes", sizes, "--repeats", repeats, "--rows", rows];
  return peers === "" ? shown : [...shown, "--peers", peers];
}

async function main(): Promise<void> {
  const place = flags.directory;
  if (isInMemory(place)) {
    throw new Error(`${place} is in memory (tmpfs): nothing synced there is durable; give --directory on a disk`);
  }
  const sides = await sidesOf();
  const [loadBefore] = loadavg();
  const results: Result[] = [];
  for (const records of flags.sizes.split(",").map(Number)) {
    const found = await measureSize(sides, records);
    results.push(...found);
    for (const result of found) show(result, sides[0].name);
    if (flags.markdown !== undefined) writeFileSync(flags.markdown, tableOf(results, loadBefore));
    if (flags.json !== undefined) {
      const machine = describeMachine();
      const loadAverage = [loadBefore, loadavg()[0]];
      writeFileSync(flags.json, `${JSON.stringify({ command: commandFlags(), machine, loadAverage, results }, undefined, 1)}\n`);
    }
  }
}

try {
  await main();
} finally {
  await env.threads.close();
}
