/**
 * The main job over real processes: a short study that is killed with everything it started, goes on, ends,
 * is replayed, and whose journal cannot be changed unnoticed.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { replayStudy } from "../../src/app/replay.ts";
import { openStudyDirectory } from "../../src/app/study-directory.ts";
import { createWorkDirectory, isInMemory } from "../../src/fleet/work-directory.ts";
import { until } from "../../src/kit/until.fixture.ts";
import { readEntries } from "../../src/journal/journal-reader.ts";

const root = join(import.meta.dirname, "..", "..");
const contractFile = join(root, "examples", "taobench-o", "contract.yaml");
const scratch = createWorkDirectory("main-job");
const directory = join(scratch.path, "out");
const journal = join(directory, "study", "journal.ndjson");
after(() => scratch.remove());

interface Ran {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly json: Record<string, unknown>;
  readonly lines: string;
}

/** Runs the job in a process group of its own; `signal` goes to the whole group in the middle of what a line announces. */
async function run(
  seed: number, when?: RegExp, signal: NodeJS.Signals = "SIGKILL", more: readonly string[] = [],
): Promise<Ran> {
  const mark = randomUUID();
  const program = join(import.meta.dirname, "short-run.ts");
  const child = spawn(process.execPath, [program, contractFile, directory, String(seed), ...more], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: {
      ...process.env, LATHE_TEST_MARK: mark, ...(when !== undefined && { LATHE_TEST_END: `${signal} ${when.source}` }),
    },
  });
  let stdout = "";
  let lines = "";
  child.stdout.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (lines += bytes.toString()));
  // Of its output the last comes when nobody holds the pipe any more, which may be after its end.
  const closed = once(child, "close");
  const [exitCode, ended] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on("exit", (code, name) => resolve([code, name]));
  });
  await noneLeft(mark);
  await closed;
  return { exitCode, signal: ended, json: stdout === "" ? {} : JSON.parse(stdout), lines };
}

/** Servers, drivers and guards carry the mark in their environment; they have a moment to end. */
async function noneLeft(mark: string): Promise<void> {
  let left: string[] = [];
  await until("an end of all processes", () => (left = processesMarked(mark)).length === 0, 50).catch(() => {
    assert.fail(`processes are left: ${left.join("; ")}`);
  });
}

function processesMarked(mark: string): string[] {
  if (!existsSync("/proc/self/environ")) return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((id) => {
    try {
      if (!readFileSync(`/proc/${id}/environ`, "latin1").includes(mark)) return [];
      return [readFileSync(`/proc/${id}/cmdline`, "latin1").replaceAll("\0", " ")];
    } catch {
      return [];
    }
  });
}

test("a study goes on after each kill -9, ends, and is not begun again", async () => {
  const killed = [/load \(|running the gates/, /loading data/, /A\/A launch 3/, /screening|confirming/];
  for (const when of killed) {
    const { signal, lines } = await run(1, when);
    assert.equal(signal, "SIGKILL", `${when}: ${lines}`);
  }
  const stopped = await run(1, /A\/A launch|screening|confirming|measured alone/, "SIGINT");
  assert.equal(stopped.exitCode, 0);
  assert.match(stopped.lines, /going on with the study[\s\S]*the same command goes on from here/);
  assert.ok(existsSync(join(directory, "report.html")));

  const ended = await run(1);
  assert.ok(["gain", "none"].includes(ended.json.outcome as string), JSON.stringify(ended.json).slice(0, 300));
  assert.equal((ended.json.trials as unknown[]).length, 1);
  assert.equal(existsSync(join(directory, "work")), false);
  const kinds = [...readEntries(journal)].map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === "calibration_launch").length, 4);
  assert.ok(kinds.filter((kind) => kind === "resumed").length >= 4);

  const bytes = readFileSync(journal, "utf8");
  const again = await run(1);
  assert.match(again.lines, /the study has ended/);
  assert.equal(again.json.outcome, ended.json.outcome);
  assert.equal(readFileSync(journal, "utf8"), bytes);
});

test("a study keeps what it was started with", async () => {
  const other = await run(2);
  const { code, message } = other.json.error as { code: string; message: string };
  assert.equal(code, "ALREADY_EXISTS");
  assert.match(message, /seed was 1 and is now 2/);
  const warmed = (await run(1, undefined, "SIGKILL", ["500"])).json.error as { code: string; message: string };
  assert.match(warmed.message, /warm-up was "default" and is now 500/);
  const product = join(directory, "product", "product.ts");
  const text = readFileSync(product, "utf8");
  writeFileSync(product, `${text}// mine\n`);
  const edited = (await run(1)).json.error as { code: string; message: string };
  assert.match(edited.message, /the product has other sources/);
  writeFileSync(product, text);
});

test("a replay reproduces every decision, and notices a changed journal, its hashes made anew or not", async () => {
  const replayed = await replayStudy({ study: directory });
  assert.ok(replayed.decisions >= 4);
  assert.deepEqual([replayed.reproduced, replayed.ended], [replayed.decisions, true]);

  const copy = join(scratch.path, "changed");
  cpSync(join(directory, "study"), join(copy, "study"), { recursive: true });
  const changed = join(copy, "study", "journal.ndjson");
  const text = readFileSync(journal, "utf8");
  const opposite = (was: string) => (was === '"drop"' ? '"confirm"' : '"drop"');
  const other = text.replace(/(?<="decision":)"(confirm|drop)"/, opposite);
  assert.notEqual(other, text);
  writeFileSync(changed, other);
  const noticed = { code: "CORRUPTION", message: /its hash is not that of its bytes/ };
  await assert.rejects(replayStudy({ study: copy }), noticed);
  writeFileSync(changed, chainAnew(other));
  const found = await replayStudy({ study: copy });
  assert.match(found.differences[0], /decision: the journal says/);
  assert.ok(found.reproduced < found.decisions);
});

/** What a careful forger would do. */
function chainAnew(text: string): string {
  let previous = "0".repeat(64);
  return text.trimEnd().split("\n").map((line) => {
    const linked = line.replace(/"previous":"[0-9a-f]{64}"/, `"previous":"${previous}"`);
    const body = linked.replace(/,"hash":"[0-9a-f]{64}"\}$/, "");
    previous = createHash("sha256").update(body).digest("hex");
    return `${body},"hash":"${previous}"}\n`;
  }).join("");
}

test("memory is no place for figures of a durable store", { skip: !existsSync("/dev/shm") }, (context) => {
  if (!isInMemory("/dev/shm")) return context.skip("/dev/shm is on a disk here");
  const place = join("/dev/shm", `lathe-main-job-${process.pid}`);
  mkdirSync(place);
  try {
    const opened = () => openStudyDirectory(join(place, "out"), "every_commit");
    assert.throws(opened, { code: "INVALID_ARGUMENT", message: /in memory/ });
    assert.deepEqual(readdirSync(place), []);
    openStudyDirectory(join(place, "out"), "none");
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});
