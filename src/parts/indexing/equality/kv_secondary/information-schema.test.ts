/** What tools ask information_schema and SHOW, in their own words, and what hostile queries of them cost. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createTable, errorOf, openIndexed, rowsOf, runOne, runPrepared } from "./indexed-catalog.fixture.ts";

describe("what tools ask", () => {
  const asked: [string, string, unknown][] = [
    [
      "Kysely",
      "select `columns`.`COLUMN_NAME`, `columns`.`COLUMN_DEFAULT`, `columns`.`TABLE_NAME`, `columns`.`TABLE_SCHEMA`, " +
        "`tables`.`TABLE_TYPE`, `columns`.`IS_NULLABLE`, `columns`.`DATA_TYPE`, `columns`.`EXTRA` from " +
        "`information_schema`.`columns` as `columns` inner join `information_schema`.`tables` as `tables` on " +
        "`columns`.`TABLE_CATALOG` = `tables`.`TABLE_CATALOG` and `columns`.`TABLE_SCHEMA` = `tables`.`TABLE_SCHEMA` " +
        "and `columns`.`TABLE_NAME` = `tables`.`TABLE_NAME` where `columns`.`TABLE_SCHEMA` = database() order by " +
        "`columns`.`TABLE_NAME`, `columns`.`ORDINAL_POSITION`",
      [
        ["a", null, "items", "lathe", "BASE TABLE", "NO", "bigint", ""],
        ["b", null, "items", "lathe", "BASE TABLE", "NO", "int", ""],
        ["name", null, "items", "lathe", "BASE TABLE", "YES", "varchar", ""],
      ],
    ],
    [
      "drizzle-kit: keys",
      "SELECT table_name, column_name, ordinal_position FROM information_schema.table_constraints t LEFT JOIN " +
        "information_schema.key_column_usage k USING(constraint_name,table_schema,table_name) WHERE " +
        "t.constraint_type='PRIMARY KEY' and table_name != '__drizzle_migrations' AND t.table_schema = 'lathe' " +
        "ORDER BY ordinal_position",
      [["items", "b", 1n], ["items", "a", 2n]],
    ],
    [
      "drizzle-kit: indexes",
      "select INDEX_NAME, COLUMN_NAME, NON_UNIQUE from INFORMATION_SCHEMA.STATISTICS WHERE " +
        "INFORMATION_SCHEMA.STATISTICS.TABLE_SCHEMA = 'lathe' and INFORMATION_SCHEMA.STATISTICS.INDEX_NAME != 'PRIMARY'",
      [["by_name", "name", 1n]],
    ],
    [
      "drizzle-kit: foreign keys",
      "SELECT kcu.TABLE_NAME, rc.UPDATE_RULE FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE kcu LEFT JOIN " +
        "information_schema.referential_constraints rc ON kcu.CONSTRAINT_NAME = rc.CONSTRAINT_NAME WHERE " +
        "kcu.TABLE_SCHEMA = 'lathe' AND kcu.CONSTRAINT_NAME != 'PRIMARY' AND kcu.REFERENCED_TABLE_NAME IS NOT NULL",
      [],
    ],
    [
      "mysqldump: undo logs",
      "SELECT LOGFILE_GROUP_NAME, FILE_NAME FROM INFORMATION_SCHEMA.FILES WHERE ENGINE = 'ndbcluster' AND " +
        "LOGFILE_GROUP_NAME IN (SELECT DISTINCT LOGFILE_GROUP_NAME FROM INFORMATION_SCHEMA.FILES WHERE TABLESPACE_NAME " +
        "IN (SELECT DISTINCT TABLESPACE_NAME FROM INFORMATION_SCHEMA.PARTITIONS WHERE TABLE_SCHEMA IN ('lathe'))) " +
        "GROUP BY LOGFILE_GROUP_NAME, FILE_NAME, ENGINE ORDER BY LOGFILE_GROUP_NAME",
      [],
    ],
    [
      "a browser: tables with the count of their columns",
      "SELECT t.table_name AS name, COUNT(*) columns, MAX(c.ordinal_position) last FROM information_schema.tables t " +
        "JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name " +
        "WHERE t.table_schema NOT IN ('information_schema', 'mysql') GROUP BY t.table_name ORDER BY 2 DESC, name LIMIT 5",
      [["items", 3n, 3n]],
    ],
    [
      "a browser: schemas",
      "SELECT SCHEMA_NAME `Database`, IF(SCHEMA_NAME = DATABASE(), 'yes', CONCAT('n', 'o')) FROM " +
        "information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'l_th%' OR NOT (1 = 1) ORDER BY SCHEMA_NAME",
      [["lathe", "yes"]],
    ],
    ["DISTINCT, OFFSET", "SELECT DISTINCT TABLE_SCHEMA FROM information_schema.tables ORDER BY 1 DESC LIMIT 1 OFFSET 1",
      [["information_schema"]]],
    ["CASE, BETWEEN", "SELECT CASE ordinal_position WHEN 1 THEN 'first' ELSE NULL END FROM information_schema.columns " +
      "WHERE table_name = 'items' AND ordinal_position BETWEEN 1 AND 2", [["first"], [null]]],
    ["names of tables are exact, names of columns are not", "SELECT COLUMN_NAME FROM information_schema.columns " +
      "WHERE (table_name = 'ITEMS' AND column_name = 'a') OR (table_name = 'items' AND column_name = 'NAME')", [["name"]]],
    ["DESCRIBE", "DESCRIBE items name", [["name", "varchar(20)", "YES", "MUL", null, ""]]],
    ["SHOW INDEX", "SHOW INDEXES FROM `items` FROM `lathe` WHERE Key_name = 'by_name'", [
      ["items", 1n, "by_name", 1n, "name", "A", null, null, null, "YES", "BTREE", "", "", "YES", null],
    ]],
    ["SHOW FULL TABLES", "SHOW FULL TABLES FROM `lathe` WHERE Table_type <> 'VIEW'", [["items", "BASE TABLE"]]],
    ["SHOW COLUMNS LIKE", "SHOW COLUMNS FROM items LIKE 'N%'", [["name", "varchar(20)", "YES", "MUL", null, ""]]],
    ["SHOW VARIABLES WHERE", "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version_comment', 'x') OR Value = 'SERIALIZABLE'",
      [["transaction_isolation", "SERIALIZABLE"], ["tx_isolation", "SERIALIZABLE"], ["version_comment", "Lathe"]]],
    ["SHOW ENGINES", "SHOW STORAGE ENGINES", [["Lathe", "DEFAULT", "Tables of this product", "YES", "NO", "NO"]]],
    ["SHOW COLLATION", "SHOW COLLATION WHERE Charset = 'utf8mb4'",
      [["utf8mb4_bin", "utf8mb4", 46n, "Yes", "Yes", 1n, "NO PAD"]]],
    ["SHOW TRIGGERS", "SHOW TRIGGERS LIKE 'items'", []],
    ["SHOW COUNT", "SHOW COUNT(*) WARNINGS", [[0n]]],
  ];
  for (const [who, sql, expected] of asked) {
    test(who, async () => {
      const { executor } = await openIndexed();
      assert.deepEqual(rowsOf(await runOne(executor, sql)), expected);
    });
  }
});

test("what SHOW CREATE TABLE says makes the same table again", async () => {
  const { executor } = await openIndexed();
  const [[, text]] = rowsOf(await runOne(executor, "SHOW CREATE TABLE items")) as [string, string][];
  assert.match(text, /PRIMARY KEY \(`b`,`a`\),\n {2}KEY `by_name` \(`name`\)/);
  await runOne(executor, "DROP TABLE items");
  await runOne(executor, text);
  assert.deepEqual(rowsOf(await runOne(executor, "SHOW CREATE TABLE items")), [["items", text]]);
  await runOne(executor, "DROP TABLE items");
  await runOne(executor, createTable);
});

test("parameters of a prepared query", async () => {
  const { executor } = await openIndexed();
  const sql = "SELECT COLUMN_NAME FROM information_schema.columns WHERE TABLE_NAME = ? AND ORDINAL_POSITION > ? LIMIT ?";
  const prepared = executor.prepare(sql);
  assert.equal(prepared.parameterCount, 3);
  assert.deepEqual(rowsOf(await runPrepared(executor, prepared, ["items", 1, 5])), [["b"], ["name"]]);
});

test("what is not there is refused by name", async () => {
  const { executor } = await openIndexed();
  const refused: [string, string, RegExp][] = [
    ["SELECT * FROM information_schema.nothing", "unknown_table", /'nothing' in information_schema/],
    ["SELECT nothing FROM information_schema.tables", "unknown_column", /'nothing'/],
    ["SELECT t.* FROM information_schema.tables x", "unknown_table", /'t'/],
    ["SELECT 1 FROM information_schema.tables JOIN items ON 1 = 1", "not_selected", /beside those of information_schema/],
    ["SELECT SLEEP(5) FROM information_schema.tables", "not_selected", /SLEEP/],
    ["SELECT 1 FROM information_schema.tables LIMIT -1", "syntax", /not negative/],
    ["SHOW COLUMNS FROM nothing", "unknown_table", /lathe\.nothing/],
    ["SHOW TABLES WHERE nothing = 1", "unknown_column", /nothing/],
    ["SHOW MASTER STATUS", "not_served", /SHOW MASTER/],
    ["KILL 7", "unknown_thread", /7/],
  ];
  for (const [sql, reason, message] of refused) {
    const error = errorOf(await runOne(executor, sql));
    assert.equal(error.reason, reason, sql);
    assert.match(error.message, message);
  }
});

test("hostile queries meet a limit", async () => {
  const { executor } = await openIndexed();
  const all = ["a", "b", "c", "d"].map((alias) => `information_schema.columns ${alias}`).join(",");
  const deep = `${"(".repeat(100_000)}1${")".repeat(100_000)}`;
  const refused: [string, RegExp][] = [
    [`SELECT 1 FROM ${all}`, /too many rows/],
    [`SELECT ${deep} FROM information_schema.tables`, /nested/],
    [`SHOW TABLES WHERE ${deep} = 1`, /nested/],
    [`SELECT 1 FROM information_schema.tables WHERE ${"NOT (".repeat(100_000)}1${")".repeat(100_000)}`, /nested/],
    [`SELECT 1 FROM information_schema.tables WHERE '${"x".repeat(100_000)}' LIKE '${"%x".repeat(50_000)}'`, /pattern/],
    [`SELECT 1 FROM information_schema.tables WHERE 1 IN (${"1,".repeat(5000)}1)`, /1024/],
  ];
  for (const [sql, message] of refused) {
    const error = errorOf(await runOne(executor, sql));
    assert.match(error.message, message, sql.slice(0, 60));
  }
});

test("LIKE as MySQL reads it, against a plain model", async () => {
  const { like } = await import("../../../query_processing/execution/model/point_api/like-pattern.ts");
  const model = (text: string, pattern: string) => {
    const source = pattern.replaceAll(/\\(.)|([%_])|([.*+?^${}()|[\]\\])/gs, (_, escaped, wild, plain) => {
      if (escaped !== undefined) return escaped.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
      return wild === undefined ? `\\${plain}` : wild === "%" ? "[^]*" : "[^]";
    });
    return new RegExp(`^${source}$`, "i").test(text);
  };
  let state = 7;
  const next = (below: number) => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) % below;
  const draw = (letters: string, length: number) => Array.from({ length: next(length) }, () => letters[next(letters.length)]).join("");
  let matched = 0;
  for (let i = 0; i < 20_000; i++) {
    const [text, pattern] = [draw("abA.", 7), draw("ab%_.", 6)];
    assert.equal(like(text, pattern), model(text, pattern), `${text} LIKE ${pattern}`);
    if (like(text, pattern)) matched++;
  }
  assert.ok(matched > 1000, `${matched} matched`);
  assert.equal(like("a_b", "a\\_b"), true);
  assert.equal(like("axb", "a\\_b"), false);
});
