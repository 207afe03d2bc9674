/**
 * From a contract to a served store and back, over real processes: build, self-containment, start, SQL, stop, restart,
 * and every start that must fail with one clear line.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { after, before, test } from "node:test";
import { buildFromContract } from "../../src/app/build.ts";
import { explainContract } from "../../src/contract/explain.ts";
import { loadContract } from "../../src/contract/parse.ts";
import { scanImports } from "../../src/foundry/import-scanner.ts";
import { connectTo, runMain, startProduct, withTemporaryDirectory } from "./product-harness.ts";

const root = join(import.meta.dirname, "..", "..");
const contractFile = join(root, "examples", "taobench-o", "contract.yaml");
const scratch = mkdtempSync(join(tmpdir(), "lathe-build-serve-"));
const product = join(scratch, "taobench-o");

before(() => {
  buildFromContract({ contractFile, directory: product });
});

after(() => {
  rmSync(scratch, { recursive: true, force: true });
});

test("a product stands alone: no import leaves it, no package is needed, it type-checks", () => {
  const files = readdirSync(product, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  assert.ok(files.length > 50);
  for (const name of files) {
    const file = join(product, name);
    for (const { specifier } of scanImports(readFileSync(file, "utf8"))) {
      if (specifier.startsWith("node:")) continue;
      if (name.startsWith(join("test", "conformance")) && specifier === "fast-check") continue;
      assert.ok(specifier.startsWith("."), `${name} imports ${specifier}`);
      const target = resolve(file, "..", specifier);
      assert.ok(!relative(product, target).startsWith(".."), `${name} imports ${specifier}`);
      assert.ok(existsSync(target), `${name} imports ${specifier}`);
    }
  }
  // Types of Node and fast-check come from the workshop, for this check only.
  symlinkSync(join(root, "node_modules"), join(product, "node_modules"));
  try {
    const checked = spawnSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", product], {
      encoding: "utf8",
    });
    assert.equal(checked.stdout + checked.stderr, "");
  } finally {
    rmSync(join(product, "node_modules"));
  }
});

test("what explain says serves a topic is in the product", () => {
  const selection = JSON.parse(readFileSync(join(product, "selection.json"), "utf8")) as { leaves: string[] };
  const named = explainContract(loadContract(contractFile)).flatMap((topic) => topic.leaves);
  assert.ok(named.length >= 5);
  assert.deepEqual(named.filter((leaf) => !selection.leaves.includes(leaf)), []);
});

test("create, insert, select, a transaction, SIGTERM, restart: the data are there", async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = join(directory, "data");
    const first = await startProduct(product, ["--data", data, "--metrics-port", "0"]);
    const connection = await connectTo(first);
    await connection.query("CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))");
    await connection.query("INSERT INTO objects (id, timestamp, value) VALUES (1, 10, 'a'), (9223372036854775807, 11, 'ü')");
    await connection.execute("UPDATE objects SET timestamp=?, value=? WHERE timestamp<? AND id=?", ["12", "b", "12", "1"]);
    const [both] = await connection.query(
      "START TRANSACTION; SELECT value FROM objects WHERE id=1; INSERT INTO objects VALUES (2, 1, 'c'); COMMIT",
    );
    assert.deepEqual((both as unknown[][])[1], [{ value: "b" }]);
    await assert.rejects(connection.query("INSERT INTO objects VALUES (2, 1, 'again')"), { errno: 1062 });
    await assert.rejects(connection.query("SELECT count(*) FROM objects GROUP BY value"), /leaf/);
    await connection.end();
    const scrape = await fetch(`http://127.0.0.1:${first.metricsPort}/metrics`);
    const metrics = await scrape.text();
    assert.equal(scrape.status, 200);
    assert.ok(metrics.split("\n").filter((line) => line.startsWith("# TYPE ")).length > 20);

    const stopped = await first.end("SIGTERM");
    assert.deepEqual([stopped.exitCode, stopped.signal], [0, null]);
    for (const line of stopped.stderr.trim().split("\n")) assert.ok(JSON.parse(line).event, "logs are JSON lines");

    const second = await startProduct(product, ["--data", data]);
    const again = await connectTo(second);
    const [rows] = await again.execute("SELECT timestamp, value FROM objects WHERE id=?", ["1"]);
    assert.deepEqual(rows, [{ timestamp: "12", value: "b" }]);
    const [last] = await again.query("SELECT id, value FROM objects WHERE id=9223372036854775807");
    assert.deepEqual(last, [{ id: "9223372036854775807", value: "ü" }]);
    await again.end();

    // Killed without a warning, nothing acknowledged is lost either.
    assert.equal((await second.end("SIGKILL")).signal, "SIGKILL");
    const third = await startProduct(product, ["--data", data]);
    const connected = await connectTo(third);
    assert.equal(((await connected.query("SELECT value FROM objects WHERE id=2"))[0] as { value: string }[])[0].value, "c");
    await connected.end();
    assert.equal((await third.end("SIGINT")).exitCode, 0);
  });
});

test("the first run makes a password, shows it once, and keeps it to its owner", async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = join(directory, "data");
    const first = await startProduct(product, ["--data", data], {});
    const file = join(data, "password");
    const kept = readFileSync(file, "utf8").trim();
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(first.log().split(kept).length, 2, "shown exactly once");
    await (await connectTo(first, { password: kept })).end();
    await assert.rejects(connectTo(first, { password: "wrong" }), { errno: 1045 });
    await assert.rejects(connectTo(first, { user: "root", password: kept }), { errno: 1045 });
    assert.equal((await first.end("SIGTERM")).exitCode, 0);
    const second = await startProduct(product, ["--data", data], {});
    assert.ok(!second.log().includes(kept));
    await (await connectTo(second, { password: kept })).end();
    await second.end("SIGTERM");
  });
});

/** One line, with the exit code of its reason, and no stack. */
function assertRefused(
  end: { exitCode: number | null; stdout: string; stderr: string },
  exitCode: number,
  pattern: RegExp,
): void {
  const lines = end.stderr.trim().split("\n").filter((line) => !line.startsWith("{"));
  assert.equal(lines.length, 1, end.stderr);
  assert.match(lines[0], pattern);
  assert.equal(end.exitCode, exitCode, end.stderr);
  assert.equal(end.stdout, "");
}

