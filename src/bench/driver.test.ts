import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { WorkloadSpec } from "../contract/contract.ts";
import { startScriptServer } from "../fleet/script-server.ts";
import type { RunningServer } from "../fleet/server.ts";
import { Histogram } from "../kit/histogram.ts";
import { measureCeiling } from "./ceiling.ts";
import { Driver } from "./driver.ts";

const workload: WorkloadSpec = { benchmark: "taobench", profile: "o", scale: 500, clients: 4, loop: "closed" };
let server: RunningServer;
let driver: Driver;
before(async () => {
  server = await startScriptServer("fixed-row server", fileURLToPath(new URL("./fixed-row-server.ts", import.meta.url)));
  driver = await Driver.start(workload, 1);
});
after(async () => {
  await driver.close();
  await server.kill();
});

const connection = () => ({ endpoint: server.endpoint, connections: 4, seed: 9 });

test("a block of a fixed count runs just that many operations, all timed", async () => {
  await driver.connect("plain", { ...connection(), verify: false });
  const block = await driver.run("plain", { operations: 1000 });
  assert.equal(block.operations, 1000);
  const recorded = Object.values(block.latencies).map((snapshot) => Histogram.fromSnapshot(snapshot).count);
  assert.equal(recorded.reduce((sum, count) => sum + count, 0), 1000);
  assert.deepEqual([block.errors, block.verificationFailures, block.connectionsLost], [0, 0, 0]);
  assert.ok(block.seconds > 0 && block.driverCpuUs > 0);
});

test("a verifying driver reports every canned answer", async () => {
  await driver.connect("verified", { ...connection(), verify: true });
  const block = await driver.run("verified", { operations: 500 });
  assert.ok(block.verificationFailures > 450, `${block.verificationFailures} of 500`);
  assert.match(block.complaints[0], /never written/);
});

test("an open loop charges a stall to every operation that it delays", async () => {
  const operationsPerSecond = 500;
  // Frozen for longer than the block takes, so that it does not matter how late the driver or this test come to it.
  server.freeze();
  const running = driver.run("plain", { durationMs: 400, operationsPerSecond, schedule: "fixed" });
  await sleep(3000);
  server.thaw();
  const block = await running;
  assert.equal(block.operations, 200);
  const latencies = new Histogram();
  for (const snapshot of Object.values(block.latencies)) latencies.merge(Histogram.fromSnapshot(snapshot));
  // All were due while it was frozen, and waited for its end. A closed loop would have seen four.
  assert.ok(latencies.percentile(10) > 90e6, `p10 is ${latencies.percentile(10) / 1e6} ms`);
});

test("the driver's ceiling is a rate", async () => {
  const ceiling = await measureCeiling(driver, { connections: 4, warmUpMs: 50, durationMs: 90 });
  assert.ok(ceiling.operationsPerSecond > 0 && ceiling.driverCpuUsPerOp > 0);
});

test("a server that dies ends the block and is reported, and a driver that was closed says so", async () => {
  const mortal = await startScriptServer("mortal", fileURLToPath(new URL("./fixed-row-server.ts", import.meta.url)));
  await driver.connect("mortal", { ...connection(), endpoint: mortal.endpoint, verify: false });
  const running = driver.run("mortal", { durationMs: 20_000 });
  await sleep(50);
  await mortal.kill();
  const block = await running;
  assert.equal(block.connectionsLost, 4);
  assert.match(block.complaints.join(), /ended/);
  const late = driver.connect("x", { ...connection(), endpoint: mortal.endpoint, verify: true });
  await assert.rejects(late, { code: "IO_ERROR" });
  await assert.rejects(driver.run("nobody", { operations: 1 }), { code: "NOT_FOUND" });
  await assert.rejects(Driver.start({ ...workload, profile: "z" }, 1), { code: "INVALID_ARGUMENT" });
  const brief = await Driver.start(workload, 1);
  await brief.close();
  await assert.rejects(brief.run("plain", { operations: 1 }), { code: "CLOSED" });
});
