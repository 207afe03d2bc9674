/**
 * Sources as the servers write them: `golden/` was recorded from MariaDB 10.11 (general and slow log, mariadb-dump) and
 * PostgreSQL 15 (psql and pgbench with simple and extended protocol, pg_dump), all over two small schemas.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { readSources } from "./read-sources.ts";
import { columnOf } from "./table-definition.ts";

const golden = (name: string) => join(import.meta.dirname, "golden", name);

test("a dump of MariaDB: tables, keys, types, rows and what else the schema has", async () => {
  const { tables, objects, sources } = await readSources([golden("mariadb-dump.sql")]);
  assert.equal(sources[0].kind, "mysql-dump");
  assert.deepEqual(sources[0].unparsed.first, []);
  assert.deepEqual([...tables.keys()].sort(), ["audit", "customers", "orders", "sessions"]);
  const customers = tables.get("customers")!;
  assert.equal(customers.rows, 200);
  assert.deepEqual(customers.primaryKey, ["id"]);
  assert.deepEqual(customers.keys, [
    { name: "email", columns: ["email"], unique: true }, { name: "by_name", columns: ["name"], unique: false },
  ]);
  const families = Object.fromEntries(customers.columns.map(({ name, family }) => [name, family]));
  assert.deepEqual(families, {
    id: "unsigned64", email: "text", name: "text", balance: "decimal", active: "boolean", created_at: "temporal",
  });
  assert.equal(columnOf(customers, "id")?.autoIncrement, true);
  assert.equal(columnOf(customers, "name")?.nullable, true);
  const name = columnOf(customers, "name")!.sample;
  // "Näme 100" in UTF-8.
  assert.equal(name.lengthMax, 9);
  assert.equal(name.distinct, 200);
  // it's 'new'; really -- # /* no comment */
  assert.equal(columnOf(tables.get("orders")!, "note")?.sample.lengthMax, 40);
  assert.deepEqual(tables.get("orders")?.primaryKey, ["customer_id", "number"]);
  const kinds = objects.map(({ kind }) => kind).sort();
  assert.deepEqual(kinds, ["check", "foreign_key", "prefix_index", "routine", "trigger", "view"]);
});

test("a general log of MariaDB: shapes with counts, transactions, keys", async () => {
  const { workload, sources } = await readSources([golden("mariadb-general.log"), golden("mariadb-dump.sql")]);
  assert.deepEqual(sources.map(({ kind }) => kind), ["mysql-dump", "mysql-general-log"]);
  assert.equal(sources[1].unparsed.count, 0);
  const counts = new Map(
    [...workload!.shapes].map(([text, { alone, inTransactions }]) => [text, [alone, inTransactions]])
  );
  assert.deepEqual(counts.get("select name , balance from customers where id = ?"), [406, 0]);
  assert.deepEqual(counts.get("update customers set balance = balance - ? where id = ?"), [0, 31]);
  assert.deepEqual(counts.get("delete from sessions where expires_at < now ( ) limit ?"), [11, 0]);
  const { count, writing, statements, oneShot, open } = workload!.transactions;
  assert.deepEqual(
    { count, writing, statements, oneShot, open }, { count: 31, writing: 31, statements: 93, oneShot: 0, open: 0 }
  );
  // 200 keys were drawn with a Zipf constant of 0.99.
  const use = workload!.keys.allOf("customers|id")!.use(200);
  assert.equal(use.uses, 544);
  assert.ok(Math.abs(use.skew - 0.99) < 0.1, `skew ${use.skew}`);
});

test("a slow log says the same as the general log, with durations", async () => {
  const { workload, sources } = await readSources([golden("mariadb-slow.log")]);
  assert.equal(sources[0].kind, "mysql-slow-log");
  assert.equal(sources[0].unparsed.count, 0);
  const points = workload!.shapes.get("select name , balance from customers where id = ?");
  assert.ok(points !== undefined && points.alone > 100);
  assert.ok(workload!.timed > 200 && workload!.durationsUs.percentile(50) > 10);
});

