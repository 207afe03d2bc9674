/** The statements that OLTP clients need over one table: upserts, arithmetic, counters, ranges, sorting, aggregates. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ColumnValue } from "../../src/parts/architecture/catalog/table.ts";
import { kvSecondary } from "../../src/parts/indexing/equality/kv_secondary/kv-secondary.ts";
import { createIndexedPlans } from "../../src/parts/query_processing/execution/model/point_api/indexed-plans.ts";
import {
  affectedOf,
  errorOf,
  type InMemoryDoors,
  openInMemory,
  RecordingSink,
  rowsOf,
  run,
  runOne,
  runPrepared,
} from "../../src/parts/query_processing/execution/model/point_api/in-memory-doors.fixture.ts";

const indexed = () => openInMemory({ indexes: kvSecondary, indexedPlans: createIndexedPlans(kvSecondary) });

async function withTable(definition: string, ...statements: string[]): Promise<InMemoryDoors> {
  const doors = indexed();
  for (const sql of [definition, ...statements]) for (const result of await run(doors.executor, sql)) affectedOf(result);
  return doors;
}

const counters = "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT NOT NULL DEFAULT 7, big BIGINT, x DOUBLE, s VARCHAR(5), KEY by_n (n))";

const rows = async ({ executor }: InMemoryDoors, sql: string) => rowsOf(await runOne(executor, sql));
const affected = async ({ executor }: InMemoryDoors, sql: string) => affectedOf(await runOne(executor, sql));
const reason = async ({ executor }: InMemoryDoors, sql: string) => errorOf(await runOne(executor, sql)).reason;

/** What clients are told as the inserted id. */
async function insertId({ executor }: InMemoryDoors, sql: string): Promise<bigint | undefined> {
  let id: bigint | undefined;
  class Sink extends RecordingSink {
    override done(result: Parameters<RecordingSink["done"]>[0] & { insertId?: bigint | undefined }): void {
      id = result.insertId;
      super.done(result);
    }
  }
  const sink = new Sink();
  await executor.query(sql, sink);
  affectedOf(sink.results[0]);
  return id;
}

