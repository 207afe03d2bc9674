/**
 * The seed's workload against our engine, in process: `node src/bench/bulk-ingest.bench.ts [--sizes 100,1000,…]
 * [--repeats 5] [--trees now=DIR,before=DIR] [--rows 1000] [--directory DIR] [--json]`.
 *
 * `--trees` compares the parts of several source trees of Lathe side by side: medians of the pairs' ratios to the first.
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
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { isInMemory } from "../fleet/work-directory.ts";
import { createNodeEnv } from "../kit/env/node-env.ts";
import type { Table } from "../parts/architecture/catalog/table.ts";
import type { SecondaryIndexes } from "../parts/indexing/secondary-indexes.ts";
import type { StorageEngine } from "../parts/storage/engine.ts";
import type { RowLayout } from "../parts/storage/layout/row-layout.ts";
import type { WriteBatch } from "../parts/storage/write-batch.ts";
import { grantsTable } from "../workload/bulk_ingest/bulk-workload.ts";
import { entitlementId, grantPools, grantRow } from "../workload/bulk_ingest/grant-record.ts";

const { values: flags } = parseArgs({
  options: {
    sizes: { type: "string", default: "100,1000,10000,100000,1000000" },
    repeats: { type: "string", default: "5" },
    trees: { type: "string", default: `now=${join(import.meta.dirname, "..", "..")}` },
    rows: { type: "string", default: "1000" },
    directory: { type: "string", default: tmpdir() },
    json: { type: "boolean", default: false },
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
async function write({ kvSecondary, rowToKv, Batch }: Parts, engine: StorageEngine, records: number): Promise<void> {
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

async function main(): Promise<void> {
  const place = flags.directory;
  if (isInMemory(place)) {
    throw new Error(`${place} is in memory (tmpfs): nothing synced there is durable; give --directory on a disk`);
  }
  const trees = flags.trees.split(",").map((each) => each.split("="));
  const parts = await Promise.all(trees.map(([, path]) => loadParts(path)));
  const results: { records: number; tree: string; ms: Record<string, Spread>; ratio: Record<string, Spread> }[] = [];
  for (const records of flags.sizes.split(",").map(Number)) {
    const samples = trees.map((): Times[] => []);
    for (let repeat = 0; repeat < Number(flags.repeats); repeat++) {
      const order = trees.map((_, i) => i);
      for (const i of repeat % 2 === 0 ? order : order.toReversed()) samples[i].push(await once(parts[i], records));
    }
    trees.forEach(([tree], i) => {
      const ofPhases = (valueOf: (repeat: number, phase: (typeof phases)[number]) => number) =>
        Object.fromEntries(phases.map((phase) => [phase, spread(samples[i].map((_, repeat) => valueOf(repeat, phase)))]));
      const ms = ofPhases((repeat, phase) => samples[i][repeat][phase]);
      const ratio = ofPhases((repeat, phase) => samples[i][repeat][phase] / samples[0][repeat][phase]);
      results.push({ records, tree, ms, ratio });
      if (flags.json) return;
      const shown = phases.map((phase) => `${phase} ${shownSpread(ms[phase], 1)}`);
      console.log(`${String(records).padStart(8)} ${tree.padEnd(8)} ms: ${shown.join("  ")}`);
      if (i === 0) return;
      const ratios = (["write", "total", "read"] as const).map((phase) => `${phase} ${shownSpread(ratio[phase], 3)}`);
      console.log(`${" ".repeat(9)}${tree} / ${trees[0][0]}: ${ratios.join("  ")}`);
    });
  }
  if (flags.json) console.log(JSON.stringify({ rows: Number(flags.rows), results }, null, 1));
}

try {
  await main();
} finally {
  await env.threads.close();
}
