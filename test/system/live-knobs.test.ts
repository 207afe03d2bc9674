/** Knobs changed by SIGHUP in a built product while statements run: the effect is seen in /metrics and in the log. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildFromContract } from "../../src/app/build.ts";
import { until } from "../../src/kit/until.fixture.ts";
import { connectTo, type StartedProduct, startProduct, withTemporaryDirectory } from "./product-harness.ts";

const root = join(import.meta.dirname, "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "lathe-live-knobs-"));
const product = join(scratch, "product");
const rowsPerStatement = 250;

before(() => {
  buildFromContract({ contractFile: join(root, "examples", "taobench-o", "contract.yaml"), directory: product });
});

after(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** Inserts rows until it is told to stop; returns how many were acknowledged. */
async function writeUntil(server: StartedProduct, firstId: number, isOver: () => boolean): Promise<number> {
  const connection = await connectTo(server);
  let id = firstId;
  while (!isOver()) {
    const rows = Array.from({ length: rowsPerStatement }, (_, i) => `(${id + i}, 1, '${"v".repeat(150)}')`);
    await connection.query(`INSERT INTO objects (id, timestamp, value) VALUES ${rows.join(",")}`);
    id += rowsPerStatement;
  }
  await connection.end();
  return id - firstId;
}

async function metricsOf(server: StartedProduct): Promise<(name: string) => number> {
  const text = await (await fetch(`http://127.0.0.1:${server.metricsPort}/metrics`)).text();
  return (name) => {
    const line = text.split("\n").find((one) => one.startsWith(`${name} `));
    assert.ok(line !== undefined, `${name} is among the metrics`);
    return Number(line.slice(name.length + 1));
  };
}

test("under load SIGHUP puts live knobs in force, names the others, and refuses wrong ones as a whole", async () => {
  await withTemporaryDirectory(async (directory) => {
    const knobs = join(directory, "knobs.yaml");
    writeFileSync(knobs, "lsm.l0_compaction_trigger: 4\n");
    const server = await startProduct(product, [
      "--data", join(directory, "data"), "--metrics-port", "0", "--knobs", knobs,
    ]);
    let loggedUpTo = 0;
    /** Writes the knob file, sends the signal, and waits for what the log says from then on. */
    const reload = async (lines: string, until: string): Promise<string> => {
      loggedUpTo = server.log().length;
      writeFileSync(knobs, lines);
      server.process.kill("SIGHUP");
      while (!server.log().slice(loggedUpTo).includes(until)) await new Promise((resolve) => setTimeout(resolve, 20));
      return server.log().slice(loggedUpTo);
    };
    const setup = await connectTo(server);
    await setup.query("CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))");
    let over = false;
    const writers = [1, 1e9].map((firstId) => writeUntil(server, firstId, () => over));
    try {
      assert.equal((await metricsOf(server))("lsm_memtable_capacity_bytes"), 16 << 20);

      const first = await reload(
        "lsm.memtable_bytes: 1048576\nlsm.compaction_style: tiered\nwal.segment_bytes: 67108864\n", "knobs need a restart",
      );
      assert.match(first, /lsm_tuning_changed.*"memtableBytes":1048576/);
      assert.match(first, /"knobs":\["wal\.segment_bytes"\]/);
      const changed = await metricsOf(server);
      assert.equal(changed("lsm_memtable_capacity_bytes"), 1 << 20);
      // Memtables are a sixteenth now: flushes and, with tiers of 4, compactions follow while the writers go on.
      const sinceThen = async (name: string) => (await metricsOf(server))(name) - changed(name);
      await until("a compaction of four flushes", async () =>
        (await sinceThen("lsm_compactions_total")) >= 1 && (await sinceThen("lsm_flushes_total")) >= 4);
      const busy = await metricsOf(server);
      const [bytes, flushes] = ["lsm_flushed_bytes_total", "lsm_flushes_total"].map((name) => busy(name) - changed(name));
      // The first of them is the memtable of before, as full as it was.
      assert.ok(bytes <= (16 << 20) + flushes * (2 << 20), `they are small: ${bytes} bytes in ${flushes}`);

      const wrong = await reload("lsm.memtable_bytes: 2097152\nlsm.l0_compaction_trigger: 99\n", "knobs not reloaded");
      assert.match(wrong, /lsm\.l0_compaction_trigger: expected at most 32, found 99/);
      // Fine for the table of knobs, refused by the engine: 12 MiB of memtables do not fit into 5 MiB.
      const tooSmall = "lsm.memory_budget_bytes: 5242880\nlsm.memtable_bytes: 4194304\n";
      assert.match(await reload(tooSmall, "knobs not reloaded"), /memoryBudgetBytes is 5242880/);
      const kept = await metricsOf(server);
      assert.deepEqual([kept("lsm_memtable_capacity_bytes"), kept("lsm_memory_budget_bytes")], [1 << 20, 0]);

      const last = await reload("lsm.block_cache_bytes: 4194304\n", "knobs reloaded");
      assert.match(last, /"compactionStyle":"leveled"/);
      const back = await metricsOf(server);
      assert.equal(back("lsm_memtable_capacity_bytes"), 16 << 20, "what the file no longer names has its default");
      assert.equal(back("lsm_block_cache_capacity_bytes"), 4 << 20);
    } finally {
      over = true;
    }
    const written = (await Promise.all(writers)).reduce((total, count) => total + count, 0);
    const [rows] = await setup.query("SELECT COUNT(*) AS n FROM objects WHERE id >= 1 AND id < 2000000000");
    assert.equal(Number((rows as { n: unknown }[])[0].n), written, "every acknowledged row is there");
    await setup.end();
    assert.equal((await server.end("SIGTERM")).exitCode, 0);
  });
});
