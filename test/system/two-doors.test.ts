/**
 * A product with two surfaces as a process: the same rows over HTTP and over MySQL, at once; expiry as SQL sees it; the
 * limits of both; a SIGTERM that lets both finish; both clients that its build wrote.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type Connection, createConnection } from "mysql2/promise";
import { buildFromContract } from "../../src/app/build.ts";
import { gatesOf } from "../../src/gates/gate-table.ts";
import { runGates } from "../../src/gates/run-gates.ts";

const example = join(import.meta.dirname, "..", "..", "examples", "sndv-kv", "contract.yaml");
const work = mkdtempSync(join(tmpdir(), "lathe-doors-"));
const product = join(work, "product");
const running = new Set<ChildProcess>();
const password = "two doors";

before(() => {
  const contractFile = join(work, "contract.yaml");
  const text = readFileSync(example, "utf8").replace("protocols: [http]", "protocols: [mysql, http]")
    .replace("name: sndv-kv", "name: two-doors").replace("length_max: 1048576", "length_max: 65535")
    .replace("  - SQL over the network, and transactions of several requests\n", "");
  writeFileSync(contractFile, text);
  buildFromContract({ contractFile, directory: product });
});
after(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
});

interface Started {
  readonly url: string;
  connect(): Promise<Connection>;
  /** The exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

async function start(data: string, ...more: string[]): Promise<Started> {
  const ports = ["--http-port", "0", "--mysql-port", "0"];
  const child = spawn(process.execPath, [join(product, "main.js"), "--data", join(work, data), ...ports, ...more], {
    stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, LATHE_PASSWORD: password },
  });
  running.add(child);
  let stderr = "";
  child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("close", (code) => {
    running.delete(child);
    resolve(code);
  }));
  const { httpPort, mysqlPort } = await new Promise<{ httpPort: number; mysqlPort: number }>((resolve, reject) => {
    child.stdout.on("data", (bytes: Buffer) => resolve(JSON.parse(bytes.toString().split("\n")[0])));
    void ended.then(() => reject(new Error(stderr)));
  });
  return {
    url: `http://127.0.0.1:${httpPort}`,
    connect: () => createConnection({ host: "127.0.0.1", port: mysqlPort, user: "lathe", password }),
    async end(signal) {
      child.kill(signal);
      return await ended;
    },
  };
}

async function put(url: string, key: string, body: string, query = "", headers: Record<string, string> = {}) {
  const { status, headers: given } = await fetch(`${url}/kv/${key}${query}`, { method: "PUT", body, headers });
  return { status, etag: given.get("etag") ?? "" };
}

async function get(url: string, key: string): Promise<string | undefined> {
  const response = await fetch(`${url}/kv/${key}`);
  return response.status === 200 ? await response.text() : void (await response.arrayBuffer());
}

/** By text and by a prepared statement. */
async function select(connection: Connection, key: string): Promise<(string | undefined)[]> {
  const statement = "SELECT v FROM kv WHERE k = ?";
  const found = [await connection.query(statement, [key]), await connection.execute(statement, [key])];
  return found.map(([rows]) => (rows as { v: Buffer }[])[0]?.v.toString());
}

test("what one door writes the other reads, and a write through either changes the ETag", async () => {
  const { url, connect, end } = await start("rows");
  const connection = await connect();
  const { etag } = await put(url, "a", "1");
  assert.deepEqual(await select(connection, "a"), ["1", "1"]);
  await connection.query("UPDATE kv SET v = 'two' WHERE k = 'a'");
  assert.equal(await get(url, "a"), "two");
  assert.equal((await put(url, "a", "3", "", { "If-Match": etag })).status, 412, "the ETag of before the UPDATE");
  await connection.query("INSERT INTO kv (k, v, version) VALUES ('b', 'x', 0), ('c', 'y', 0)");
  const page = await (await fetch(`${url}/scan`)).json() as { items: { key: string; val: string; etag: string }[] };
  assert.deepEqual(page.items.map(({ key, val }) => [key, val]), [["a", "two"], ["b", "x"], ["c", "y"]]);
  assert.equal((await put(url, "b", "z", "", { "If-Match": page.items[1].etag })).status, 204);
  await fetch(`${url}/kv/c`, { method: "DELETE" });
  assert.deepEqual(await select(connection, "c"), [undefined, undefined]);
  await connection.end();
  assert.equal(await end("SIGTERM"), 0);
});

test("what has expired is not there for SQL, without a write in between and after a restart", async () => {
  let { url, connect, end } = await start("expiry");
  let connection = await connect();
  await put(url, "stays", "1");
  await put(url, "goes-later", "1", "?ttl=600");
  const putAtMs = Date.now();
  await put(url, "goes", "1", "?ttl=1");
  const found = await select(connection, "goes");
  if (Date.now() < putAtMs + 1000) assert.deepEqual(found, ["1", "1"]);
  await sleep(1050);
  const check = async () => {
    assert.deepEqual(await select(connection, "goes"), [undefined, undefined]);
    const [[counted]] = await connection.query("SELECT COUNT(*) AS n FROM kv") as unknown as [[{ n: number }]];
    assert.equal(Number(counted.n), 2);
    const [rows] = await connection.query("SELECT k FROM kv ORDER BY k LIMIT 10");
    assert.deepEqual((rows as { k: Buffer }[]).map(({ k }) => k.toString()), ["goes-later", "stays"]);
  };
  await check();
  assert.equal(await get(url, "goes"), undefined);
  await connection.end();
  await end("SIGKILL");
  ({ url, connect, end } = await start("expiry"));
  connection = await connect();
  await check();
  const [updated] = await connection.query("UPDATE kv SET v = 'x' WHERE k = 'goes'");
  assert.equal((updated as { affectedRows: number }).affectedRows, 0);
  await connection.query("INSERT INTO kv (k, v, version) VALUES ('goes', 'anew', 0)");
  assert.equal(await get(url, "goes"), "anew");
  await connection.end();
  await end("SIGTERM");
});

