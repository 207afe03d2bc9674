/** The grammar by examples: what is read, and what each refusal names. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SqlError } from "../../../query_processing/executor.ts";
import { recursiveDescentParser } from "./recursive-descent.ts";
import { refusals } from "./refused-statements.fixture.ts";

const parse = (sql: string) => recursiveDescentParser.parse(sql, 0, "constants").statement;
const errorOf = (sql: string): SqlError => {
  try {
    parse(sql);
  } catch (error) {
    return error as SqlError;
  }
  throw new Error(`accepted: ${sql}`);
};
const constant = (value: unknown) => ({ kind: "constant", value });
const parameter = (index: number) => ({ kind: "parameter", index, negated: false });

describe("statements", () => {
  test("a point read, however it is spelled", () => {
    const expected = parse("SELECT timestamp, value FROM objects WHERE id=?");
    const spelled = [
      "select timestamp,value from objects where id = ?",
      "SELECT `timestamp` , `value` FROM `objects` WHERE `id`=? ;",
      "/* hint */ SELECT timestamp, -- column\n value # more\n FROM lathe.objects WHERE (objects.id = ?)",
      "\n\tSELECT timestamp, value FROM objects WHERE ? = id",
    ];
    for (const sql of spelled) assert.deepEqual(parse(sql), expected, sql);
  });

  test("TAOBench's conditional insert", () => {
    const statement = parse(
      "INSERT INTO edges (id1,id2,type,timestamp,value) SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM edges WHERE" +
        " (id1=? AND type=0) OR (id1=? AND id2=?))",
    );
    assert.deepEqual(statement, {
      kind: "insert",
      table: "edges",
      columns: ["id1", "id2", "type", "timestamp", "value"],
      rows: [[0, 1, 2, 3, 4].map(parameter)],
      unless: {
        table: "edges",
        where: {
          kind: "or",
          conditions: [
            {
              kind: "and",
              conditions: [
                { kind: "comparison", column: "id1", comparison: "=", operand: parameter(5) },
                { kind: "comparison", column: "type", comparison: "=", operand: constant(0) },
              ],
            },
            {
              kind: "and",
              conditions: [
                { kind: "comparison", column: "id1", comparison: "=", operand: parameter(6) },
                { kind: "comparison", column: "id2", comparison: "=", operand: parameter(7) },
              ],
            },
          ],
        },
      },
    });
  });

  test("integers stay exact, signs and quotes included", () => {
    const statement = parse("INSERT INTO t VALUES (9007199254740993, -9223372036854775808, '18446744073709551616', - 5, NULL, TRUE)");
    assert.ok(statement.kind === "insert");
    assert.deepEqual(
      statement.rows[0],
      [9007199254740993n, -9223372036854775808n, "18446744073709551616", -5, null, 1].map(constant),
    );
  });

  test("CREATE TABLE with all that is accepted", () => {
    const statement = parse(
      "CREATE TABLE IF NOT EXISTS `db`.t (id BIGINT(20) NOT NULL, `type` int(11) NULL DEFAULT NULL, d DOUBLE PRECISION," +
        " value VARCHAR(150) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin COMMENT 'x', b VARBINARY(10) NOT NULL," +
        " CONSTRAINT pk PRIMARY KEY CLUSTERED (id, `type` ASC)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4, COMMENT='y'",
    );
    assert.ok(statement.kind === "createTable");
    assert.deepEqual(statement.primaryKey, ["id", "type"]);
    assert.deepEqual(
      statement.columns.map(({ name, type, lengthMax, nullable }) => [name, type, lengthMax, nullable]),
      [
        ["id", "bigint", undefined, false],
        ["type", "int", undefined, true],
        ["d", "double", undefined, true],
        ["value", "varchar", 150, true],
        ["b", "varbinary", 10, false],
      ],
    );
    const inline = parse("CREATE TABLE t (id BIGINT PRIMARY KEY NONCLUSTERED, v TEXT)");
    assert.deepEqual(inline.kind === "createTable" && inline.primaryKey, ["id"]);
  });

  test("conditions: rows, IN, BETWEEN, parentheses", () => {
    const statement = parse("SELECT * FROM t WHERE (a, b) >= (1, 2) AND ((c IN (1, 2))) AND (d, e) IN ((1, 2), (3, 4)) AND f BETWEEN 1 AND 2");
    assert.ok(statement.kind === "select" && statement.where?.kind === "and");
    assert.deepEqual(
      statement.where.conditions.map(({ kind }) => kind),
      ["row", "in", "in", "comparison", "comparison"],
    );
  });

  test("one statement is parsed at a time, and its end is told", () => {
    const sql = "SELECT 'a;b'; -- c;\nCOMMIT";
    const first = recursiveDescentParser.parse(sql, 0, "constants");
    assert.equal(sql[first.end], ";");
    const second = recursiveDescentParser.parse(sql, first.end + 1, "constants");
    assert.deepEqual([second.statement.kind, second.end], ["commit", sql.length]);
  });
});

