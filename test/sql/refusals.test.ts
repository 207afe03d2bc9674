/**
 * No refusal names a leaf that is there. `foundry/refused-leaves.test.ts` reads what parts name; here the statements
 * are run, with the parts that a product may have or not: secondary indexes and transactions that stay open.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadPartDescriptors } from "../../src/foundry/part-descriptor.ts";
import { refusals } from "../../src/parts/parser/implementation/recursive_descent/refused-statements.fixture.ts";
import {
  type InMemoryDoors,
  openInMemory,
  RecordingSink,
} from "../../src/parts/query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import type { Executor, SqlError } from "../../src/parts/query_processing/executor.ts";
import { openWithTransactions } from "./open-transactions.fixture.ts";

const table = "CREATE TABLE t (id INT PRIMARY KEY, a INT, v VARCHAR(20))";

/** Statements that the grammar takes and the executor refuses. */
const planned = [
  "SELECT * FROM t WHERE v = 'x' AND a = 1", "UPDATE t SET id = 2 WHERE id = 1", "DELETE FROM t", "CREATE TABLE u (a INT)",
  "SELECT SUM(v) FROM t", "UPDATE t SET a = v WHERE id = 1", "UPDATE t SET a = a * 1.5 WHERE id = 1",
  "SELECT * FROM t WHERE (id, a) > (1, 2)", "BEGIN", "SAVEPOINT a", "SET autocommit = 0", "LOCK TABLES t READ",
  "BEGIN; BEGIN; COMMIT", "BEGIN; SAVEPOINT a; COMMIT", "BEGIN; INSERT INTO t VALUES (1, 1, 'x'); ROLLBACK",
  "BEGIN; DROP TABLE t; COMMIT", "BEGIN; FLUSH LOGS; COMMIT", "CREATE INDEX i ON t (a)", "DROP INDEX i ON t",
  "CREATE TABLE u (a INT PRIMARY KEY, b INT, KEY k (b) USING HASH)", "CREATE TABLE u (a INT PRIMARY KEY, UNIQUE KEY (a))",
  "SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SHOW BINLOG EVENTS", "SHOW ENGINES LIKE 'x'",
];

const descriptors = loadPartDescriptors();
const common = ["recursive-descent-parser", "point-api-executor", "one-shot-command", "row-to-kv", "kv-encoded-catalog"];

function leavesOf(parts: readonly string[]): Set<string> {
  const found = descriptors.filter(({ name }) => parts.includes(name));
  assert.equal(found.length, parts.length);
  return new Set(found.flatMap(({ leaves, offers }) => [...leaves, ...offers]));
}

/** What is refused in a text, with and without a session: one error per statement that met one. */
async function refusedIn(doors: InMemoryDoors, text: string): Promise<SqlError[]> {
  const found: SqlError[] = [];
  const openers: (() => Pick<Executor, "query">)[] = [() => doors.executor, () => doors.executor.openSession()];
  for (const opener of openers) {
    const sink = new RecordingSink();
    await opener().query(text, sink);
    found.push(...sink.results.flatMap((result) => ("error" in result ? [result.error] : [])));
  }
  return found;
}

/** Refusals that name a leaf which is there. */
async function wrongIn(doors: InMemoryDoors, there: ReadonlySet<string>): Promise<string[]> {
  await refusedIn(doors, table);
  const wrong: string[] = [];
  let refused = 0;
  for (const text of [...refusals.map(([sql]) => sql), ...planned]) {
    for (const { reason, leaf, message } of await refusedIn(doors, text)) {
      if (reason === "not_selected" || reason === "not_served") refused += 1;
      if (leaf !== undefined && there.has(leaf)) wrong.push(`${text}: ${message}`);
      if ((leaf === undefined) === (reason === "not_selected")) wrong.push(`${text}: ${reason} with ${leaf}`);
    }
  }
  assert.ok(refused > 80, `${refused} refusals`);
  return wrong;
}

test("no refusal names a leaf that the product has, with and without indexes and open transactions", async () => {
  const rich = leavesOf([...common, "kv-secondary", "single-node-acid"]);
  assert.deepEqual(await wrongIn(openInMemory(), leavesOf(common)), []);
  assert.deepEqual(await wrongIn(openWithTransactions(), rich), []);
  // The planted fault: a product that says it has them, and refuses as one that has not.
  const wrong = (await wrongIn(openInMemory(), rich)).join("\n");
  for (const leaf of ["transaction/model/single_node_acid", "features/savepoints", "equality/kv_secondary"]) {
    assert.ok(wrong.includes(leaf), `${leaf} was not found:\n${wrong}`);
  }
});
