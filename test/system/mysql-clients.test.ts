/**
 * The clients that people have, against a built product: mysql2, the MariaDB connector, Kysely, Drizzle, the mariadb
 * shell with TLS, mariadb-dump, sysbench. What is not installed on this machine is skipped, and says so.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { and, asc, eq, gt, sql as drizzleSql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/mysql2";
import { bigint, index, int, mysqlTable, varchar } from "drizzle-orm/mysql-core";
import { type Generated, Kysely, MysqlDialect, sql } from "kysely";
import mariadb from "mariadb";
import { createPool } from "mysql2";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { buildFromContract } from "../../src/app/build.ts";
import { MySqlClient } from "../../src/bench/clients/mysql-client.ts";
import { connectTo, indexedContract, password, startProduct, type StartedProduct, user } from "./product-harness.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-clients-"));
const execute = promisify(execFile);
let product: StartedProduct;
let connection: Connection;

before(async () => {
  const directory = join(scratch, "product");
  const contractFile = join(scratch, "contract.yaml");
  writeFileSync(contractFile, indexedContract("interactive"));
  buildFromContract({ contractFile, directory });
  product = await startProduct(directory, ["--data", join(scratch, "data"), "--tls", "offered"]);
  connection = await connectTo(product);
});

after(async () => {
  connection?.destroy();
  await product?.end("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

function missing(program: string): string | false {
  return spawnSync(program, ["--version"]).error === undefined ? false : `${program} is not installed`;
}

/** Arguments by which the C clients find the product. */
function where(): string[] {
  return ["--no-defaults", "-h127.0.0.1", `-P${product.mysqlPort}`, `-u${user}`, `-p${password}`];
}

test("the MariaDB connector: text, prepared, batch, metadata, errors", async () => {
  const client = await mariadb.createConnection({
    host: "127.0.0.1", port: product.mysqlPort, user, password, database: "shop", bigIntAsNumber: true,
    allowPublicKeyRetrieval: true,
  });
  await client.query("CREATE TABLE parcels (id BIGINT PRIMARY KEY, label VARCHAR(40), weight DOUBLE)");
  assert.equal((await client.query("INSERT INTO parcels VALUES (?, ?, ?)", [1, "grün 🐘", 1.5])).affectedRows, 1);
  const batch = await client.batch("INSERT INTO parcels VALUES (?, ?, ?)", [[2, "b", 2], [3, null, null]]);
  assert.equal((Array.isArray(batch) ? batch : [batch]).reduce((sum, { affectedRows }) => sum + affectedRows, 0), 2);
  const rows = await client.execute("SELECT id, label, weight FROM parcels WHERE id >= ? ORDER BY id", [1]);
  assert.deepEqual([...rows], [
    { id: 1, label: "grün 🐘", weight: 1.5 }, { id: 2, label: "b", weight: 2 }, { id: 3, label: null, weight: null },
  ]);
  const duplicate = client.query("INSERT INTO parcels VALUES (1, 'x', 1)");
  await assert.rejects(duplicate, { errno: 1062, sqlState: "23000" });
  await client.ping();
  await client.reset();
  const [{ name }] = await client.query("SELECT DATABASE() AS name");
  assert.equal(name, "shop");
  await client.query("DROP TABLE parcels");
  await client.end();
});

interface Database {
  readonly people: { readonly id: Generated<number>; readonly name: string; readonly age: number | null };
}