describe("single-table statements", () => {
  const selected = (sql: string) => {
    const statement = parse(sql);
    assert.ok(statement.kind === "select");
    return statement;
  };

  test("LIMIT with an offset, both ways of writing it", () => {
    const constant = (value: number) => ({ kind: "constant", value });
    for (const sql of ["SELECT a FROM t LIMIT 3, 4", "SELECT a FROM t LIMIT 4 OFFSET 3 FOR UPDATE"]) {
      const { limit, offset } = selected(sql);
      assert.deepEqual([limit, offset], [constant(4), constant(3)], sql);
    }
  });

  test("FOR SHARE and LOCK IN SHARE MODE lock what is read, as FOR UPDATE does", () => {
    for (const tail of ["FOR UPDATE", "FOR SHARE", "FOR SHARE NOWAIT", "LOCK IN SHARE MODE"]) {
      assert.equal(selected(`SELECT a FROM t WHERE id = 1 ${tail}`).locks, true, tail);
    }
    assert.notEqual(selected("SELECT a FROM t WHERE id = 1").locks, true);
  });

  test("aggregates, and columns that are called like them", () => {
    assert.deepEqual(selected("SELECT SUM(k), count(DISTINCT c) AS n FROM t").items, [
      { column: "k", alias: "SUM(k)", aggregate: "SUM", distinct: false },
      { column: "c", alias: "n", aggregate: "COUNT", distinct: true },
    ]);
    assert.deepEqual(selected("SELECT max, sum FROM t").items, [
      { column: "max", alias: undefined },
      { column: "sum", alias: undefined },
    ]);
    assert.equal(selected("SELECT COUNT(*) FROM t LOCK IN SHARE MODE").items, "count");
    assert.equal(selected("SELECT DISTINCT c FROM t ORDER BY c").distinct, true);
  });

  test("arithmetic has the usual ranks", () => {
    const assigned = (sql: string) => {
      const statement = parse(`UPDATE t SET a = ${sql} WHERE id=1`);
      assert.ok(statement.kind === "update");
      const shown = (each: unknown): unknown => {
        const { kind, operator, left, right, value, column } = each as Record<string, unknown>;
        return kind === "operation" ? [shown(left), operator, shown(right)] : (column ?? value);
      };
      return shown(statement.set[0].operand);
    };
    assert.deepEqual(assigned("a + 2 * b - 1"), [["a", "+", [2, "*", "b"]], "-", 1]);
    assert.deepEqual(assigned("(a+2) DIV - b MOD -3"), [[["a", "+", 2], "DIV", [0, "-", "b"]], "%", -3]);
    assert.equal(assigned("-9223372036854775808"), -9223372036854775808n);
  });

  test("what becomes of duplicates", () => {
    const inserted = (sql: string) => {
      const statement = parse(sql);
      assert.ok(statement.kind === "insert");
      return statement.onDuplicate;
    };
    assert.equal(inserted("INSERT IGNORE INTO t VALUES (1)"), "ignore");
    assert.equal(inserted("REPLACE t SET a = 1, b = DEFAULT"), "replace");
    assert.deepEqual(inserted("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE c = VALUES(c)"), [
      { column: "c", operand: { kind: "inserted", column: "c" } },
    ]);
  });

  test("savepoints, locks, and a comment that asks for a moment", () => {
    const savepoint = (action: string) => ({ kind: "savepoint", action, name: "a" });
    assert.deepEqual(parse("SAVEPOINT a"), savepoint("set"));
    assert.deepEqual(parse("ROLLBACK WORK TO SAVEPOINT a"), savepoint("rollback"));
    assert.deepEqual(parse("RELEASE SAVEPOINT a"), savepoint("release"));
    assert.deepEqual(parse("LOCK TABLES a READ /*!32311 LOCAL */, `d`.b c READ LOCAL"), { kind: "lockTables", tables: ["a", "b"] });
    assert.deepEqual(parse("UNLOCK TABLES"), { kind: "unlockTables" });
    for (const logs of ["LOGS", "ENGINE LOGS", "LOCAL BINARY LOGS", "NO_WRITE_TO_BINLOG ENGINE LOGS"]) {
      assert.deepEqual(parse(`FLUSH ${logs}`), { kind: "flushLogs" });
    }
    for (const comment of ["/*!40100 WITH CONSISTENT SNAPSHOT */", "/*!40100 with consistent\tsnapshot*/ ", "/*!40100 WITH CONSISTENT SNAPSHOT */, READ WRITE"]) {
      assert.deepEqual(parse(`START TRANSACTION ${comment}`), { kind: "begin", now: true }, comment);
    }
  });

  test("the tables of sysbench", () => {
    const statement = parse(
      "CREATE TABLE sbtest1(\n id INTEGER NOT NULL AUTO_INCREMENT,\n k INTEGER DEFAULT '0' NOT NULL,\n" +
        " c CHAR(120) DEFAULT '' NOT NULL,\n pad CHAR(60) DEFAULT '' NOT NULL,\n PRIMARY KEY (id)\n) /*! ENGINE = innodb */ ",
    );
    assert.ok(statement.kind === "createTable");
    assert.deepEqual(statement.columns[0], { name: "id", type: "int", lengthMax: undefined, nullable: false, autoIncrement: true });
    assert.deepEqual(statement.columns[2], { name: "c", type: "varchar", lengthMax: 120, fixed: true, nullable: false, defaultValue: "" });
  });
});

