import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Answers, completeAnswers, composeContract, parseAnswers, questions } from "./interview.ts";
import { parseContract } from "./parse.ts";
import { findUnserved } from "./serve-check.ts";

test("every combination of answers makes a contract that is valid and served", () => {
  const choice = (id: string) => fc.constantFrom(
    ...(questions.find((one) => one.id === id)?.choices ?? []).map((one) => one.value),
  );
  const some = fc.record({
    workload: choice("workload"),
    "workload.scale": fc.integer({ min: 1, max: 10_000_000 }),
    "sharding.locality": choice("sharding.locality"),
    "caching.row_cache": choice("caching.row_cache"),
    "workload.clients": fc.integer({ min: 1, max: 10_000 }),
    "workload.loop": choice("workload.loop"),
    "targets.memory_mib_max": fc.integer({ min: 64, max: 100_000 }),
  }, { requiredKeys: [] });
  fc.assert(fc.property(some, (answers) => {
    const result = parseContract(composeContract(answers as Answers), "contract.yaml");
    assert.ok(result.ok);
    assert.deepEqual(findUnserved(result.contract), []);
    if (answers["workload.scale"] !== undefined) {
      assert.equal(result.contract.workload.scale, answers["workload.scale"]);
    }
  }), { numRuns: 50 });
});

test("proposals follow from the answers before, and each has a reason", () => {
  const tao = completeAnswers({});
  assert.equal(tao.answers["consistency.transactions"], "one_shot");
  assert.equal(tao.answers["sharding.locality"], "by_key_prefix");
  const ycsb = completeAnswers({ workload: "ycsb/c" });
  assert.equal(ycsb.answers.name, "ycsb-c");
  assert.equal(ycsb.answers["consistency.transactions"], "single_statement");
  const small = completeAnswers({ "workload.scale": 10 });
  assert.ok(Number(small.answers["targets.memory_mib_max"]) < Number(tao.answers["targets.memory_mib_max"]));
  for (const reason of Object.values(tao.reasons)) assert.ok(reason.length > 10);
  assert.equal("workload.operations_per_second" in tao.answers, false);
  assert.equal("workload.operations_per_second" in completeAnswers({ "workload.loop": "open" }).answers, true);
});

test("keys and values are served over HTTP", () => {
  assert.match(composeContract({ workload: "key_value/sndv" }), /protocols:\n? *(?:\[ http \]|- http)/);
});

test("the file explains itself: topics as headings, reasons beside the answers", () => {
  const text = composeContract({});
  for (const heading of ["1. Data model and key encoding", "8. Failure model and recovery"]) {
    assert.ok(text.includes(`# ${heading}`));
  }
  assert.match(text, /# the workload sends its transactions as one packet\n {2}transactions: one_shot/);
  assert.match(text, /value_max: 9223372036854775807/);
});

test("wrong answers are named all at once", () => {
  const wrong = { workload: "taobench/z", "workload.scale": 0.5, nme: "x", "workload.clients": "8" };
  assert.throws(() => composeContract(wrong), (error: Error & { code: string }) => {
    assert.equal(error.code, "INVALID_ARGUMENT");
    const lines = error.message.split("\n");
    assert.match(lines[0], /^nme is no question; did you mean name\?$/);
    assert.match(lines[1], /^workload: expected taobench\/o or /);
    assert.match(lines[2], /^workload.scale: expected a whole number from 1 /);
    assert.match(lines[3], /^workload.clients: expected a whole number from 1 to 10000, found "8"$/);
    return true;
  });
  assert.throws(
    () => parseAnswers("- a\n", "answers.yaml"),
    { code: "INVALID_ARGUMENT", message: /^answers.yaml:1:1: expected a mapping/ },
  );
  assert.deepEqual(
    parseAnswers("workload: ycsb/c\nworkload.clients: 4\n", "answers.yaml"),
    { workload: "ycsb/c", "workload.clients": 4 },
  );
});
