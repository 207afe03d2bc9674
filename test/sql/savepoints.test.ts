/**
 * Savepoints and read locks: what is undone, what stays, what they refuse.
 *
 * Random programs with savepoints are judged by replaying, on an empty store and without transactions, the statements
 * that no ROLLBACK TO has undone. `LATHE_TEST_RUNS` sets the programs; a failure prints its seed.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ColumnValue, Table } from "../../src/parts/architecture/catalog/table.ts";
import { assertEntries } from "../../src/parts/indexing/equality/kv_secondary/entries-judge.fixture.ts";
import { WriteSet } from "../../src/parts/concurrency/transaction/model/single_node_acid/write-set.ts";
import {
  affectedOf,
  errorOf,
  type InMemoryDoors,
  rowsOf,
  run,
  runOne,
} from "../../src/parts/query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import type { ExecutorSession } from "../../src/parts/query_processing/executor.ts";
import { drawing } from "./drawing.fixture.ts";
import { openWithTransactions } from "./open-transactions.fixture.ts";

const programs = Number(process.env.LATHE_TEST_RUNS ?? 60);
const definition = "CREATE TABLE t (id INT PRIMARY KEY, n INT, s VARCHAR(8), KEY by_n (n))";
const initial = "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (4, 1, 'c')";
const all = ["SELECT * FROM t", "SELECT id FROM t WHERE n >= 0 ORDER BY n, id", "SELECT COUNT(*) FROM t WHERE n = 1"];

async function open(): Promise<InMemoryDoors> {
  const doors = openWithTransactions();
  for (const sql of [definition, initial]) affectedOf(await runOne(doors.executor, sql));
  return doors;
}

const seen = async (target: Pick<ExecutorSession, "query">): Promise<ColumnValue[][][]> => {
  const results: ColumnValue[][][] = [];
  for (const sql of all) results.push(rowsOf(await runOne(target as ExecutorSession, sql)));
  return results;
};
const ok = async (session: ExecutorSession, sql: string) => affectedOf(await runOne(session, sql));
const reason = async (session: ExecutorSession, sql: string) => errorOf(await runOne(session, sql)).reason;

function write(draw: (below: number) => number): string {
  const [id, n] = [draw(6), draw(4)];
  const forms = [
    `UPDATE t SET n = n + 1 WHERE id <= ${id}`,
    `UPDATE t SET s = 'x${n}' WHERE n = ${n} ORDER BY id DESC LIMIT 1`,
    `DELETE FROM t WHERE id = ${id} OR n = 9`,
    `DELETE FROM t WHERE n = ${n}`,
    `INSERT INTO t VALUES (${id}, ${n}, 'i')`,
    `REPLACE INTO t VALUES (${id}, ${n}, 'r'), (${id + 1}, NULL, 'q')`,
    `INSERT INTO t VALUES (${id}, ${n}, 'u') ON DUPLICATE KEY UPDATE n = n / 2 + 1`,
  ];
  return forms[draw(forms.length)];
}

interface Savepoint {
  readonly name: string;
  readonly statements: number;
}

async function program(seed: number): Promise<number> {
  const draw = drawing(seed);
  const doors = await open();
  const session = doors.executor.openSession();
  const kept: string[] = [];
  let savepoints: Savepoint[] = [];
  let undone = 0;
  await ok(session, "BEGIN");
  for (let step = 0; step < 30; step++) {
    const name = ["p", "Q", "r"][draw(3)];
    const at = savepoints.findIndex((one) => one.name === name);
    const kind = draw(8);
    if (kind === 0) {
      await ok(session, `SAVEPOINT ${draw(2) === 0 ? name.toLowerCase() : name}`);
      savepoints = [...savepoints.filter((_, i) => i !== at), { name, statements: kept.length }];
    } else if (kind === 1 || kind === 2) {
      const sql = kind === 1 ? `ROLLBACK TO SAVEPOINT ${name}` : `RELEASE SAVEPOINT ${name}`;
      if (at < 0) assert.equal(await reason(session, sql), "savepoint_missing");
      else await ok(session, sql);
      if (at < 0) continue;
      if (kind === 1) {
        undone += kept.length - savepoints[at].statements;
        kept.length = savepoints[at].statements;
      }
      savepoints = savepoints.slice(0, kind === 1 ? at + 1 : at);
    } else {
      const sql = write(draw);
      if (!("error" in (await runOne(session, sql)))) kept.push(sql);
    }
  }
  const judge = await open();
  for (const sql of kept) affectedOf(await runOne(judge.executor, sql));
  assert.deepEqual(await seen(session), await seen(judge.executor));
  await ok(session, "COMMIT");
  assert.deepEqual(await seen(doors.executor), await seen(judge.executor));
  assertEntries(doors.engine, doors.catalog.find("t") as Table);
  return undone;
}

describe("savepoints", () => {
  test("undo what was written since, over drawn programs", async () => {
    const first = Number(process.env.LATHE_TEST_SEED ?? 1);
    let undone = 0;
    for (let seed = first; seed < first + programs; seed++) {
      undone += await program(seed).catch((error: unknown) => {
        throw new Error(`program of seed ${seed}: ${(error as Error).message}`, { cause: error });
      });
    }
    assert.ok(undone > programs, `${undone} statements undone`);
  });

  test("what was read counts at the commit, also where it was undone", async () => {
    const doors = await open();
    const [one, other] = [doors.executor.openSession(), doors.executor.openSession()];
    for (const sql of ["BEGIN", "SAVEPOINT a", "UPDATE t SET n = n + 1 WHERE id = 2", "ROLLBACK TO a"]) await ok(one, sql);
    await ok(other, "UPDATE t SET n = 7 WHERE id = 2");
    await ok(one, "UPDATE t SET n = 5 WHERE id = 4");
    assert.equal(await reason(one, "COMMIT"), "conflict");
  });

  test("outside of a transaction there is none, and a text that is one command goes on in the session", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    await ok(session, "SAVEPOINT a");
    assert.equal(await reason(session, "ROLLBACK TO a"), "savepoint_missing");
    assert.equal(await reason(session, "RELEASE SAVEPOINT a"), "savepoint_missing");
    const text = "BEGIN; DELETE FROM t WHERE id = 1; SAVEPOINT a; DELETE FROM t WHERE id = 2; ROLLBACK WORK TO a; COMMIT";
    for (const result of await run(session, text)) affectedOf(result);
    assert.deepEqual(rowsOf(await runOne(session, "SELECT id FROM t")), [[2], [4]]);
    assert.equal(session.inTransaction, false);
    await ok(session, "SET autocommit = 0");
    await ok(session, "SAVEPOINT b");
    await ok(session, "DELETE FROM t WHERE id = 2");
    await ok(session, "ROLLBACK TO SAVEPOINT B");
    await ok(session, "COMMIT");
    assert.equal(await reason(session, "ROLLBACK TO b"), "savepoint_missing");
    assert.deepEqual(rowsOf(await runOne(session, "SELECT id FROM t")), [[2], [4]]);
    assert.equal(errorOf(await runOne(doors.executor, "SAVEPOINT a")).reason, "not_served");
  });

  test("have limits, and what they keep counts as written", async () => {
    const doors = openWithTransactions({ writeBytesMax: 4000 });
    for (const sql of [definition, initial]) affectedOf(await runOne(doors.executor, sql));
    const session = doors.executor.openSession();
    await ok(session, "BEGIN");
    await ok(session, "SAVEPOINT a");
    let refused: string | undefined;
    for (let i = 0; i < 30 && refused === undefined; i++) {
      const result = await runOne(session, "UPDATE t SET n = n + 1 WHERE id = 1");
      if ("error" in result) refused = result.error.reason;
    }
    assert.equal(refused, "limit_exceeded");
    session.reset();
    await ok(session, "BEGIN");
    for (let i = 0; i < 1024; i++) await ok(session, `SAVEPOINT s${i}`);
    assert.equal(await reason(session, "SAVEPOINT one_more"), "limit_exceeded");
    await ok(session, "SAVEPOINT s7");
    session.reset();
    assert.equal(doors.engine.openSnapshots, 0);
  });

  test("a set of writes has as many bytes as it had when it is brought back", () => {
    const writes = new WriteSet();
    const bytes = (n: number) => new Uint8Array(n).fill(n);
    writes.put(bytes(3), bytes(10), 1);
    const before = writes.bytes;
    const mark = writes.mark();
    for (let i = 0; i < 20; i++) writes.put(bytes(2 + (i % 3)), i % 4 === 0 ? undefined : bytes(i), 1);
    const behind = writes.mark();
    writes.put(bytes(1), bytes(1), -1);
    writes.undoTo(behind);
    writes.undoTo(mark);
    assert.deepEqual([writes.bytes, writes.count, writes.find(bytes(3))?.value?.length], [before, 1, 10]);
    writes.put(bytes(3), bytes(5), 1);
    writes.forgetMarks();
    assert.equal(writes.bytes, before - 5);
  });
});

describe("LOCK TABLES … READ", () => {
  test("is one moment for what the session reads; others go on", async () => {
    const doors = await open();
    affectedOf(await runOne(doors.executor, "CREATE TABLE u (id INT PRIMARY KEY)"));
    const session = doors.executor.openSession();
    await ok(session, "LOCK TABLES t READ /*!32311 LOCAL */, u AS v READ LOCAL");
    const before = await seen(session);
    affectedOf(await runOne(doors.executor, "UPDATE t SET n = 9 WHERE id = 1"));
    affectedOf(await runOne(doors.executor, "INSERT INTO u VALUES (1)"));
    assert.deepEqual(await seen(session), before);
    assert.deepEqual(rowsOf(await runOne(session, "SELECT * FROM u")), []);
    assert.equal(await reason(session, "DELETE FROM t WHERE id = 1"), "table_locked");
    assert.equal(await reason(session, "CREATE TABLE w (id INT PRIMARY KEY)"), "table_locked");
    await ok(session, "COMMIT");
    assert.deepEqual(await seen(session), before);
    await ok(session, "LOCK TABLE u READ");
    assert.equal(await reason(session, "SELECT * FROM t"), "table_not_locked");
    assert.deepEqual(rowsOf(await runOne(session, "SELECT * FROM u")), [[1]]);
    await ok(session, "UNLOCK TABLES");
    assert.notDeepEqual(await seen(session), before);
    assert.equal(doors.engine.openSnapshots, 0);
  });

  test("ends with BEGIN, a reset, and what was open commits before it", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    await ok(session, "BEGIN");
    await ok(session, "DELETE FROM t WHERE id = 1");
    await ok(session, "LOCK TABLES t READ");
    assert.deepEqual([session.inTransaction, rowsOf(await runOne(doors.executor, "SELECT COUNT(*) FROM t"))], [false, [[2n]]]);
    await run(session, "BEGIN; DELETE FROM t WHERE id = 2; COMMIT");
    assert.deepEqual(rowsOf(await runOne(session, "SELECT id FROM t")), [[4]]);
    await ok(session, "LOCK TABLES t READ");
    session.reset();
    assert.equal(doors.engine.openSnapshots, 0);
    await ok(session, "DELETE FROM t WHERE id = 4");
  });

  test("does not read by a definition that came later, and refuses locks that keep others out", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    await ok(session, "LOCK TABLES t READ");
    affectedOf(await runOne(doors.executor, "CREATE TABLE other (id INT PRIMARY KEY)"));
    assert.deepEqual(rowsOf(await runOne(session, "SELECT id FROM t")), [[1], [2], [4]]);
    affectedOf(await runOne(doors.executor, "CREATE INDEX by_s ON t (s)"));
    assert.equal(await reason(session, "SELECT id FROM t WHERE s = 'a'"), "conflict");
    await ok(session, "UNLOCK TABLES");
    for (const sql of ["LOCK TABLES t WRITE", "LOCK TABLES t x LOW_PRIORITY WRITE", "LOCK TABLES t READ, t AS y WRITE"]) {
      assert.equal(errorOf(await runOne(session, sql)).leaf, "concurrency/locking/table/metadata", sql);
    }
    assert.equal(await reason(session, "LOCK TABLES missing READ"), "unknown_table");
    assert.equal(await reason(session, "LOCK TABLES t"), "syntax");
  });
});
