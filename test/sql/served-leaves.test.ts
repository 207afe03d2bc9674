/**
 * What the parts of SQL serve is what they declare, no less and no more: for each leaf that a statement can ask for, a
 * statement that needs it. Served and undeclared, or declared and refused, is a mistake of a `part.yaml`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadPartDescriptors } from "../../src/foundry/part-descriptor.ts";
import { loadModel } from "../../src/model/load-model.ts";
import { RecordingSink } from "../../src/parts/query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import { openWithTransactions } from "./open-transactions.fixture.ts";

const syntax = (path: string) => `parser/syntax/${path}`;

/** Leaf and statement; the table is `t (id, a, v)` with two rows and an index. */
const probes: readonly (readonly [string, string])[] = [
  [syntax("ddl/create_table"), "CREATE TABLE u (id INT PRIMARY KEY)"],
  [syntax("ddl/create_index"), "CREATE INDEX by_v ON t (v)"],
  [syntax("ddl/create_view"), "CREATE VIEW w AS SELECT id FROM t"],
  [syntax("ddl/create_trigger"), "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1"],
  [syntax("ddl/alter_table"), "ALTER TABLE t ADD COLUMN b INT"],
  [syntax("ddl/create_routine"), "CREATE PROCEDURE p() SELECT 1"],
  [syntax("ddl/create_event"), "CREATE EVENT e ON SCHEDULE EVERY 1 HOUR DO SELECT 1"],
  [syntax("ddl/create_sequence"), "CREATE SEQUENCE s"],
  [syntax("ddl/create_or_replace"), "CREATE OR REPLACE TABLE u (id INT PRIMARY KEY)"],
  [syntax("ddl/create_database"), "CREATE DATABASE d"],
  [syntax("ddl/access_control"), "CREATE USER x IDENTIFIED BY 'y'"],
  [syntax("dml/siud"), "UPDATE t SET a = 2 WHERE id = 1"],
  [syntax("dml/replace"), "REPLACE INTO t VALUES (1, 1, 'x')"],
  [syntax("dml/insert_or_ignore"), "INSERT IGNORE INTO t VALUES (1, 1, 'x')"],
  [syntax("dml/on_duplicate_key"), "INSERT INTO t VALUES (1, 1, 'x') ON DUPLICATE KEY UPDATE a = 5"],
  [syntax("dml/on_conflict"), "INSERT INTO t VALUES (1, 1, 'x') ON CONFLICT (id) DO NOTHING"],
  [syntax("dml/returning"), "INSERT INTO t VALUES (7, 1, 'x') RETURNING id"],
  [syntax("dml/merge"), "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE"],
  [syntax("dml/truncate"), "TRUNCATE TABLE t"],
  [syntax("dml/load_data"), "LOAD DATA INFILE 'x' INTO TABLE t"],
  [syntax("dml/copy"), "COPY t TO 'x'"],
  [syntax("dml/select_clauses/for_update"), "SELECT * FROM t WHERE id = 1 FOR UPDATE"],
  [syntax("dml/select_clauses/for_share"), "SELECT * FROM t WHERE id = 1 FOR SHARE"],
  [syntax("dml/select_clauses/for_system_time"), "SELECT * FROM t FOR SYSTEM_TIME ALL"],
  [syntax("query_features/subqueries"), "SELECT * FROM t WHERE id IN (SELECT 1)"],
  [syntax("query_features/cte"), "WITH x AS (SELECT 1) SELECT * FROM x"],
  [syntax("query_features/window_functions"), "SELECT COUNT(*) OVER () FROM t"],
  [syntax("query_features/compound_select"), "SELECT id FROM t UNION SELECT a FROM t"],
  [syntax("query_features/generated_columns"), "CREATE TABLE u (id INT PRIMARY KEY, b INT AS (id + 1))"],
  [syntax("query_features/explain"), "EXPLAIN SELECT * FROM t"],
  [syntax("query_features/hints"), "SELECT * FROM t USE INDEX (by_a) WHERE a = 1"],
  [syntax("query_features/grouping_sets"), "SELECT a, COUNT(*) FROM t GROUP BY a WITH ROLLUP"],
  [syntax("query_features/join_clauses"), "SELECT t.id FROM t JOIN t AS u ON t.id = u.a"],
  [syntax("query_features/values_clause"), "VALUES ROW(1)"],
  [syntax("constraints/primary_key"), "CREATE TABLE u (id INT, PRIMARY KEY (id))"],
  [syntax("constraints/not_null"), "CREATE TABLE u (id INT PRIMARY KEY, b INT NOT NULL)"],
  [syntax("constraints/unique"), "CREATE TABLE u (id INT PRIMARY KEY, b INT, UNIQUE (b))"],
  [syntax("constraints/check"), "CREATE TABLE u (id INT PRIMARY KEY, CHECK (id > 0))"],
  [syntax("constraints/foreign_keys"), "CREATE TABLE u (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES t (id))"],
  [syntax("expression/arithmetic_operators"), "UPDATE t SET a = a + 1 WHERE id = 1"],
  [syntax("expression/comparison_operators"), "SELECT * FROM t WHERE id BETWEEN 1 AND 2"],
  [syntax("expression/boolean_logic"), "SELECT * FROM t WHERE id = 1 OR id = 2"],
  [syntax("expression/conditional"), "UPDATE t SET a = IF(a = 1, 2, 3) WHERE id = 1"],
  [syntax("expression/pattern_match"), "SELECT * FROM t WHERE id = 1 AND v LIKE 'x%'"],
  [syntax("expression/cast"), "SELECT CAST(a AS CHAR) FROM t"],
  [syntax("functions/aggregate"), "SELECT SUM(a) FROM t"],
  [syntax("functions/date_time"), "UPDATE t SET a = NOW() WHERE id = 1"],
  [syntax("functions/math"), "SELECT ABS(a) FROM t"],
  [syntax("functions/string"), "SELECT UPPER(v) FROM t"],
  [syntax("functions/table_functions"), "SELECT * FROM generate_series(1, 2)"],
  [syntax("partitioning/hash"), "CREATE TABLE u (id INT PRIMARY KEY) PARTITION BY HASH (id)"],
  [syntax("admin/set_show"), "SHOW VARIABLES"],
  [syntax("admin/analyze_table"), "ANALYZE TABLE t"],
  [syntax("admin/pragma"), "PRAGMA user_version"],
  ["architecture/catalog_services/information_schema", "SELECT table_name FROM information_schema.tables"],
  ["architecture/engine_core/multi_statement", "SELECT 1; SELECT 2"],
  ["query_processing/operators/limit", "SELECT * FROM t LIMIT 1"],
  ["query_processing/operators/filter", "SELECT * FROM t WHERE id > 0 AND v = 'x'"],
  ["query_processing/operators/distinct", "SELECT DISTINCT a FROM t"],
  ["query_processing/operators/projection", "SELECT a + 1 FROM t"],
  ["query_processing/operators/totals", "SELECT COUNT(*) FROM t HAVING COUNT(*) > 1"],
  ["query_processing/aggregation/hash", "SELECT a, COUNT(*) FROM t GROUP BY a"],
  ["query_processing/scans/point_get", "SELECT * FROM t WHERE id = 1"],
  ["query_processing/scans/index_range", "SELECT * FROM t WHERE id > 1"],
  ["query_processing/scans/index", "SELECT * FROM t WHERE a = 1"],
  ["query_processing/scans/reverse", "SELECT * FROM t ORDER BY id DESC"],
  ["query_processing/scans/sequential", "SELECT * FROM t WHERE v = 'x'"],
  ["query_processing/sort/in_memory_quick", "SELECT * FROM t ORDER BY v"],
  ["query_processing/joins/nested_loop", "SELECT t.id FROM t, t AS u"],
  ["concurrency/locking/row/record", "SELECT * FROM t WHERE id = 1 FOR UPDATE SKIP LOCKED"],
  ["concurrency/locking/table/metadata", "LOCK TABLES t WRITE"],
  ["concurrency/transaction/features/savepoints", "BEGIN; SAVEPOINT a; ROLLBACK TO a; COMMIT"],
  ["concurrency/transaction/features/two_phase_xa", "XA START 'x'"],
  ["indexing/modifiers/unique", "CREATE UNIQUE INDEX u ON t (a)"],
  ["indexing/modifiers/prefix", "CREATE INDEX p ON t (v(3))"],
  ["indexing/modifiers/descending", "CREATE INDEX d ON t (a DESC)"],
  ["indexing/modifiers/multicolumn", "CREATE INDEX m ON t (a, v)"],
  ["value_types/binary", "CREATE TABLE u (id INT PRIMARY KEY, b VARBINARY(9))"],
  ["value_types/numeric/floating", "CREATE TABLE u (id INT PRIMARY KEY, b DOUBLE)"],
  ["value_types/numeric/exact_decimal/bounded_fixed_point", "CREATE TABLE u (id INT PRIMARY KEY, b DECIMAL(9, 2))"],
  ["value_types/numeric/signedness/signed_and_unsigned", "CREATE TABLE u (id INT PRIMARY KEY, b INT UNSIGNED)"],
  ["value_types/temporal/timestamp_encoding/packed_fields", "CREATE TABLE u (id INT PRIMARY KEY, b DATETIME)"],
  ["value_types/semi_structured/json_text", "CREATE TABLE u (id INT PRIMARY KEY, b JSON)"],
];

