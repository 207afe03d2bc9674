/** The protocol's fuzzer in front of the real executor: statements of a grammar on a catalog in memory. */
import { drawText } from "../../../../parser/implementation/recursive_descent/statement-grammar.fixture.ts";
import { openInMemory } from "../../../../query_processing/execution/model/point_api/in-memory-doors.fixture.ts";
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

export const executorTarget: FuzzTarget = {
  createExecutor: () => openInMemory({ limits: { resultRowsMax: 500, statementsMax: 200 } }).executor,
  texts: (choice) => [...fixedTexts, ...Array.from({ length: 60 }, () => drawText(choice).slice(0, 8000))],
};
