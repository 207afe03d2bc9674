/**
 * A SELECT that walks far gives way to others every few milliseconds, and still sees one moment. Judged by the order of
 * events on a clock that moves only when it is looked at, so no machine is too slow for it.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nodeClock } from "../../src/kit/env/node-clock.ts";
import {
  errorOf,
  type InMemoryDoors,
  RecordingSink,
  rowsOf,
  run,
  runOne,
} from "../../src/parts/query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { sortInTurns } from "../../src/parts/query_processing/execution/model/point_api/row-pipeline.ts";
import { openWithTransactions } from "./open-transactions.fixture.ts";

const rowCount = 3000;

/** A millisecond goes by at every look. */
function manualClock() {
  let nowUs = 0;
  return { ...nodeClock, monotonicUs: () => (nowUs += 1000) };
}

async function open(): Promise<InMemoryDoors> {
  const doors = openWithTransactions({}, { clock: manualClock() });
  await run(doors.executor, "CREATE TABLE t (id INT PRIMARY KEY, k INT, v INT, KEY by_k (k))");
  for (let from = 0; from < rowCount; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, i) => `(${from + i}, ${(from + i) % 7}, ${rowCount - from - i})`);
    await run(doors.executor, `INSERT INTO t VALUES ${rows.join(",")}`);
  }
  return doors;
}

const far: [string, number][] = [
  ["SELECT id, v FROM t", rowCount],
  ["SELECT id FROM t WHERE id >= 0 AND v > 0 ORDER BY id DESC", rowCount],
  ["SELECT v FROM t WHERE k >= 0", rowCount],
  ["SELECT v FROM t WHERE k = 1 OR k > 1", (rowCount / 7) * 5],
  ["SELECT COUNT(*) FROM t", 1],
  ["SELECT COUNT(*) FROM t WHERE k >= 0", 1],
  ["SELECT SUM(v), COUNT(DISTINCT k) FROM t", 1],
  ["SELECT id, v FROM t ORDER BY v, id", rowCount],
];

describe("a SELECT that walks far", () => {
  for (const [i, [sql, least]] of far.entries()) {
    const opening = [undefined, "BEGIN", "LOCK TABLES t READ"][i % 3];
    test(`gives way, and sees one moment: ${sql}${opening === undefined ? "" : ` after ${opening}`}`, async () => {
      const doors = await open();
      const expected = rowsOf(await runOne(doors.executor, sql));
      assert.ok(expected.length >= Math.floor(least) - 7 && expected.length <= rowCount);
      const session = doors.executor.openSession();
      if (opening !== undefined) await runOne(session, opening);
      const sink = new RecordingSink();
      const waiting = session.query(sql, sink);
      assert.ok(waiting !== undefined && sink.results.length === 0, "it has not ended in its first turn");
      // Another connection, in the meantime: it is answered, and what it does is not seen.
      assert.equal(rowsOf(await runOne(doors.executor, "SELECT v FROM t WHERE id = 5")).length, 1);
      await run(doors.executor, "DELETE FROM t WHERE id > 2500");
      await run(doors.executor, "UPDATE t SET v = 0, k = 100 WHERE id BETWEEN 10 AND 2000");
      assert.equal(sink.results.length, 0, "others were served before it ended");
      await waiting;
      assert.deepEqual(rowsOf(sink.results[0]), expected);
      session.reset();
      assert.deepEqual([doors.engine.openCursors, doors.engine.openSnapshots], [0, 0]);
    });
  }

  test("a short one does not look at the clock, nor ends later than its turn", async () => {
    let looks = 0;
    const doors = openWithTransactions({}, { clock: { ...nodeClock, monotonicUs: () => ++looks } });
    await run(doors.executor, "CREATE TABLE t (id INT PRIMARY KEY, v INT)");
    await run(doors.executor, `INSERT INTO t VALUES ${Array.from({ length: 200 }, (_, i) => `(${i}, ${i})`).join(",")}`);
    looks = 0;
    for (const sql of ["SELECT v FROM t WHERE id = 1", "SELECT v FROM t", "SELECT SUM(v) FROM t", "SELECT v FROM t ORDER BY v"]) {
      const sink = new RecordingSink();
      assert.equal(doors.executor.query(sql, sink), undefined);
      assert.equal(sink.results.length, 1);
    }
    assert.equal(looks, 0);
  });

  test("ends where nobody wants it any more, and where its time is up", async () => {
    const doors = await open();
    const session = doors.executor.openSession();
    const asked: string[] = [];
    class Unwanted extends RecordingSink {
      async between(): Promise<boolean> {
        asked.push("asked");
        return asked.length < 2;
      }
    }
    const sink = new Unwanted();
    await session.query("SELECT COUNT(*) FROM t", sink);
    assert.deepEqual([asked.length, sink.results.length], [2, 0]);
    assert.deepEqual([doors.engine.openCursors, doors.engine.openSnapshots], [0, 0]);
    await run(session, "SET SESSION max_execution_time = 7");
    assert.deepEqual(rowsOf(await runOne(session, "SELECT @@max_execution_time")), [[7n]]);
    for (const sql of ["SELECT COUNT(*) FROM t", "SELECT id FROM t", "BEGIN; SELECT SUM(v) FROM t"]) {
      assert.equal(errorOf((await run(session, sql)).at(-1) as never).reason, "time_exceeded", sql);
    }
    await run(session, "ROLLBACK");
    assert.equal(rowsOf(await runOne(session, "SELECT id FROM t WHERE id < 100")).length, 100);
    assert.equal(rowsOf((await run(session, "BEGIN; SELECT id FROM t WHERE id = 1; COMMIT"))[1]).length, 1);
    await run(session, "SET max_execution_time = DEFAULT");
    assert.deepEqual(rowsOf(await runOne(session, "SELECT COUNT(*) FROM t")), [[BigInt(rowCount)]]);
    for (const sql of ["SET GLOBAL max_execution_time = 5", "SET max_statement_time = 1"]) {
      assert.equal(errorOf(await runOne(session, sql)).leaf, "architecture/resource_management/runaway_queries", sql);
    }
    assert.equal(errorOf(await runOne(session, "SET max_execution_time = -1")).reason, "syntax");
    assert.deepEqual([doors.engine.openCursors, doors.engine.openSnapshots], [0, 0]);
  });

  test("sorting in turns is sorting, and stable", () => {
    for (const length of [0, 1, 2048, 2049, 5000, 9000]) {
      const rows = Array.from({ length }, (_, i) => ({ key: (i * 7919) % 97, place: i }));
      const expected = [...rows].sort((a, b) => a.key - b.key);
      let turns = 0;
      const steps = sortInTurns(rows, (a, b) => a.key - b.key, { isOver: () => ++turns > 0 });
      let step = steps.next();
      while (step.done !== true) step = steps.next();
      assert.deepEqual(step.value, expected);
      assert.equal(turns > 0, length > 2048);
    }
  });
});
