import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../kit/until.fixture.ts";
import { cloneCheckpoint, readFilesOnce } from "./checkpoint.ts";
import { parseEndpointUrl } from "./endpoint-url.ts";
import { LocalProcess } from "./local-process.ts";
import { ProcessAccounting, processExists } from "./process-accounting.ts";
import { startProduct } from "./product-server.ts";

/** For what comes within tenths of a second, unless the machine has much else to do. */
const patienceMs = 120_000;

const script = (code: string) => LocalProcess.start({ name: "script", command: process.execPath, args: ["-e", code] });

test("a process that ends before it is ready is an error with the end of its log", async () => {
  const failing = await script('console.error("no space left on the moon"); process.exit(3)');
  await assert.rejects(failing.waitForLine(() => undefined, patienceMs), {
    code: "CLOSED",
    message: /exit code 3.*no space left on the moon/s,
  });
  const silent = await script("setInterval(() => {}, 1000)");
  await assert.rejects(silent.waitForLine(() => undefined, 50), { code: "TIMEOUT" });
  await silent.stop();
  assert.equal((await silent.ended).signal, "SIGTERM");
  const absent = LocalProcess.start({ name: "x", command: "/no/such/program", args: [] });
  await assert.rejects(absent, { code: "UNAVAILABLE" });
});

test("a process that ignores SIGTERM is a TIMEOUT, and SIGKILL ends it, frozen or not", async () => {
  const stubborn = await script('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")');
  await stubborn.waitForLine((line) => (line === "up" ? true : undefined), patienceMs);
  await assert.rejects(stubborn.stop(50), { code: "TIMEOUT" });
  stubborn.freeze();
  await stubborn.kill();
  assert.equal((await stubborn.ended).signal, "SIGKILL");
  assert.equal(processExists(stubborn.processId), false);
});

test("a server does not outlive a workshop that is killed, even frozen", async () => {
  const module = new URL("./local-process.ts", import.meta.url).href;
  const workshop = await script(`
    import(${JSON.stringify(module)}).then(async ({ LocalProcess }) => {
      const args = ["-e", "setInterval(() => {}, 1000)"];
      const server = await LocalProcess.start({ name: "server", command: process.execPath, args });
      server.freeze();
      console.log("server " + server.processId);
      setInterval(() => {}, 1000);
    });
  `);
  const serverId = await workshop.waitForLine((line) => Number(/^server (\d+)$/.exec(line)?.[1]) || undefined, patienceMs);
  assert.ok(processExists(serverId));
  await workshop.kill();
  await until("an end of the server", () => !processExists(serverId));
});

test("a server does not outlive a workshop that is killed before it could say what it has started", async () => {
  const module = new URL("./local-process.ts", import.meta.url).href;
  const directory = mkdtempSync(join(tmpdir(), "lathe-orphans-"));
  const startedFile = join(directory, "started");
  // The first thing that the server does is to kill the workshop.
  const server = `echo $$ > "${startedFile}"; kill -9 $PPID; exec sleep 1000`;
  for (let round = 0; round < 5; round++) {
    const workshop = await script(`
      import(${JSON.stringify(module)}).then(({ LocalProcess }) =>
        LocalProcess.start({ name: "server", command: "/bin/sh", args: ["-c", ${JSON.stringify(server)}] }));
      setInterval(() => {}, 1000);
    `);
    assert.equal((await workshop.ended).signal, "SIGKILL");
    const serverId = Number(readFileSync(startedFile, "utf8"));
    await until("an end of the server", () => !processExists(serverId)).finally(() => {
      if (processExists(serverId)) process.kill(serverId, "SIGKILL");
    });
  }
  rmSync(directory, { recursive: true });
});

/** Whether no thread of a process can be given a core; where there is no /proc, it is taken to be so at once. */
function isStopped(processId: number): boolean {
  if (process.platform !== "linux") return true;
  try {
    return readdirSync(`/proc/${processId}/task`).every((thread) => {
      const stat = readFileSync(`/proc/${processId}/task/${thread}/stat`, "latin1");
      return stat[stat.lastIndexOf(")") + 2] === "T";
    });
  } catch {
    // One of them has just ended.
    return false;
  }
}

