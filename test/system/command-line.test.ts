/** The command line over real processes: results, `--json`, exit codes, and how it fails. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { withTemporaryDirectory } from "./product-harness.ts";

const root = join(import.meta.dirname, "..", "..");
const example = join(root, "examples", "taobench-o", "contract.yaml");

interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line on stdout as an object. */
  readonly json: Record<string, unknown>;
}

function lathe(args: readonly string[], whileRunning?: (stdout: string, interrupt: () => void) => void): Promise<Ran> {
  const child = spawn(process.execPath, [join(root, "src", "cli", "main.ts"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (bytes: Buffer) => {
    stdout += bytes.toString();
    whileRunning?.(stdout, () => child.kill("SIGINT"));
  });
  child.stderr.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  return new Promise((resolve) => {
    child.on("close", (exitCode) => {
      const last = stdout.trimEnd().split("\n").at(-1) ?? "";
      resolve({ exitCode, stdout, stderr, json: last.startsWith("{") ? JSON.parse(last) : {} });
    });
  });
}

test("a contract is written, checked and explained", async () => {
  await withTemporaryDirectory(async (directory) => {
    const file = join(directory, "contract.yaml");
    const made = await lathe(["contract", "new", "--yes", "--out", file, "--json"]);
    assert.equal(made.exitCode, 0, made.stderr);
    assert.deepEqual(made.json, { contract: file, name: "taobench-o", verdict: "valid" });
    const again = await lathe(["contract", "new", "--yes", "--out", file, "--json"]);
    assert.equal(again.exitCode, 11);
    assert.equal((again.json.error as { code: string }).code, "ALREADY_EXISTS");
    const answers = join(directory, "answers.yaml");
    writeFileSync(answers, "workload: ycsb/c\nworkload.clients: 3\n");
    assert.equal((await lathe(["contract", "new", "--answers", answers, "--out", file, "--force"])).exitCode, 0);
    assert.match(readFileSync(file, "utf8"), /profile: c[\s\S]*clients: 3/);
    assert.equal((await lathe(["contract", "check", file])).exitCode, 0);
    assert.match((await lathe(["contract", "explain", file])).stdout, /^ycsb-c\n[\s\S]*served by: .*core\/wal/);
  });
});

test("a wrong contract: every problem, exit code 2; one that is not served: exit code 9 and the leaf", async () => {
  await withTemporaryDirectory(async (directory) => {
    const wrong = join(directory, "wrong.yaml");
    writeFileSync(wrong, "version: 1\nnmae: x\nworkload: { benchmark: taobench, profile: q }\n");
    const checked = await lathe(["contract", "check", wrong, "--json"]);
    assert.equal(checked.exitCode, 2);
    assert.deepEqual((checked.json.problems as { line: number }[]).map((problem) => problem.line), [1, 2, 3]);
    const unserved = join(directory, "unserved.yaml");
    const text = "version: 1\nname: x\nreplication: { nodes: 3, consensus: raft }\nworkload: { benchmark: ycsb, profile: c }\n";
    writeFileSync(unserved, text);
    assert.equal((await lathe(["contract", "check", unserved])).exitCode, 9);
    const built = await lathe(["build", unserved, "--out", join(directory, "out"), "--json"]);
    assert.equal(built.exitCode, 9);
    assert.match(built.stderr, /unserved.yaml:3:23: replication.nodes: .*the leaf replication\/consensus\/raft_group is missing/);
    assert.equal(existsSync(join(directory, "out")), false);
  });
});

test("mistakes on the command line have a suggestion and exit code 2, with and without --json", async () => {
  const unknown = await lathe(["biuld", "--json"]);
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /unknown command 'biuld'\n\(Did you mean build\?\)/);
  assert.equal((unknown.json.error as { code: string }).code, "INVALID_ARGUMENT");
  const missing = await lathe(["build", join(root, "nowhere.yaml"), "--out", "x"]);
  assert.equal(missing.exitCode, 2);
  assert.match(missing.stderr, /there is no such file; `lathe contract new` writes one/);
  assert.doesNotMatch(missing.stderr, /\n {4}at /);
  const port = await lathe(["serve", "x", "--mysql-port", "99999"]);
  assert.equal(port.exitCode, 2);
  assert.match((await lathe(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test("build, serve, Ctrl-C", async () => {
  await withTemporaryDirectory(async (directory) => {
    const product = join(directory, "store");
    const knob = ["--knob", "lsm.block_cache_bytes=8388608"];
    const built = await lathe(["build", example, "--out", product, "--no-verify", ...knob, "--json"]);
    assert.equal(built.exitCode, 0, built.stderr);
    assert.equal(built.json.verify, "none");
    assert.equal(built.json.product, "taobench-o");
    assert.match(readFileSync(join(product, "knobs.yaml"), "utf8"), /^lsm.block_cache_bytes: 8388608$/m);
    const wrong = await lathe(["build", example, "--out", product, "--knob", "lsm.block_cache_byte=1"]);
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /did you mean lsm.block_cache_bytes\?/);
    writeFileSync(join(product, "product.ts"), "// mine");
    const edited = await lathe(["build", example, "--out", product]);
    assert.equal(edited.exitCode, 11);
    assert.match(edited.stderr, /product.ts \(edited\)/);
    assert.equal((await lathe(["build", example, "--out", product, "--no-verify", "--force"])).exitCode, 0);
    assert.equal(readFileSync(join(product, ".lathe", "replaced", "product.ts"), "utf8"), "// mine");

    const data = join(directory, "data");
    let stopped = false;
    const served = await lathe(["serve", product, "--data", data, "--mysql-port", "0", "--json"], (stdout, interrupt) => {
      if (!stopped && stdout.includes('"listening"')) interrupt();
      stopped ||= stdout.includes('"listening"');
    });
    assert.equal(served.exitCode, 0, served.stderr);
    assert.deepEqual(served.json, { product, exitCode: 0 });
    const nothing = join(directory, "nothing");
    mkdirSync(nothing);
    assert.match((await lathe(["serve", nothing])).stderr, /holds no product/);
  });
});

test("doctor says what is there", async () => {
  const examined = await lathe(["doctor", "--json"]);
  const findings = examined.json.findings as { name: string; state: string; remedy?: string }[];
  for (const name of ["node", "cores", "memory", "file system", "flush", "strace", "mariadb", "git"]) {
    assert.ok(findings.some((finding) => finding.name === name), name);
  }
  for (const { name, state, remedy } of findings) assert.equal(state === "good", remedy === undefined, name);
});
