/**
 * Sources with odd content: each is read as far as it makes sense, and whatever does not is counted and listed with its
 * line, or told as a remark.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inferContract } from "../contract/infer/infer-contract.ts";
import { parseContract } from "../contract/parse.ts";
import { readSources, type ReadOptions } from "./read-sources.ts";

const directory = mkdtempSync(join(tmpdir(), "lathe-odd-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const head = "Time\t\t    Id Command\tArgument\n";
const query = (sql: string) => `\t\t     3 Query\t${sql}\n`;

async function read(name: string, content: string | Buffer, options: ReadOptions = {}) {
  const file = join(directory, name);
  writeFileSync(file, content);
  const observation = await readSources([file], options);
  const inferred = inferContract(observation, "odd");
  const parsed = parseContract(inferred.text, "odd");
  assert.ok(parsed.ok, parsed.ok ? "" : `${name}: ${JSON.stringify(parsed.problems)}`);
  const [{ unparsed, remarks, statements }] = observation.sources;
  const shapes = [...(observation.workload?.shapes ?? [])].map(([text, { alone, inTransactions }]) => [text, alone + inTransactions]);
  return { observation, inferred, contract: parsed.contract, unparsed, remarks, statements, shapes };
}

test("line ends of Windows, also within a statement", async () => {
  const log = `${head}${query("SELECT a FROM t WHERE id = 1").repeat(3)}${query("SELECT a\nFROM t\nWHERE id = 2")}`;
  const { shapes, unparsed } = await read("crlf.log", log.replaceAll("\n", "\r\n"));
  assert.deepEqual([shapes, unparsed.count], [[["select a from t where id = ?", 4]], 0]);
});

test("NUL bytes and several encodings in one log", async () => {
  const latin1 = Buffer.from(query("SELECT a FROM `gr\u00f6\u00dfe` WHERE b = '\u00fc'"), "latin1");
  const nul = Buffer.from(query("SELECT a FROM t WHERE b = 'x\0y'"), "latin1");
  const utf8 = Buffer.from(query("SELECT a FROM t WHERE b = '\u00fc'"));
  const { shapes, unparsed } = await read("mixed.log", Buffer.concat([Buffer.from(head), nul, utf8, latin1]));
  assert.deepEqual(shapes[0], ["select a from t where b = ?", 2]);
  assert.deepEqual([shapes.length, unparsed.count], [2, 0]);
});

test("a log that is cut in the middle of a statement, at either end", async () => {
  const log = `FROM t WHERE id = 7\n${query("SELECT a FROM t WHERE id = 1").repeat(3)}${query("INSERT INTO t VALUES (1, 'ab").trimEnd()}`;
  const { unparsed, statements } = await read("cut.log", log);
  assert.equal(statements, 4);
  assert.deepEqual(unparsed.first.map(({ line, what }) => `${line} ${what.slice(0, 37)}`),
    ["1 no line of the general log, and no st", "5 a statement that ends within a litera"]);
});

test("several statements in a line, comments and strings with semicolons", async () => {
  const { shapes, observation, unparsed } = await read("many.log", head +
    query("SELECT a FROM t WHERE id = 1; UPDATE t SET a = 'x;y' WHERE id = 2; /* ; */ DELETE FROM t WHERE id = 3 -- ; end") +
    query("/* a;b */ SELECT a FROM t WHERE id = 4") + query("SELECT a FROM t WHERE id = 5 # c;d") +
    query("BEGIN; UPDATE t SET a = 'q;' WHERE id = 1; COMMIT"));
  assert.deepEqual(shapes, [
    ["select a from t where id = ?", 3], ["update t set a = ? where id = ?", 2], ["delete from t where id = ?", 1],
  ]);
  assert.deepEqual([unparsed.count, observation.workload?.transactions.oneShot], [0, 1]);
});

