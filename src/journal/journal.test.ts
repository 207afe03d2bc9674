import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import type { LaunchSample, SideSample } from "../bench/measurement.ts";
import type { Contract } from "../contract/contract.ts";
import type { Entry, StudyHeader } from "./entry.ts";
import { isKind } from "./entry.ts";
import { collectEnvironment, fileSystemOf } from "./environment.ts";
import { JournalIndex } from "./journal-index.ts";
import { JournalReader, readEntries } from "./journal-reader.ts";
import { createJournal, openJournal } from "./journal.ts";

const code = (expected: string) => (error: { code?: string }) => error.code === expected;

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "lathe-journal-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const side: SideSample = {
  opsPerSecond: 1234.5,
  operations: { READ: { count: 10, errors: 0, meanUs: 1, p50Us: 1, p99Us: 2, maxUs: Infinity } },
  p50Us: 100,
  p99Us: 900,
  serverCpuUsPerOp: 12,
  memoryMiB: 80,
  drainSeconds: 0.2,
  errors: 0,
  verificationFailures: 0,
  signals: { cache_hit_ratio: Number.NaN },
};

const launch: LaunchSample = {
  seed: 7,
  first: "candidate",
  blocks: [{ side: "incumbent", position: 0, operations: 10, errors: 0, seconds: 0.1, serverCpuUs: 120 }],
  incumbent: side,
  candidate: side,
  driver: { ceilingOpsPerSecond: 9000, utilisation: 0.1, eventLoopDelayP99Ms: 0.2, driverBound: false },
  logRatios: { throughput: 0.01, cost: 0, p50: -0.01, p99: 0, memory: 0 },
  startedAtMs: 1,
  wallSeconds: 5,
};

function header(): StudyHeader {
  return {
    contract: { name: "example", largest: 2n ** 63n } as unknown as Contract,
    product: { name: "example", hash: "abc" },
    seed: 1,
    space: [],
    budget: { seconds: 60 },
    alpha: 0.05,
    proposer: "random",
    versions: { lathe: "0.1.0" },
    environment: collectEnvironment(tmpdir()),
    commit: null,
  };
}

const entries: Entry[] = [
  { kind: "calibration_launch", launch },
  {
    kind: "calibration_result",
    noise: 0.02,
    effectMin: Infinity,
    launchesMax: 12,
    feasible: true,
    sentence: "2 ≠ 3",
  },
  {
    kind: "candidate_proposed",
    candidate: { id: "c1", knobs: { a: 1 } },
    proposer: "random",
    incumbent: "defaults",
  },
  { kind: "screening_launch", candidate: "c1", launch },
  { kind: "screening_decision", candidate: "c1", decision: "drop", estimate: -0.01 },
  { kind: "trial_ended", candidate: "c1", outcome: "dropped", estimate: -0.01, reason: "slower" },
];

/** A journal of `entries` that is closed again. */
function example(t: TestContext): string {
  const path = join(directory(t), "journal.ndjson");
  const journal = createJournal(path, header());
  for (const entry of entries) journal.append(entry);
  journal.close();
  return path;
}

test("what was appended is read back, in order and with its raw samples", (t) => {
  const path = example(t);
  const read = [...readEntries(path)];
  assert.deepEqual(read.map(({ seq }) => seq), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(read.map(({ kind }) => kind), ["study_started", ...entries.map(({ kind }) => kind)]);
  const [first] = read.filter(isKind("calibration_launch"));
  assert.deepEqual(first.launch, launch);
  const [started] = read.filter(isKind("study_started"));
  assert.equal((started.contract as unknown as { largest: bigint }).largest, 2n ** 63n);
});

test("anyone can verify the chain: each hash is that of the line without it", (t) => {
  let previous = "0".repeat(64);
  for (const line of readFileSync(example(t), "utf8").trimEnd().split("\n")) {
    const { hash, previous: recorded } = JSON.parse(line) as { hash: string; previous: string };
    assert.equal(recorded, previous);
    const body = line.replace(/,"hash":"[0-9a-f]{64}"\}$/, "");
    assert.equal(createHash("sha256").update(body).digest("hex"), hash);
    previous = hash;
  }
});

test("a journal is created once, and the reopened one goes on", (t) => {
  const path = example(t);
  assert.throws(() => createJournal(path, header()), code("ALREADY_EXISTS"));
  assert.throws(() => openJournal(join(directory(t), "none.ndjson")), code("NOT_FOUND"));
  const journal = openJournal(path);
  assert.equal(journal.head.seq, 6);
  const appended = journal.append({ kind: "outcome", outcome: "none", winner: null, reason: "no gain" });
  assert.equal(appended.seq, 7);
  assert.equal([...journal.entries()].length, 8);
  journal.close();
  assert.throws(() => journal.append(entries[0]), code("CLOSED"));
});

