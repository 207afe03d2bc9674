import assert from "node:assert/strict";
import { test } from "node:test";
import { loadNeeds } from "../infer/needs-catalog.ts";
import { parseContract } from "../parse.ts";
import { RuleReader } from "./rule-reader.ts";
import { composeFromText } from "./text-contract.ts";

const reader = new RuleReader();
const factsOf = (text: string) => Object.fromEntries(reader.read(text).facts.map(({ name, value }) => [name, value]));

test("numbers with units, in the unit of the fact", () => {
  assert.deepEqual(factsOf("10k writes/s, 1,500 reads per second, 4 GB RAM, three nodes"), {
    writes_per_second: 10_000, reads_per_second: 1500, memory_mib: 4096, nodes: 3,
  });
  assert.deepEqual(factsOf("2 million customers with p99 below 2 ms and 99.5 % reads, 64 clients"), {
    rows: 2_000_000, p99_us: 2000, read_percent: 99.5, clients: 64,
  });
  assert.deepEqual(factsOf("may lose the last 2 seconds"), { durability: "interval", loss_window_ms: 2000 });
});

test("a denied phrase gives its opposite or nothing, also within a list, and not beyond the clause", () => {
  const reading = reader.read("no transactions, and without joins, triggers or views. MySQL with subqueries");
  const facts = reading.facts.map(({ name, value }) => `${name} ${value}`);
  assert.deepEqual(facts, ["transactions single_statement", "protocol mysql", "need subquery"]);
  assert.deepEqual(reading.unused.map(({ words }) => words), ["without joins", "without triggers", "without views"]);
});

test("the longer phrase counts, then the more confident one, which is told", () => {
  assert.equal(factsOf("one-shot transactions")["transactions"], "one_shot");
  const { facts, unused } = reader.read("a bank without any transactions");
  assert.equal(facts.find(({ name }) => name === "transactions")?.value, "single_statement");
  assert.match(unused[0].because, /without transactions says|with more confidence/);
});

test("words that nothing was made of are told, fillers are not", () => {
  assert.deepEqual(
    reader.read("A session store for the frobnicator, please: 5 quux").notUnderstood, ["frobnicator", "5", "quux"]
  );
});

test("texts become contracts; what does not go together says so", () => {
  const text = "session store with 30 minute expiry, 10k writes/s, must survive restarts, 4 GB RAM";
  const result = parseContract(composeFromText(reader.read(text), "x"), "x");
  assert.ok(result.ok);
  const { surface, storage, targets, needs, workload } = result.contract;
  assert.deepEqual(surface.protocols, ["http"]);
  assert.equal(storage.durability, "every_commit");
  assert.deepEqual([targets.throughputMin, targets.memoryMiBMax], [10_000, 4096]);
  assert.deepEqual(needs?.map(({ feature }) => feature), ["storage/ttl"]);
  assert.equal(`${workload.benchmark}/${workload.profile}`, "key_value/a");
  const four = parseContract(composeFromText(reader.read("four nodes"), "x"), "x");
  assert.ok(!four.ok && /4 nodes survive no more failures than 3/.test(four.problems[0].message));
});

test("every need that a rule names is in the catalog; hostile text ends", () => {
  const { statements, schema } = loadNeeds();
  assert.ok(reader.needs.length > 20);
  assert.deepEqual(reader.needs.filter((need) => !statements.has(need) && !schema.has(need)), []);
  for (const piece of ["1,", "one ", "no ", "lose ", "\u0000", "🙂", "((", "$"]) {
    const reading = reader.read(piece.repeat(10_000).slice(0, 60_000));
    assert.ok(Array.isArray(reading.facts));
  }
  assert.throws(() => reader.read("x".repeat(70_000)), /at most 65536 are read/);
});