test("CPU time counts threads that have ended, stands still while frozen, and never goes back", async (context) => {
  // By CPU time and not by the clock: on a loaded machine the two are far apart.
  const spin = "const start = process.cpuUsage().user; while (process.cpuUsage().user < start + 100_000);";
  const busy = await script(`
    const { Worker } = require("node:worker_threads");
    new Worker(${JSON.stringify(spin)}, { eval: true }).on("exit", () => {
      console.log("worker done");
      setInterval(() => { for (let i = 0; i < 1e5; i++); }, 1);
    });
  `);
  context.after(() => busy.kill());
  const before = busy.cpuUs();
  await busy.waitForLine((line) => (line === "worker done" ? true : undefined), patienceMs);
  const worked = busy.cpuUs();
  assert.ok(worked - before > 20_000, `${worked - before} µs`);
  busy.freeze();
  // A thread that waits for a core stops only when it is given one.
  await until("a stand of all its threads", () => isStopped(busy.processId));
  const frozen = busy.cpuUs();
  await sleep(60);
  assert.equal(busy.cpuUs(), frozen);
  assert.ok(busy.memory().residentBytes > 1 << 20 && busy.memory().peakBytes >= busy.memory().residentBytes);
  await busy.kill();
  assert.ok(busy.cpuUs() >= frozen);
});

test("our own accounting agrees with Node's", () => {
  const accounting = new ProcessAccounting(process.pid);
  const before = { mine: accounting.cpuUs(), node: process.cpuUsage() };
  for (const end = performance.now() + 150; performance.now() < end; );
  const { user, system } = process.cpuUsage(before.node);
  const mine = accounting.cpuUs() - before.mine;
  assert.ok(Math.abs(mine - user - system) < 30_000, `${mine} and ${user + system} µs`);
});

test("a clone shares tables, and nothing else", (context) => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-checkpoint-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const source = join(directory, "source");
  mkdirSync(join(source, "log"), { recursive: true });
  writeFileSync(join(source, "00000001.sst"), "table");
  writeFileSync(join(source, "log", "segment"), "old");
  const target = join(directory, "target");
  cloneCheckpoint(source, target);
  assert.equal(statSync(join(target, "00000001.sst")).ino, statSync(join(source, "00000001.sst")).ino);
  writeFileSync(join(target, "log", "segment"), "new");
  rmSync(join(target, "00000001.sst"));
  assert.equal(readFileSync(join(source, "log", "segment"), "utf8"), "old");
  assert.equal(readFileSync(join(source, "00000001.sst"), "utf8"), "table");
  assert.equal(readFilesOnce(source), 8);
  assert.throws(() => cloneCheckpoint(join(directory, "nowhere"), target), { code: "NOT_FOUND" });
});

test("URLs of servers are taken apart, and a wrong one does not show its password", () => {
  assert.deepEqual(parseEndpointUrl("mysql://u:p%40w@db.example:3307/test"), {
    host: "db.example", port: 3307, user: "u", password: "p@w", database: "test",
  });
  assert.equal(parseEndpointUrl("mysql://u:p@h").port, 3306);
  for (const text of ["http://u:geheim@h/x", "mysql://h", "u:geheim@h", ""]) {
    assert.throws(() => parseEndpointUrl(text), (error: Error & { code: string }) => {
      return error.code === "INVALID_ARGUMENT" && !error.message.includes("geheim");
    });
  }
});

test("a directory without a product is told from one whose product fails", async (context) => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-product-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const start = { productDirectory: directory, dataDirectory: join(directory, "data") };
  await assert.rejects(startProduct(start), { code: "NOT_FOUND" });
  writeFileSync(join(directory, "main.ts"), 'console.error("bad knob"); process.exit(2);');
  await assert.rejects(startProduct(start), { code: "CLOSED", message: /exit code 2.*bad knob/s });
  const listening = `
    const seen = process.argv.slice(2);
    console.log(JSON.stringify({ event: "listening", mysqlPort: 7, metricsPort: null, seen }));
    setInterval(() => {}, 1e3);
  `;
  writeFileSync(join(directory, "main.ts"), listening);
  const server = await startProduct({ ...start, knobs: { "lsm.memtable_bytes": 5 }, user: "me" });
  assert.deepEqual([server.endpoint.port, server.endpoint.user, server.metricsPort], [7, "me", undefined]);
  await server.stop();
  const { logTail } = await server.ended;
  assert.match(logTail, /--knob","lsm.memtable_bytes=5/);
  assert.ok(!logTail.includes(server.endpoint.password));
});