test("Kysely: schema, rows, conditions, introspection", async () => {
  const pool = createPool({ host: "127.0.0.1", port: product.mysqlPort, user, password, database: "shop" });
  const db = new Kysely<Database>({ dialect: new MysqlDialect({ pool }) });
  try {
    await db.schema.createTable("people")
      .addColumn("id", "bigint", (column) => column.primaryKey().autoIncrement())
      .addColumn("name", "varchar(40)", (column) => column.notNull())
      .addColumn("age", "integer")
      .execute();
    await db.schema.createIndex("by_name").on("people").column("name").execute();
    const inserted = await db.insertInto("people")
      .values([{ name: "Ada", age: 36 }, { name: "Grace", age: 45 }, { name: "Linus", age: null }])
      .executeTakeFirst();
    assert.equal(inserted.numInsertedOrUpdatedRows, 3n);
    assert.ok(inserted.insertId !== undefined && inserted.insertId > 0n);
    const ada = await db.selectFrom("people").selectAll().where("name", "=", "Ada").executeTakeFirstOrThrow();
    assert.deepEqual([ada.name, ada.age], ["Ada", 36]);
    const updated = await db.updateTable("people").set({ age: 37 }).where("id", "=", ada.id).executeTakeFirst();
    assert.equal(updated.numUpdatedRows, 1n);
    const names = await db.selectFrom("people").select("name").orderBy("id").limit(2).execute();
    assert.deepEqual(names.map(({ name }) => name), ["Ada", "Grace"]);
    const failed = db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("people").where("id", "=", ada.id).execute();
      throw new Error("changed my mind");
    });
    await assert.rejects(failed, /changed my mind/);
    await db.transaction().execute(async (transaction) => {
      await transaction.updateTable("people").set({ age: 38 }).where("id", "=", ada.id).execute();
    });
    const { rows } = await sql<{ n: number }>`select count(*) as n from people`.execute(db);
    assert.equal(Number(rows[0].n), 3);
    const deleted = await db.deleteFrom("people").where("id", "=", ada.id).executeTakeFirst();
    assert.equal(deleted.numDeletedRows, 1n);
    const tables = await db.introspection.getTables();
    const people = tables.find(({ name }) => name === "people");
    assert.deepEqual(people?.columns.map(({ name, dataType, isNullable, isAutoIncrementing }) =>
      [name, dataType, isNullable, isAutoIncrementing]), [
      ["id", "bigint", false, true], ["name", "varchar", false, false], ["age", "int", true, false],
    ]);
    assert.equal(people?.schema, "shop");
    await db.schema.dropTable("people").execute();
  } finally {
    await db.destroy();
  }
});

test("Drizzle: prepared rows, upserts, what drizzle-kit reads", async () => {
  await connection.query("USE shop");
  await connection.query(
    "CREATE TABLE goods (id BIGINT NOT NULL, name VARCHAR(40), price INT, PRIMARY KEY (id), KEY by_name (name))",
  );
  const goods = mysqlTable("goods", {
    id: bigint("id", { mode: "number" }).primaryKey(),
    name: varchar("name", { length: 40 }),
    price: int("price"),
  }, (table) => [index("by_name").on(table.name)]);
  const db = drizzle(connection);
  await db.insert(goods).values([{ id: 1, name: "nut", price: 2 }, { id: 2, name: "bolt", price: 3 }]);
  await db.insert(goods).values({ id: 2, name: "bolt", price: 4 }).onDuplicateKeyUpdate({ set: { price: 4 } });
  const read = db.select().from(goods).where(eq(goods.id, drizzleSql.placeholder("id"))).prepare();
  assert.deepEqual(await read.execute({ id: 2 }), [{ id: 2, name: "bolt", price: 4 }]);
  const some = await db.select({ id: goods.id }).from(goods).where(and(gt(goods.id, 0))).orderBy(asc(goods.id)).limit(5);
  assert.deepEqual(some, [{ id: 1 }, { id: 2 }]);
  await db.update(goods).set({ name: "screw" }).where(eq(goods.id, 1));
  await db.delete(goods).where(eq(goods.id, 2));
  assert.deepEqual(await db.select().from(goods), [{ id: 1, name: "screw", price: 2 }]);
  const [columns] = await connection.query<RowDataPacket[]>(
    "select * from INFORMATION_SCHEMA.COLUMNS WHERE table_schema = 'shop' and table_name != '__drizzle_migrations' " +
      "ORDER BY table_name, ordinal_position",
  );
  assert.deepEqual(columns.filter(({ TABLE_NAME: name }) => name === "goods").map((row) =>
    [row.COLUMN_NAME, row.COLUMN_TYPE, row.IS_NULLABLE, row.COLUMN_KEY]), [
    ["id", "bigint", "NO", "PRI"], ["name", "varchar(40)", "YES", "MUL"], ["price", "int", "YES", ""],
  ]);
  await connection.query("DROP TABLE goods");
});

