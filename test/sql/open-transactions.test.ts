/** Transactions that stay open between requests: what they see, when they are refused, how they end. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ColumnValue } from "../../src/parts/architecture/catalog/table.ts";
import type { ExecutorSession } from "../../src/parts/query_processing/executor.ts";
import type { TransactionLimits } from "../../src/parts/concurrency/transaction/model/single_node_acid/transactions.ts";
import { openWithTransactions } from "./open-transactions.fixture.ts";
import {
  affectedOf,
  errorOf,
  type InMemoryDoors,
  rowsOf,
  run,
  runOne,
  runPrepared,
} from "../../src/parts/query_processing/execution/model/point_api/in-memory-doors.fixture.ts";

async function open(limits: Partial<TransactionLimits> = {}): Promise<InMemoryDoors> {
  const doors = openWithTransactions(limits);
  await run(doors.executor, "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT, s VARCHAR(20), KEY by_n (n))");
  await run(doors.executor, "INSERT INTO t VALUES (1, 10, 'a'), (2, 20, 'b'), (3, 30, 'c')");
  return doors;
}

const rows = async (session: Pick<ExecutorSession, "query">, sql: string) => rowsOf(await runOne(session, sql));
const ok = async (session: Pick<ExecutorSession, "query">, sql: string) => affectedOf(await runOne(session, sql));
const reason = async (session: Pick<ExecutorSession, "query">, sql: string) => errorOf(await runOne(session, sql)).reason;
const all = "SELECT id, n, s FROM t";

describe("an open transaction", () => {
  test("sees its own writes, and nobody else does before it commits", async () => {
    const doors = await open();
    const [one, other] = [doors.executor.openSession(), doors.executor.openSession()];
    await ok(one, "BEGIN");
    assert.equal(one.inTransaction, true);
    assert.equal(await ok(one, "UPDATE t SET n = n + 1 WHERE id <= 2"), 2);
    assert.equal(await ok(one, "DELETE FROM t WHERE id = 3"), 1);
    assert.equal(await ok(one, "INSERT INTO t (n, s) VALUES (5, 'd')"), 1);
    assert.deepEqual(await rows(one, all), [[1, 11, "a"], [2, 21, "b"], [4, 5, "d"]]);
    assert.deepEqual(await rows(one, "SELECT id FROM t WHERE n = 21"), [[2]]);
    assert.deepEqual(await rows(one, "SELECT id FROM t WHERE n < 100 ORDER BY n DESC LIMIT 2"), [[2], [1]]);
    assert.deepEqual(await rows(one, "SELECT id FROM t WHERE n = 20"), []);
    assert.deepEqual(await rows(one, "SELECT COUNT(*), SUM(n) FROM t"), [[3n, "37"]]);
    assert.deepEqual(await rows(one, "SELECT id FROM t ORDER BY id DESC"), [[4], [2], [1]]);
    assert.deepEqual(await rows(one, "SELECT LAST_INSERT_ID()"), [[4n]]);
    assert.deepEqual(await rows(other, "SELECT COUNT(*), SUM(n) FROM t"), [[3n, "60"]]);
    assert.deepEqual(await rows(other, "SELECT n FROM t WHERE id = 1 FOR UPDATE"), [[10]]);
    await ok(one, "COMMIT");
    assert.equal(one.inTransaction, false);
    assert.deepEqual(await rows(other, all), [[1, 11, "a"], [2, 21, "b"], [4, 5, "d"]]);
    assert.deepEqual(await rows(other, "SELECT id, n FROM t WHERE n > 0 ORDER BY n"), [[4, 5], [1, 11], [2, 21]]);
    assert.equal(doors.engine.openSnapshots, 0);
    assert.equal(doors.engine.openCursors, 0);
  });

  test("sees one moment, and what only reads is never refused", async () => {
    const doors = await open();
    const [one, other] = [doors.executor.openSession(), doors.executor.openSession()];
    const before = doors.log.commands.length;
    for (const begin of ["START TRANSACTION", "START TRANSACTION READ ONLY", "START TRANSACTION WITH CONSISTENT SNAPSHOT"]) {
      await ok(one, begin);
      const first = await rows(one, all);
      await ok(other, "UPDATE t SET n = n + 1 WHERE id BETWEEN 1 AND 3");
      await ok(other, "INSERT INTO t (n) VALUES (1)");
      assert.deepEqual(await rows(one, all), first, begin);
      await ok(one, "COMMIT");
    }
    assert.equal(doors.log.commands.length, before + 6);
    await ok(one, "START TRANSACTION READ ONLY");
    assert.equal(await reason(one, "DELETE FROM t WHERE id = 1"), "read_only_transaction");
    await ok(one, "ROLLBACK");
  });

  test("with prepared statements, BEGIN and COMMIT among them", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    const prepare = (sql: string) => doors.executor.prepare(sql);
    const [begin, commit] = [prepare("BEGIN"), prepare("COMMIT")];
    const read = prepare("SELECT n FROM t WHERE id=?");
    const update = prepare("UPDATE t SET n=n+? WHERE id=?");
    for (let i = 1; i <= 3; i++) {
      affectedOf(await runPrepared(session, begin, []));
      affectedOf(await runPrepared(session, update, [1, 1]));
      assert.deepEqual(rowsOf(await runPrepared(session, read, [1])), [[10 + i]]);
      affectedOf(await runPrepared(session, commit, []));
    }
  });

  test("a statement that fails leaves no trace, and the transaction goes on", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    await ok(session, "BEGIN");
    await ok(session, "INSERT INTO t VALUES (9, 9, 'i')");
    assert.equal(await reason(session, "INSERT INTO t VALUES (10, 1, 'x'), (9, 1, 'y')"), "duplicate_key");
    assert.equal(await reason(session, "SELECT * FROM missing"), "unknown_table");
    assert.deepEqual(await rows(session, "SELECT id FROM t WHERE id > 3"), [[9]]);
    await ok(session, "ROLLBACK");
    assert.deepEqual(await rows(session, "SELECT id FROM t WHERE id > 3"), []);
    assert.equal(doors.engine.openSnapshots, 0);
  });

  test("without autocommit every statement opens one", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    await ok(session, "SET autocommit = 0");
    assert.deepEqual(await rows(session, "SELECT @@autocommit"), [[0n]]);
    await ok(session, "UPDATE t SET n = 0 WHERE id = 1");
    assert.equal(session.inTransaction, true);
    assert.deepEqual(await rows(doors.executor, "SELECT n FROM t WHERE id = 1"), [[10]]);
    await ok(session, "SET autocommit = 1");
    assert.deepEqual(await rows(doors.executor, "SELECT n FROM t WHERE id = 1"), [[0]]);
    assert.equal(session.inTransaction, false);
  });

  test("BEGIN and DDL commit what is open; a reset rolls it back", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    await ok(session, "BEGIN");
    await ok(session, "UPDATE t SET n = 1 WHERE id = 1");
    await ok(session, "BEGIN");
    await ok(session, "UPDATE t SET n = 2 WHERE id = 2");
    await ok(session, "CREATE TABLE u (id INT PRIMARY KEY)");
    assert.equal(session.inTransaction, false);
    assert.deepEqual(await rows(doors.executor, "SELECT n FROM t WHERE id < 3"), [[1], [2]]);
    await ok(session, "BEGIN");
    await ok(session, "UPDATE t SET n = 3 WHERE id = 1");
    session.reset();
    assert.deepEqual([session.inTransaction, session.autocommit], [false, true]);
    assert.deepEqual(await rows(session, "SELECT n FROM t WHERE id = 1"), [[1]]);
    assert.equal(doors.engine.openSnapshots, 0);
  });

  test("a text may open one, go on with one, and end it", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    const results = await run(session, "BEGIN; UPDATE t SET n = 1 WHERE id = 1; SELECT n FROM t WHERE n = 1");
    assert.deepEqual(rowsOf(results[2]), [[1]]);
    const more = await run(session, "SELECT n FROM t WHERE id = 1; ROLLBACK; SELECT n FROM t WHERE id = 1");
    assert.deepEqual([rowsOf(more[0]), rowsOf(more[2])], [[[1]], [[10]]]);
    const before = doors.log.commands.length;
    const whole = await run(session, "BEGIN; UPDATE t SET n = 7 WHERE id = 1; SELECT id FROM t WHERE n = 7; COMMIT; SELECT 1");
    assert.deepEqual(rowsOf(whole[2]), [[1]]);
    assert.equal(doors.log.commands.length, before + 1);
    assert.equal(errorOf(await runOne(doors.executor, "BEGIN")).reason, "not_served");
  });
});

describe("conflicts", () => {
  /** Whether a transaction that reads, and then writes elsewhere, is refused after `other` has run in between. */
  async function refused(read: string, other: string): Promise<boolean> {
    const doors = await open();
    const session = doors.executor.openSession();
    await ok(session, "BEGIN");
    await run(session, read);
    for (const result of await run(doors.executor, other)) if ("error" in result) throw result.error;
    await ok(session, "INSERT INTO t VALUES (100, 0, 'mine')");
    const [end] = await run(session, "COMMIT");
    assert.equal(session.inTransaction, false);
    const mine = await rows(doors.executor, "SELECT id FROM t WHERE id = 100");
    assert.equal(mine.length, "error" in end ? 0 : 1);
    if ("error" in end) assert.equal(end.error.reason, "conflict");
    assert.equal(doors.engine.openSnapshots, 0);
    return "error" in end;
  }
  const cases: [string, string, boolean][] = [
    ["SELECT n FROM t WHERE id = 1", "UPDATE t SET n = 11 WHERE id = 1", true],
    ["SELECT n FROM t WHERE id = 1", "UPDATE t SET n = 21 WHERE id = 2", false],
    ["SELECT n FROM t WHERE id = 1", "DELETE FROM t WHERE id = 1", true],
    ["SELECT n FROM t WHERE id = 7", "INSERT INTO t VALUES (7, 7, 'g')", true],
    ["SELECT n FROM t WHERE id = 7", "INSERT INTO t VALUES (8, 8, 'h')", false],
    ["SELECT n FROM t WHERE id = 1", "UPDATE t SET n = 11 WHERE id = 1; UPDATE t SET n = 10 WHERE id = 1", false],
    ["SELECT n FROM t WHERE id BETWEEN 2 AND 9", "INSERT INTO t VALUES (7, 7, 'g')", true],
    ["SELECT n FROM t WHERE id BETWEEN 2 AND 9", "UPDATE t SET n = 1 WHERE id = 1", false],
    ["SELECT n FROM t WHERE id > 0 LIMIT 2", "UPDATE t SET n = 31 WHERE id = 3", false],
    ["SELECT n FROM t WHERE id > 0 LIMIT 2", "UPDATE t SET n = 21 WHERE id = 2", true],
    ["SELECT n FROM t ORDER BY id DESC LIMIT 1", "INSERT INTO t VALUES (50, 0, 'z')", true],
    ["SELECT n FROM t ORDER BY id DESC LIMIT 1", "UPDATE t SET n = 21 WHERE id = 2", false],
    ["SELECT COUNT(*) FROM t", "INSERT INTO t VALUES (50, 0, 'z')", true],
    ["SELECT id FROM t WHERE n = 20", "INSERT INTO t VALUES (50, 20, 'z')", true],
    ["SELECT id FROM t WHERE n = 20", "UPDATE t SET n = 20 WHERE id = 3", true],
    ["SELECT id FROM t WHERE n = 20", "UPDATE t SET n = 31 WHERE id = 3", false],
    ["UPDATE t SET n = 11 WHERE id = 1", "UPDATE t SET n = 12 WHERE id = 1", true],
    ["UPDATE t SET n = 11 WHERE id = 1", "UPDATE t SET n = 22 WHERE id = 2", false],
    ["INSERT IGNORE INTO t VALUES (7, 1, 'g')", "INSERT INTO t VALUES (7, 2, 'g')", true],
    ["DELETE FROM t WHERE id > 1", "INSERT INTO t VALUES (60, 0, 'z')", true],
  ];
  for (const [read, other, expected] of cases) {
    test(`${read} | ${other}: ${expected ? "refused" : "committed"}`, async () => {
      assert.equal(await refused(read, other), expected);
    });
  }

  test("two inserts without a number do not conflict, and their numbers differ", async () => {
    const doors = await open();
    const [one, other] = [doors.executor.openSession(), doors.executor.openSession()];
    for (const session of [one, other]) {
      await ok(session, "BEGIN");
      await ok(session, "INSERT INTO t (s) VALUES ('x')");
    }
    const ids = [await rows(one, "SELECT LAST_INSERT_ID()"), await rows(other, "SELECT LAST_INSERT_ID()")].flat(2);
    assert.equal(new Set(ids as ColumnValue[]).size, 2);
    for (const session of [one, other]) await ok(session, "COMMIT");
    await ok(doors.executor, "INSERT INTO t VALUES (999, 0, '')");
    await ok(doors.executor, "INSERT INTO t (s) VALUES ('y')");
    assert.deepEqual(await rows(doors.executor, "SELECT id FROM t WHERE id > 999"), [[1000]]);
  });

  test("a definition that changes ends the transaction", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    await ok(session, "BEGIN");
    await rows(session, all);
    await ok(doors.executor, "CREATE INDEX by_s ON t (s)");
    assert.equal(await reason(session, "SELECT id FROM t WHERE s = 'a'"), "conflict");
    assert.equal(session.inTransaction, false);
    assert.deepEqual(await rows(session, "SELECT id FROM t WHERE s = 'a'"), [[1]]);
  });
});

