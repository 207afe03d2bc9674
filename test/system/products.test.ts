/**
 * The six products that the examples stand for: each is built, started as a process, used at its surface, stopped and
 * started again over the same data; then all of them run their own product-level tests.
 *
 *   own tests   `test/*.test.ts` (as a whole; coverage by requests) and `test/contracts/*.test.ts` (joint tests of
 *               contract nodes) of every product run in one process, product after product. Suites of parts hold the
 *               same bytes beside the parts, where they run; those of one product run in `build-serve.test.ts`.
 *   packing     with LATHE_TEST_NPM=/path/to/npm the library is packed by npm, installed into an empty project,
 *               type-checked against what uses it rightly and wrongly, and run.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { buildFromContract } from "../../src/app/build.ts";
import { importAsJob } from "../../src/app/import.ts";
import { runOwnTests } from "../../src/foundry/own-tests.fixture.ts";
import { LatheError } from "../../src/kit/errors.ts";
import { connectTo, killRunning, password, startHttpProduct, startProduct, user } from "./product-harness.ts";

const root = join(import.meta.dirname, "..", "..");
const names = ["taobench-o", "sndv-kv", "embedded", "latency-bound", "bulk-ingest", "session-store"];
const scratch = mkdtempSync(join(tmpdir(), "lathe-products-"));
const productOf = (name: string) => join(scratch, name);
const dataOf = (name: string) => join(scratch, `${name}-data`);

before(() => {
  for (const name of names) {
    buildFromContract({ contractFile: join(root, "examples", name, "contract.yaml"), directory: productOf(name) });
  }
});
after(() => {
  killRunning();
  rmSync(scratch, { recursive: true, force: true });
});

const start = (name: string) => startProduct(productOf(name), ["--data", dataOf(name)]);
const startHttp = (name: string) => startHttpProduct(productOf(name), ["--data", dataOf(name)]);

for (const [name, table, key] of [["taobench-o", "objects", "id"], ["latency-bound", "profiles", "id"]] as const) {
  test(`${name}: rows over MySQL, changed and read, are there after a kill`, async () => {
    const first = await start(name);
    const connection = await connectTo(first);
    await connection.query(`CREATE TABLE ${table} (${key} BIGINT PRIMARY KEY, value VARCHAR(150))`);
    const rows = Array.from({ length: 50 }, (_, n) => `(${n}, 'value ${n}')`);
    await connection.query(`INSERT INTO ${table} (${key}, value) VALUES ${rows.join(",")}`);
    await connection.query(
      `START TRANSACTION; UPDATE ${table} SET value='changed' WHERE ${key}=7; DELETE FROM ${table} WHERE ${key}=8; COMMIT`,
    );
    await connection.end();
    await first.end("SIGKILL");
    const again = await start(name);
    const reader = await connectTo(again);
    const valueOf = async (id: number) => {
      const [found] = await reader.execute(`SELECT value FROM ${table} WHERE ${key}=?`, [String(id)]);
      return (found as { value: string }[]).map(({ value }) => value);
    };
    assert.deepEqual([await valueOf(7), await valueOf(8), await valueOf(49)], [["changed"], [], ["value 49"]]);
    await reader.end();
    assert.equal((await again.end("SIGTERM")).exitCode, 0);
  });
}

test("sndv-kv: keys over HTTP are put, read, deleted, and there after a stop", async () => {
  const first = await startHttp("sndv-kv");
  const put = (key: string, value: string) =>
    fetch(`${first.url}/put`, { method: "POST", body: JSON.stringify({ key, value }) }).then(({ status }) => status);
  assert.deepEqual([await put("a", "one"), await put("b", "two"), await put("a", "three")], [201, 201, 201]);
  assert.equal((await fetch(`${first.url}/delete?key=b`, { method: "DELETE" })).status, 200);
  assert.equal((await first.end("SIGTERM")).exitCode, 0);
  const again = await startHttp("sndv-kv");
  assert.deepEqual(await (await fetch(`${again.url}/get?key=a`)).json(), { key: "a", val: "three" });
  assert.equal((await fetch(`${again.url}/get?key=b`)).status, 404);
  await again.end("SIGTERM");
});

test("session-store: a session is gone once its time is over, and stays gone; one without an end stays", async () => {
  const first = await startHttp("session-store");
  const statusOf = async (url: string, path: string, init?: RequestInit) => {
    const response = await fetch(`${url}${path}`, init);
    await response.arrayBuffer();
    return response.status;
  };
  assert.equal(await statusOf(first.url, "/kv/ever", { method: "PUT", body: "kept" }), 204);
  assert.equal(await statusOf(first.url, "/kv/long?ttl=3600", { method: "PUT", body: "kept" }), 204);
  assert.equal(await statusOf(first.url, "/kv/short?ttl=1", { method: "PUT", body: "over" }), 204);
  // However late the machine is, it is gone a second after the answer; `session-store.test.ts` sets the clock.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const all = async (url: string) => Promise.all(["ever", "long", "short"].map((key) => statusOf(url, `/kv/${key}`)));
  assert.deepEqual(await all(first.url), [200, 200, 404]);
  assert.equal((await first.end("SIGTERM")).exitCode, 0);
  const again = await startHttp("session-store");
  assert.deepEqual(await all(again.url), [200, 200, 404]);
  await again.end("SIGTERM");
});

test("bulk-ingest: an import, FLUSH LOGS, and every row is there by key and by index after a kill", async () => {
  const file = join(scratch, "grants.csv");
  const count = 300;
  const lines = Array.from({ length: count }, (_, n) => `grant-${n},e${n % 4},p${n % 9},payload ${n}`);
  writeFileSync(file, `external_id,entitlement_id,principal_id,payload\n${lines.join("\n")}\n`);
  const first = await start("bulk-ingest");
  const connection = await connectTo(first);
  await connection.query(
    "CREATE TABLE grants (external_id VARCHAR(64) PRIMARY KEY, entitlement_id VARCHAR(64), principal_id VARCHAR(64), " +
      "payload VARCHAR(256), KEY by_entitlement (entitlement_id), KEY by_principal (principal_id))",
  );
  const url = `mysql://${user}:${encodeURIComponent(password)}@127.0.0.1:${first.mysqlPort}`;
  const request = {
    url, product: undefined, data: undefined, table: "grants", format: "csv", binary: "base64", skipBad: 0, fromLine: 1,
    job: "nightly", file, writers: 2, batchBytes: 4096,
  } as const;
  const { signal } = new AbortController();
  const imported = await importAsJob(request, { signal, progress: () => undefined, status: () => undefined });
  assert.deepEqual([imported.rows, imported.durable], [count, true]);
  await connection.query("INSERT INTO grants VALUES ('by hand', 'e1', 'p1', 'the last')");
  await connection.query("FLUSH LOGS");
  connection.destroy();
  await first.end("SIGKILL");
  const again = await start("bulk-ingest");
  const reader = await connectTo(again);
  const keysWhere = async (condition: string) => {
    const [found] = await reader.query(`SELECT external_id FROM grants WHERE ${condition}`);
    return (found as { external_id: string }[]).length;
  };
  assert.equal(await keysWhere("external_id >= ''"), count + 1);
  assert.equal(await keysWhere("entitlement_id = 'e1'"), count / 4 + 1);
  assert.equal(await keysWhere("external_id = 'by hand'"), 1);
  await reader.end();
  await again.end("SIGTERM");
});

/** What a user of the library writes: adds a note, says how many there are. */
const program = `const store = await open(process.argv[2] as string);
const count = [...store.notes.scan()].length;
const note = { owner: "a", number: BigInt(count), title: "t", body: null, attachment: Uint8Array.of(1, 2) };
await store.notes.put(note);
const found = store.notes.get({ owner: "a", number: BigInt(count) });
await store.close();
console.log(count, found?.title);
`;