test("a second process on the same directory, and a port in use", async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = join(directory, "data");
    const first = await startProduct(product, ["--data", data]);
    assertRefused(await runMain(product, ["--data", data, "--mysql-port", "0"]), 3, /held by process \d+; stop it/);
    const port = String(first.mysqlPort);
    const other = join(directory, "other");
    assertRefused(await runMain(product, ["--data", other, "--mysql-port", port]), 4, /another process listens there; /);
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((done) => blocker.once("listening", done));
    const busy = String((blocker.address() as AddressInfo).port);
    const args = ["--data", other, "--mysql-port", "0", "--metrics-port", busy];
    assertRefused(await runMain(product, args), 4, /another process listens there; /);
    blocker.close();
    assert.equal((await first.end("SIGTERM")).exitCode, 0);
  });
});

test("wrong arguments, knobs and knob files", async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = ["--data", join(directory, "data")];
    assertRefused(await runMain(product, ["--dat", "x"]), 2, /unknown argument --dat; did you mean --data\?$/);
    assertRefused(await runMain(product, [...data, "--knob", "lsm.block_cache_byte=1"]), 2, /did you mean lsm.block_cache_bytes\?/);
    assertRefused(await runMain(product, [...data, "--knob", "lsm.read_mode=fast"]), 2, /lsm.read_mode: expected one of /);
    const file = join(directory, "knobs.yaml");
    writeFileSync(file, "lsm.block_cache_bytes: 1048576\nlsm: { a: 1 }\n");
    assertRefused(await runMain(product, [...data, "--knobs", file]), 2, /knobs.yaml:2: expected `name: value`/);
    assert.equal(existsSync(join(directory, "data")), false, "nothing is created for a wrong start");
    const help = await runMain(product, ["--help"]);
    assert.match(help.stdout, /--mysql-port N/);
    assert.match((await runMain(product, ["--version"])).stdout, /^taobench-o 0.1.0 selection [0-9a-f]{64}\n$/);
  });
});

/** A stopped store with a log and, after `--rewrite`, table files. */
async function filledStore(data: string, rows: number): Promise<void> {
  const running = await startProduct(product, ["--data", data]);
  const connection = await connectTo(running);
  await connection.query("CREATE TABLE t (id BIGINT PRIMARY KEY, value VARCHAR(150))");
  const values = Array.from({ length: rows }, (_, id) => `(${id}, '${"x".repeat(100)}')`);
  await connection.query(`INSERT INTO t VALUES ${values.join(",")}`);
  await connection.end();
  await running.end("SIGTERM");
}

function flipByte(file: string, at: (size: number) => number): void {
  const bytes = readFileSync(file);
  bytes[at(bytes.length)] ^= 0xff;
  writeFileSync(file, bytes);
}

function filesOf(directory: string, pattern: RegExp): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => pattern.test(name))
    .map((name) => join(directory, name))
    .filter((name) => statSync(name).isFile());
}