describe("arithmetic", () => {
  test("assignments take place from left to right, and indexes follow", async () => {
    const doors = await withTable(counters, "INSERT INTO t VALUES (1, 5, 10, 0.5, 'a'), (2, 6, NULL, 1, 'b')");
    assert.equal(await affected(doors, "UPDATE t SET n = n + 1, big = n * 2 - -3, x = x / 4 WHERE id = 1"), 1);
    assert.deepEqual(await rows(doors, "SELECT * FROM t WHERE n = 6 AND id < 2"), [[1n, 6, 15n, 0.125, "a"]]);
    assert.equal(await affected(doors, "UPDATE t SET big = big + 1 WHERE id = 2"), 0);
    assert.equal(await affected(doors, "UPDATE t SET n = n - 1, n = n + 1 WHERE id = 2"), 0);
    assert.equal(await affected(doors, "UPDATE t SET n = id * 10 % 7, big = 17 DIV 5 WHERE id BETWEEN 1 AND 2"), 2);
    assert.deepEqual(await rows(doors, "SELECT id, n, big FROM t"), [[1n, 3, 3n], [2n, 6, 3n]]);
    const add = doors.executor.prepare("UPDATE t SET n = n + ? WHERE id = ?");
    for (const parameter of [1n, 1, "1", new Uint8Array(Buffer.from("1"))]) {
      assert.equal(affectedOf(await runPrepared(doors.executor, add, [parameter, 1n])), 1);
    }
    assert.deepEqual(await rows(doors, "SELECT n FROM t WHERE id = 1"), [[7]]);
  });

  test("division of integers is exact, with MySQL's digits", async () => {
    const doors = await withTable(counters);
    const given = async (expression: string) => {
      const results: unknown[] = [];
      for (const column of ["big", "x"]) {
        await run(doors.executor, "REPLACE INTO t VALUES (1, 2, 3, 7.5, 'a')");
        const [answer] = await run(doors.executor, `UPDATE t SET ${column} = ${expression} WHERE id = 1`);
        if ("error" in answer) results.push(answer.error.reason);
        else results.push((await rows(doors, `SELECT ${column} FROM t WHERE id = 1`))[0][0]);
      }
      return results;
    };
    // As MariaDB 10.11 has them.
    const expected: [string, unknown, unknown][] = [
      ["n / big", 1n, 0.666666666],
      ["(n / big) * big", 2n, 1.999999998],
      ["n / big / big", 0n, 0.222222222],
      ["(n / big) / (big / n)", 0n, 0.444444444],
      ["-n / big", -1n, -0.666666666],
      ["n / big * 1000000000000", 666666666000n, 666666666000],
      ["9223372036854775807 / 3", 3074457345618258602n, 3.0744573456182584e18],
      ["9223372036854775807 / 2 * 2", 9223372036854775807n, 9.223372036854776e18],
      ["(n / big) - (big / n)", -1n, -0.833333334],
      ["(n / big) % 1", 1n, 0.666666666],
      ["(n / big) DIV 2", 0n, 0],
      ["5 / 2", 3n, 2.5],
      ["-5 / 2", -3n, -2.5],
      ["1 / 3000000000000", 0n, 0],
      ["(9223372036854775807 / 1) * 4", "out_of_range", 3.6893488147419103e19],
      ["-9223372036854775808 / 1", -9223372036854775808n, -9.223372036854776e18],
      ["(-9223372036854775807 - 1) DIV -1", "overflow", "overflow"],
      ["(-9223372036854775807 - 1) % -1", 0n, 0],
      ["n / (big - 3)", "division_by_zero", "division_by_zero"],
      ["x DIV 2", 3n, 3],
      ["MOD(n + 5, big)", 1n, 1],
      ["-7 MOD big", -1n, -1],
      ["x / big", 2n, 2.5],
      ["NULL / 0", null, null],
    ];
    for (const [expression, big, x] of expected) assert.deepEqual(await given(expression), [big, x], expression);
  });

  test("what does not fit changes nothing", async () => {
    const doors = await withTable(counters, "INSERT INTO t VALUES (1, 2147483647, 9223372036854775807, 1e308, 'a')");
    const before = await rows(doors, "SELECT * FROM t");
    assert.equal(await reason(doors, "UPDATE t SET n = n + 1 WHERE id = 1"), "out_of_range");
    assert.equal(await reason(doors, "UPDATE t SET big = 0, big = big - 1, n = NULL + 1 WHERE id = 1"), "null_not_allowed");
    assert.equal(await reason(doors, "UPDATE t SET big = big + 1 WHERE id = 1"), "overflow");
    assert.equal(await reason(doors, "UPDATE t SET big = big * big WHERE id = 1"), "overflow");
    assert.equal(await reason(doors, "UPDATE t SET x = x * 10 WHERE id = 1"), "overflow");
    assert.equal(await reason(doors, "UPDATE t SET n = n DIV 0 WHERE id = 1"), "division_by_zero");
    assert.equal(await reason(doors, "UPDATE t SET n = 'x' + 1 WHERE id = 1"), "out_of_range");
    assert.deepEqual(await rows(doors, "SELECT * FROM t"), before);
    assert.equal(await affected(doors, "UPDATE t SET x = 2.5, n = x + 1 WHERE id = 1"), 1);
    assert.deepEqual(await rows(doors, "SELECT n, x FROM t"), [[4, 2.5]]);
  });
});

describe("duplicates", () => {
  test("upserts count one for a new row, two for a changed one, none for an equal one", async () => {
    const doors = await withTable(counters);
    const upsert = "INSERT INTO t (id, n, s) VALUES (1, 1, 'a') ON DUPLICATE KEY UPDATE n = n + VALUES(n), s = VALUES(s)";
    assert.equal(await affected(doors, upsert), 1);
    assert.equal(await affected(doors, upsert), 2);
    assert.equal(await affected(doors, "INSERT INTO t (id, n) VALUES (1, 0), (2, 0) ON DUPLICATE KEY UPDATE n = n + VALUES(n)"), 1);
    assert.deepEqual(await rows(doors, "SELECT id, n, s FROM t WHERE n >= 0"), [[2n, 0, null], [1n, 2, "a"]]);
    const twice = "INSERT INTO t (id, n) VALUES (3, 1), (3, 10) ON DUPLICATE KEY UPDATE n = VALUES(n) * 2, id = VALUES(id)";
    assert.equal(await affected(doors, twice), 3);
    assert.deepEqual(await rows(doors, "SELECT n FROM t WHERE id = 3"), [[20]]);
  });

  test("REPLACE and INSERT IGNORE", async () => {
    const doors = await withTable(counters, "INSERT INTO t (id) VALUES (1)");
    assert.deepEqual(await rows(doors, "SELECT id, n, s FROM t"), [[1n, 7, null]]);
    assert.equal(await affected(doors, "REPLACE INTO t (id, n) VALUES (1, 8), (2, 9)"), 3);
    assert.equal(await affected(doors, "REPLACE INTO t (id, n) VALUES (1, 8)"), 1);
    assert.equal(await affected(doors, "INSERT IGNORE INTO t (id, n) VALUES (1, 0), (3, 0), (3, 1)"), 1);
    assert.deepEqual(await rows(doors, "SELECT id, n FROM t WHERE n IN (0, 8, 9)"), [[3n, 0], [1n, 8], [2n, 9]]);
    assert.equal(await affected(doors, "INSERT INTO t SET id = 4, n = DEFAULT, s = 'set'"), 1);
    assert.deepEqual(await rows(doors, "SELECT n, s FROM t WHERE id = 4"), [[7, "set"]]);
  });
});