test("PostgreSQL's log as text: simple and extended protocol, parameters, definitions", async () => {
  const { workload, tables, objects, sources } = await readSources([golden("postgresql.log")]);
  assert.equal(sources[0].kind, "postgresql-log");
  assert.equal(sources[0].unparsed.count, 0);
  assert.deepEqual(tables.get("pgbench_accounts")?.primaryKey, ["aid"]);
  assert.ok(objects.some(({ kind, name }) => kind === "trigger" && name === "t"));
  const update = workload!.shapes.get("update pgbench_accounts set abalance = abalance + ? where aid = ?");
  assert.equal(update?.inTransactions, 30);
  // Values of $2 come from the detail.
  const use = workload!.keys.allOf("pgbench_accounts|aid")!.use();
  assert.deepEqual([use.uses, use.keys], [60, 30]);
  assert.equal(workload!.transactions.count, 31);
  assert.equal(workload!.failed, 1);
});

test("PostgreSQL's log as CSV and as JSON says the same", async () => {
  const read = await Promise.all(["postgresql.csv", "postgresql.json.log"].map((name) => readSources([golden(name)])));
  assert.deepEqual(read.map(({ sources }) => sources[0].kind), ["postgresql-csvlog", "postgresql-jsonlog"]);
  const [csv, json] = read.map(({ workload }) =>
    [...workload!.shapes].map(([text, { alone, inTransactions }]) => [text, alone, inTransactions]),
  );
  assert.ok(csv.length > 10);
  assert.deepEqual(csv, json);
});

test("a dump of PostgreSQL: rows of COPY, keys that are added later", async () => {
  const { tables, objects, sources } = await readSources([golden("postgresql-copy.sql")]);
  assert.equal(sources[0].kind, "postgresql-dump");
  assert.deepEqual(sources[0].unparsed.first, []);
  const notes = tables.get("notes")!;
  assert.equal(notes.rows, 201);
  assert.deepEqual(notes.primaryKey, ["id"]);
  assert.equal(columnOf(notes, "id")?.autoIncrement, true);
  assert.equal(columnOf(notes, "price")?.sample.nulls, 1);
  assert.equal(columnOf(notes, "owner")?.family, "uuid");
  assert.equal(columnOf(notes, "tags")?.family, "array");
  // Four times "line\twith tab\n", whose escapes count as the characters that they stand for.
  assert.equal(columnOf(notes, "body")?.sample.lengthMax, 56);
  assert.deepEqual(tables.get("tags")?.primaryKey, ["note", "tag"]);
  const kinds = new Set(objects.map(({ kind }) => kind));
  for (const kind of ["check", "expression_index", "foreign_key", "trigger"]) assert.ok(kinds.has(kind), kind);
});

test("a directory of CSV files: headers, types, keys, and the line that does not fit", async () => {
  const { tables, sources } = await readSources([golden("tables")]);
  const users = tables.get("users")!;
  assert.deepEqual(users.columns.map(({ name, family, nullable }) => [name, family, nullable]), [
    ["id", "integer32", false], ["email", "text", false], ["joined", "temporal", false], ["score", "double", false],
    ["note", "text", true],
  ]);
  assert.equal(users.rows, 500);
  assert.equal(columnOf(users, "id")?.sample.unique, true);
  assert.equal(columnOf(users, "joined")?.sample.unique, false);
  const codes = sources.find(({ file }) => file.endsWith("codes.tsv"));
  assert.deepEqual(codes?.unparsed.first, [{ line: 301, what: "2 fields where 3 were expected", excerpt: "1,2" }]);
  // Numbers with leading zeros are codes.
  assert.equal(tables.get("codes")?.columns[1].family, "text");
});

test("a recorded trace: operations, transactions, and what is none", async () => {
  const { workload, sources } = await readSources([golden("calls.ndjson")]);
  assert.equal(sources[0].kind, "trace");
  assert.deepEqual(sources[0].unparsed.first.map(({ line }) => line), [9, 10]);
  assert.deepEqual([...workload!.shapes.keys()], ["get sessions", "put sessions", "update sessions", "scan sessions"]);
  assert.equal(workload!.transactions.count, 1);
});