test("names in every kind of quotes, and names that mean something to JavaScript", async () => {
  const { contract, unparsed } = await read("names.log", head + query("SELECT `a b` FROM `my table` WHERE `select` = 1") +
    query("SELECT a FROM `db`.`t``q` WHERE `i``d` = 1") + query("SELECT a FROM __proto__ WHERE constructor = 1") +
    query("SELECT a FROM toString WHERE valueOf = 1"));
  assert.deepEqual(contract.data.tables.map(({ name }) => name), ["my_table", "t_q", "__proto__", "tostring"]);
  assert.equal(unparsed.count, 0);
  const lines = ['SELECT a FROM "My ""T""" WHERE "Id" = 1', "SELECT a FROM t WHERE b = $$x;y$$", "SELECT a FROM t WHERE b = E'\\';'"];
  const log = lines.map((sql) => `2026-11-22 02:03:46.508 UTC [7] u@d LOG:  statement: ${sql}\n`).join("");
  const postgresql = await read("names-postgresql.log", log);
  assert.deepEqual(postgresql.shapes.map(([, count]) => count), [1, 2]);
});

test("ten thousand tables: what has no room is told", async () => {
  const log = head + Array.from({ length: 10_000 }, (_, at) => query(`SELECT a FROM t${at} WHERE id = ${at}`)).join("");
  const { statements, remarks, inferred, contract } = await read("tables.log", log);
  assert.equal(statements, 10_000);
  assert.match(remarks.join("\n"), /5000 statements are of shapes beyond the first 5000/);
  assert.match(remarks.join("\n"), /values of \d+ more columns or keys of statements were not looked at/);
  assert.deepEqual(inferred.leftOut, ["1,000 tables beyond the first 1000"]);
  const weights = (contract.workload.operations ?? []).reduce((sum, { weight }) => sum + weight, 0);
  assert.equal(weights, 10_000);
  const dump = Array.from({ length: 1200 }, (_, at) => `CREATE TABLE t${at} (id int primary key);\n`).join("");
  const { unparsed } = await read("tables.sql", `-- MySQL dump\n${dump}`);
  assert.deepEqual([unparsed.count, unparsed.first[0].what], [200, "more than 1000 tables"]);
});

test("a dump of a thousand columns, and of more than a contract has room for", async () => {
  const dump = (count: number) => {
    const columns = Array.from({ length: count }, (_, at) => `c${at} int`).join(",");
    return `-- MySQL dump\nCREATE TABLE w (${columns}, PRIMARY KEY (c0));\nINSERT INTO w VALUES (${"1,".repeat(count - 1)}1);\n`;
  };
  const { contract, inferred } = await read("wide.sql", dump(1000));
  assert.deepEqual([contract.data.tables[0].columns.length, contract.data.tables[0].rows, inferred.leftOut.length], [1000, 1, 0]);
  assert.deepEqual((await read("wider.sql", dump(1300))).inferred.leftOut, ["300 columns of w beyond 1000"]);
});

test("CSV with a byte order mark, ragged rows, quotes over lines, quotes that do not end", async () => {
  const text = '\ufeffid,name,note\r\n1,a,"multi\r\nline ""q"""\r\n2,b\r\n3,c,d,e\r\n4,,"x"\r\n\r\n5,f,"un"quoted\r\n';
  const { observation, unparsed } = await read("ragged.csv", text);
  const table = observation.tables.get("ragged");
  assert.deepEqual([table?.rows, table?.columns.map(({ name }) => name)], [3, ["id", "name", "note"]]);
  assert.deepEqual(unparsed.first.map(({ what }) => what), ["2 fields where 3 were expected", "4 fields where 3 were expected"]);
  const open = await read("open.csv", 'id,name\n1,"never closed\n2,b\n');
  assert.match(open.unparsed.first[0].what, /Quote Not Closed.*the rest of the file was not read/);
});

test("an over-long line is listed as not understood, and a limit ends at a line", async () => {
  const long = head + query(`INSERT INTO t VALUES (1, '${"x".repeat(3 << 20)}')`) + query("SELECT a FROM t WHERE id = 1");
  const { unparsed, statements } = await read("long.log", long);
  assert.deepEqual([statements, unparsed.count], [2, 1]);
  assert.match(unparsed.first[0].what, /a statement of 31457\d\d bytes, of which the first \d+ were read/);
  const many = head + query("SELECT a FROM t WHERE id = 1").repeat(50_000);
  const { remarks, statements: some, unparsed: none } = await read("limited.log", many, { bytesMax: 1e6 });
  assert.ok(some > 20_000 && some < 30_000, `${some}`);
  assert.equal(none.count, 0);
  assert.match(remarks.join("\n"), /only its first 1 MB were read, 45 % of it; all counts are of these/);
});
