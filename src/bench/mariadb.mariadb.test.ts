/**
 * The client, the driver and the workloads against a real server that is not ours; skipped where MariaDB
 * is not installed.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { WorkloadSpec } from "../contract/contract.ts";
import { findMariadb, startMariadb } from "../fleet/mariadb-server.ts";
import { MySqlClient } from "./clients/mysql-client.ts";
import { MySqlError } from "./clients/mysql-error.ts";
import { Driver } from "./driver.ts";
import { runSolo } from "./solo.ts";

const skip = findMariadb() === undefined ? "MariaDB is not installed" : false;

test("MariaDB runs every workload without an error or a wrong value", { skip }, async (context) => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-my-"));
  const server = await startMariadb({ dataDirectory: directory, poolMiB: 64 });
  context.after(async () => {
    await server.kill();
    rmSync(directory, { recursive: true, force: true });
  });
  const client = await MySqlClient.connect(server.endpoint);
  await assert.rejects(client.query("SELECT nope"), (error) => error instanceof MySqlError && error.number === 1054);
  const types = "SELECT CAST(-5 AS INT), 1.5e0, DATE '2020-02-03', NULL, REPEAT('x', 70000)";
  const [{ rows }] = await client.query(types);
  assert.deepEqual(rows[0].slice(0, 4), ["-5", "1.5", "2020-02-03", null]);
  assert.equal(rows[0][4]?.length, 70_000);
  await assert.rejects(MySqlClient.connect({ ...server.endpoint, password: "wrong" }), { code: "PERMISSION" });

  const workloads: readonly (readonly [WorkloadSpec["benchmark"], string])[] = [
    ["taobench", "o"], ["taobench", "a"], ["ycsb", "d"], ["ycsb", "e"], ["ycsb", "f"],
  ];
  for (const [benchmark, profile] of workloads) {
    const database = `${benchmark}_${profile}`;
    await client.query(`CREATE DATABASE ${database}`);
    const endpoint = { ...server.endpoint, database };
    const workload: WorkloadSpec = { benchmark, profile, scale: 300, clients: 4, loop: "closed" };
    const driver = await Driver.start(workload, 2);
    await driver.load(endpoint, 2);
    await assert.rejects(driver.load(endpoint, 1), { code: "ALREADY_EXISTS" });
    await driver.connect("m", { endpoint, connections: 4, seed: 3, verify: true });
    const block = await driver.run("m", { operations: 400 });
    await driver.close();
    assert.deepEqual([block.operations + block.errors, block.verificationFailures], [400, 0], database);
    // Transactions of several clients may deadlock; the server then says so, and nothing else.
    assert.deepEqual(block.complaints.filter((complaint) => !/Deadlock|Lock wait/i.test(complaint)), [], database);
  }
  client.close();

  const workload: WorkloadSpec = { benchmark: "taobench", profile: "o", scale: 300, clients: 2, loop: "closed" };
  const options = { workload, dataSeed: 2, seed: 9, load: false, warmUpMs: 50, durationMs: 100, ceilingOpsPerSecond: 1e9 };
  const solo = await runSolo({ ...server, endpoint: { ...server.endpoint, database: "taobench_o" } }, options);
  assert.ok(solo.server.opsPerSecond > 0 && solo.server.serverCpuUsPerOp > 0 && solo.accounted);
  assert.equal(solo.server.verificationFailures, 0);
});