test("embedded: a program imports it, and its notes are there when the program runs again", () => {
  const file = join(scratch, "notes.ts");
  const product = pathToFileURL(join(productOf("embedded"), "product.ts")).href;
  writeFileSync(file, `import { open } from "${product}";\n${program}`);
  const run = () => execFileSync(process.execPath, [file, dataOf("embedded")], { encoding: "utf8" }).trim();
  assert.deepEqual([run(), run()], ["0 t", "1 t"]);
});

test("every product passes its own tests: as a whole, by coverage of requests, contract node by contract node", () => {
  const files = names.flatMap((name) => {
    const own = globSync(["test/*.test.ts", "test/contracts/*.test.ts"], { cwd: productOf(name) });
    assert.ok(own.includes("test/product.test.ts") && own.includes("test/coverage.test.ts"), `${name}: ${own.join(" ")}`);
    assert.ok(own.length >= 3, `${name} has no joint test of a contract node`);
    return own.sort().map((path) => join(name, path));
  });
  const report = runOwnTests(scratch, files);
  assert.ok(report.ok, `${report.failedTest}\n${report.output}`);
  assert.ok(report.tests >= files.length, `${report.tests} tests in ${files.length} files`);
});

const npm = process.env.LATHE_TEST_NPM;

test("embedded: packed by npm and installed into an empty project, it is typed and runs", {
  skip: npm === undefined && "LATHE_TEST_NPM=/path/to/npm runs it",
}, () => {
  if (npm === undefined) throw new LatheError("INVALID_ARGUMENT", "give LATHE_TEST_NPM the path of npm");
  const product = productOf("embedded");
  // npm runs with the Node that it came with, which may be older than what the product needs.
  const env = { ...process.env, PATH: `${dirname(npm)}${delimiter}/usr/bin${delimiter}/bin` };
  execFileSync(process.execPath, ["pack.ts"], { cwd: product });
  execFileSync(npm, ["pack", "--ignore-scripts", "--offline", "--pack-destination", scratch], { cwd: product, env });
  const [packed] = readdirSync(scratch).filter((name) => name.endsWith(".tgz"));
  const project = join(scratch, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "name": "project", "private": true, "type": "module" }\n');
  execFileSync(npm, ["install", "--offline", "--no-audit", "--no-fund", join(scratch, packed)], { cwd: project, env });
  assert.deepEqual(readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith(".")), ["notes"]);
  const wrong = "// @ts-expect-error A note's number is a bigint.\nvoid ((): unknown => store.notes.get({ owner: 'a', number: 1 }));\n";
  writeFileSync(join(project, "main.ts"), `import { open } from "notes";\n${program}${wrong}`);
  const options = { target: "es2024", module: "nodenext", strict: true, noEmit: true, types: ["node"] };
  const typeRoots = [join(root, "node_modules", "@types")];
  const config = { compilerOptions: { ...options, typeRoots }, files: ["main.ts"] };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const checked = spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" });
  assert.equal(checked.stdout + checked.stderr, "");
  const run = () => execFileSync(process.execPath, ["main.ts", join(scratch, "packed-data")], { cwd: project, encoding: "utf8" });
  assert.deepEqual([run().trim(), run().trim()], ["0 t", "1 t"]);
});
