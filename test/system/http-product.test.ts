/**
 * An HTTP product as a process: SNDV-KV's own checks from outside, crashes, expiry over a restart, tokens, HTTPS, and
 * the client that its build wrote.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { prepareCheckpoint } from "../../src/bench/prepared-data.ts";
import { productContender } from "../../src/bench/launch-side.ts";
import { runLaunch } from "../../src/bench/launch.ts";
import { buildFromContract } from "../../src/app/build.ts";
import { killRunning, startHttpProduct } from "./product-harness.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "sndv-kv", "contract.yaml");
const work = mkdtempSync(join(tmpdir(), "lathe-http-"));
const product = join(work, "product");

before(() => void buildFromContract({ contractFile, directory: product }));
after(() => {
  killRunning();
  rmSync(work, { recursive: true, force: true });
});

const start = (data: string, ...more: string[]) => startHttpProduct(product, ["--data", join(work, data), ...more]);

const put = (url: string, key: string, value: string, ttl = 0) =>
  fetch(`${url}/put`, { method: "POST", body: JSON.stringify({ key, value, ttl }) }).then(({ status }) => status);
const get = async (url: string, key: string) => {
  const response = await fetch(`${url}/get?key=${encodeURIComponent(key)}`);
  return response.status === 200 ? ((await response.json()) as { val: string }).val : response.status;
};

test("what was answered survives kill -9 under concurrent writers; a large value; an expiry over the restart", async () => {
  const first = await start("crash");
  const large = "x".repeat(1_000_000);
  assert.equal(await put(first.url, "large", large), 201);
  assert.equal(await put(first.url, "short", "gone", 1), 201);
  const acknowledged = new Map<string, string>();
  let stopped = false;
  const writers = Array.from({ length: 10 }, async (_, writer) => {
    for (let turn = 0; !stopped; turn++) {
      const key = `w${writer}-${turn}`;
      const done = await put(first.url, key, `"value" ${turn} é`).catch(() => 0);
      if (done === 201) acknowledged.set(key, `"value" ${turn} é`);
    }
  });
  while (acknowledged.size < 200) await new Promise((resolve) => setTimeout(resolve, 5));
  await first.end("SIGKILL");
  stopped = true;
  await Promise.all(writers);
  const second = await start("crash");
  assert.equal(await get(second.url, "large"), large);
  for (const [key, value] of acknowledged) assert.equal(await get(second.url, key), value, key);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(await get(second.url, "short"), 404);
  await second.end("SIGTERM");
});

test("tokens: made by the product, needed where they are required, kept from other users", async () => {
  const main = join(product, "main.js");
  const data = join(work, "tokens");
  const make = (...args: string[]) => execFileSync(process.execPath, [main, "--data", data, ...args], { encoding: "utf8" });
  const token = make("--make-token", "read,write", "--token-subject", "test").trim();
  const file = join(work, "token");
  make("--make-token", "read", "--token-file", file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(data, "token-secret")).mode & 0o777, 0o600);
  assert.throws(() => make("--make-token", "root"), /scopes out of read, write, admin/);
  assert.throws(() => make("--profile", "fast"), /durability every_commit.*put `storage: \{ durability: interval, loss_window_ms: 50 \}`/);
  const { url, end } = await start("tokens", "--require-token");
  const ask = (path: string, authorization?: string, method = "GET") =>
    fetch(`${url}${path}`, { method, headers: authorization === undefined ? {} : { authorization } }).then(({ status }) => status);
  assert.equal(await ask("/get?key=a"), 401);
  assert.equal(await ask("/get?key=a", `Bearer ${token}`), 404);
  assert.equal(await ask("/delete?key=a", token, "DELETE"), 200);
  assert.equal(await ask("/delete?key=a", readFileSync(file, "utf8").trim(), "DELETE"), 403);
  await end("SIGTERM");
});

test("HTTPS on the same port, and nothing else beyond loopback", async () => {
  const { httpPort: port, end } = await start("https", "--host", "0.0.0.0");
  const status = (path: string) => new Promise<number | undefined>((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on("error", reject);
    asked.end();
  });
  assert.equal(await status("/health"), 200);
  assert.equal(await status("/get?key=a"), 401);
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 403);
  await end("SIGTERM");
});

test("the client that the build wrote", async () => {
  const { url, end } = await start("client");
  const { SndvKvClient, StoreError } = await import(pathToFileURL(join(product, "client.ts")).href);
  const store = new SndvKvClient({ url });
  assert.equal(await store.isHealthy(), true);
  assert.equal(await store.get("a"), undefined);
  const etag = await store.put("a", "héllo\0");
  const found = await store.get("a");
  assert.deepEqual([found.text(), found.etag, found.expiresMs], ["héllo\0", etag, undefined]);
  await assert.rejects(store.put("a", "x", { ifAbsent: true }), (error: { conditionFailed: boolean }) => {
    assert.ok(error instanceof StoreError);
    return error.conditionFailed;
  });
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  await store.put(bytes, bytes, { ifAbsent: true, ttlSeconds: 100 });
  assert.deepEqual((await store.get(bytes)).value, bytes);
  await store.putMany(Array.from({ length: 1200 }, (_, at) => ({ key: `n${String(at).padStart(4, "0")}`, value: bytes })));
  const many = await store.getMany(["n0000", "none", bytes]);
  assert.deepEqual(many.map((item: { key: Uint8Array }) => item.key.length), [5, 256]);
  let count = 0;
  for await (const item of store.scan({ prefix: "n" })) {
    assert.equal(Buffer.from(item.key).toString(), `n${String(count++).padStart(4, "0")}`);
    assert.deepEqual(item.value, bytes);
  }
  assert.equal(count, 1200);
  const exported = await new Response(await store.exportLines({ prefix: "n" })).text();
  await store.deleteMany(["n0000", "a"]);
  assert.equal(await store.get("n0000"), undefined);
  assert.equal(await store.importLines(exported), 1200);
  assert.deepEqual((await store.get("n0000")).value, bytes);
  await assert.rejects(store.importLines("{"), (error: { status: number }) => error.status === 400);
  await end("SIGTERM");
});

test("a launch drives two sides over HTTP from one checkpoint, verifies every value and freezes who waits", async () => {
  const checkpointDirectory = join(work, "checkpoint");
  const workload = { benchmark: "key_value", profile: "sndv", scale: 300, clients: 6, loop: "closed" } as const;
  const knobs = { "lsm.memtable_bytes": 1_048_576 };
  const loaded = await prepareCheckpoint({
    productDirectory: product, knobs, checkpointDirectory, workload, dataSeed: 1,
  });
  assert.equal(loaded.rows, 300);
  const side = productContender({ productDirectory: product, knobs, checkpointDirectory, surface: "http" });
  const { incumbent, candidate, blocks, driver } = await runLaunch({
    workload, dataSeed: 1, seed: 5, incumbent: side, candidate: side, workDirectory: join(work, "launch"),
    warmUpMs: 80, blockMs: 30, blockPairs: 2,
  });
  assert.equal(blocks.length, 4);
  assert.ok(driver.ceilingOpsPerSecond > 0);
  for (const sample of [incumbent, candidate]) {
    assert.deepEqual([sample.errors, sample.verificationFailures, sample.complaints ?? []], [0, 0, []]);
    assert.deepEqual(Object.keys(sample.operations).sort(), ["BATCH", "GET", "PUT"]);
    assert.ok(sample.serverCpuUsPerOp > 0 && sample.memoryMiB > 10);
    assert.ok(sample.signals["kv_writes_total"] > 0, "the drain read the product's metrics");
  }
});
