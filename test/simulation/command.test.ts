/** `lathe sim` as whoever calls it meets it: output, exit codes, how to see a failure again, records, Ctrl-C. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const root = join(import.meta.dirname, "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "lathe-sim-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `lathe sim` from the sources in a directory; `watch` may act on the process at every line of progress. */
function sim(home: string, args: readonly string[], watch?: (child: ChildProcess) => void): Promise<Ended> {
  const child = spawn(process.execPath, [join(home, "src/cli/main.ts"), "sim", "--workers", "1", ...args], {
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
    if (stderr.includes("simulating")) watch?.(child);
  });
  return new Promise((resolve) => child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr })));
}

/** A copy of the sources with one text replaced. */
function planted(name: string, file: string, find: string, replace: string): string {
  const home = join(scratch, name);
  for (const part of ["src", "catalog", "package.json"]) {
    cpSync(join(root, part), join(home, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(home, "node_modules"));
  const path = join(home, "src", file);
  const text = readFileSync(path, "utf8");
  assert.ok(text.includes(find), `${file} has no ${find}`);
  writeFileSync(path, text.replace(find, replace));
  return home;
}

test("seeds: exit code 0 and one object with seeds, failures and coverage", async () => {
  const { exitCode, stdout } = await sim(root, ["--seeds", "8", "--scenario", "log", "--json"]);
  const result = JSON.parse(stdout);
  assert.equal(exitCode, 0);
  assert.deepEqual([result.seeds, result.failures, result.stopped], [8, [], false]);
  assert.ok(result.coverage.wal_syncs_total > 0);
  assert.ok(result.crashed > 0 && result.lives > 8, `${result.crashed} crashed, ${result.lives} lives`);
});

test("a failure: exit code 10, a command that shows it again, and a scenario that --kept takes", async () => {
  const home = planted("unsynced", "parts/core/wal/wal.ts", "await file.sync();", "void file;");
  const { exitCode, stdout } = await sim(home, ["--seeds", "20", "--scenario", "log", "--json"]);
  assert.equal(exitCode, 10);
  const { failures } = JSON.parse(stdout);
  assert.match(failures[0].replay, /^lathe sim --scenario log --seed \d+ --seeds 1$/);
  const again = await sim(home, failures[0].replay.split(" ").slice(2));
  assert.equal(again.exitCode, 10);
  assert.match(again.stdout, /FAILED/);
  assert.ok(again.stdout.includes(`replay: ${failures[0].replay}`), again.stdout);
  const kept = join(scratch, "kept.json");
  writeFileSync(kept, stdout);
  assert.equal((await sim(home, ["--kept", kept])).exitCode, 10);
  assert.equal((await sim(root, ["--kept", kept])).exitCode, 0);
});

test("a record grows from run to run and goes on behind its last seed", async () => {
  const record = join(scratch, "record.json");
  await sim(root, ["--seeds", "5", "--scenario", "log", "--record", record]);
  await sim(root, ["--seeds", "4", "--scenario", "log", "--record", record]);
  const { nextSeed, bySources } = JSON.parse(readFileSync(record, "utf8"));
  assert.equal(nextSeed, 10);
  assert.equal(bySources.length, 1);
  assert.deepEqual([bySources[0].seeds, bySources[0].firstSeed, bySources[0].lastSeed], [9, 1, 9]);
  assert.match(readFileSync(join(scratch, "record.md"), "utf8"), /\*\*9 seeds\*\*/);
});

test("Ctrl-C: exit code 130, and what was done by then", async () => {
  let interrupted = false;
  const { exitCode, stdout } = await sim(root, ["--minutes", "5", "--scenario", "log", "--json"], (child) => {
    // The second Ctrl-C would not wait for the result.
    if (!interrupted) interrupted = child.kill("SIGINT");
  });
  assert.equal(exitCode, 130);
  const { seeds, stopped } = JSON.parse(stdout);
  assert.equal(stopped, true);
  assert.ok(seeds > 0, `${seeds} seeds`);
});

test("a process that dies is told of with its exit code and the way to what it ran", async () => {
  const home = planted("dying", "app/simulation/simulation-task.ts", "  unhandled.length = 0;", "  process.exit(7);");
  const { exitCode, stderr } = await sim(home, ["--seeds", "3", "--scenario", "log"]);
  assert.notEqual(exitCode, 0);
  assert.match(stderr, /exit code 7.*lathe sim --scenario log --seed 1 --seeds 1/);
});

test("what is no scenario, point or record is refused with what would be", async () => {
  const file = join(scratch, "other.json");
  writeFileSync(file, "{}");
  for (const [args, text] of [
    [["--scenario", "btree"], /there are engine, bare-engine, log, node, relaxed-node, memory, memory-node/],
    [["--point", "flood:1"], /write KIND:CALL/],
    [["--kept", file], /needs subject, operations and faults/],
    [["--record", file, "--seeds", "1"], /is no record of simulations/],
    [["--seeds", "0"], /seeds/],
  ] as const) {
    const { exitCode, stderr } = await sim(root, args);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, text);
  }
});
