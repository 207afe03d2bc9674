/** Open transactions and the loss of power: nothing is found in the sources, and what is planted in them is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSessionPoint, runSessionTrial } from "../../src/app/simulation/session-trial.ts";
import { type Ask, SessionHistory } from "../../src/simulation/session-workload.ts";
import { findPlanted, type PlantedFault } from "./planted-fault.ts";

/** Every so many calls of each run; 1 for all of them. */
const stride = Number(process.env.LATHE_TEST_STRIDE ?? 17);

test(`transactions are whole or absent, and in a serial order, after an end at every ${stride}th call`, async () => {
  const sum = { points: 0, acknowledged: 0, conflicts: 0, unclear: 0 };
  for (const seed of [1, 2]) {
    const { failure, ...counts } = await runSessionTrial(seed, stride);
    assert.equal(failure, undefined, `lathe sim --scenario sessions --seed ${seed} --seeds 1`);
    for (const name of ["points", "acknowledged", "conflicts", "unclear"] as const) sum[name] += counts[name];
  }
  assert.ok(sum.points > 20 && sum.acknowledged > 50 && sum.conflicts > 5 && sum.unclear > 5, JSON.stringify(sum));
});

const session = "parts/query_processing/execution/model/point_api/sql-session.ts";
const commit = "    return this.#propose(command.steps).then(then);";
const half = (which: number) =>
  `command.steps.map((step) => step.kind !== "write" ? step : ` +
  `{ ...step, rows: step.rows.filter((_, at) => (at & 1) === ${which}) })`;
const faults: readonly (PlantedFault & { readonly says: RegExp })[] = [
  {
    name: "a commit is written in two entries",
    edits: [{
      file: session,
      find: commit,
      replace: `return this.#propose(${half(0)}).then(() => ` +
        `this.#propose(${half(1)}.filter(({ kind }) => kind !== "validate"))).then(then);`,
    }],
    subject: "sessions",
    seedsMax: 4,
    says: /half there|writers lead to|wrote over/,
  },
  {
    name: "a commit is acknowledged before it is in the log",
    edits: [{
      file: session, find: commit, replace: "this.#propose(command.steps).catch(() => undefined); return then();",
    }],
    subject: "sessions",
    seedsMax: 4,
    says: /is lost|writers lead to/,
  },
];

for (const { says, ...fault } of faults) {
  test(`planted: ${fault.name}`, async () => {
    const found = await findPlanted(fault);
    assert.match(found?.message ?? "not found", says);
  });
}

/** A history in which the rows are as given, whatever was sent. */
async function judged(marks: number[][], versions: number[], refuseLast = false): Promise<string | undefined> {
  const history = new SessionHistory(versions.length);
  let answers = 0;
  const ask: Ask = async (sql) => {
    if (sql === "COMMIT" && refuseLast && ++answers === 2) return "conflict";
    if (sql.includes("FROM marks")) return marks;
    if (sql.includes("FROM cells WHERE id >=")) return versions.map((version, cell) => [cell, version]);
    return [[0]];
  };
  await history.prepare(ask);
  for (let count = 0; count < 2; count++) await history.transact(ask, () => 0.3);
  return history.judge(ask);
}

test("the judge: chains of writers, halves, what was refused, what time forbids", async () => {
  const one = [16, 0, 0, 1, 1];
  const two = [32, 0, 1, 1, 1];
  assert.equal(await judged([one, two], [2]), undefined);
  assert.match((await judged([one], [1])) ?? "", /acknowledged transaction 2 is lost/);
  assert.match((await judged([one, two], [2], true)) ?? "", /transaction 2 is there, but it was not committed/);
  assert.match((await judged([one, [32, 0, 1, 1, 2]], [2])) ?? "", /transaction 2 is half there: 1 of its 2/);
  assert.match((await judged([one, [32, 0, 0, 1, 1]], [2])) ?? "", /1 and 2 both wrote over what transaction 0/);
  assert.match((await judged([one, two], [1])) ?? "", /cell 0 holds 1; its writers lead to 2/);
  // The second began after the first was answered, but the first saw what the second wrote.
  assert.match((await judged([[16, 0, 2, 1, 1], [32, 0, 0, 1, 1]], [1])) ?? "", /no serial order: .*come before/);
});

test("points are read", () => {
  assert.deepEqual(parseSessionPoint("torn:12"), { end: "torn", call: 12 });
  for (const wrong of ["torn", "crash:0", "fire:1"]) {
    assert.throws(() => parseSessionPoint(wrong), { code: "INVALID_ARGUMENT" });
  }
});