describe("limits", () => {
  test("open transactions, rows read and bytes written", async () => {
    const doors = await open({ openMax: 2, readRowsMax: 10, writeBytesMax: 2000 });
    const [one, other, third] = [1, 2, 3].map(() => doors.executor.openSession());
    await ok(one, "BEGIN");
    await ok(other, "BEGIN");
    assert.equal(await reason(third, "BEGIN"), "limit_exceeded");
    for (let i = 0; i < 3; i++) await rows(one, "SELECT n FROM t WHERE id BETWEEN 1 AND 2");
    assert.equal((await rows(one, "SELECT id FROM t WHERE id BETWEEN 1 AND 3")).length, 3);
    assert.equal((await rows(one, "SELECT id FROM t WHERE id BETWEEN 0 AND 3")).length, 3);
    assert.equal(await reason(one, "SELECT id FROM t"), "limit_exceeded");
    assert.equal(one.inTransaction, false);
    const long = "x".repeat(20);
    await ok(other, `INSERT INTO t VALUES (50, 1, '${long}')`);
    const rest = Array.from({ length: 20 }, (_, i) => `(${60 + i}, 1, '${long}')`).join(",");
    assert.equal(await reason(other, `INSERT INTO t VALUES ${rest}`), "limit_exceeded");
    assert.equal(other.inTransaction, false);
    assert.equal((await rows(doors.executor, all)).length, 3);
    assert.deepEqual([doors.engine.openSnapshots, doors.engine.openCursors], [0, 0]);
  });

  test("one without a sign of life is rolled back, and its next statement says so", async () => {
    const doors = await open({ idleTimeoutMs: 20 });
    const session = doors.executor.openSession();
    await ok(session, "BEGIN");
    await ok(session, "UPDATE t SET n = 0 WHERE id = 1");
    while (doors.engine.openSnapshots > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await reason(session, "COMMIT"), "conflict");
    assert.equal(session.inTransaction, false);
    assert.deepEqual(await rows(session, "SELECT n FROM t WHERE id = 1"), [[10]]);
  });
});