describe("AUTO_INCREMENT", () => {
  const table = "CREATE TABLE a (id INT NOT NULL AUTO_INCREMENT, s CHAR(10) NOT NULL DEFAULT '', PRIMARY KEY (id))";

  test("numbers rise, are told, and survive deletes and restarts", async () => {
    const doors = await withTable(table);
    assert.equal(await insertId(doors, "INSERT INTO a (s) VALUES ('x'), ('y')"), 1n);
    assert.equal(await insertId(doors, "INSERT INTO a VALUES (0, 'z')"), 3n);
    assert.equal(await insertId(doors, "INSERT INTO a VALUES (NULL, 'z'), (10, 'ten'), (DEFAULT, 'w')"), 4n);
    assert.equal(await insertId(doors, "INSERT INTO a () VALUES ()"), 12n);
    assert.equal(await insertId(doors, "INSERT INTO a VALUES (5, 'five')"), 5n);
    await run(doors.executor, "DELETE FROM a WHERE id > 4");
    const again = openInMemory({ engine: doors.engine, indexes: kvSecondary });
    assert.equal(await insertId(again, "INSERT INTO a (s) VALUES ('after')"), 13n);
    assert.deepEqual((await rows(again, "SELECT id FROM a")).flat(), [1, 2, 3, 4, 13]);
    assert.equal(await insertId(again, "INSERT INTO a VALUES (2147483647, 'last')"), 2147483647n);
    assert.equal(await reason(again, "INSERT INTO a (s) VALUES ('over')"), "out_of_range");
    assert.equal(await insertId(again, "INSERT IGNORE INTO a VALUES (1, 'there')"), undefined);
    await run(again.executor, "DROP TABLE a");
    await run(again.executor, table);
    assert.equal(await insertId(again, "INSERT INTO a (s) VALUES ('new')"), 1n);
  });

  test("a refused insert gives no number away, and replicas give equal ones", async () => {
    const doors = await withTable(table, "INSERT INTO a VALUES (2, 'two')");
    assert.equal(await reason(doors, "INSERT INTO a VALUES (0, 'x'), (2, 'y')"), "duplicate_key");
    assert.equal(await insertId(doors, "INSERT INTO a (s) VALUES ('x')"), 3n);
    assert.deepEqual(
      (await run(doors.executor, "BEGIN; INSERT INTO a (s) VALUES ('p'); INSERT INTO a (s) VALUES ('q'); COMMIT")).slice(1, 3).map(affectedOf),
      [1, 1],
    );
    assert.deepEqual((await rows(doors, "SELECT id FROM a ORDER BY id DESC LIMIT 2")).flat(), [5, 4]);
  });

  test("CHAR has no spaces at its end", async () => {
    const doors = await withTable(table, "INSERT INTO a (s) VALUES ('x  '), ('  y'), ('1234567890   ')");
    assert.deepEqual(await rows(doors, "SELECT s FROM a"), [["x"], ["  y"], ["1234567890"]]);
    assert.deepEqual(await rows(doors, "SELECT id FROM a WHERE id > 0 AND s = 'x     '"), [[1]]);
    assert.equal(await reason(doors, "INSERT INTO a (s) VALUES ('12345678901')"), "value_too_long");
    assert.match(String((await rows(doors, "SHOW CREATE TABLE a"))[0][1]), /`id` int NOT NULL AUTO_INCREMENT,\n {2}`s` char\(10\) NOT NULL DEFAULT ''/);
  });
});

