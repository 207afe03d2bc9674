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
  const use = workload!.keys.get("customers|id")!.use(200);
  assert.equal(use.uses, 544);
  assert.ok(Math.abs(use.skew - 0.99) < 0.1, `skew ${use.skew}`);
});