test("the mariadb shell under TLS, with completion of names, and its commands", { skip: missing("mariadb") }, async () => {
  await connection.query("CREATE TABLE lines (id BIGINT PRIMARY KEY, t VARCHAR(20))");
  const script = ["INSERT INTO lines VALUES (1, 'x'); SELECT * FROM lines;", "status", "SHOW PROCESSLIST;", "USE other"];
  const file = join(scratch, "script.sql");
  writeFileSync(file, `${script.join("\n")}\n`);
  const certificate = join(scratch, "data", "tls-certificate.pem");
  const { stdout } = await execute("mariadb", [
    ...where(), `--ssl-ca=${certificate}`, "--ssl", "--auto-rehash", "-t", "shop", "-e", `source ${file}`,
  ]);
  assert.match(stdout, /\|\s+1 \| x/);
  assert.match(stdout, /SSL:\s+Cipher in use is TLS/);
  assert.match(stdout, /Query/);
  await connection.query("DROP TABLE lines");
});

test("the workshop's own client goes on under TLS where a server asks for it", async () => {
  const strict = await startProduct(join(scratch, "product"), ["--data", join(scratch, "strict"), "--tls", "required"]);
  try {
    await assert.rejects(connectTo(strict), { errno: 3159 });
    const endpoint = { host: "127.0.0.1", port: strict.mysqlPort, user, password };
    const client = await MySqlClient.connect(endpoint);
    await client.query("CREATE TABLE far (id BIGINT PRIMARY KEY, v VARCHAR(2000))");
    await client.query(`INSERT INTO far VALUES ${Array.from({ length: 500 }, (_, i) => `(${i}, '${"v".repeat(1500)}')`).join(",")}`);
    const [{ rows }] = await client.query("SELECT id, v FROM far");
    assert.equal(rows.length, 500);
    client.close();
    await assert.rejects(MySqlClient.connect({ ...endpoint, password: "wrong" }), { code: "PERMISSION" });
  } finally {
    await strict.end("SIGKILL");
  }
});

test("mariadb-dump and back again", { skip: missing("mariadb-dump") }, async () => {
  await connection.query("CREATE TABLE dumped (id BIGINT PRIMARY KEY, t VARCHAR(20), b VARBINARY(20), KEY by_t (t))");
  await connection.query("INSERT INTO dumped VALUES (1, 'it''s', X'00ff27'), (2, NULL, NULL), (3, 'grün', X'')");
  const [before] = await connection.query("SELECT * FROM dumped");
  // By table locks, as it does unasked; by a transaction with savepoints; by neither.
  for (const way of ["--lock-tables", "--single-transaction", "--skip-lock-tables"]) {
    const { stdout } = await execute("mariadb-dump", [
      ...where(), way, "--skip-add-locks", "--hex-blob", "--default-character-set=utf8mb4", "shop", "dumped",
    ]);
    const file = join(scratch, "dump.sql");
    writeFileSync(file, stdout);
    assert.match(stdout, /KEY `by_t` \(`t`\)/);
    await connection.query("DROP TABLE dumped");
    await execute("mariadb", [...where(), "--default-character-set=utf8mb4", "shop", "-e", `source ${file}`]);
    const [after_] = await connection.query("SELECT * FROM dumped");
    assert.deepEqual(after_, before, way);
  }
  await connection.query("DROP TABLE dumped");
});

const oltp = [
  ...["point_select", "update_index", "update_non_index", "insert", "delete", "read_write"].map((name) => `oltp_${name}`),
  "select_random_points", "select_random_ranges",
];

test(`sysbench: ${oltp.join(", ")}`, { skip: missing("sysbench") }, async () => {
  for (const name of oltp) {
    const common = [
      name, "--db-driver=mysql", "--mysql-host=127.0.0.1", `--mysql-port=${product.mysqlPort}`,
      `--mysql-user=${user}`, `--mysql-password=${password}`, "--mysql-db=shop", "--tables=1", "--table-size=200",
    ];
    await execute("sysbench", [...common, "prepare"]);
    const { stdout } = await execute("sysbench", [...common, "--threads=4", "--events=400", "--time=60", "run"]);
    const events = Number(/total number of events:\s+(\d+)/.exec(stdout)?.[1]);
    assert.ok(events >= 400, stdout);
    // Transactions that meet are refused with 1213, which sysbench counts and runs again.
    if (name !== "oltp_read_write") assert.match(stdout, /ignored errors:\s+0 /);
    await execute("sysbench", [...common, "cleanup"]);
  }
});
