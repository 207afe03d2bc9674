/**
 * mysql2 against the surface with the real executor: the statements of TAOBench, and what clients send
 * on connect.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import mysql from "mysql2/promise";
import { createNodeEnv } from "../../../../../kit/env/node-env.ts";
import { openInMemory } from "../../../../query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { openMysqlSurface } from "./mysql-surface.ts";

const env = createNodeEnv({ logLevel: "error" });
const credentials = { user: "lathe", password: "correct horse" };
const { executor } = openInMemory();
const surface = openMysqlSurface(env, { executor, credentials, layout: rowToKv });
let client: mysql.Connection;

before(async () => {
  const { port } = await surface.listen({ host: "127.0.0.1", port: 0 });
  client = await mysql.createConnection({
    host: "127.0.0.1", port, ...credentials, database: "test", multipleStatements: true, charset: "utf8mb4",
    supportBigNumbers: true, bigNumberStrings: true,
  });
  await client.query("CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))");
  await client.query(
    "CREATE TABLE edges (id1 BIGINT, id2 BIGINT, type BIGINT, timestamp BIGINT, value VARCHAR(150), " +
      "PRIMARY KEY CLUSTERED (id1, id2, type))",
  );
});
after(async () => {
  client.destroy();
  await surface.close();
  await env.threads.close();
});

const affected = (answer: unknown) => (answer as [{ affectedRows: number }])[0].affectedRows;
const big = (7n << 57n) + 12_345n;
const stamp = 1_700_000_000_123_456_789n;

test("points: insert, read, conditional update and delete, prepared and in text", async () => {
  const insert = "INSERT INTO objects (id, timestamp, value) VALUES (?, ?, ?)";
  assert.equal(affected(await client.execute(insert, [big, stamp, "grün 🐘"])), 1);
  assert.equal(affected(await client.execute(insert, ["2", null, null])), 1);
  await assert.rejects(client.execute(insert, [big, stamp, "again"]), { errno: 1062 });
  const read = "SELECT timestamp, value FROM objects WHERE id=?";
  for (const [rows] of [await client.execute(read, [big]), await client.query(read.replace("?", String(big)))]) {
    assert.deepEqual({ ...(rows as object[])[0] }, { timestamp: String(stamp), value: "grün 🐘" });
  }
  assert.deepEqual({ ...((await client.execute(read, [2]))[0] as object[])[0] }, { timestamp: null, value: null });
  assert.deepEqual((await client.execute(read, [3]))[0], []);
  const update = "UPDATE objects SET timestamp=?, value=? WHERE timestamp<? AND id=?";
  assert.equal(affected(await client.execute(update, [stamp + 1n, "new", stamp, big])), 0);
  assert.equal(affected(await client.execute(update, [stamp + 1n, "new", stamp + 1n, big])), 1);
  assert.equal(affected(await client.execute("DELETE FROM objects WHERE timestamp<? AND id=?", [stamp + 2n, big])), 1);
  assert.deepEqual((await client.execute(read, [big]))[0], []);
});

test("edges: conditional insert, bulk insert with quoted numbers, key scan", async () => {
  const insert =
    "INSERT INTO edges (id1,id2,type,timestamp,value) SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS " +
    "(SELECT 1 FROM edges WHERE (id1=? AND type=?) OR (id1=? AND id2=?))";
  assert.equal(affected(await client.execute(insert, [1, 2, 3, stamp, "a", 1, 0, 2, 1])), 1);
  assert.equal(affected(await client.execute(insert, [2, 1, 3, stamp, "a", 2, 0, 1, 2])), 0);
  const values = Array.from({ length: 257 }, (_, index) => `('${10 + index}', 5, 0, ${stamp}, '${"v".repeat(150)}')`);
  const bulk = `INSERT INTO edges (id1, id2, type, timestamp, value) VALUES ${values.join(",")}`;
  assert.equal(affected(await client.query(bulk)), 257);
  const [page] = await client.query(
    "SELECT id1, id2, type FROM edges WHERE (id1, id2, type) > ('10','5','0') AND (id1, id2, type) < ('14','0','0') " +
      "ORDER BY id1, id2, type LIMIT 10",
  );
  assert.deepEqual((page as { id1: number }[]).map(({ id1 }) => Number(id1)), [11, 12, 13]);
});

test("a transaction in one packet gives one result per statement", async () => {
  const [results] = await client.query(
    "START TRANSACTION; INSERT INTO objects (id, timestamp, value) VALUES (50, 1, 'x'); " +
      "SELECT timestamp, value FROM objects WHERE id=50; COMMIT",
  );
  const list = results as unknown[];
  assert.equal(list.length, 4);
  assert.deepEqual({ ...(list[2] as object[])[0] }, { timestamp: "1", value: "x" });
  await assert.rejects(
    client.query("START TRANSACTION; INSERT INTO objects (id, timestamp, value) VALUES (60, 1, 'x'), (50, 1, 'y'); COMMIT"),
    { errno: 1062 },
  );
  assert.deepEqual((await client.query("SELECT value FROM objects WHERE id=60"))[0], []);
});

test("what clients send on connect is answered; what is not there is refused by its leaf's name", async () => {
  for (const sql of ["SET NAMES utf8mb4", "select @@version_comment limit 1", "SELECT DATABASE()", "SHOW TABLES"]) {
    await client.query(sql);
  }
  await assert.rejects(client.query("SELECT * FROM objects JOIN edges ON id=id1"), { errno: 1235, message: /join/ });
  await assert.rejects(client.query("SELECT value FROM missing WHERE id=1"), { errno: 1146, sqlState: "42S02" });
  await assert.rejects(client.query("SELECT nothing FROM objects WHERE id=1"), { errno: 1054, sqlState: "42S22" });
});