describe("comparisons with numbers that a column cannot hold", () => {
  const values = [-2147483648, -1, 0, 1, 2, 2147483647];
  const numbers: [ColumnValue, number][] = [
    ...[0.5, -0.5, 1.5, -1e300, 1e300, 2147483647.5, 3e9, -3e9, 2, -0].map((value): [ColumnValue, number] => [value, value]),
    [2n ** 80n, 2 ** 80], [-(2n ** 80n), -(2 ** 80)], ["1.5", 1.5], [" 2 ", 2], ["-3e9", -3e9], ["+1", 1],
    [Buffer.from("0.5"), 0.5], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ];
  const operators: Record<string, (a: number, b: number) => boolean> = {
    "=": (a, b) => a === b, "<>": (a, b) => a !== b, "<": (a, b) => a < b,
    "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  };

  test("by key, by index, as a filter, and in a row", async () => {
    const doors = await withTable(
      "CREATE TABLE t (id INT PRIMARY KEY, k INT, v INT, big BIGINT, KEY by_k (k))",
      `INSERT INTO t VALUES ${values.map((value) => `(${value}, ${value}, ${value}, ${value})`).join(",")}`,
    );
    for (const [sign, holds] of Object.entries(operators)) {
      for (const where of [`id ${sign} ? AND v = v_`, `k ${sign} ?`, `id >= -3000000000 AND v ${sign} ?`, `id < 1e30 AND big ${sign} ?`]) {
        const condition = where.replace(" AND v = v_", sign === "<>" ? " AND id > -1e12" : "");
        if (condition.startsWith("k <>")) continue;
        const statement = doors.executor.prepare(`SELECT id FROM t WHERE ${condition} ORDER BY id`);
        for (const [parameter, number] of numbers) {
          const found = rowsOf(await runPrepared(doors.executor, statement, [parameter])).flat();
          assert.deepEqual(found, values.filter((value) => holds(value, number)), `${condition} with ${String(parameter)}`);
        }
      }
    }
    assert.equal(await reason(doors, "SELECT id FROM t WHERE id = 'abc'"), "out_of_range");
    assert.equal(await affected(doors, "DELETE FROM t WHERE id IN (1.5, 3000000000, 2.0)"), 1);
  });

  test("in rows, what stands behind such a number does not count", async () => {
    const doors = await withTable(
      "CREATE TABLE r (a INT, b INT, PRIMARY KEY (a, b))", "INSERT INTO r VALUES (1, 1), (1, 2), (2, 1), (2, 2)",
    );
    const found = async (where: string) => (await rows(doors, `SELECT a, b FROM r WHERE ${where}`)).map(([a, b]) => Number(a) * 10 + Number(b));
    assert.deepEqual(await found("(a, b) > (1.5, 9)"), [21, 22]);
    assert.deepEqual(await found("(a, b) >= (1, 1.5)"), [12, 21, 22]);
    assert.deepEqual(await found("(a, b) < (2, 1.5)"), [11, 12, 21]);
    assert.deepEqual(await found("(a, b) > (1, 3000000000)"), [21, 22]);
    assert.deepEqual(await found("(a, b) < (2, -3000000000)"), [11, 12]);
    assert.deepEqual(await found("(a, b) <= (3000000000, 1)"), [11, 12, 21, 22]);
    assert.deepEqual(await found("(a, b) > (3000000000, 1)"), []);
    assert.deepEqual(await found("(a, b) = (1.5, 1)"), []);
    assert.deepEqual(await found("a = 1 AND b > 1.5"), [12]);
    assert.deepEqual(await found("(a, b) > (NULL, 1)"), []);
  });
});

describe("ranges, order and aggregates", () => {
  const open = () => withTable(
    "CREATE TABLE r (a INT, b INT, c CHAR(4), x DOUBLE, PRIMARY KEY (a, b), KEY by_c (c))",
    `INSERT INTO r VALUES ${Array.from({ length: 20 }, (_, i) => `(${i >> 2}, ${i % 4}, 'c${(i * 7) % 5}', ${i === 3 ? "NULL" : i / 2})`).join(",")}`,
  );
  const ids = async (doors: InMemoryDoors, sql: string) => (await rows(doors, sql)).map(([a, b]) => Number(a) * 10 + Number(b));

  test("forwards, backwards, with offsets", async () => {
    const doors = await open();
    assert.deepEqual(await ids(doors, "SELECT a, b FROM r ORDER BY a DESC, b DESC LIMIT 3"), [43, 42, 41]);
    assert.deepEqual(await ids(doors, "SELECT a, b FROM r WHERE a = 2 ORDER BY b DESC LIMIT 1, 2"), [22, 21]);
    assert.deepEqual(await ids(doors, "SELECT a, b FROM r WHERE (a, b) > (1, 2) ORDER BY a LIMIT 2 OFFSET 1"), [20, 21]);
    assert.deepEqual(await ids(doors, "SELECT a, b FROM r WHERE a IN (3, 1) ORDER BY a DESC, b DESC LIMIT 5"), [33, 32, 31, 30, 13]);
    assert.deepEqual(await ids(doors, "SELECT a, b FROM r WHERE a BETWEEN 1 AND 2 ORDER BY a DESC, b LIMIT 3"), [20, 21, 22]);
    assert.deepEqual(await ids(doors, "SELECT a, b FROM r WHERE a = 1 AND b = 1 LIMIT 1, 5"), []);
    assert.deepEqual(await ids(doors, "SELECT a, b FROM r WHERE c = 'c1' ORDER BY a DESC, b DESC"), [42, 31, 20, 3]);
    assert.deepEqual(await ids(doors, "SELECT a, b FROM r WHERE c = 'c1' ORDER BY x DESC"), [42, 31, 20, 3]);
    assert.equal(doors.engine.openCursors, 0);
  });

  test("sorted, different, counted, summed", async () => {
    const doors = await open();
    assert.deepEqual(await rows(doors, "SELECT c FROM r WHERE a BETWEEN 0 AND 1 ORDER BY c"),
      [["c0"], ["c0"], ["c1"], ["c2"], ["c2"], ["c3"], ["c4"], ["c4"]]);
    assert.deepEqual(await rows(doors, "SELECT DISTINCT c FROM r WHERE a BETWEEN 0 AND 1 ORDER BY c DESC LIMIT 2"), [["c4"], ["c3"]]);
    assert.deepEqual(await rows(doors, "SELECT b FROM r WHERE a = 0 ORDER BY x, b DESC"), [[3], [0], [1], [2]]);
    assert.deepEqual(
      await rows(doors, "SELECT COUNT(*), COUNT(x), SUM(b), SUM(x), MIN(c), MAX(b), AVG(b), AVG(x), COUNT(DISTINCT c) AS d FROM r WHERE a = 0"),
      [[4n, 3n, "6", 1.5, "c0", 3, "1.5000", 0.5, 4n]],
    );
    assert.deepEqual(await rows(doors, "SELECT COUNT(*), SUM(b), MAX(c), AVG(a) FROM r WHERE a = 99"), [[0n, null, null, null]]);
    assert.deepEqual(await rows(doors, "SELECT AVG(a), SUM(DISTINCT a) FROM r WHERE (a, b) < (1, 2)"), [["0.3333", "1"]]);
    assert.deepEqual(await rows(doors, "SELECT COUNT(*) FROM r WHERE c = 'c1' AND x > 4"), [[2n]]);
    assert.deepEqual(await rows(doors, "SELECT a, b FROM r WHERE a = 1 FOR UPDATE").then(({ length }) => length), 4);
  });

  test("ranges in writes and in transactions that write", async () => {
    const doors = await open();
    assert.equal(await affected(doors, "DELETE FROM r WHERE a >= 4"), 4);
    assert.equal(await affected(doors, "UPDATE r SET x = x + 1 WHERE (a, b) >= (3, 2) AND b < 9"), 2);
    assert.equal(await affected(doors, "DELETE FROM r WHERE a = 0 AND b BETWEEN 1 AND 2 AND c = 'c2'"), 1);
    const results = await run(
      doors.executor,
      "BEGIN; DELETE FROM r WHERE a < 3; SELECT a, b FROM r WHERE (a, b) > (3, 1); SELECT SUM(b), COUNT(*) FROM r; COMMIT",
    );
    assert.deepEqual(rowsOf(results[2]), [[3, 2], [3, 3]]);
    assert.deepEqual(rowsOf(results[3]), [["6", 4n]]);
    assert.equal(await reason(doors, "DELETE FROM r WHERE b > 3"), "not_selected");
  });

  test("what would not fit into memory is refused before anything is sent", async () => {
    const doors = openInMemory({ limits: { resultRowsMax: 10 } });
    await run(doors.executor, "CREATE TABLE t (id INT PRIMARY KEY, n INT)");
    await run(doors.executor, `INSERT INTO t VALUES ${Array.from({ length: 11 }, (_, i) => `(${i}, 1)`).join(",")}`);
    for (const sql of ["SELECT * FROM t ORDER BY n LIMIT 1", "SELECT SUM(n) FROM t", "SELECT DISTINCT n FROM t"]) {
      assert.equal(await reason(doors, sql), "limit_exceeded", sql);
    }
    assert.deepEqual(await rows(doors, "SELECT SUM(n) FROM t WHERE id > 0"), [["10"]]);
  });
});
