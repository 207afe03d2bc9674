import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadModel } from "../../model/load-model.ts";
import { readSources } from "../../traces/read-sources.ts";
import { parseContract } from "../parse.ts";
import { inferContract } from "./infer-contract.ts";
import { loadNeeds } from "./needs-catalog.ts";

const golden = (name: string) => join(import.meta.dirname, "..", "..", "traces", "golden", name);

test("a dump and a log make a contract that says what each value rests on", async () => {
  const observation = await readSources([golden("mariadb-dump.sql"), golden("mariadb-general.log")]);
  const { text, guesses, needs } = inferContract(observation, "shop");
  const result = parseContract(text, "inferred");
  assert.ok(result.ok, result.ok ? "" : JSON.stringify(result.problems));
  const { contract } = result;
  const { operations = [] } = contract.workload;
  const targets = operations.map(({ name, weight, table, key, range, rows }) => [name, weight, table, key, range, rows]);
  const none = undefined;
  assert.deepEqual(targets, [
    ["READ", 406, "customers", none, none, none], ["UPDATE", 76, "customers", none, none, none],
    ["SCAN", 36, "orders", ["customer_id"], "number", 10], ["WRITETRANSACTION", 31, none, none, none, none],
    ["SCAN", 22, "customers", none, none, none], ["INSERT", 18, "sessions", none, none, none],
    ["DELETE", 11, "sessions", none, none, none], ["INSERT", 1, "customers", none, none, 200],
  ]);
  const steps = operations.flatMap((one) => one.steps ?? []).map(({ operation, table }) => `${operation} ${table}`);
  assert.deepEqual(steps, ["READ customers", "UPDATE customers", "INSERT orders"]);
  // The customer that was read is the one that is updated and whose order is inserted.
  const shares = operations.flatMap((one) => one.steps ?? []).map((step) => step.shares);
  assert.deepEqual(shares, [
    undefined, [{ column: "id", step: 1 }], [{ column: "customer_id", step: 1, of: "id" }],
  ]);
  const skews = operations.flatMap(({ skew }) => skew ?? []);
  assert.ok(skews.length === 4 && skews.every((skew) => Math.abs(skew - 0.99) < 0.1), String(skews));
  assert.ok(contract.workload.interactive && contract.version === 2);
  assert.equal(contract.consistency.transactions, "interactive");
  assert.deepEqual(contract.surface.protocols, ["mysql"]);
  assert.equal(contract.data.tables.find(({ name }) => name === "orders")?.primaryKey.join(), "customer_id,number");
  assert.match(text, /primary_key: \[id\]  # declared in mariadb-dump\.sql:\d+/);
  assert.match(text, /READ, weight: 406, .* # 68 %: 406 select customers/);
  assert.ok(guesses.some(({ path }) => path === "storage.durability"));
  // Every guess is marked in the text, too.
  assert.equal(text.match(/# guess: /g)?.length, guesses.length);
  const joined = needs.find(({ feature }) => feature === "query_processing/joins/nested_loop");
  assert.equal(joined?.statements, 22);
  assert.ok(needs.some(({ feature, statements }) => feature === "storage/ttl" && statements === 11));
});

test("every need names a leaf of the model", () => {
  const model = loadModel();
  const { statements, schema } = loadNeeds();
  const needs = [...statements.values(), ...schema.values()];
  assert.ok(needs.length > 70);
  assert.deepEqual(needs.filter(({ feature }) => model.find(feature)?.kind !== "leaf"), []);
});
