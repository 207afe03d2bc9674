/** A real client, mysql2, against the surface over a real socket. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import mysql from "mysql2/promise";
import { createNodeEnv } from "../../../../../kit/env/node-env.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { openMysqlSurface } from "./mysql-surface.ts";
import { sampleRow, ScriptedExecutor } from "./scripted-executor.fixture.ts";

const env = createNodeEnv({ logLevel: "error" });
const credentials = { user: "lathe", password: "correct horse" };
const executor = new ScriptedExecutor(rowToKv);
const surface = openMysqlSurface(env, { executor, credentials, layout: rowToKv });
let port = 0;

before(async () => {
  ({ port } = await surface.listen({ host: "127.0.0.1", port: 0 }));
});
after(async () => {
  await surface.close();
  await env.threads.close();
});

function connect(more: Partial<mysql.ConnectionOptions> = {}): Promise<mysql.Connection> {
  return mysql.createConnection({
    host: "127.0.0.1", port, ...credentials, supportBigNumbers: true, bigNumberStrings: true, ...more,
  });
}

const expectedRow = {
  id: "-5", timestamp: "1700000000123456789", value: "grün 🐘", score: 0.1, size: -42, bytes: Buffer.of(0, 255, 10),
};
const expectedNulls = { id: "6", timestamp: null, value: null, score: null, size: null, bytes: null };

test("mysql2 reads every type in text and binary form", async () => {
  const client = await connect();
  for (const sql of ["select all", "select plain"]) {
    const [text] = await client.query(sql);
    assert.deepEqual(JSON.stringify(text), JSON.stringify([expectedRow, expectedNulls]));
    const [binary] = await client.execute(sql);
    assert.deepEqual(JSON.stringify(binary), JSON.stringify([expectedRow, expectedNulls]));
  }
  await client.end();
});

test("mysql2 logs in by both plugins, changes user, and is refused with a wrong password", async () => {
  for (const authSwitchHandler of [undefined, () => assert.fail("no switch expected")]) {
    // With a handler of its own mysql2 begins with mysql_native_password.
    const client = await connect({ authSwitchHandler } as object);
    await client.ping();
    await client.end();
  }
  const client = await connect();
  await client.changeUser({ user: credentials.user, password: credentials.password });
  await client.query("update");
  await assert.rejects(client.changeUser({ user: "lathe", password: "wrong" }), { errno: 1045 });
  client.destroy();
  await assert.rejects(connect({ password: "wrong" }), { errno: 1045, sqlState: "28000" });
  await assert.rejects(connect({ password: "" }), { errno: 1045 });
  await assert.rejects(connect({ user: "nobody" }), { errno: 1045 });
});

test("mysql2 takes the full path of caching_sha2_password under the server's key", async () => {
  for (const [options, password, accepted] of [
    [{ fastPath: false, nativePassword: false }, credentials.password, true],
    [{ fastPath: false, nativePassword: false }, "wrong", false],
  ] as const) {
    const cold = openMysqlSurface(env, { executor, credentials, layout: rowToKv, authentication: options });
    const { port: coldPort } = await cold.listen({ host: "127.0.0.1", port: 0 });
    const attempt = connect({ port: coldPort, password });
    if (accepted) {
      const client = await attempt;
      await client.query("update");
      await client.end();
      await (await connect({ port: coldPort })).end();
    } else {
      await assert.rejects(attempt, { errno: 1045 });
    }
    await cold.close();
  }
});

test("mysql2 binds parameters of every type", async () => {
  const client = await connect();
  executor.calls.length = 0;
  await client.execute("set ?, ?, ?", [1, "grün", null]);
  await client.execute("set ?, ?, ?", [12345678901234567890n.toString(), Buffer.of(1, 255), new Date(0)] as never);
  await client.execute("set ?, ?, ?", [true, -7n, 1.5] as never);
  assert.deepEqual(executor.calls[0].parameters, [1, "grün", null]);
  assert.equal(executor.calls[1].parameters[0], "12345678901234567890");
  assert.deepEqual(executor.calls[1].parameters[1], Uint8Array.of(1, 255));
  assert.match(String(executor.calls[1].parameters[2]), /^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?)?$/);
  assert.equal(Number(executor.calls[2].parameters[1]), -7);
  await client.end();
});

test("mysql2 walks several results, sees counts, errors and late answers in order", async () => {
  const client = await connect({ multipleStatements: true, flags: ["-FOUND_ROWS"] });
  const [results] = await client.query("select rest; update; select later");
  const [first, second, third] = results as [unknown[], { affectedRows: number; info: string }, { value: string }[]];
  assert.equal(first.length, 2);
  assert.equal(second.affectedRows, 1);
  assert.equal(third[0].value, sampleRow[2]);
  await assert.rejects(client.query("update; fail; update"), { errno: 1062, sqlState: "23000" });
  await assert.rejects(client.query("nonsense"), { errno: 1064 });
  await assert.rejects(client.query("silent"), { errno: 1105 });
  const answers = await Promise.all([client.query("select later"), client.query("update"), client.query("select all")]);
  assert.equal((answers[0][0] as unknown[]).length, 1);
  assert.equal((answers[2][0] as unknown[]).length, 2);
  await client.end();

  const single = await connect();
  await assert.rejects(single.query("update; update"), { errno: 1064 });
  await single.query("update;");
  await single.end();
});
