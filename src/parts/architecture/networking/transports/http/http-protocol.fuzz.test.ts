/** A few seeds of the HTTP fuzzer; `node scripts/fuzz.ts --protocol http` runs more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyHttpCounts, fuzzHttp } from "./http-fuzzer.fixture.ts";

test("conversations of a grammar, bent and cut, are read as the reference reads them", async () => {
  const counts = emptyHttpCounts();
  const first = Number(process.env.LATHE_TEST_SEED ?? 1);
  for (let seed = first; seed < first + Number(process.env.LATHE_TEST_RUNS ?? 60); seed++) await fuzzHttp(seed, counts);
  // The inputs reached something: requests with bodies, and refusals.
  assert.ok(counts.bodies > counts.inputs / 20 && counts.refused > counts.inputs / 10, JSON.stringify(counts));
  assert.ok(counts.requests > counts.inputs / 2, JSON.stringify(counts));
});
