/** What steps share is told of transactions where it is a rule, and not where values agree by chance. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readSources } from "../../traces/read-sources.ts";
import { RandomStream } from "../../workload/random-stream.ts";
import { parseContract } from "../parse.ts";
import { inferContract } from "./infer-contract.ts";

const directory = mkdtempSync(join(tmpdir(), "lathe-shares-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
const schema = [
  "CREATE TABLE c (w bigint, id bigint, note varchar(90), PRIMARY KEY (w, id))",
  "CREATE TABLE o (id bigint, w bigint, c bigint, note varchar(90), PRIMARY KEY (id), KEY by_customer (c))",
  "CREATE TABLE l (o bigint, n bigint, note varchar(90), PRIMARY KEY (o, n))",
];

/** `transaction`: the statements of one, of random numbers below a limit. */
async function stepsOf(name: string, transaction: (below: (limit: number) => number) => string[], count = 300) {
  const random = new RandomStream(seed, 0x5ba2, name.length);
  const lines = ["Time\t\t    Id Command\tArgument"];
  const say = (sql: string) => lines.push(`\t\t     3 Query\t${sql}`);
  schema.forEach(say);
  for (let number = 0; number < count; number++) {
    for (const sql of ["BEGIN", ...transaction((limit) => random.below(limit)), "COMMIT"]) say(sql);
  }
  const file = join(directory, `${name}.log`);
  writeFileSync(file, lines.join("\n"));
  const { text, leftOut } = inferContract(await readSources([file]), name);
  const parsed = parseContract(text, name);
  assert.ok(parsed.ok, parsed.ok ? "" : JSON.stringify(parsed.problems));
  const operations = parsed.contract.workload.operations ?? [];
  return { operations, steps: operations[0].steps ?? [], leftOut };
}

test("keys that are drawn apart share nothing, however few or skewed they are", async () => {
  const { steps } = await stepsOf("apart", (below) => {
    const hot = () => (below(10) < 7 ? 1 : below(20));
    return [`SELECT note FROM c WHERE w = 1 AND id = ${hot()}`, `UPDATE c SET note = 'x' WHERE w = 1 AND id = ${hot()}`,
      `INSERT INTO o VALUES (${below(1e9)}, 1, ${hot()}, 'same text')`];
  });
  assert.deepEqual(steps.map(({ operation, shares }) => [operation, shares]),
    [["READ", undefined], ["UPDATE", undefined], ["INSERT", undefined]]);
});

test("a column that is always the same ties rows only beside one that tells", async () => {
  const { steps } = await stepsOf("tied", (below) => {
    const [id, order] = [below(500), below(1e9)];
    return [`SELECT note FROM c WHERE w = 1 AND id = ${id}`, `INSERT INTO o VALUES (${order}, 1, ${id}, 'same text')`,
      ...[1, 2].map((n) => `INSERT INTO l VALUES (${order}, ${n}, 'same text')`),
      `SELECT note FROM o WHERE id = ${order}`, `UPDATE c SET note = 'x' WHERE w = 1 AND id = ${id}`];
  });
  assert.deepEqual(steps.map(({ shares }) => shares), [
    undefined, undefined, [{ column: "o", step: 2, of: "id" }], [{ column: "id", step: 2 }],
    [{ column: "w", step: 1 }, { column: "id", step: 1 }],
  ]);
});

test("lines share what only they have, rare kinds count with the frequent one, what is not driven is told", async () => {
  const own = await stepsOf("own", (below) => {
    const order = below(1e9);
    const all = [`INSERT INTO o (c, note) VALUES (${below(90)}, 'a')`, ...[1, 2, 3].map((n) => `INSERT INTO l VALUES (${order}, ${n}, 'b')`)];
    return below(100) < 3 ? [`${all[0]} `.replace("'a'", "'a' "), ...all.slice(1)] : all;
  });
  assert.deepEqual(own.steps.map(({ times, shares }) => [times, shares]), [[undefined, undefined], [3, [{ column: "o", step: 2 }]]]);
  assert.equal(own.operations.length, 1);
  const odd = await stepsOf("odd", (below) => {
    const id = below(500);
    return [`SELECT note FROM c WHERE w = ${below(9)} AND id = ${id}`, `UPDATE o SET note = 'x' WHERE id = ${id}`];
  });
  assert.deepEqual(odd.steps.map(({ shares }) => shares), [undefined, undefined]);
  assert.match(odd.leftOut.join("\n"), /step 2 \(UPDATE o\), whose id is the id of step 1, which is neither the first/);
});
