/** The executor end to end on an engine in memory: what TAOBench, YCSB and shells say, and what is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LatheError } from "../../../../../kit/errors.ts";
import { SqlError } from "../../../executor.ts";
import {
  affectedOf,
  errorOf,
  openInMemory,
  RecordingSink,
  rowsOf,
  run,
  runOne,
  runPrepared,
  taobenchTables,
} from "./in-memory-doors.fixture.ts";

async function openTaobench() {
  const doors = openInMemory();
  for (const result of await run(doors.executor, taobenchTables)) assert.equal(affectedOf(result), 0);
  return doors;
}

describe("TAOBench statements", () => {
  test("prepared reads and writes of objects", async () => {
    const { executor } = await openTaobench();
    const insert = executor.prepare("INSERT INTO objects (id, timestamp, value) VALUES (?, ?, ?)");
    const read = executor.prepare("SELECT timestamp, value FROM objects WHERE id=?");
    const update = executor.prepare("UPDATE objects SET timestamp=?, value=? WHERE timestamp<? AND id=?");
    const remove = executor.prepare("DELETE FROM objects where timestamp<? AND id=?");
    assert.equal(insert.parameterCount, 3);
    assert.equal(insert.shape, undefined);
    const id = (49n << 57n) + 12345678901n;
    assert.equal(affectedOf(await runPrepared(executor, insert, [id, 1700000000123456789n, "x".repeat(150)])), 1);
    assert.deepEqual(rowsOf(await runPrepared(executor, read, [id])), [[1700000000123456789n, "x".repeat(150)]]);
    assert.deepEqual(rowsOf(await runPrepared(executor, read, [id + 1n])), []);
    assert.equal(errorOf(await runPrepared(executor, insert, [id, 1n, "y"])).reason, "duplicate_key");
    assert.equal(affectedOf(await runPrepared(executor, update, [5n, "y", 4n, id])), 0);
    assert.equal(affectedOf(await runPrepared(executor, update, [1700000000123456790n, "y", 1700000000123456790n, id])), 1);
    assert.deepEqual(rowsOf(await runPrepared(executor, read, [String(id)])), [[1700000000123456790n, "y"]]);
    assert.equal(affectedOf(await runPrepared(executor, remove, [0n, id])), 0);
    assert.equal(affectedOf(await runPrepared(executor, remove, [1700000000123456791n, id])), 1);
    assert.deepEqual(rowsOf(await runPrepared(executor, read, [id])), []);
  });

  test("a point read answers within the call", async () => {
    const { executor } = await openTaobench();
    const read = executor.prepare("SELECT timestamp, value FROM objects WHERE id=?");
    const sink = new RecordingSink();
    assert.equal(executor.execute(read, [1n], sink), undefined);
    assert.equal(sink.results.length, 1);
    assert.equal(executor.query("SELECT value FROM objects WHERE id=1; SELECT 1", sink), undefined);
    assert.equal(sink.results.length, 3);
  });

  test("a bulk insert of quoted numbers, and the key scan", async () => {
    const { executor, catalog } = await openTaobench();
    const values = Array.from({ length: 258 }, (_, i) => `('${(BigInt(i) << 50n) + 7n}', ${i}, 'v${i}')`);
    assert.equal(affectedOf(await runOne(executor, `INSERT INTO objects (id, timestamp, value) VALUES ${values.join(",")}`)), 258);
    const edges = Array.from({ length: 300 }, (_, i) => `(${i % 10}, '${i}', 1, 5, 'e')`);
    assert.equal(affectedOf(await runOne(executor, `INSERT INTO edges VALUES ${edges.join(", ")}`)), 300);
    const scan = async (a: string, limit: number) =>
      rowsOf(
        await runOne(
          executor,
          `SELECT id1, id2, type FROM edges WHERE (id1, id2, type) > ${a} AND (id1, id2, type) < ('7','0','0')` +
            ` ORDER BY id1, id2, type LIMIT ${limit}`,
        ),
      );
    let last = "('2','0','0')";
    const seen: bigint[][] = [];
    for (;;) {
      const rows = (await scan(last, 40)) as bigint[][];
      seen.push(...rows);
      if (rows.length < 40) break;
      last = `('${rows[39].join("','")}')`;
    }
    assert.equal(seen.length, 150);
    assert.ok(seen.every((row, i) => i === 0 || seen[i - 1][0] < row[0] || (seen[i - 1][0] === row[0] && seen[i - 1][1] < row[1])));
    assert.equal(catalog.list().length, 2);
    assert.deepEqual(rowsOf(await runOne(executor, "SELECT COUNT(*) FROM objects")), [[258n]]);
  });

  test("a transaction in one text: all its statements or none", async () => {
    const { executor, log } = await openTaobench();
    const before = log.commands.length;
    const results = await run(
      executor,
      "START TRANSACTION; INSERT INTO objects (id, timestamp, value) VALUES (1, 10, 'a');" +
        "UPDATE objects SET timestamp=20, value='b' WHERE timestamp<20 AND id=1;" +
        "SELECT timestamp, value FROM objects WHERE id=1; COMMIT",
    );
    assert.equal(results.length, 5);
    assert.deepEqual(rowsOf(results[3]), [[20n, "b"]]);
    assert.equal(log.commands.length, before + 1);
    const refused = await run(
      executor,
      "START TRANSACTION; INSERT INTO objects VALUES (2, 1, 'c'); INSERT INTO objects VALUES (1, 1, 'd'); COMMIT; SELECT 1",
    );
    assert.equal(refused.length, 1);
    assert.equal(errorOf(refused[0]).reason, "duplicate_key");
    assert.deepEqual(rowsOf(await runOne(executor, "SELECT id FROM objects WHERE id IN (1, 2)")), [[1n]]);
    affectedOf(await runOne(executor, "ROLLBACK"));
  });

  test("a transaction that only reads enters no log and sees one moment", async () => {
    const { executor, log } = await openTaobench();
    await run(executor, "INSERT INTO objects VALUES (1, 1, 'a'), (2, 2, 'b')");
    const before = log.commands.length;
    const sink = new RecordingSink();
    const text = "START TRANSACTION; SELECT value FROM objects WHERE id=1; SELECT value FROM objects WHERE id=2; COMMIT";
    assert.equal(executor.query(text, sink), undefined);
    assert.deepEqual(sink.results.slice(1, 3).map(rowsOf), [[["a"]], [["b"]]]);
    assert.deepEqual(sink.announced, [true, true, true, false]);
    assert.equal(log.commands.length, before);
  });

  test("a transaction that would stay open is refused by its leaf, and nothing of it happens", async () => {
    const { executor } = await openTaobench();
    for (const text of ["START TRANSACTION", "BEGIN; INSERT INTO objects VALUES (1, 1, 'a')", "SET autocommit=0"]) {
      const error = errorOf(await runOne(executor, text));
      assert.equal(error.reason, "not_selected");
      assert.equal(error.leaf, "concurrency/transaction/model/single_node_acid");
    }
    assert.deepEqual(rowsOf(await runOne(executor, "SELECT * FROM objects WHERE id=1")), []);
  });
});

describe("YCSB statements", () => {
  test("insert, read, update of one field, scan, delete", async () => {
    const { executor } = openInMemory();
    const fields = Array.from({ length: 10 }, (_, i) => `FIELD${i} VARCHAR(100)`).join(", ");
    await run(executor, `CREATE TABLE usertable(YCSB_KEY VARCHAR(64) PRIMARY KEY, ${fields})`);
    const insert = executor.prepare(`INSERT INTO usertable VALUES(${Array.from({ length: 11 }, () => "?").join(",")})`);
    for (const n of [30, 10, 20, 40]) {
      await runPrepared(executor, insert, [`user${n}`, ...Array.from({ length: 10 }, (_, i) => `f${i}-${n}`)]);
    }
    const read = executor.prepare("SELECT * FROM usertable WHERE YCSB_KEY = ?");
    assert.deepEqual(rowsOf(await runPrepared(executor, read, ["user10"]))[0].slice(0, 3), ["user10", "f0-10", "f1-10"]);
    const update = executor.prepare("UPDATE usertable SET field3=? WHERE YCSB_KEY = ?");
    assert.equal(affectedOf(await runPrepared(executor, update, ["new", "user10"])), 1);
    assert.equal(affectedOf(await runPrepared(executor, update, ["new", "user10"])), 0);
    assert.equal(rowsOf(await runPrepared(executor, read, [Buffer.from("user10")]))[0][4], "new");
    const scan = executor.prepare("SELECT * FROM usertable WHERE YCSB_KEY >= ? ORDER BY YCSB_KEY LIMIT ?");
    assert.deepEqual(rowsOf(await runPrepared(executor, scan, ["user15", 2n])).map((row) => row[0]), ["user20", "user30"]);
    const remove = executor.prepare("DELETE FROM usertable WHERE YCSB_KEY = ?");
    assert.equal(affectedOf(await runPrepared(executor, remove, ["user10"])), 1);
    assert.deepEqual(rowsOf(await runPrepared(executor, scan, ["", 10])).map((row) => row[0]), ["user20", "user30", "user40"]);
  });
});

describe("what shells and drivers say", () => {
  const said: [string, unknown][] = [
    ["select @@version_comment limit 1", [["Lathe"]]],
    ["SELECT DATABASE()", [["lathe"]]],
    ["SELECT 1", [[1n]]],
    ["SELECT 1 AS one, 'x' x", [[1n, "x"]]],
    ["SHOW TABLES", [["edges"], ["objects"]]],
    ["show databases", [["information_schema"], ["lathe"]]],
    ["SHOW VARIABLES LIKE 'lower_case%'", [["lower_case_table_names", "0"]]],
    ["SELECT @@session.auto_increment_increment", [[1n]]],
    ["SHOW WARNINGS", []],
    ["DESCRIBE objects", [
      ["id", "bigint", "NO", "PRI", null, ""],
      ["timestamp", "bigint", "YES", "", null, ""],
      ["value", "varchar(150)", "YES", "", null, ""],
    ]],
  ];
  for (const [sql, rows] of said) {
    test(sql, async () => {
      const { executor } = await openTaobench();
      assert.deepEqual(rowsOf(await runOne(executor, sql)), rows);
    });
  }
  for (const sql of ["SET NAMES utf8mb4", "SET @@session.sql_mode = 'x', autocommit = 1", "USE lathe", "COMMIT", "ROLLBACK"]) {
    test(sql, async () => {
      const { executor } = await openTaobench();
      assert.equal(affectedOf(await runOne(executor, sql)), 0);
    });
  }
});

describe("refusals name what is missing", () => {
  const refused: [string, SqlError["reason"], string?][] = [
    ["", "syntax"],
    ["SELEC 1", "syntax"],
    ["SELECT * FROM objects WHERE id=", "syntax"],
    ["SELECT * FROM objects WHERE id=?", "syntax"],
    ["SELECT * FROM nothing", "unknown_table"],
    ["SELECT nothing FROM objects", "unknown_column"],
    ["INSERT INTO objects VALUES (1, 2)", "wrong_value_count"],
    ["INSERT INTO objects VALUES (NULL, 1, 'a')", "null_not_allowed"],
    ["INSERT INTO objects (timestamp) VALUES (1)", "null_not_allowed"],
    ["INSERT INTO objects VALUES (9223372036854775808, 1, 'a')", "out_of_range"],
    ["INSERT INTO objects VALUES ('12x', 1, 'a')", "out_of_range"],
    ["INSERT INTO objects VALUES (1.5, 1, 'a')", "out_of_range"],
    [`INSERT INTO objects VALUES (1, 1, '${"x".repeat(151)}')`, "value_too_long"],
    ["CREATE TABLE objects (id BIGINT PRIMARY KEY)", "table_exists"],
    ["CREATE TABLE t (id BIGINT)", "not_selected", "indexing/organization/nonclustered_rowid"],
    ["SELECT * FROM objects WHERE value='x'", "not_selected", "query_processing/scans/sequential"],
    ["DELETE FROM objects", "not_selected", "query_processing/scans/sequential"],
    ["UPDATE objects SET value='x'", "not_selected", "query_processing/scans/sequential"],
    ["UPDATE objects SET id=2 WHERE id=1", "not_selected", "query_processing/execution/model/volcano"],
    ["SELECT SUM(value) FROM objects", "not_selected", "parser/syntax/expression/cast"],
    ["UPDATE objects SET timestamp = timestamp * 1.5 WHERE id=1", "not_selected", "value_types/numeric/exact_decimal/bounded_fixed_point"],
    ["UPDATE objects SET timestamp = value + 1 WHERE id=1", "not_selected", "parser/syntax/expression/cast"],
    ["UPDATE objects SET timestamp = value WHERE id=1", "not_selected", "parser/syntax/expression/cast"],
    ["SELECT DISTINCT value FROM objects ORDER BY id", "syntax"],
    ["CREATE TABLE u (a INT PRIMARY KEY, b INT AUTO_INCREMENT)", "auto_column"],
    ["CREATE TABLE u (a VARCHAR(9) AUTO_INCREMENT PRIMARY KEY)", "auto_column"],
    ["SELECT * FROM objects, edges", "not_selected", "query_processing/joins/nested_loop"],
    ["SELECT * FROM objects WHERE id=1 OR value='x'", "not_selected", "query_processing/scans/sequential"],
    ["UPDATE objects SET value='x' ORDER BY value LIMIT 1", "not_selected", "query_processing/scans/sequential"],
    ["BEGIN; CREATE TABLE t (id INT PRIMARY KEY); COMMIT", "not_selected", "architecture/schema_change/atomic_ddl"],
  ];
  for (const [sql, reason, leaf] of refused) {
    test(sql.slice(0, 70), async () => {
      const { executor } = await openTaobench();
      const error = errorOf(await runOne(executor, sql));
      assert.equal(error.reason, reason, error.message);
      assert.equal(error.leaf, leaf);
    });
  }

  test("after a failed statement the rest of the text is not run", async () => {
    const { executor } = await openTaobench();
    const results = await run(executor, "SELECT 1; SELECT * FROM nothing; INSERT INTO objects VALUES (1, 1, 'a')");
    assert.equal(results.length, 2);
    assert.equal(errorOf(results[1]).reason, "unknown_table");
    assert.deepEqual(rowsOf(await runOne(executor, "SELECT * FROM objects")), []);
  });
});

describe("plans follow the catalog", () => {
  test("a prepared statement is planned again, or fails, after the table changed", async () => {
    const { executor } = await openTaobench();
    const read = executor.prepare("SELECT * FROM objects WHERE id=?");
    await run(executor, "DROP TABLE objects");
    assert.equal(errorOf(await runPrepared(executor, read, [1])).reason, "unknown_table");
    await run(executor, "CREATE TABLE objects (id INT PRIMARY KEY, extra DOUBLE)");
    assert.deepEqual(rowsOf(await runPrepared(executor, read, [1])), []);
    assert.equal(read.shape?.columns.length, 2);
    await run(executor, "INSERT INTO objects VALUES (1, 0.5)");
    assert.deepEqual(rowsOf(await runPrepared(executor, read, [1])), [[1, 0.5]]);
  });

  test("a table that is dropped and made again is empty", async () => {
    const { executor } = await openTaobench();
    await run(executor, "INSERT INTO objects VALUES (1, 1, 'a')");
    await run(executor, "DROP TABLE objects; CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))");
    assert.deepEqual(rowsOf(await runOne(executor, "SELECT * FROM objects")), []);
  });

  test("cached text plans are planned again too", async () => {
    const { executor } = await openTaobench();
    await run(executor, "INSERT INTO objects VALUES (1, 1, 'a')");
    assert.equal(rowsOf(await runOne(executor, "SELECT * FROM objects WHERE id=1"))[0].length, 3);
    await run(executor, "DROP TABLE objects; CREATE TABLE objects (id BIGINT PRIMARY KEY)");
    await run(executor, "INSERT INTO objects VALUES (1)");
    assert.deepEqual(rowsOf(await runOne(executor, "SELECT * FROM objects WHERE id=1")), [[1n]]);
  });
});

describe("limits", () => {
  test("results, texts and transactions over their limits are refused before anything is sent", async () => {
    const { executor } = openInMemory({ limits: { resultRowsMax: 10, statementsMax: 20 } });
    await run(executor, "CREATE TABLE t (id INT PRIMARY KEY)");
    await run(executor, `INSERT INTO t VALUES ${Array.from({ length: 11 }, (_, i) => `(${i})`).join(",")}`);
    assert.equal(errorOf(await runOne(executor, "SELECT * FROM t")).reason, "limit_exceeded");
    assert.equal(rowsOf(await runOne(executor, "SELECT * FROM t LIMIT 10")).length, 10);
    assert.deepEqual(rowsOf(await runOne(executor, "SELECT COUNT(*) FROM t")), [[11n]]);
    const many = `BEGIN;${"SELECT * FROM t WHERE id=1;".repeat(25)}COMMIT`;
    assert.equal(errorOf(await runOne(executor, many)).reason, "limit_exceeded");
  });

  test("a long COUNT goes in slices, closes its cursor, and counts what was there when it began", async () => {
    const { executor, engine } = openInMemory();
    await run(executor, "CREATE TABLE t (id INT PRIMARY KEY)");
    for (let i = 0; i < 10; i++) {
      await run(executor, `INSERT INTO t VALUES ${Array.from({ length: 1000 }, (_, n) => `(${i * 1000 + n})`).join(",")}`);
    }
    const sink = new RecordingSink();
    const counting = executor.query("SELECT COUNT(*) FROM t", sink);
    assert.notEqual(counting, undefined);
    await run(executor, "INSERT INTO t VALUES (10001)");
    await counting;
    assert.deepEqual(rowsOf(sink.results[0]), [[10000n]]);
    assert.equal(engine.openCursors, 0);
  });

  test("a COUNT over thousands of ranges has one cursor open, also where it goes on while rows change", async () => {
    const { executor, engine } = openInMemory();
    await run(executor, "CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b))");
    for (let i = 0; i < 10; i++) {
      await run(executor, `INSERT INTO t VALUES ${Array.from({ length: 1000 }, (_, n) => `(${i * 1000 + n}, 1)`).join(",")}`);
    }
    const wanted = Array.from({ length: 9000 }, (_, n) => n).join(",");
    const sink = new RecordingSink();
    const counting = executor.query(`SELECT COUNT(*) FROM t WHERE a IN (${wanted})`, sink);
    assert.notEqual(counting, undefined);
    await run(executor, "INSERT INTO t VALUES (8999, 2); DELETE FROM t WHERE a=8998 AND b=1");
    await counting;
    assert.deepEqual(rowsOf(sink.results[0]), [[9000n]]);
    assert.deepEqual([engine.openCursorsMost, engine.openCursors, engine.openSnapshots], [1, 0, 0]);
  });

  test("a COUNT that fails in its first slice leaves no cursor open", async () => {
    const { executor, engine } = openInMemory();
    await run(executor, "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    const scan = engine.scan.bind(engine);
    engine.scan = (range) => {
      const cursor = scan(range);
      cursor.next = () => {
        throw new LatheError("CORRUPTION", "00000001.sst: a block is damaged");
      };
      return cursor;
    };
    for (const sql of ["SELECT COUNT(*) FROM t", "SELECT COUNT(*) FROM t WHERE id > 0", "SELECT * FROM t"]) {
      assert.match(String(errorOf(await runOne(executor, sql)).message), /00000001\.sst/);
      assert.equal(engine.openCursors, 0, sql);
    }
  });

  test("reads wait for the log's read barrier", async () => {
    const { executor, log } = await openTaobench();
    await run(executor, "INSERT INTO objects VALUES (1, 1, 'a')");
    log.barrier = () => Promise.resolve();
    const read = executor.prepare("SELECT value FROM objects WHERE id=?");
    assert.deepEqual(rowsOf(await runPrepared(executor, read, [1])), [["a"]]);
    const text = "SELECT value FROM objects WHERE id=1; BEGIN; SELECT value FROM objects WHERE id=1; COMMIT; SELECT 1";
    assert.equal((await run(executor, text)).length, 5);
    await run(executor, "CREATE TABLE texts (k VARCHAR(10) PRIMARY KEY, v INT); INSERT INTO texts VALUES ('key', 1)");
    const bytes = new Uint8Array(Buffer.from("key"));
    const sink = new RecordingSink();
    const reading = executor.execute(executor.prepare("SELECT v FROM texts WHERE k=?"), [bytes], sink);
    bytes.fill(0);
    await reading;
    assert.deepEqual(rowsOf(sink.results[0]), [[1]], "bytes of the caller are not looked at after the call");
    log.barrier = () => Promise.reject(new SqlError("shutting_down", "closing"));
    assert.equal(errorOf(await runPrepared(executor, read, [1])).reason, "shutting_down");
  });
});