test("damaged files are named, and nothing is changed", async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = join(directory, "data");
    await filledStore(data, 500);
    const wal = join(directory, "wal-damage");
    cpSync(data, wal, { recursive: true });
    const [segment] = filesOf(join(wal, "wal"), /\d/);
    flipByte(segment, () => 20);
    assertRefused(await runMain(product, ["--data", wal, "--mysql-port", "0"]), 7, new RegExp(segment));

    const rewritten = await runMain(product, ["--data", data, "--rewrite"]);
    assert.equal(rewritten.exitCode, 0, rewritten.stderr);
    assert.equal(rewritten.stdout, '{"event":"rewritten"}\n');
    const manifests = filesOf(join(data, "engine"), /manifest/i);
    assert.ok(manifests.length > 0);
    flipByte(manifests[0], (size) => Math.min(size - 1, 40));
    assertRefused(await runMain(product, ["--data", data, "--mysql-port", "0"]), 7, /manifest|MANIFEST/);
  });
});

test("a damaged table is an error for its reader, not wrong data", async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = join(directory, "data");
    await filledStore(data, 500);
    assert.equal((await runMain(product, ["--data", data, "--rewrite"])).exitCode, 0);
    const tables = filesOf(join(data, "engine"), /\.sst$/);
    assert.ok(tables.length > 0, readdirSync(join(data, "engine")).join(" "));
    for (const table of tables) flipByte(table, (size) => Math.floor(size / 3));
    const { refused, failures } = await runOrServe(data);
    assert.ok(refused || failures > 0, "either the start or a read says CORRUPTION");
  });
});

/** Starts on damaged tables: either the start is refused with 7, or reads fail with an error. */
async function runOrServe(data: string): Promise<{ refused: boolean; failures: number }> {
  let running;
  try {
    running = await startProduct(product, ["--data", data]);
  } catch (error) {
    assert.match((error as Error).message, /ended with 7 /);
    return { refused: true, failures: 0 };
  }
  const connection = await connectTo(running);
  let failures = 0;
  for (let id = 0; id < 500; id += 5) {
    try {
      const [rows] = await connection.query(`SELECT value FROM t WHERE id=${id}`);
      assert.deepEqual(rows, [{ value: "x".repeat(100) }], `row ${id}`);
    } catch (error) {
      assert.ok((error as { errno?: number }).errno !== undefined, String(error));
      failures++;
    }
  }
  await connection.end().catch(() => undefined);
  await running.end("SIGTERM");
  return { refused: false, failures };
}

test("another product's files are refused with the way out", async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = join(directory, "data");
    await filledStore(data, 1);
    const other = join(directory, "other");
    cpSync(product, other, { recursive: true });
    const wiring = join(other, "product.ts");
    const text = readFileSync(wiring, "utf8");
    writeFileSync(wiring, text.replace(/formatHash = "[0-9a-f]{8}/, 'formatHash = "00000000'));
    assertRefused(await runMain(other, ["--data", data, "--mysql-port", "0"]), 7, /another selection.*lathe export/);
  });
});

test("a directory that cannot be written", async () => {
  await withTemporaryDirectory(async (directory) => {
    const data = join(directory, "data");
    mkdirSync(data);
    chmodSync(data, 0o555);
    // Root may write everywhere, so it starts the product as nobody.
    const nobody = process.getuid?.() === 0 ? 65534 : undefined;
    for (const path of [directory, scratch]) chmodSync(path, 0o755);
    for (const place of [data, join(data, "below")]) {
      assertRefused(await runMain(product, ["--data", place, "--mysql-port", "0"], nobody), 5, /data.*; check /);
    }
    chmodSync(data, 0o755);
  });
});

test("a data directory that is a file, and one below a file", async () => {
  await withTemporaryDirectory(async (directory) => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    for (const data of [file, join(file, "data")]) {
      const end = await runMain(product, ["--data", data, "--mysql-port", "0"]);
      assertRefused(end, 2, new RegExp(file));
    }
  });
});

test("the suites of the product's parts pass with Node alone", () => {
  const npm = JSON.parse(readFileSync(join(product, "package.json"), "utf8")) as { dependencies?: object };
  assert.equal(npm.dependencies, undefined);
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const ran = spawnSync(process.execPath, ["--test", "test/parts/**/*.test.ts"], {
    cwd: product,
    encoding: "utf8",
    env: environment,
  });
  assert.equal(ran.status, 0, ran.stdout.slice(-3000));
  assert.match(ran.stdout, /^ℹ pass [1-9]|# pass [1-9]/m);
});

