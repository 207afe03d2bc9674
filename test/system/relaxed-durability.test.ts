/** A product whose contract allows a window of losses: what it says of itself, both profiles; beside it a strict one. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RowDataPacket } from "mysql2/promise";
import { buildFromContract } from "../../src/app/build.ts";
import type { OpenProduct } from "../../src/kit/product.ts";
import { connectTo, runMain, startProduct } from "./product-harness.ts";

const example = join(import.meta.dirname, "..", "..", "examples", "ycsb-a-relaxed", "contract.yaml");
const scratch = mkdtempSync(join(tmpdir(), "lathe-relaxed-"));
const [relaxed, strict] = [join(scratch, "relaxed"), join(scratch, "strict")];

before(() => {
  buildFromContract({ contractFile: example, directory: relaxed });
  const text = readFileSync(example, "utf8");
  const contractFile = join(scratch, "contract.yaml");
  writeFileSync(contractFile, text.replace("durability: interval, loss_window_ms: 50", "durability: every_commit"));
  buildFromContract({ contractFile, directory: strict });
});
after(() => rmSync(scratch, { recursive: true, force: true }));

/** What a server started so says of its durability, and the rows that it has. */
async function look(product: string, signal: NodeJS.Signals, ...args: string[]) {
  const server = await startProduct(product, ["--data", join(product, "..", "data-of-relaxed"), ...args]);
  const connection = await connectTo(server);
  const pairs = async (sql: string) =>
    Object.fromEntries((await connection.query<RowDataPacket[]>(sql))[0].map((row) => Object.values(row)));
  await connection.query("CREATE TABLE IF NOT EXISTS seen (id BIGINT PRIMARY KEY)");
  const [[{ count }]] = await connection.query<RowDataPacket[]>("SELECT COUNT(*) AS count FROM seen");
  await connection.query(`INSERT INTO seen VALUES (${count})`);
  const variables = await pairs("SHOW VARIABLES LIKE 'lathe_%'");
  const flush = await pairs("SHOW VARIABLES LIKE 'innodb_flush_log_at_trx_commit'");
  const status = await pairs("SHOW STATUS LIKE 'Lathe_%'");
  await connection.query("FLUSH ENGINE LOGS");
  const flushed = await pairs("SHOW STATUS LIKE 'Lathe_%'");
  assert.equal(flushed.Lathe_unsynced_bytes, "0", "after FLUSH LOGS nothing can be lost");
  connection.destroy();
  await server.end(signal);
  return { rows: Number(count), variables, flush: Object.values(flush)[0], status, log: server.log() };
}

test("where the contract allows losses a product is fast, says so, and loses nothing when it is killed", async () => {
  const fast = await look(relaxed, "SIGKILL");
  assert.deepEqual(fast.variables, { lathe_loss_window_ms: "50", lathe_profile: "fast" });
  assert.equal(fast.flush, "2");
  assert.equal(fast.status.Lathe_sync_state, "ok");
  assert.ok(Number(fast.status.Lathe_unsynced_bytes) >= 0);
  assert.match(fast.log, /"event":"durability".*"profile":"fast","lossWindowMs":50/);
  const again = await look(relaxed, "SIGTERM", "--profile", "fast");
  assert.equal(again.rows, 1);
  const safe = await look(relaxed, "SIGTERM", "--profile", "safe");
  assert.equal(safe.rows, 2);
  assert.deepEqual(safe.variables, { lathe_loss_window_ms: "0", lathe_profile: "safe" });
  assert.equal(safe.flush, "1");
});

test("a strict product refuses to be fast, and says what the contract must say", async () => {
  const { exitCode, stderr } = await runMain(strict, ["--data", join(scratch, "strict-data"), "--profile", "fast"]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /--profile fast: .*put `storage: \{ durability: interval, loss_window_ms: 50 \}` into/);
  const { open } = (await import(join(strict, "product.ts"))) as { open: OpenProduct };
  const env = {} as Parameters<OpenProduct>[0];
  const options = { dataDirectory: join(scratch, "never"), profile: "fast" } as const;
  await assert.rejects(async () => open(env, {}, options), { code: "INVALID_ARGUMENT" });
});