test("changing any byte is detected", (t) => {
  const path = example(t);
  const original = readFileSync(path);
  const damaged = join(directory(t), "journal.ndjson");
  fc.assert(
    fc.property(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
      const bytes = Buffer.from(original);
      bytes[position] ^= change;
      writeFileSync(damaged, bytes);
      const line = original.subarray(0, position).filter((byte) => byte === 0x0a).length + 1;
      const last = line === entries.length + 1;
      if (position === original.length - 1 || (last && bytes[position] === 0)) {
        // Without its newline, or with a zero byte, the last line may be one that was half written; opening
        // cuts it and says so.
        const journal = openJournal(damaged);
        assert.equal([...journal.entries()].at(-1)?.kind, "journal_repaired");
        return journal.close();
      }
      assert.throws(() => openJournal(damaged), (error: Error & { code?: string }) => {
        assert.equal(error.code, "CORRUPTION");
        assert.match(error.message, new RegExp(`line ${line} of the journal`));
        return true;
      });
      assert.throws(() => [...readEntries(damaged)], code("CORRUPTION"));
    }),
    { numRuns: 150 },
  );
});

test("removing, repeating or exchanging lines is detected", (t) => {
  const path = example(t);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const variants = [
    lines.toSpliced(2, 1),
    lines.toSpliced(2, 0, lines[2]),
    lines.with(2, lines[3]).with(3, lines[2]),
    lines.slice(1),
    lines.toSpliced(3, 0, ""),
  ];
  for (const variant of variants) {
    writeFileSync(path, `${variant.join("\n")}\n`);
    assert.throws(() => openJournal(path), code("CORRUPTION"));
  }
});

test("a line cut anywhere by a kill is cut off and recorded; what stands above it stays", (t) => {
  const path = example(t);
  const original = readFileSync(path);
  const lastStart = original.lastIndexOf(0x0a, original.length - 2) + 1;
  fc.assert(
    fc.property(fc.integer({ min: lastStart + 1, max: original.length - 1 }), fc.boolean(), (length, zeros) => {
      const tail = zeros ? Buffer.alloc(50) : Buffer.alloc(0);
      const torn = Buffer.concat([original.subarray(0, length), tail]);
      writeFileSync(path, torn);
      const journal = openJournal(path);
      journal.append({ kind: "resumed", reason: "test", environment: collectEnvironment(tmpdir()) });
      journal.close();
      const read = [...readEntries(path)];
      const whole = length === original.length - 1 && !zeros;
      assert.deepEqual(read.map(({ kind }) => kind).slice(-2), ["journal_repaired", "resumed"]);
      assert.equal(read.length, entries.length + (whole ? 1 : 0) + 2);
      const [repaired] = read.filter(isKind("journal_repaired"));
      assert.equal(repaired.cutBytes, whole ? 0 : torn.length - lastStart);
    }),
    { numRuns: 40 },
  );
});

test("blocks that the device never got make a torn line, also with a newline behind them", (t) => {
  const path = example(t);
  appendFileSync(path, Buffer.concat([Buffer.from('{"seq":7,'), Buffer.alloc(4000), Buffer.from("}\n")]));
  const journal = openJournal(path);
  assert.equal([...journal.entries()].at(-1)?.kind, "journal_repaired");
  journal.close();
  writeFileSync(path, Buffer.alloc(100));
  assert.throws(() => openJournal(path), code("CORRUPTION"));
});