describe("refusals", () => {
  for (const [sql, leaf] of refusals) {
    test(sql, () => {
      const error = errorOf(sql);
      assert.equal(error.code, "SQL");
      if (!leaf.includes("/")) assert.equal(error.reason, leaf, error.message);
      else assert.deepEqual([error.reason, error.leaf], ["not_selected", leaf], error.message);
    });
  }

  test("a syntax error tells its place", () => {
    assert.match(errorOf("SELECT a\nFROM t WHERE").message, /line 2, offset 21/);
    assert.match(errorOf("SELECT a FROM t WHERE id = = 1").message, /offset 27/);
    for (const sql of ["'abc", "SELECT `a FROM t", "SELECT `` FROM t", "/* SELECT 1", "SELECT 1 2", "INSERT INTO t VALUES (1", "SELECT \u0001"]) {
      assert.equal(errorOf(sql).reason, "syntax", sql);
    }
  });

  test("depth, names and values have limits", () => {
    const deep = `SELECT * FROM t WHERE ${"(".repeat(10_000)}a=1${")".repeat(10_000)}`;
    assert.equal(errorOf(deep).reason, "limit_exceeded");
    const deepValue = `INSERT INTO t VALUES (${"(".repeat(10_000)}1`;
    assert.equal(errorOf(deepValue).reason, "limit_exceeded");
    assert.equal(errorOf(`SELECT * FROM ${"x".repeat(65)}`).reason, "limit_exceeded");
    assert.equal(errorOf(`INSERT INTO t VALUES (${"?,".repeat(65_536)}?)`).reason, "limit_exceeded");
  });
});
