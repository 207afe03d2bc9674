/**
 * What drivers, shells, dumps and object mappers send besides plain statements: each works, or is refused with a number, an
 * SQLSTATE and the name of what is missing. Asked of a built product, in text and, where it has parameters, prepared.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { buildFromContract } from "../../src/app/build.ts";
import { connectTo, password, startProduct, type StartedProduct, user } from "./product-harness.ts";

const root = join(import.meta.dirname, "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "lathe-statements-"));
let product: StartedProduct;
let connection: Connection;

before(async () => {
  const directory = join(scratch, "product");
  buildFromContract({ contractFile: join(root, "examples", "bulk-ingest", "contract.yaml"), directory });
  product = await startProduct(directory, ["--data", join(scratch, "data")]);
  connection = await connectTo(product);
  await emptyTable();
});

async function emptyTable(): Promise<void> {
  await connection.query("DROP TABLE IF EXISTS kinds");
  await connection.query(
    "CREATE TABLE kinds (id BIGINT PRIMARY KEY, b VARBINARY(100), t VARCHAR(100), n INT, d DOUBLE, KEY by_b (b))",
  );
}

after(async () => {
  connection?.destroy();
  await product?.end("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

/** Literals as they stand in a text, and the row (b, t, n, d) that they make. */
const literals: [string, [Buffer | null, string | null, number | null, number | null]][] = [
  ["X'00ff', X'6162', 0x10, X'ff'", [Buffer.of(0, 255), "ab", 16, 255]],
  ["x'', 0x61, X'', 0x0", [Buffer.alloc(0), "a", 0, 0]],
  ["0x00FF, 'it''s', -0x10, -5.25", [Buffer.of(0, 255), "it's", -16, -5.25]],
  ["_binary'a\\0b', 'back\\\\slash', -7, 1.5e3", [Buffer.from("a\0b"), "back\\slash", -7, 1500]],
  ["_binary 'é', 'a\\'b\\\"c\\n\\r\\t\\b\\Z\\q', - 2147483648, 1E-2", [Buffer.from("é"), "a'b\"c\n\r\t\b\u001aq", -2147483648, 0.01]],
  ["_binary X'3132', _utf8mb4'ü🐘', '42', '1e2'", [Buffer.from("12"), "ü🐘", 42, 100]],
  ["\"double \"\" quoted\", 'semi;colon -- # /* ', +3, 0.5e1 /* c */", [Buffer.from('double " quoted'), "semi;colon -- # /* ", 3, 5]],
  ["NULL, null, TRUE, 12.", [null, null, 1, 12]],
];

test("literals in texts are the values that MySQL reads", async () => {
  for (const [id, [text, expected]] of literals.entries()) {
    await connection.query(`INSERT INTO kinds VALUES (${id}, ${text})`);
    const [rows] = await connection.query<RowDataPacket[]>(`SELECT b, t, n, d FROM kinds WHERE id=${id};`);
    const { b, t, n, d } = rows[0];
    assert.deepEqual([b, t, n, d], expected, text);
  }
  const found = async (where: string) => (await connection.query<RowDataPacket[]>(`SELECT id FROM kinds WHERE ${where}`))[0].map(({ id }) => Number(id));
  assert.deepEqual(await found("b = X'00ff'"), [0, 2]);
  assert.deepEqual(await found("b = 0x3132"), [5]);
  assert.deepEqual(await found("id = 0x05 AND t = _utf8mb4'ü🐘'"), [5]);
  assert.deepEqual(await found("id IN (0x01, X'03', 4)"), [1, 3, 4]);
  await connection.query("UPDATE kinds SET b = X'C0FFEE' WHERE id = 0x7");
  assert.deepEqual(await found("b = x'c0ffee'"), [7]);
  await emptyTable();
});

test("every byte goes through a text: by the driver's own form, and raw behind _binary", async () => {
  const all = Buffer.from(Array.from({ length: 100 }, (_, byte) => (byte * 37) & 0xff));
  for (const [id, value] of [all, Buffer.of(0xff, 0xfe, 0xc0, 0x27, 0x5c, 0x22, 0x60, 0x3b), Buffer.alloc(0)].entries()) {
    await connection.query("INSERT INTO kinds (id, b) VALUES (?, ?)", [id, value]);
    const [rows] = await connection.query<RowDataPacket[]>("SELECT b FROM kinds WHERE id=? AND b=?", [id, value]);
    assert.deepEqual(rows.map(({ b }) => b as Buffer), [value]);
  }
  await emptyTable();
});

