/**
 * A whole product on a file system that becomes full in the middle of a compaction, and later has room again.
 *
 * Run by full-disk.test.ts where it may mount. The file system is a tmpfs of a few mebibytes in a mount namespace of
 * this process; a ballast file is what is taken away to make room.
 *   1. Rows in random order are inserted until a compaction finds no space.
 *   2. Meanwhile every acknowledged row can be read, and the server stays up; writes go on or are refused with 1021.
 *   3. With room again writes are taken; work that began without room may still fail, what begins with it does not.
 *   4. After an orderly end, and after a kill, everything acknowledged is there; a statement that was refused is there
 *   as a whole, or not at all.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildFromContract } from "../../src/app/build.ts";
import { scrubDirectory } from "../../src/app/scrub.ts";
import { until } from "../../src/kit/until.fixture.ts";
import { connectTo, startProduct, type StartedProduct, withTemporaryDirectory } from "./product-harness.ts";

/** The ballast is more than all data beside it: with that room every compaction can end, whatever it takes up. */
const diskMiB = 48;
const ballastBytes = 30 << 20;
const rowsPerStatement = 250;
const statementsMax = 2000;
const pollMs = 50;
/** ER_DISK_FULL of MySQL. */
const diskFullErrno = 1021;
const knobs = [
  "lsm.memtable_bytes=1048576", "lsm.immutable_memtables_max=1", "lsm.l0_compaction_trigger=2",
  "lsm.level_base_bytes=4194304", "lsm.target_file_bytes=1048576", "wal.segment_bytes=1048576",
  "wal.recycled_segments=0",
];

type Connection = Awaited<ReturnType<typeof connectTo>>;

const root = join(import.meta.dirname, "..", "..");

interface Places {
  readonly product: string;
  readonly disk: string;
  readonly data: string;
}

/** Ids of one statement: spread over all keys, so that every compaction rewrites what is there. */
const idsOf = (statement: number) =>
  Array.from({ length: rowsPerStatement }, (_, i) => Math.imul(statement * rowsPerStatement + i + 1, 0x9e3779b1) >>> 0);
const valueOf = (id: number) => `${id}:`.padEnd(150, String(id % 7));

class Rows {
  readonly acknowledged: number[] = [];
  /** Statements that were refused: the log may have taken them. */
  readonly refused: number[] = [];
  #next = 0;

  /** Whether the statement was acknowledged; it may be refused for want of space alone. */
  async insert(connection: Connection): Promise<boolean> {
    const statement = this.#next++;
    const rows = idsOf(statement).map((id) => `(${id}, ${statement}, '${valueOf(id)}')`);
    try {
      await connection.query(`INSERT INTO objects (id, timestamp, value) VALUES ${rows.join(",")}`);
      this.acknowledged.push(statement);
      return true;
    } catch (error) {
      const { errno } = error as { errno?: number };
      assert.equal(errno, diskFullErrno, String(error));
      this.refused.push(statement);
      return false;
    }
  }

  /** Everything acknowledged, by point reads. */
  async check(connection: Connection): Promise<void> {
    for (const statement of this.acknowledged) assert.equal(await this.#found(connection, statement), rowsPerStatement);
    for (const statement of this.refused) {
      const found = await this.#found(connection, statement);
      assert.ok(found === 0 || found === rowsPerStatement, `${found} rows of the refused statement ${statement}`);
    }
  }

  async #found(connection: Connection, statement: number): Promise<number> {
    const ids = idsOf(statement);
    const [rows] = await connection.query(`SELECT id, value FROM objects WHERE id IN (${ids.join(",")})`);
    const there = rows as { id: string; value: string }[];
    for (const { id, value } of there) assert.equal(value, valueOf(Number(id)), `value of ${id}`);
    return there.length;
  }
}

const serve = ({ product, data }: Places) =>
  startProduct(product, ["--data", data, ...knobs.flatMap((knob) => ["--knob", knob])]);

/** Lines of the server's log that tell of background work that found no space. */
function fullIn(server: StartedProduct, kind: string): number {
  const lines = server.log().split("\n").filter((line) => line.includes("lsm_background_failed"));
  return lines.filter((line) => line.includes(kind) && line.includes("DISK_FULL")).length;
}

async function fillDisk(server: StartedProduct, connection: Connection, rows: Rows): Promise<void> {
  for (let statement = 0; fullIn(server, "compaction") === 0; statement++) {
    assert.ok(statement < statementsMax, `no compaction found the disk full: ${server.log().slice(-2000)}`);
    await rows.insert(connection);
  }
}

async function fillAndFree(places: Places): Promise<void> {
  const ballast = join(places.disk, "ballast");
  writeFileSync(ballast, new Uint8Array(ballastBytes));
  const rows = new Rows();
  let server = await serve(places);
  let connection = await connectTo(server);
  await connection.query("CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))");
  await fillDisk(server, connection, rows);
  await rows.check(connection);
  await until("a refused write", async () => !(await rows.insert(connection)), pollMs);
  assert.equal(server.process.exitCode, null);
  await rows.check(connection);
  rmSync(ballast);
  await until("a write that is taken", () => rows.insert(connection), pollMs);
  await until("a row of writes with nothing failing beside them", async () => {
    const failed = fullIn(server, "lsm");
    for (let statement = 0; statement < 20; statement++) assert.ok(await rows.insert(connection));
    return fullIn(server, "lsm") === failed;
  }, pollMs);
  await rows.check(connection);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    connection.destroy();
    const { exitCode } = await server.end(signal);
    if (signal === "SIGTERM") assert.equal(exitCode, 0);
    server = await serve(places);
    connection = await connectTo(server);
    await rows.check(connection);
  }
  connection.destroy();
  await server.end("SIGTERM");
  const context = { signal: new AbortController().signal, progress: () => undefined, status: () => undefined };
  assert.equal((await scrubDirectory(places.data, context)).damagedFiles, 0);
  console.log(`${rows.acknowledged.length} statements acknowledged, ${rows.refused.length} refused`);
}

await withTemporaryDirectory(async (directory) => {
  const product = join(directory, "product");
  const disk = join(directory, "disk");
  buildFromContract({ contractFile: join(root, "examples", "taobench-o", "contract.yaml"), directory: product });
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskMiB}m`, "tmpfs", disk]);
  try {
    await fillAndFree({ product, disk, data: join(disk, "data") });
  } finally {
    execFileSync("umount", ["-l", disk]);
  }
});