const ofSql = [
  "recursive-descent-parser", "point-api-executor", "one-shot-command", "row-to-kv", "kv-encoded-catalog", "kv-secondary",
  "single-node-acid",
];

/** The leaves that an undisturbed statement was answered for. */
async function servedLeaves(): Promise<Set<string>> {
  const served = new Set<string>();
  for (const [leaf, sql] of probes) {
    const session = openWithTransactions().executor.openSession();
    const prepare = "CREATE TABLE t (id INT PRIMARY KEY, a INT, v VARCHAR(20), KEY by_a (a)); INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y')";
    const sink = new RecordingSink();
    await session.query(prepare, sink);
    await session.query(sql, sink);
    const refused = sink.results.some((result) => "error" in result);
    if (!refused) served.add(leaf);
  }
  return served;
}

function mistakes(declared: ReadonlySet<string>, served: ReadonlySet<string>): string[] {
  return probes.flatMap(([leaf, sql]) => {
    if (declared.has(leaf) === served.has(leaf)) return [];
    return [`${leaf} is ${served.has(leaf) ? "served and not declared" : "declared and refused"}: ${sql}`];
  });
}

test("the leaves that statements ask for are declared where they are served, and only there", async () => {
  const model = loadModel();
  assert.deepEqual(probes.filter(([leaf]) => model.find(leaf)?.kind !== "leaf"), []);
  const parts = loadPartDescriptors().filter(({ name }) => ofSql.includes(name));
  assert.equal(parts.length, ofSql.length);
  const declared = new Set(parts.flatMap(({ leaves, offers }) => [...leaves, ...offers]));
  const served = await servedLeaves();
  assert.deepEqual(mistakes(declared, served), []);
  assert.ok(served.size > 25 && served.size < probes.length, `${served.size} of ${probes.length}`);
  // The planted faults: a leaf taken from the declarations, and one put into them.
  const forgotten = new Set([...declared].filter((leaf) => leaf !== syntax("dml/replace")));
  assert.match(mistakes(forgotten, served).join(), /replace is served and not declared/);
  assert.match(mistakes(new Set([...declared, syntax("query_features/cte")]), served).join(), /cte is declared and refused/);
});
