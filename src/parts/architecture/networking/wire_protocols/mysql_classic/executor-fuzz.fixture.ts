/**
 * The protocol's fuzzer in front of the real executor: statements of a grammar on a catalog in memory, transactions that
 * stay open among them.
 */
import {
  createStepRunner,
} from "../../../../concurrency/transaction/model/one_shot_command/run-steps.ts";
import {
  createTransactions,
} from "../../../../concurrency/transaction/model/single_node_acid/transactions.ts";
import { drawText } from "../../../../parser/implementation/recursive_descent/statement-grammar.fixture.ts";
import { openInMemory } from "../../../../query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
import type { MapEngine } from "../../../../storage/map-engine.fixture.ts";
import type { Executor } from "../../../../query_processing/executor.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import type { FuzzTarget } from "./protocol-fuzzer.fixture.ts";

const fixedTexts = [
  // The neighbour's: what it answers must not depend on what others write.
  "SELECT SCHEMA_NAME FROM information_schema.schemata",
  "CREATE TABLE IF NOT EXISTS items (id BIGINT PRIMARY KEY, a BIGINT, name VARCHAR(20))",
  "INSERT INTO items (id, a, name) VALUES (?, ?, ?)", "SELECT * FROM items WHERE id = ?", "SELECT * FROM items",
  "UPDATE items SET a = ? WHERE id = ?", "DELETE FROM items WHERE id = ?", "SELECT name FROM items WHERE id > ?",
  "INSERT INTO items VALUES (1, 2, 'x'), (2, 3, 'y')",
  "START TRANSACTION; INSERT INTO items VALUES (5, 6, 'z'); SELECT * FROM items WHERE id = 5; COMMIT",
];

/** What opens transactions, goes on in them, and ends them or not; more than once, so that they come together. */
const transactionTexts = [
  "BEGIN", "BEGIN", "START TRANSACTION READ ONLY", "START TRANSACTION WITH CONSISTENT SNAPSHOT", "SET autocommit = 0",
  "SET autocommit = 1", "COMMIT", "ROLLBACK", "COMMIT AND CHAIN", "SAVEPOINT s", "SAVEPOINT `S`", "ROLLBACK TO s",
  "ROLLBACK TO SAVEPOINT t", "RELEASE SAVEPOINT s", "LOCK TABLES items READ", "LOCK TABLES items WRITE", "UNLOCK TABLES",
  "UPDATE items SET a = a + 1 WHERE id = 1", "SELECT * FROM items WHERE id = 1 FOR UPDATE",
  "BEGIN; INSERT INTO items VALUES (7, 7, 'open')", "BEGIN; UPDATE items SET a = 0; SAVEPOINT s; DELETE FROM items",
  "SELECT COUNT(*) FROM items; SAVEPOINT s; UPDATE items SET name = 'x'; ROLLBACK TO s; COMMIT",
  "BEGIN; SELECT * FROM items; TRUNCATE TABLE items; COMMIT", "BEGIN; DROP TABLE IF EXISTS items",
  "CREATE TABLE IF NOT EXISTS numbered (id BIGINT PRIMARY KEY AUTO_INCREMENT, a BIGINT)",
  "BEGIN; INSERT INTO numbered (a) VALUES (1), (2); SELECT LAST_INSERT_ID()",
];

const engines = new WeakMap<Executor, MapEngine>();

export const executorTarget: FuzzTarget = {
  createExecutor() {
    const { executor, engine } = openInMemory({
      limits: { resultRowsMax: 500, statementsMax: 200 },
      transactions: ({ env, engine: store, catalog }) => {
        const steps = createStepRunner({ catalog, layout: rowToKv });
        const limits = { openMax: 4, readRowsMax: 200, writeBytesMax: 20_000 };
        return createTransactions({ env, engine: store, catalog, steps, limits });
      },
    });
    engines.set(executor, engine);
    return executor;
  },
  held(executor) {
    const engine = engines.get(executor);
    return engine === undefined ? [] : [engine.openSnapshots, engine.openCursors];
  },
  texts: (choice) => [
    ...fixedTexts, ...transactionTexts, ...Array.from({ length: 60 }, () => drawText(choice).slice(0, 8000)),
  ],
};