test("a second writer is refused, in this process and in another", (t) => {
  const path = example(t);
  const journal = openJournal(path);
  assert.throws(() => openJournal(path), code("LOCKED"));
  const other = `
    import { openJournal } from ${JSON.stringify(import.meta.resolve("./journal.ts"))};
    try { openJournal(${JSON.stringify(path)}); console.log("opened"); }
    catch (error) { console.log(error.code); }
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", other], { encoding: "utf8" });
  assert.equal(output.trim(), "LOCKED");
  journal.close();
  openJournal(path).close();
});

test("a reader follows a writer, and a killed writer loses nothing that it had acknowledged", async (t) => {
  const path = join(directory(t), "journal.ndjson");
  createJournal(path, header()).close();
  const script = `
    import { openJournal } from ${JSON.stringify(import.meta.resolve("./journal.ts"))};
    const journal = openJournal(${JSON.stringify(path)});
    const entry = { kind: "cost", stage: "x".repeat(3000), seconds: 1 };
    for (;;) process.stdout.write(journal.append(entry).seq + "\\n");
  `;
  const writer = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let acknowledged = "";
  const reader = new JournalReader(path);
  let followed = 0;
  await new Promise<void>((resolve) => {
    writer.stdout.on("data", (bytes: Buffer) => {
      acknowledged += bytes.toString();
      for (const entry of reader.poll()) assert.equal(entry.seq, followed++);
      if (followed > 40) writer.kill("SIGKILL");
    });
    writer.on("close", () => resolve());
  });
  reader.close();
  const last = Number(acknowledged.trimEnd().split("\n").at(-1));
  const journal = openJournal(path);
  assert.ok(journal.head.seq >= last && last >= 1 && followed > 40, `${journal.head.seq} after ${last}`);
  journal.close();
});

test("a write that fails in the middle is cut off again, and the next one goes on", (t) => {
  const path = example(t);
  const script = `
    import { openJournal } from ${JSON.stringify(import.meta.resolve("./journal.ts"))};
    const journal = openJournal(${JSON.stringify(path)});
    const cost = (stage) => ({ kind: "cost", stage, seconds: 1 });
    try { journal.append(cost("x".repeat(50000))); console.log("no error"); } catch (error) { console.log(error.code); }
    console.log(journal.append(cost("small")).seq);
  `;
  // The shell limits files to 20 KiB and has the signal ignored, so that the write fails as on a full disk.
  const shell = 'trap "" XFSZ; ulimit -f 40; exec "$0" --input-type=module -e "$1"';
  const output = execFileSync("sh", ["-c", shell, process.execPath, script], { encoding: "utf8" });
  assert.equal(output, `IO_ERROR\n${entries.length + 1}\n`);
  assert.equal([...readEntries(path)].length, entries.length + 2);
});

test("a reader that stops early polls on where it stopped", (t) => {
  const reader = new JournalReader(example(t));
  for (const entry of reader.poll()) if (entry.seq === 2) break;
  assert.deepEqual([...reader.poll()].map(({ seq }) => seq), [3, 4, 5, 6]);
  reader.close();
});

test("wrong entries are refused before anything is written", (t) => {
  const path = example(t);
  const journal = openJournal(path);
  const before = statSync(path).size;
  const wrong = [
    { kind: "unheard_of" },
    { kind: "cost", stage: "x" },
    { kind: "cost", stage: "x", seconds: 1, seq: 3 },
    { kind: "cost", stage: "x", seconds: 1, extra: () => 1 },
    { kind: "screening_launch", candidate: "c1", launch: { ...launch, first: "left" } },
  ];
  for (const entry of wrong) assert.throws(() => journal.append(entry as Entry), code("INVALID_ARGUMENT"));
  assert.equal(statSync(path).size, before);
  journal.close();
});

test("the index says what the journal says, follows it, and is remade when they part", (t) => {
  const path = example(t);
  const indexPath = join(directory(t), "index.sqlite");
  const index = new JournalIndex(path, indexPath);
  assert.equal(index.countByKind().screening_launch, 1);
  assert.deepEqual(index.ofKind("calibration_launch")[0].launch, launch);
  assert.equal(index.ofCandidate("c1").length, 4);
  assert.deepEqual(index.trials(), [
    { candidate: "c1", outcome: "dropped", reason: "slower", screeningLaunches: 1, confirmationLaunches: 0 },
  ]);
  const shorter = join(directory(t), "journal.ndjson");
  copyFileSync(path, shorter);
  const journal = openJournal(path);
  journal.append({ kind: "cost", stage: "search", seconds: 3 });
  assert.equal(index.refresh(), 1);
  assert.equal(index.refresh(), 0);
  journal.close();
  index.close();
  const other = new JournalIndex(shorter, indexPath);
  assert.equal(other.countByKind().cost, undefined);
  other.close();
});

test("the environment names no paths, and the file system is that of the longest mount", () => {
  const facts = collectEnvironment(tmpdir());
  assert.ok(facts.cores > 0 && facts.memoryMiB > 0 && facts.host.length === 12);
  assert.ok(!JSON.stringify(facts).includes(tmpdir()));
  const mounts = "/dev/a / ext4 rw 0 0\nt /tmp tmpfs rw 0 0\n/dev/b /tmp/with\\040blank xfs rw 0 0\n";
  assert.equal(fileSystemOf("/tmp/x", mounts), "tmpfs");
  assert.equal(fileSystemOf("/tmpfile", mounts), "ext4");
  assert.equal(fileSystemOf("/tmp/with blank/x", mounts), "xfs");
  assert.equal(fileSystemOf("/x", ""), "unknown");
});
