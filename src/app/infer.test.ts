/**
 * Round trip: a workload of which everything is known is written as MariaDB writes its general log (the format is
 * held to recorded logs in traces/), and what is inferred of it is compared with what it was.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createWorkload } from "../workload/create-workload.ts";
import type { OperationStep } from "../workload/workload.ts";
import { infer } from "./infer.ts";
import { selectFor, selectSubject } from "./select.ts";

const directory = mkdtempSync(join(tmpdir(), "lathe-infer-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const scale = 1000;
const operationCount = 12_000;
const sessions = 4;

/** That two uses hit the same key, where `scale` keys are used by a Zipf distribution. */
function collision(skew: number): number {
  const harmonic = (s: number) => Array.from(
    { length: scale }, (_, at) => (at + 1) ** -s
  ).reduce((sum, one) => sum + one);
  return harmonic(2 * skew) / harmonic(skew) ** 2;
}

/**
 * YCSB draws ranks of ten billion (ζ = 26.469 at 0.99) and scatters them over the keys, so that over few keys it is
 * flatter than its constant says: what collides is equal ranks, ζ(1.98) = 1.66 of them, and else any two by chance.
 */
const expectedCollision = 1.66 / 26.469 ** 2 + 1 / scale;

function sqlOf(step: OperationStep, columns: readonly string[]): string {
  const quoted = (value: unknown) => `'${String(value).replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  switch (step.kind) {
    case "read":
      return `SELECT ${columns.slice(1).join(", ")} FROM usertable WHERE ycsb_key = ${quoted(step.key[0])}`;
    case "update":
      return `UPDATE usertable SET ${step.column ?? columns[1]} = ${quoted(step.value)} ` +
        `WHERE ycsb_key = ${quoted(step.key[0])}`;
    case "insert":
      return `INSERT INTO usertable VALUES (${step.row.map(quoted).join(", ")})`;
    case "scan":
      return `SELECT * FROM usertable WHERE ycsb_key >= ${quoted(step.from[0])} ORDER BY ycsb_key LIMIT ${step.limit}`;
    default:
      throw new Error(`no SQL for ${step.kind}`);
  }
}

function writeLog(profile: string): string {
  const workload = createWorkload({ benchmark: "ycsb", profile, scale, clients: sessions, loop: "closed" });
  const [table] = workload.tables;
  const columns = table.columns.map(({ name }) => name);
  const types = table.columns.map(({ name, lengthMax }) => `${name} varchar(${lengthMax})`);
  const lines = [
    "mariadbd, Version: 10.11. started with:", "Time\t\t    Id Command\tArgument",
    `261122  2:03:44\t     1 Query\tCREATE TABLE usertable (${types.join(", ")}, PRIMARY KEY (ycsb_key))`,
  ];
  const streams = Array.from({ length: sessions }, (_, at) => workload.client(7, at, sessions));
  for (let number = 0; number < operationCount; number++) {
    const session = number % sessions;
    const time = number % 1000 === 0 ? `261122  2:${String(4 + number / 1000).padStart(2, "0")}:00` : "\t";
    for (const step of streams[session].next().steps) lines.push(
      `${time}\t     ${session + 2} Query\t${sqlOf(step, columns)}`
    );
  }
  const file = join(directory, `ycsb-${profile}.log`);
  writeFileSync(file, lines.join("\n"));
  return file;
}

test("mix, skew, sizes and clients of a workload come back from its log", async () => {
  const { contract, nearest, sources } = await infer({ sources: [writeLog("a")] });
  assert.equal(sources[0].unparsed.count, 0);
  const operations = contract.workload.operations ?? [];
  const total = operations.reduce((sum, { weight }) => sum + weight, 0);
  assert.equal(total, operationCount);
  for (const name of ["READ", "UPDATE"]) {
    const operation = operations.find((one) => one.name === name);
    // Half each; four standard deviations of 12,000 draws are 1.8 %.
    assert.ok(Math.abs((operation?.weight ?? 0) / total - 0.5) < 0.02, `${name} ${operation?.weight}`);
    const hit = collision(operation?.skew ?? 0);
    assert.ok(Math.abs(hit / expectedCollision - 1) < 0.15, `${name} skew ${operation?.skew}: ${hit}`);
  }
  const update = operations.find(({ name }) => name === "UPDATE");
  assert.ok(Math.abs((update?.valueBytes ?? 0) - 100) <= 10, `value_bytes ${update?.valueBytes}`);
  assert.equal(nearest, "ycsb/a");
  assert.equal(contract.workload.clients, sessions);
  assert.equal(contract.consistency.transactions, "single_statement");
  assert.deepEqual(contract.data.tables[0].primaryKey, ["ycsb_key"]);
  assert.equal(contract.data.tables[0].columns.length, 11);
});

test("a sample takes whole sessions, scales what it counts, says so, and is the same again", async () => {
  const lines = ["Time\t\t    Id Command\tArgument", "\t\t     7 Query\tSELECT 1"];
  // Session 8 is not in the sample: its definition counts all the same.
  lines.push("\t\t     8 Query\tCREATE TABLE t (id bigint, v varchar(40), PRIMARY KEY (id))");
  for (let round = 0; round < 30; round++) {
    for (let session = 7; session < 47; session++) {
      const by = (id: number) => `WHERE id = ${id}`;
      const sql = ["BEGIN", `SELECT v FROM t ${by(session)}`, `UPDATE t SET v = 'x' ${by(session)}`, "COMMIT",
        `SELECT v FROM t ${by(session + 1)}`];
      lines.push(...sql.map((text) => `\t\t     ${session} Query\t${text}`));
    }
  }
  const file = join(directory, "sampled.log");
  writeFileSync(file, lines.join("\n"));
  const { contract, text, sources } = await infer({ sources: [file], sampleEvery: 10 });
  assert.deepEqual(sources[0].sample,
    { every: 10, sessions: 40, sessionsTaken: 4, statements: 6002, statementsTaken: 601 });
  assert.match(sources[0].remarks[0], /a sample: 4 of 40 sessions .*601 of 6002 statements; the others were left out/);
  const operations = contract.workload.operations ?? [];
  assert.deepEqual(operations.map(({ name, steps }) => [name, steps?.map(({ shares }) => shares)]), [
    ["READ", undefined], ["WRITETRANSACTION", [undefined, [{ column: "id", step: 1 }]]],
  ]);
  // 1200 of each, from 120 that were looked at.
  for (const { weight } of operations) assert.ok(Math.abs(weight - 1200) < 5, `${weight}`);
  assert.deepEqual(contract.data.tables.map(({ primaryKey }) => primaryKey), [["id"]]);
  assert.match(text, /READ, weight: 1198, .* # 50 %: estimate from 120 select t/);
  assert.equal((await infer({ sources: [file], sampleEvery: 10 })).text, text);
  const whole = await infer({ sources: [file], sampleEvery: 1 });
  assert.doesNotMatch(whole.text, /estimate|a sample:|of the sample/);
});

test("scans come back as scans, and nothing is needed that parts do not serve", async () => {
  const { contract, nearest, needs } = await infer({ sources: [writeLog("e")] });
  const weights = Object.fromEntries((contract.workload.operations ?? []).map(({ name, weight }) => [name, weight]));
  assert.ok(Math.abs(weights.SCAN / operationCount - 0.95) < 0.01, JSON.stringify(weights));
  assert.equal(nearest, "ycsb/e");
  assert.deepEqual(needs, []);
});

test("a source is selected for as a contract is, and needs without a part are counted", async () => {
  const golden = (name: string) => join(import.meta.dirname, "..", "traces", "golden", name);
  const what = [golden("mariadb-dump.sql"), golden("mariadb-general.log")];
  const selection = selectFor(await selectSubject({ what }), { with: [], without: [] });
  assert.ok(selection.withoutPart.includes("query_processing/joins/nested_loop"));
  const join_ = selection.decisions.find(({ path }) => path === "query_processing/joins/nested_loop");
  assert.equal(join_?.origin, "workload");
  assert.match(join_?.because ?? "", /3\.3 % of 663 statements join tables/);
});