/** Statements that are answered; with the first row's values where that is stated. */
const accepted: [string, unknown[]?][] = [
  ["SELECT 1", [1]],
  ["select 1;", [1]],
  ["SELECT -1.5e2, 'a', NULL, X'4142' AS bytes", [-150, "a", null, Buffer.from("AB")]],
  ["SELECT @@version_comment LIMIT 1", ["Lathe"]],
  ["SELECT @@session.autocommit, @@GLOBAL.sql_mode", [1, "STRICT_TRANS_TABLES"]],
  ["SELECT DATABASE(), USER(), CONNECTION_ID()"],
  ["SELECT VERSION() AS version"],
  ["/* mysql-connector-j */SELECT @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS c, @@init_connect AS i, @@net_write_timeout AS w, @@transaction_isolation AS t"],
  ["SHOW WARNINGS"], ["SHOW ERRORS LIMIT 5"], ["SHOW TABLES"], ["SHOW FULL TABLES LIKE 'k%'"], ["SHOW DATABASES"],
  ["SHOW VARIABLES LIKE 'sql_mode'", ["sql_mode", "STRICT_TRANS_TABLES"]],
  ["SHOW CREATE TABLE `kinds`"], ["DESCRIBE kinds"], ["SHOW INDEX FROM kinds"], ["SHOW ENGINES"], ["SHOW FULL COLUMNS FROM kinds"],
  ["SET NAMES utf8mb4"], ["SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci'"], ["SET CHARACTER SET utf8"], ["SET NAMES binary"],
  ["SET character_set_results = NULL"], ["SET autocommit=1, sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'"],
  ["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"], ["SET foreign_key_checks = 0"], ["SET @@session.time_zone = '+00:00'"],
  ["SET max_execution_time = 0"], ["SET SQL_SELECT_LIMIT=DEFAULT"],
  ["USE anything"], ["COMMIT"], ["ROLLBACK"], ["/*!40101 SET NAMES utf8mb4 */;"], ["/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */"],
  ["/*!40000 ALTER TABLE `kinds` DISABLE KEYS */"], ["/*!99999 DROP TABLE kinds */"],
  ["SELECT /*!40001 SQL_NO_CACHE */ * FROM `kinds`"], ["SELECT * FROM kinds -- comment"], ["SELECT id FROM kinds # comment"],
  ["SELECT t.id AS `t.id` FROM `any`.`kinds` AS t WHERE t.id = 1 LIMIT 1"],
];

test("what sessions begin with is answered", async () => {
  for (const [sql, expected] of accepted) {
    const [rows] = await connection.query<RowDataPacket[]>({ sql, rowsAsArray: true }).catch((error: unknown) => assert.fail(`${sql}: ${String(error)}`));
    const shown = (values: unknown) => (values as unknown[]).map((value) => (typeof value === "number" ? String(value) : value));
    if (expected !== undefined) assert.deepEqual(shown(rows[0]), shown(expected), sql);
  }
});

/** Statements that are refused: number, SQLSTATE, and what the message must name. */
const refused: [string, number, string, RegExp][] = [
  ["INSERT INTO kinds (id, b) VALUES (1, X'abc')", 1064, "42000", /literal is not well formed/],
  ["INSERT INTO kinds (id, b) VALUES (1, X'zz')", 1064, "42000", /literal/],
  ["INSERT INTO kinds (id, b) VALUES (1, 0xzz)", 1064, "42000", /literal/],
  ["INSERT INTO kinds (id, n) VALUES (1, 0xffffffff)", 1264, "22003", /column 'n'/],
  ["INSERT INTO kinds (id) VALUES (X'ffffffffffffffff')", 1264, "22003", /column 'id'/],
  ["INSERT INTO kinds (id) VALUES (X'010203040506070809')", 1264, "22003", /column 'id'/],
  ["INSERT INTO kinds (id, t) VALUES (1, X'ff')", 1264, "22003", /not UTF-8/],
  [`INSERT INTO kinds (id, b) VALUES (1, 0x${"ff".repeat(101)})`, 1406, "22001", /column 'b'/],
  ["INSERT INTO kinds (id, t) VALUES (1, _latin1'x')", 1235, "42000", /LATIN1.*collation_scope/i],
  ["SET NAMES latin1", 1235, "42000", /latin1/],
  ["SET character_set_client = 'gbk'", 1235, "42000", /gbk/],
  ["/*!40101 SET NAMES sjis */", 1235, "42000", /sjis/],
  ["SET sql_mode = 'NO_BACKSLASH_ESCAPES'", 1235, "42000", /NO_BACKSLASH_ESCAPES.*system_variables/],
  ["SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", 1235, "42000", /ANSI_QUOTES/],
  ["/*!40101 SET SQL_MODE='ANSI' */", 1235, "42000", /ANSI/],
  ["SET autocommit = 0", 1235, "42000", /single_node_acid/],
  ["SET @mine = 1", 1235, "42000", /a user variable .* no leaf brings it/],
  ["SELECT @mine", 1235, "42000", /a user variable .* no leaf brings it/],
  ["SET SQL_SELECT_LIMIT = 501", 1235, "42000", /limit on every SELECT .* write LIMIT/],
  ["BEGIN", 1235, "42000", /single_node_acid/],
  ["START TRANSACTION", 1235, "42000", /single_node_acid/],
  ["LOCK TABLES kinds WRITE", 1235, "42000", /locking\/table/],
  ["/*!50001 CREATE VIEW v AS SELECT 1 */", 1235, "42000", /CREATE/],
  ["INSERT /*! IGNORE */ INTO kinds (id) VALUES (1)", 1235, "42000", /IGNORE/],
  ["SELECT 1+1 AS result", 1235, "42000", /operators\/projection/],
  ["SELECT SLEEP(1)", 1235, "42000", /date_time/],
  ["SELECT @@no_such_variable", 1054, "42S22", /no_such_variable/],
  ["SELECT * FROM information_schema.nothing", 1146, "42S02", /nothing/],
  ["UPDATE kinds SET t = t + 1 WHERE id = 1", 1235, "42000", /arithmetic for a column of text|cast/],
  ["SELECT t, COUNT(*) FROM kinds", 1235, "42000", /aggregation\/hash/],
  ["SELECT id FROM kinds FOR UPDATE SKIP LOCKED", 1235, "42000", /SKIP LOCKED .*row\/record/],
  ["CREATE TABLE counted (a INT PRIMARY KEY, b INT AUTO_INCREMENT)", 1075, "42000", /AUTO_INCREMENT column 'b'/],
  ["ALTER TABLE kinds ADD COLUMN z INT", 1235, "42000", /alter_table/],
  ["TRUNCATE TABLE kinds", 1235, "42000", /truncate/],
  ["EXPLAIN SELECT * FROM kinds", 1235, "42000", /explain/],
  ["SHOW BINLOG EVENTS", 1235, "42000", /SHOW BINLOG .*no leaf/],
  ["KILL QUERY 999999", 1094, "HY000", /Unknown thread id: 999999/],
  ["SELECT 'abc", 1064, "42000", /literal/],
  ["", 1065, "42000", /empty/],
  ["/*M!999999\\- enable the sandbox mode */", 1064, "42000", /empty/],
];

