/**
 * Bulk ingest by jobs: several writers, batches by size, progress in the rows' own transactions. A server that is killed
 * in the middle, and one that has lost the end of its log with the power besides, are gone on with: every row is there
 * once.
 */
import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { buildFromContract } from "../../src/app/build.ts";
import { importAsJob } from "../../src/app/import.ts";
import { segmentHeaderBytes } from "../../src/parts/core/wal/segment-format.ts";
import type { UseCaseContext } from "../../src/app/use-case.ts";
import { connectTo, password, startProduct, type StartedProduct, user } from "./product-harness.ts";

const example = join(import.meta.dirname, "..", "..", "examples", "bulk-ingest", "contract.yaml");
const scratch = mkdtempSync(join(tmpdir(), "lathe-job-"));
const product = join(scratch, "product");
const source = join(scratch, "grants.csv");
const count = 2400;
const { signal } = new AbortController();
const context: UseCaseContext = { signal, progress: () => undefined, status: () => undefined };
const idOf = (number: number) => `grant-${String(number).padStart(6, "0")}`;

before(() => {
  buildFromContract({ contractFile: example, directory: product });
  const lines = Array.from({ length: count }, (_, n) => `${idOf(n)},e${n % 40},p${n % 90},"it's \\ ${"x".repeat(n % 100)}"`);
  // A row that is there twice, and one that is too long.
  lines.splice(1500, 0, `${idOf(7)},e1,p1,again`, `${"y".repeat(65)},e1,p1,long`);
  writeFileSync(source, `external_id,entitlement_id,principal_id,payload\n${lines.join("\n")}\n`);
});
after(() => rmSync(scratch, { recursive: true, force: true }));

async function start(data: string): Promise<{ server: StartedProduct; connection: Connection }> {
  const server = await startProduct(product, ["--data", join(scratch, data)]);
  const connection = await connectTo(server);
  await connection.query(
    "CREATE TABLE IF NOT EXISTS grants (external_id VARCHAR(64), entitlement_id VARCHAR(64), principal_id VARCHAR(64), " +
      "payload VARCHAR(256), PRIMARY KEY (external_id), KEY by_entitlement (entitlement_id), KEY by_principal (principal_id))",
  );
  return { server, connection };
}

function importInto({ mysqlPort }: StartedProduct, more: { writers?: number; batchBytes?: number; file?: string } = {}) {
  const url = `mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${mysqlPort}`;
  const place = { url, product: undefined, data: undefined };
  const shape = { table: "grants", format: "csv", binary: "base64", skipBad: 5, fromLine: 1, job: "grants-1" } as const;
  return importAsJob({ ...place, ...shape, file: source, writers: 3, batchBytes: 4096, ...more }, context);
}

async function rowsIn(connection: Connection): Promise<number> {
  const [[{ rows }]] = await connection.query<RowDataPacket[]>("SELECT COUNT(*) AS `rows` FROM grants");
  return Number(rows);
}

/** Kills the server once so many rows are in; returns how many were answered for before. */
async function killBehind(data: string, atLeast: number): Promise<number> {
  const { server, connection } = await start(data);
  const ended = importInto(server).then(() => assert.fail("it was done before the kill"), (error: unknown) => error);
  let seen = 0;
  while (seen < atLeast) seen = await rowsIn(connection);
  connection.destroy();
  await server.end("SIGKILL");
  const { code, message } = (await ended) as { code?: string; message: string };
  assert.ok(code === "CLOSED" || code === "IO_ERROR", `${code}: ${message}`);
  assert.match(message, /rows are in: give the same command again, and it goes on from there/);
  return seen;
}

/** Every row once, with what the file says, found by its key and by both indexes. */
async function assertWhole(connection: Connection): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>("SELECT external_id, payload FROM grants ORDER BY external_id");
  assert.deepEqual(rows.map((row) => row.external_id), Array.from({ length: count }, (_, n) => idOf(n)));
  for (const [n, { payload }] of rows.entries()) assert.equal(payload, `it's \\ ${"x".repeat(n % 100)}`);
  let byEntitlement = 0;
  for (let e = 0; e < 40; e++) {
    const [found] = await connection.query<RowDataPacket[]>(`SELECT external_id FROM grants WHERE entitlement_id = 'e${e}'`);
    byEntitlement += found.length;
  }
  assert.equal(byEntitlement, count);
}

/** As a loss of power would: what was written last is not there. Returns the bytes that are gone. */
function loseEndOfLog(data: string, bytes: number): number {
  const directory = join(scratch, data, "wal");
  const used = readdirSync(directory).filter((name) => name.endsWith(".wal")).map((name) => {
    const content = readFileSync(join(directory, name));
    return { name, end: content.findLastIndex((byte) => byte !== 0) + 1 };
  });
  const { name, end } = used.filter((one) => one.end > segmentHeaderBytes + bytes).sort((a, b) => b.end - a.end)[0];
  const file = openSync(join(directory, name), "r+");
  const lost = writeSync(file, Buffer.alloc(bytes), 0, bytes, end - bytes);
  closeSync(file);
  return lost;
}

test("killed in the middle, and again, an import goes on where it ended: no row is lost, none is there twice", async () => {
  await killBehind("killed", 500);
  const seen = await killBehind("killed", 1400);
  const { server, connection } = await start("killed");
  assert.ok((await rowsIn(connection)) >= seen, "what was seen survives a kill");
  // What the first run was begun with counts.
  const result = await importInto(server, { writers: 8, batchBytes: 100_000 });
  assert.equal(result.rows, count);
  assert.ok(result.rowsNow > 0 && result.rowsNow <= count - seen, `${result.rowsNow} now, ${seen} before`);
  assert.equal(result.durable, true);
  await assertWhole(connection);
  const again = await importInto(server);
  assert.deepEqual([again.rows, again.rowsNow], [count, 0]);
  const other = join(scratch, "other.csv");
  writeFileSync(other, readFileSync(source, "utf8").replace("e1,", "e2,"));
  await assert.rejects(importInto(server, { file: other }), { code: "INVALID_ARGUMENT", message: /was begun with another file/ });
  connection.destroy();
  await server.end("SIGTERM");
});

test("what a loss of power takes of the rows, it takes of the progress too", async () => {
  const seen = await killBehind("power", 1200);
  assert.ok(loseEndOfLog("power", 40_000) > 0);
  const { server, connection } = await start("power");
  const left = await rowsIn(connection);
  assert.ok(left < seen, `${left} of ${seen} rows are left`);
  const result = await importInto(server);
  assert.deepEqual([result.rows, result.rowsNow], [count, count - left]);
  await assertWhole(connection);
  connection.destroy();
  await server.end("SIGTERM");
});

test("too many bad rows end a job with the line; the good ones before stay", async () => {
  const { server, connection } = await start("bad");
  const url = `mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${server.mysqlPort}`;
  const shape = { table: "grants", format: "csv", binary: "base64", fromLine: 1, job: "strict" } as const;
  const request = { url, product: undefined, data: undefined, ...shape, file: source, writers: 2, batchBytes: 4096 };
  await assert.rejects(importAsJob({ ...request, skipBad: 0 }, context), { code: "CONSTRAINT", message: /line 150[23]: / });
  const passed = await importAsJob({ ...request, skipBad: 9 }, context);
  assert.equal(passed.rows, count);
  await assertWhole(connection);
  connection.destroy();
  await server.end("SIGTERM");
});
