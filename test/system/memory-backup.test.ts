/** Backup, verification, restore, scrub and repair of a product whose engine keeps all data in memory. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RowDataPacket } from "mysql2/promise";
import { backUp, verifyBackups } from "../../src/app/backup.ts";
import { buildFromContract } from "../../src/app/build.ts";
import { repairDirectory } from "../../src/app/repair.ts";
import { restoreBackup } from "../../src/app/restore.ts";
import { scrubDirectory } from "../../src/app/scrub.ts";
import type { UseCaseContext } from "../../src/app/use-case.ts";
import { connectTo, startProduct } from "./product-harness.ts";

const example = join(import.meta.dirname, "..", "..", "examples", "latency-bound", "contract.yaml");
const scratch = mkdtempSync(join(tmpdir(), "lathe-memory-backup-"));
const [product, data, set] = ["product", "data", "backups"].map((name) => join(scratch, name));
const { signal } = new AbortController();
const context: UseCaseContext = { signal, progress: () => undefined, status: () => undefined };

before(() => void buildFromContract({ contractFile: example, directory: product }));
after(() => rmSync(scratch, { recursive: true, force: true }));

async function idsIn(directory: string): Promise<number[]> {
  const server = await startProduct(product, ["--data", directory]);
  const connection = await connectTo(server);
  const [rows] = await connection.query<RowDataPacket[]>("SELECT id FROM kept ORDER BY id");
  connection.destroy();
  await server.end("SIGTERM");
  return rows.map((row) => Number(row.id));
}

test("a running server and a stopped one are backed up, verified and restored with every row", async () => {
  const server = await startProduct(product, ["--data", data]);
  const connection = await connectTo(server);
  await connection.query("CREATE TABLE kept (id BIGINT PRIMARY KEY, text VARCHAR(100))");
  const insert = async (from: number, to: number) => {
    const rows = Array.from({ length: to - from }, (_, at) => `(${from + at}, 'row ${from + at}')`);
    await connection.query(`INSERT INTO kept VALUES ${rows.join(", ")}`);
  };
  await insert(0, 300);
  const running = await backUp(data, set, context);
  await insert(300, 350);
  connection.destroy();
  await server.end("SIGKILL");
  const stopped = await backUp(data, set, context);
  assert.ok(running.keyCount >= 300, `${running.keyCount} keys are in the checkpoint's snapshot`);
  const { backups } = await verifyBackups(set, undefined, context);
  assert.deepEqual(backups.map(({ problems }) => problems), [[], []]);
  for (const [id, count] of [[running.id, 300], [stopped.id, 350]] as const) {
    const target = join(scratch, `restored-${count}`);
    await restoreBackup({ set, id, data: target }, context);
    assert.deepEqual(await idsIn(target), Array.from({ length: count }, (_, n) => n));
  }
});

test("a scrub says that files are whole, and where they are not; a repair refuses with the way out", async () => {
  const restored = join(scratch, "restored-300");
  const whole = await scrubDirectory(restored, context);
  assert.equal(whole.damagedFiles, 0);
  await assert.rejects(
    repairDirectory({ directory: restored, out: join(scratch, "repaired"), dryRun: false }, context),
    { code: "INVALID_ARGUMENT", message: /engine in memory.*lathe restore/ },
  );
  const name = readdirSync(join(restored, "engine")).find((one) => one.endsWith(".mem")) as string;
  const path = join(restored, "engine", name);
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(path, bytes);
  const damaged = await scrubDirectory(restored, context);
  const [found] = damaged.files.filter(({ problems }) => problems.length > 0);
  assert.equal(found.file, join("engine", name));
  assert.match(found.problems[0].what, /is damaged before byte \d+/);
  await assert.rejects(backUp(restored, set, context), { code: "CORRUPTION", message: /lathe restore/ });
  writeFileSync(join(restored, "engine", "CURRENT"), "no such thing");
  assert.ok((await scrubDirectory(restored, context)).damagedFiles > 0, "a damaged CURRENT is told of as such");
});
