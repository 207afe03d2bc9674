/**
 * Round trip of a contract: its own operations are written as a dump and a general log, with the statements that the
 * driver sends, and what is inferred of them is held against the contract: what is touched, shares, skew and sizes.
 *
 * Tolerances: shares within four and a half standard deviations of a binomial draw. Skews within 0.1: over 12 seeds
 * none was wrong by more than 0.04. `LATHE_TEST_SEED` repeats a run.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { MySqlClient } from "../bench/clients/mysql-client.ts";
import { OwnStatements } from "../bench/clients/own-statements.ts";
import { createTableText } from "../bench/clients/statement-catalog.ts";
import type { Contract, OperationSpec } from "../contract/contract.ts";
import { parseContract } from "../contract/parse.ts";
import { createWorkload } from "../workload/create-workload.ts";
import { infer } from "./infer.ts";

const directory = mkdtempSync(join(tmpdir(), "lathe-round-trip-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
const sessions = 4;
const operationCount = 16_000;
const skewTolerance = 0.1;

const text = `version: 2
name: shop
data:
  tables:
    - name: customers
      columns:
        - { name: id, type: bigint }
        - { name: name, type: varchar, length_max: 80 }
        - { name: email, type: varchar, length_max: 80 }
      primary_key: [id]
      rows: 600
    - name: orders
      columns:
        - { name: customer_id, type: bigint }
        - { name: number, type: int }
        - { name: note, type: varchar, length_max: 300 }
        - { name: city, type: int }
      primary_key: [customer_id, number]
      indexes: [{ name: by_city, columns: [city] }]
      rows: 6000
consistency: { transactions: interactive }
surface: { transactions: multi_statement_packet }
workload:
  benchmark: ycsb
  profile: a
  scale: 6000
  operations:
    - { name: READ, weight: 40, table: customers, distribution: zipfian, skew: 0.99, value_bytes: 100 }
    - { name: UPDATE, weight: 15, table: customers, distribution: uniform, value_bytes: 50 }
    - { name: SCAN, weight: 15, table: orders, key: [customer_id], rows: 10, distribution: zipfian, skew: 1.3 }
    - { name: SCAN, weight: 10, table: orders, key: [city], rows: 20, distribution: uniform }
    - { name: INSERT, weight: 8, table: orders, rows: 5, distribution: uniform, value_bytes: 120 }
    - { name: DELETE, weight: 2, table: orders, distribution: uniform }
    - name: WRITETRANSACTION
      weight: 10
      distribution: uniform
      steps:
        - { operation: READ, table: customers, skew: 0.5 }
        - { operation: UPDATE, table: customers, shares: [{ column: id, step: 1 }] }
        - { operation: INSERT, table: orders, times: 3, shares: [{ column: customer_id, step: 1, of: id }] }
        - { operation: SCAN, table: orders, key: [customer_id], rows: 10, shares: [{ column: customer_id, step: 1, of: id }] }
`;

function parsed(source: string): Contract {
  const result = parseContract(source, "contract.yaml");
  assert.ok(result.ok, result.ok ? "" : JSON.stringify(result.problems));
  return result.contract;
}

/** What the driver would send, as text. */
function written(write: (client: MySqlClient) => void): string {
  let sql = "";
  const client = { beginQuery: () => undefined, request: { latin1: (piece: string) => (sql += piece) } };
  write(client as unknown as MySqlClient);
  return sql;
}

function writeSources({ workload: spec }: Contract): string[] {
  const workload = createWorkload(spec);
  const statements = new OwnStatements(workload.tables);
  const dump = ["-- MySQL dump", ...workload.tables.map((table) => createTableText(table))];
  for (const batch of workload.load(200)) dump.push(written((client) => statements.writeLoad(client, batch)));
  const lines = ["Time\t\t    Id Command\tArgument"];
  const streams = Array.from({ length: sessions }, (_, at) => workload.client(seed, at, sessions));
  for (let number = 0; number < operationCount; number++) {
    const say = (sql: string) => lines.push(`\t\t     ${2 + (number % sessions)} Query\t${sql}`);
    const { steps, transaction } = streams[number % sessions].next();
    if (transaction) say("START TRANSACTION");
    for (const step of steps) say(written((client) => statements.writeStep(client, step)));
    if (transaction) say("COMMIT");
  }
  const files = [join(directory, "shop.sql"), join(directory, "shop.log")];
  writeFileSync(files[0], `${dump.join(";\n")};\n`);
  writeFileSync(files[1], lines.join("\n"));
  return files;
}

const sizes = ({ rows, steps }: OperationSpec) => ({
  rows, steps: steps?.map((step) => ({ ...step, skew: undefined })),
});
const skewsOf = ({ skew = 0, steps = [] }: OperationSpec) => [skew, ...steps.map((step) => step.skew ?? 0)];

test("what a contract's own operations do comes back from their log", async () => {
  const given = parsed(text);
  const { contract, sources } = await infer({ sources: writeSources(given) });
  assert.deepEqual(sources.map(({ unparsed }) => unparsed.count), [0, 0]);
  const shape = (some: Contract) => some.data.tables.map(({ name, primaryKey, rows }) => ({ name, primaryKey, rows }));
  assert.deepEqual(shape(contract), shape(given));
  const found = contract.workload.operations ?? [];
  const sign = ({ name, table, key, range }: OperationSpec) => JSON.stringify([name, table, key, range]);
  const known = new Map(found.map((one) => [sign(one), one]));
  const operations = given.workload.operations ?? [];
  assert.deepEqual([...known.keys()].sort(), operations.map(sign).sort());
  for (const one of operations) {
    const where = `seed ${seed}: ${sign(one)}`;
    const inferred = known.get(sign(one)) as OperationSpec;
    assert.deepEqual(sizes(inferred), sizes(one), where);
    const share = one.weight / 100;
    const error = 4.5 * Math.sqrt((share * (1 - share)) / operationCount);
    assert.ok(Math.abs(inferred.weight / operationCount - share) < error, `${where}: weight ${inferred.weight}`);
    const skews = skewsOf(inferred);
    skewsOf(one).forEach((skew, at) => {
      assert.ok(Math.abs(skews[at] - skew) <= skewTolerance, `${where}: skew ${skews[at]} for ${skew}`);
    });
    if (one.valueBytes === undefined) continue;
    assert.ok(Math.abs((inferred.valueBytes ?? 0) - one.valueBytes) <= 2, `${where}: ${inferred.valueBytes} bytes`);
  }
});

test("what was inferred is driven: its own log tells the same again", async () => {
  const { contract } = await infer({ sources: writeSources(parsed(text)) });
  assert.ok(contract.workload.interactive, "transactions go statement by statement");
  const again = await infer({ sources: writeSources(contract) });
  const shares = (some: Contract) => new Map((some.workload.operations ?? []).map(({ name, weight, table, key }) =>
    [JSON.stringify([name, table, key]), weight / operationCount]));
  const before = shares(contract);
  const after = shares(again.contract);
  assert.deepEqual([...after.keys()].sort(), [...before.keys()].sort());
  for (const [sign, share] of before) {
    // Both are drawn.
    const error = 4.5 * Math.sqrt((2 * share * (1 - share)) / operationCount);
    assert.ok(Math.abs((after.get(sign) ?? 0) - share) < error, `seed ${seed}: ${sign} ${after.get(sign)} for ${share}`);
  }
});
