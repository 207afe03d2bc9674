/**
 * What broken and hostile MySQL clients do to a product over real sockets, while a neighbour works: the neighbour is
 * answered all the time, in time, and afterwards nothing is left of them.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { buildFromContract } from "../../src/app/build.ts";
import { until } from "../../src/kit/until.fixture.ts";
import { connectTo, startProduct, type StartedProduct } from "./product-harness.ts";

const root = join(import.meta.dirname, "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "lathe-hostile-"));
const rows = 20_000;
const directory = join(scratch, "product");
let product: StartedProduct;
let neighbour: Connection;

before(async () => {
  buildFromContract({ contractFile: join(root, "examples", "taobench-o", "contract.yaml"), directory });
  product = await startProduct(directory, [
    "--data", join(scratch, "data"), "--knob", "mysql.connections_max=20", "--knob", "mysql.waiting_timeout_ms=300",
    "--knob", "mysql.login_timeout_ms=1000", "--knob", "mysql.slow_reader_timeout_ms=1000",
    "--knob", "mysql.packet_bytes_max=16777216",
  ]);
  neighbour = await connectTo(product);
  await neighbour.query("CREATE TABLE wide (id BIGINT PRIMARY KEY, v VARCHAR(1000))");
  for (let from = 0; from < rows; from += 500) {
    const values = Array.from({ length: 500 }, (_, i) => `(${from + i}, '${"v".repeat(900)}')`);
    await neighbour.query(`INSERT INTO wide VALUES ${values.join(",")}`);
  }
});

after(async () => {
  neighbour?.destroy();
  await product?.end("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

/** The neighbour reads again and again; returns what ends that and says how often it did and how long one took. */
function keepReading(): () => Promise<{ reads: number; slowestMs: number }> {
  let going = true;
  let reads = 0;
  let slowestMs = 0;
  const loop = (async () => {
    while (going) {
      const started = performance.now();
      const [found] = await neighbour.execute<RowDataPacket[]>("SELECT id FROM wide WHERE id = ?", [reads % rows]);
      assert.equal(found.length, 1);
      slowestMs = Math.max(slowestMs, performance.now() - started);
      reads++;
      await pause(1);
    }
  })();
  return async () => {
    going = false;
    await loop;
    return { reads, slowestMs };
  };
}

async function isAlone(): Promise<boolean> {
  const [list] = await neighbour.query<RowDataPacket[]>("SHOW PROCESSLIST");
  return list.length === 1;
}

/** Connections that begin to log in, and go no further. */
function halfLogins({ mysqlPort }: StartedProduct, count: number): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, async () => {
    const socket = connect(mysqlPort, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "data");
    socket.resume().write(Buffer.of(200, 0, 0, 1, 1, 2));
    return socket;
  }));
}

test("connections beyond the limit wait, then are refused", async () => {
  // Nobody's time to log in is over before this test is.
  const patient = await startProduct(directory, [
    "--data", join(scratch, "patient"), "--knob", "mysql.connections_max=20", "--knob", "mysql.waiting_timeout_ms=300",
    "--knob", "mysql.login_timeout_ms=600000",
  ]);
  const half = await halfLogins(patient, 20);
  await assert.rejects(connectTo(patient), { errno: 1040 });
  for (const socket of half) socket.destroy();
  await patient.end("SIGKILL");
});

test("half-sent logins are closed, and make room", async () => {
  const stop = keepReading();
  const half = await halfLogins(product, 19);
  await until("an end of all of them", () => half.every(({ closed }) => closed));
  await (await connectTo(product)).end();
  assert.ok((await stop()).reads > 20);
});

test("texts of megabytes, nesting without end, thousands of statements, bytes that are no text", async () => {
  const client = await connectTo(product);
  const stop = keepReading();
  const big = 10 << 20;
  const refused: [string | Buffer, number][] = [
    [`SELECT ${"(".repeat(100_000)}1`, 1235],
    [`SELECT id FROM wide WHERE ${"(".repeat(100_000)}id = 1${")".repeat(100_000)}`, 3170],
    [`SELECT id FROM wide WHERE ${"NOT ".repeat(100_000)} id = 1`, 1235],
    [`SELECT '${"x".repeat(big)}`, 1064],
    [`INSERT INTO wide VALUES (-1, '${"x".repeat(big)}')`, 1406],
    [`/*${"x".repeat(big)}`, 1064],
    [`SELECT ${"a,".repeat(big / 4)}`, 1064],
    ["SELECT 1;".repeat(20_000), 3170],
    ["SET NAMES latin1", 1235],
  ];
  for (const [text, number] of refused) {
    const answer = await client.query(text as string).then(() => ({ errno: 0 }), (error: { errno: number }) => error);
    assert.equal(answer.errno, number, String(text).slice(0, 60));
    const [[{ one }]] = await client.query<RowDataPacket[]>("SELECT 1 AS one");
    assert.equal(Number(one), 1, "the session goes on");
  }
  const [many] = await client.query("SELECT id FROM wide WHERE id = 5;".repeat(5000));
  assert.equal((many as unknown[]).length, 5000);
  await assert.rejects(client.query(`SELECT '${"x".repeat(17 << 20)}'`), /./);
  client.destroy();
  assert.ok((await stop()).reads > 20);
});

test("a client that asks for much and reads nothing is closed, and its neighbours are answered meanwhile", async () => {
  const greedy = await connectTo(product);
  const stop = keepReading();
  const socket = (greedy as unknown as { connection: { stream: Socket } }).connection.stream;
  const asked = greedy.query("SELECT * FROM wide;".repeat(50)).then(() => "answered", () => "refused");
  socket.pause();
  await until("an end of its connection", isAlone);
  socket.resume();
  assert.equal(await asked, "refused");
  assert.ok((await stop()).reads > 20);
});

test("a kill in the middle of a text ends it there", async () => {
  const client = await connectTo(product);
  const [[{ id }]] = await client.query<RowDataPacket[]>("SELECT CONNECTION_ID() AS id");
  const count = 1500;
  // Each of the scans takes tens of milliseconds, so that the text would go on for a minute.
  const statements = Array.from({ length: count }, (_, i) =>
    `UPDATE wide SET v = 'killed' WHERE id = ${i}; SELECT COUNT(*) FROM wide WHERE id >= 0 AND v = 'nothing'`);
  const running = client.query(statements.join(";")).then(() => "ended", (error: { errno: number }) => error.errno);
  await until("a first row of it", async () => {
    const [found] = await neighbour.query<RowDataPacket[]>("SELECT id FROM wide WHERE id = 0 AND v = 'killed'");
    return found.length === 1;
  });
  await neighbour.query(`KILL QUERY ${id}`);
  const outcome = await running;
  const [[{ n }]] = await neighbour.query<RowDataPacket[]>("SELECT COUNT(*) AS n FROM wide WHERE id >= 0 AND v = 'killed'");
  assert.equal(outcome, 1317, "the text was still running when it was killed");
  assert.ok(Number(n) < count, "the rest was not run");
  await client.query("SELECT 1");
  await neighbour.query(`KILL ${id}`);
  await assert.rejects(client.query("SELECT 1"));
  client.destroy();
});

test("afterwards nothing is left of them", async () => {
  await until("an end of all other connections", isAlone);
  if (process.platform !== "linux") return;
  const status = readFileSync(`/proc/${product.process.pid}/status`, "utf8");
  const residentKib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  assert.ok(residentKib < 900 * 1024, `${residentKib} KiB are resident`);
});