test("both doors at once, and a SIGTERM in the middle: what either answered is there, and nothing else is half there", async () => {
  const first = await start("drain");
  const answered = new Map<string, string>();
  const connections = await Promise.all(Array.from({ length: 4 }, () => first.connect()));
  let counts = 0;
  const overSql = connections.map(async (connection, number) => {
    connection.on("error", () => undefined);
    for (let turn = 0; ; turn++) {
      const key = `s${number}-${turn}`;
      await connection.query("INSERT INTO kv (k, v, version) VALUES (?, ?, 0)", [key, String(turn)]);
      answered.set(key, String(turn));
    }
  });
  const overHttp = Array.from({ length: 4 }, async (_, number) => {
    for (let turn = 0; ; turn++) {
      const key = `h${number}-${turn}`;
      if ((await put(first.url, key, String(turn))).status !== 204) throw new Error("refused");
      answered.set(key, String(turn));
      const found = await fetch(`${first.url}/kv/counter`);
      const count = found.status === 200 ? Number(await found.text()) : 0;
      const etag = found.headers.get("etag");
      const condition: Record<string, string> = etag === null ? { "If-None-Match": "*" } : { "If-Match": etag };
      if ((await put(first.url, "counter", String(count + 1), "", condition)).status === 204) counts++;
    }
  });
  const ended = Promise.allSettled([...overSql, ...overHttp]);
  while (answered.size < 120) await sleep(5);
  assert.equal(await first.end("SIGTERM"), 0);
  await ended;
  for (const connection of connections) connection.destroy();

  const second = await start("drain");
  const connection = await second.connect();
  const [rows] = await connection.query("SELECT k, v FROM kv ORDER BY k LIMIT 1000000");
  const found = new Map((rows as { k: Buffer; v: Buffer }[]).map(({ k, v }) => [k.toString(), v.toString()]));
  const exported = (await (await fetch(`${second.url}/export`)).text()).trimEnd().split("\n");
  assert.equal(exported.length, found.size, "both doors have the same rows");
  found.delete("counter");
  for (const [key, value] of answered) assert.equal(found.get(key), value, key);
  // Of each writer the last write may have been made and its answer cut off.
  assert.ok(found.size - answered.size <= 8, `${found.size} rows for ${answered.size} answers`);
  const counted = Number(await get(second.url, "counter"));
  assert.ok(counted >= counts && counted <= counts + 4, `${counted} for ${counts} answered counts`);
  await connection.end();
  await second.end("SIGTERM");
});

test("each door has its own limits", async () => {
  const limits = ["http.body_bytes_max=65536", "mysql.packet_bytes_max=131072"].flatMap((knob) => ["--knob", knob]);
  const { url, connect, end } = await start("limits", ...limits);
  assert.equal((await put(url, "a", "x".repeat(70_000))).status, 413);
  const connection = await connect();
  connection.on("error", () => undefined);
  await assert.rejects(connection.query(`SELECT '${"x".repeat(140_000)}'`), { errno: 1153 });
  connection.destroy();
  assert.equal((await put(url, "a", "x".repeat(60_000))).status, 204);
  const again = await connect();
  assert.equal((await select(again, "a"))[0]?.length, 60_000);
  await again.end();
  await end("SIGTERM");
});

test("both clients of the build see the same rows", async () => {
  const { url, connect, end } = await start("clients");
  const { TwoDoorsClient } = await import(pathToFileURL(join(product, "client.ts")).href);
  const { TwoDoorsClient: SqlClient } = await import(pathToFileURL(join(product, "mysql-client.ts")).href);
  const connection = await connect();
  const [store, tables] = [new TwoDoorsClient({ url }), new SqlClient(connection)];
  await store.put("a", "over HTTP");
  const row = await tables.kv.find({ k: Buffer.from("a") });
  assert.equal(Buffer.from(row.v).toString(), "over HTTP");
  await tables.kv.insert({ k: Buffer.from("b"), v: Buffer.from("over SQL"), version: 0n, expires_ms: null });
  assert.equal((await store.get("b")).text(), "over SQL");
  await connection.end();
  await end("SIGTERM");
});

test("a gate over HTTP admits it", async () => {
  const workDirectory = join(work, "gates");
  mkdirSync(workDirectory);
  const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
  const gates = gatesOf(["mysql", "http"], "candidate").filter(({ name }) => name === "http-load-short");
  const verdicts = await runGates(gates, { productDirectory: product, knobs: {}, seed, workDirectory }, { all: true });
  assert.deepEqual(verdicts.map(({ verdict }) => verdict), ["admit"], JSON.stringify({ seed, verdicts }));
});
