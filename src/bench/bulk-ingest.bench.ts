/**
 * The seed's workload against our engine, in process: `node src/bench/bulk-ingest.bench.ts [--sizes 100,1000,…]
 * [--repeats 5] [--variants plain,sorted,…] [--rows 1000] [--directory DIR] [--json]`.
 *
 * Steps per size and repeat, in a fresh directory on a disk, variants taking turns:
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
import { parseArgs } from "node:util";
import { isInMemory } from "../fleet/work-directory.ts";
import { createNodeEnv } from "../kit/env/node-env.ts";
import type { Table } from "../parts/architecture/catalog/table.ts";
import { kvSecondary } from "../parts/indexing/equality/kv_secondary/kv-secondary.ts";
import type { StorageEngine } from "../parts/storage/engine.ts";
import { rowToKv } from "../parts/storage/layout/row_to_kv/row-to-kv.ts";
import { openBlackboardEngine } from "../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { WriteBatch } from "../parts/storage/write-batch.ts";
import { grantsTable } from "../workload/bulk_ingest/bulk-workload.ts";
import { entitlementId, grantPools, grantRow } from "../workload/bulk_ingest/grant-record.ts";

const { values: flags } = parseArgs({
  options: {
    sizes: { type: "string", default: "100,1000,10000,100000,1000000" },
    repeats: { type: "string", default: "5" },
    variants: { type: "string", default: "plain" },
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

/** Variants differ in how records are put into batches; see `writers`. */
type Writer = (engine: StorageEngine, records: number, rows: number) => Promise<void>;

async function applyWhenThereIsRoom(engine: StorageEngine, batch: WriteBatch): Promise<void> {
  for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
  engine.applySync(batch, engine.appliedIndex + 1);
  await new Promise((resolve) => setImmediate(resolve));
}

/** As the product does: rows in order, then the entries of their indexes in order of rows. */
const plain: Writer = async (engine, records, rows) => {
  const pools = grantPools(records);
  const writes = kvSecondary.createWrites(rowToKv);
  const batch = new WriteBatch(rows * 600);
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
    await applyWhenThereIsRoom(engine, batch);
  }
};

/** What making the records alone costs: no engine. */
const generate: Writer = async (_engine, records) => {
  const pools = grantPools(records);
  let letters = 0;
  for (let number = 0; number < records; number++) letters += grantRow(number, pools)[3].length;
  assert.equal(letters, records * 256);
};

const writers: Readonly<Record<string, Writer>> = { plain, generate };

async function once(variant: string, records: number, rows: number): Promise<Times> {
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
    const engine = await timed("open", () => openBlackboardEngine(env, { directory }));
    await timed("write", () => writers[variant](engine, records, rows));
    await timed("flush", () => engine.flush());
    await timed("sync", async () => {
      const handle = openSync(directory, "r");
      fsyncSync(handle);
      closeSync(handle);
      assert.equal(engine.durableIndex, engine.appliedIndex);
    });
    await timed("close", () => engine.close());
    times.total = times.open + times.write + times.flush + times.sync + times.close;
    if (variant === "generate") return times;
    const again = await openBlackboardEngine(env, { directory });
    verify(again, records);
    await timed("read", async () => readPages(again, records));
    await again.close();
    return times;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function verify(engine: StorageEngine, records: number): void {
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
function readPages(engine: StorageEngine, records: number): void {
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

const median = (sorted: readonly number[]) => sorted[sorted.length >> 1];

async function main(): Promise<void> {
  const place = flags.directory;
  if (isInMemory(place)) {
    throw new Error(`${place} is in memory (tmpfs): nothing synced there is durable; give --directory on a disk`);
  }
  const variants = flags.variants.split(",");
  const results: { records: number; variant: string; ms: Record<string, { median: number; min: number; max: number }> }[] = [];
  for (const records of flags.sizes.split(",").map(Number)) {
    const samples = new Map(variants.map((variant) => [variant, [] as Times[]]));
    for (let repeat = 0; repeat < Number(flags.repeats); repeat++) {
      const order = repeat % 2 === 0 ? variants : variants.toReversed();
      for (const variant of order) samples.get(variant)?.push(await once(variant, records, Number(flags.rows)));
    }
    for (const [variant, times] of samples) {
      const ms = Object.fromEntries(
        phases.map((phase) => {
          const sorted = times.map((each) => each[phase]).sort((a, b) => a - b);
          return [phase, { median: median(sorted), min: sorted[0], max: sorted.at(-1) ?? 0 }];
        }),
      );
      results.push({ records, variant, ms });
      if (flags.json) continue;
      const shown = phases.map((phase) => {
        const { median: middle, min, max } = ms[phase];
        return `${phase} ${middle.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
      });
      console.log(`${String(records).padStart(8)} ${variant.padEnd(10)} ms: ${shown.join("  ")}`);
    }
  }
  if (flags.json) console.log(JSON.stringify({ rows: Number(flags.rows), results }, null, 1));
}

try {
  await main();
} finally {
  await env.threads.close();
}
