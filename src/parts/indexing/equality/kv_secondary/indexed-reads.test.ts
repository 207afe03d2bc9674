/** Secondary indexes through the executor: what reads find, what definitions do, what is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { kvSecondary } from "./kv-secondary.ts";
import type { Table } from "../../../architecture/catalog/table.ts";
import { createLruCache } from "../../../storage/page_io/replacement/lru/lru-cache.ts";
import { affectedOf, errorOf, type InMemoryDoors, openInMemory, rowsOf, run, runOne, runPrepared } from "../../../query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { createIndexedPlans } from "../../../query_processing/execution/model/point_api/indexed-plans.ts";
import { assertEntries } from "./entries-judge.fixture.ts";

const withIndexes = { indexes: kvSecondary, indexedPlans: createIndexedPlans(kvSecondary) };
const grants = `CREATE TABLE grants (external_id VARCHAR(64) NOT NULL, entitlement_id VARCHAR(64) NOT NULL,
  principal_id VARCHAR(64), payload VARBINARY(300), PRIMARY KEY (external_id),
  KEY by_entitlement (entitlement_id), INDEX by_principal (principal_id, entitlement_id))`;

async function openGrants(): Promise<InMemoryDoors> {
  const doors = openInMemory({ ...withIndexes, cache: createLruCache({ capacityBytes: 64 << 10 }) });
  await run(doors.executor, grants);
  return doors;
}

const tableOf = (doors: InMemoryDoors): Table => doors.catalog.find("grants") as Table;
const rowText = (i: number) => `('g${String(i).padStart(4, "0")}', 'e${i % 7}', ${i % 5 === 0 ? "NULL" : `'p${i % 11}'`}, 'x${i}')`;
const insertText = (from: number, to: number) =>
  `INSERT INTO grants VALUES ${Array.from({ length: to - from }, (_, i) => rowText(from + i)).join(",")}`;

describe("secondary indexes", () => {
  test("a page by an indexed column: equal, after a key, in key order", async () => {
    const doors = await openGrants();
    assert.equal(affectedOf(await runOne(doors.executor, insertText(0, 300))), 300);
    assert.equal(assertEntries(doors.engine, tableOf(doors)), 300 + 240);
    const sql = "SELECT external_id FROM grants WHERE entitlement_id = ? AND external_id > ? ORDER BY external_id LIMIT ?";
    const page = doors.executor.prepare(sql);
    const seen: unknown[] = [];
    for (let after = ""; ; ) {
      const rows = rowsOf(await runPrepared(doors.executor, page, ["e3", after, 10]));
      seen.push(...rows.map(([id]) => id));
      if (rows.length < 10) break;
      after = rows[9][0] as string;
    }
    const expected = Array.from({ length: 300 }, (_, i) => i).filter((i) => i % 7 === 3).map((i) => `g${String(i).padStart(4, "0")}`);
    assert.deepEqual(seen, expected);
  });

  test("a page reads its own entries and rows, not the table", async () => {
    const doors = await openGrants();
    await run(doors.executor, insertText(0, 300));
    const before = doors.engine.reads;
    rowsOf(await runOne(doors.executor, "SELECT * FROM grants WHERE entitlement_id = 'e3' AND external_id > 'g0100' ORDER BY external_id LIMIT 5"));
    assert.equal(doors.engine.reads - before, 5);
  });

  test("prefixes, ranges, filters, IN and counts", async () => {
    const doors = await openGrants();
    await run(doors.executor, insertText(0, 300));
    const all = Array.from({ length: 300 }, (_, i) => i);
    const ids = async (where: string) =>
      rowsOf(await runOne(doors.executor, `SELECT external_id FROM grants WHERE ${where}`)).map(([id]) => Number((id as string).slice(1)));
    const wanted = (keep: (i: number) => boolean) => all.filter(keep);
    const principal = (i: number) => (i % 5 === 0 ? undefined : `p${i % 11}`);
    const sorted = (found: number[]) => found.sort((a, b) => a - b);
    assert.deepEqual(sorted(await ids("principal_id = 'p3'")), wanted((i) => principal(i) === "p3"));
    assert.deepEqual(sorted(await ids("principal_id = 'p3' AND entitlement_id = 'e2'")), wanted((i) => principal(i) === "p3" && i % 7 === 2));
    assert.deepEqual(sorted(await ids("principal_id = 'p3' AND entitlement_id >= 'e5'")), wanted((i) => principal(i) === "p3" && i % 7 >= 5));
    assert.deepEqual(sorted(await ids("entitlement_id > 'e5'")), wanted((i) => i % 7 === 6));
    assert.deepEqual(sorted(await ids("entitlement_id = 'e1' AND payload <> 'x8'")), wanted((i) => i % 7 === 1 && i !== 8));
    assert.deepEqual(sorted(await ids("entitlement_id IN ('e1', 'e4', 'e1')")), wanted((i) => i % 7 === 1 || i % 7 === 4));
    const count = await runOne(doors.executor, "SELECT COUNT(*) FROM grants WHERE entitlement_id = 'e1'");
    assert.deepEqual(rowsOf(count), [[BigInt(wanted((i) => i % 7 === 1).length)]]);
    assert.deepEqual(await ids("external_id = 'g0007'"), [7]);
    assert.deepEqual(await ids("principal_id = NULL"), []);
  });

  test("a column that may be NULL and is not ruled out leaves the index aside", async () => {
    const doors = openInMemory({ ...withIndexes });
    await run(doors.executor, "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, KEY ab (a, b))");
    await run(doors.executor, "INSERT INTO t VALUES (1, 1, NULL), (2, 1, 2), (3, 2, 3)");
    assert.equal(errorOf(await runOne(doors.executor, "SELECT id FROM t WHERE a = 1")).leaf, "query_processing/scans/sequential");
    assert.deepEqual(rowsOf(await runOne(doors.executor, "SELECT id FROM t WHERE a = 1 AND id > 0")), [[1], [2]]);
    assert.deepEqual(rowsOf(await runOne(doors.executor, "SELECT id FROM t WHERE a = 1 AND b > 0")), [[2]]);
  });

  test("updates, deletes and transactions keep entries and rows together", async () => {
    const doors = await openGrants();
    await run(doors.executor, insertText(0, 60));
    const table = tableOf(doors);
    for (const sql of [
      "UPDATE grants SET entitlement_id = 'e9' WHERE external_id = 'g0003'",
      "UPDATE grants SET principal_id = NULL WHERE external_id = 'g0004'",
      "UPDATE grants SET principal_id = 'p1', payload = 'y' WHERE external_id = 'g0005'",
      "UPDATE grants SET payload = 'z' WHERE external_id = 'g0006'",
      "DELETE FROM grants WHERE external_id = 'g0007'",
      "START TRANSACTION; DELETE FROM grants WHERE external_id = 'g0008'; INSERT INTO grants VALUES ('g0008', 'e1', 'p0', 'n'); COMMIT",
      "START TRANSACTION; INSERT INTO grants VALUES ('n1', 'e1', 'p0', 'n'); UPDATE grants SET entitlement_id = 'e2' WHERE external_id = 'n1'; COMMIT",
      "START TRANSACTION; INSERT INTO grants VALUES ('n2', 'e1', 'p0', 'n'); INSERT INTO grants VALUES ('n1', 'e1', 'p0', 'n'); COMMIT",
    ]) {
      await run(doors.executor, sql);
      assertEntries(doors.engine, table);
    }
    const found = await runOne(doors.executor, "SELECT external_id FROM grants WHERE entitlement_id = 'e9'");
    assert.deepEqual(rowsOf(found), [["g0003"]]);
    assert.deepEqual(rowsOf(await runOne(doors.executor, "SELECT external_id FROM grants WHERE external_id = 'n2'")), []);
  });

  test("CREATE INDEX fills itself, DROP INDEX ends it, names are unique, ids are never used again", async () => {
    const doors = await openGrants();
    await run(doors.executor, insertText(0, 60));
    const create = "CREATE INDEX by_payload ON grants (payload)";
    assert.equal(affectedOf(await runOne(doors.executor, create)), 0);
    assertEntries(doors.engine, tableOf(doors));
    assert.deepEqual(rowsOf(await runOne(doors.executor, "SELECT external_id FROM grants WHERE payload = 'x42'")), [["g0042"]]);
    assert.equal(errorOf(await runOne(doors.executor, create)).reason, "index_exists");
    await run(doors.executor, "CREATE INDEX IF NOT EXISTS by_payload ON grants (payload)");
    const firstId = tableOf(doors).indexes?.at(-1)?.id as number;
    await run(doors.executor, "DROP INDEX by_payload ON grants");
    assert.equal(errorOf(await runOne(doors.executor, "DROP INDEX by_payload ON grants")).reason, "index_missing");
    assert.equal(errorOf(await runOne(doors.executor, "SELECT * FROM grants WHERE payload = 'x42'")).reason, "not_selected");
    await run(doors.executor, "UPDATE grants SET payload = 'moved' WHERE external_id = 'g0042'");
    await run(doors.executor, create);
    assert.ok((tableOf(doors).indexes?.at(-1)?.id as number) > firstId);
    assertEntries(doors.engine, tableOf(doors));
    assert.deepEqual(rowsOf(await runOne(doors.executor, "SELECT external_id FROM grants WHERE payload = 'x42'")), []);
    assert.match(String(rowsOf(await runOne(doors.executor, "SHOW CREATE TABLE grants"))[0][1]), /KEY `by_principal` \(`principal_id`,`entitlement_id`\)/);
  });

  test("indexes are there after a restart; a product without the leaf refuses the table and the grammar", async () => {
    const doors = await openGrants();
    await run(doors.executor, insertText(0, 20));
    const again = openInMemory({ ...withIndexes, engine: doors.engine });
    assert.deepEqual(again.catalog.find("grants"), tableOf(doors));
    assert.equal(rowsOf(await runOne(again.executor, "SELECT * FROM grants WHERE entitlement_id = 'e1'")).length, 3);
    assert.throws(() => openInMemory({ engine: doors.engine }), { code: "FORMAT_UNKNOWN", message: /kv_secondary/ });
    const without = openInMemory();
    for (const sql of [grants, "CREATE INDEX i ON t (a)"]) {
      assert.equal(errorOf(await runOne(without.executor, sql)).reason, "not_selected");
    }
  });

  test("what indexes cannot do is refused by name", async () => {
    const doors = await openGrants();
    const refused = async (sql: string) => errorOf((await run(doors.executor, sql)).at(-1) as never).reason;
    assert.equal(await refused("CREATE TABLE u (a INT PRIMARY KEY, UNIQUE KEY (a))"), "not_selected");
    assert.equal(await refused("CREATE TABLE u (a INT PRIMARY KEY, b INT, KEY k (b), KEY K (b))"), "index_exists");
    assert.equal(await refused("CREATE TABLE u (a INT PRIMARY KEY, b INT, KEY k (c))"), "unknown_column");
    assert.equal(await refused("CREATE TABLE u (a INT PRIMARY KEY, b INT, KEY k (b DESC))"), "not_selected");
    assert.equal(await refused("CREATE INDEX i ON missing (a)"), "unknown_table");
    const tooMany = openInMemory({ ...withIndexes });
    const long = "k".repeat(700);
    await run(tooMany.executor, "CREATE TABLE w (id VARCHAR(800) PRIMARY KEY, v VARCHAR(800), KEY by_v (v))");
    assert.equal(errorOf(await runOne(tooMany.executor, `INSERT INTO w VALUES ('${long}', '${long}')`)).reason, "value_too_long");
    assert.equal(tooMany.engine.entries.size, 2);
  });
});