test("what is not there is refused by name", async () => {
  const unclear: string[] = [];
  for (const [sql, errno, sqlState, message] of refused) {
    const answer = await connection.query(sql).then(() => ({ errno: 0, sqlState: "00000", message: "accepted" }), (error) => error);
    assert.deepEqual([answer.errno, answer.sqlState], [errno, sqlState], `${sql}: ${answer.message}`);
    if (!message.test(answer.message)) unclear.push(`${sql}: ${answer.message}`);
  }
  assert.deepEqual(unclear, []);
  await connection.ping();
  assert.deepEqual((await connection.query("SELECT COUNT(*) AS n FROM kinds"))[0], [{ n: "0" }]);
});

const noShell = spawnSync("mysql", ["--version"]).status !== 0 || spawnSync("mysqldump", ["--version"]).status !== 0;

test("a dump of a table with binary columns loads through the mysql shell", { skip: noShell && "mysql is not installed" }, async () => {
  const raw = Buffer.from(Array.from({ length: 64 }, (_, byte) => 255 - 3 * byte));
  const escaped = Buffer.concat([...raw].map((byte) => {
    const escapes: Record<number, string> = { 0: "\\0", 10: "\\n", 13: "\\r", 26: "\\Z", 34: '\\"', 39: "\\'", 92: "\\\\" };
    return escapes[byte] === undefined ? Buffer.of(byte) : Buffer.from(escapes[byte]);
  }));
  const file = join(scratch, "dump.sql");
  writeFileSync(file, Buffer.concat([
    Buffer.from(
      "-- MySQL dump 10.13\n/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!50503 SET NAMES utf8mb4 */;\n" +
        "DROP TABLE IF EXISTS `dumped`;\n/*!40101 SET character_set_client = utf8mb4 */;\nCREATE TABLE `dumped` (\n  `id` bigint NOT NULL,\n" +
        "  `b` varbinary(100) DEFAULT NULL,\n  `t` varchar(20) DEFAULT NULL,\n  PRIMARY KEY (`id`),\n  KEY `by_b` (`b`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n" +
        "/*!40000 ALTER TABLE `dumped` DISABLE KEYS */;\nINSERT INTO `dumped` VALUES (1,_binary '",
    ),
    escaped,
    Buffer.from("','it\\'s ü'),(2,0x00FF27,NULL),(-3,NULL,'a;b');\n/*!40000 ALTER TABLE `dumped` ENABLE KEYS */;\n-- Dump completed\n"),
  ]));
  const run = (command: string, ...args: string[]) => new Promise<string>((resolve, reject) => {
    const common = ["--no-defaults", "-h127.0.0.1", `-P${product.mysqlPort}`, `-u${user}`, `-p${password}`, "--skip-ssl"];
    execFile(command, [...common, ...args], (error, stdout, stderr) => error === null ? resolve(stdout) : reject(new Error(stderr)));
  });
  await run("mysql", "--default-character-set=utf8mb4", "any", "-e", `source ${file}`);
  const [rows] = await connection.query<RowDataPacket[]>("SELECT * FROM dumped");
  const plain = rows.map(({ id, b, t }) => [Number(id), b, t]);
  assert.deepEqual(plain, [[-3, null, "a;b"], [1, raw, "it's ü"], [2, Buffer.of(0, 255, 0x27), null]]);
  const found = await run("mysql", "-N", "any", "-e", "SELECT id FROM dumped WHERE b = X'00FF27'; SHOW WARNINGS");
  assert.equal(found.trim(), "2");
});
