import assert from "node:assert/strict";
import { test } from "node:test";
import { runSimulation } from "./simulated-study.ts";

test("a candidate that is 10 % faster is found, confirmed and re-measured", async () => {
  const { conclusion, journal } = await runSimulation({ seed: 1, effects: { "toy.mode": { fast: 0.1 } } });
  console.log(conclusion, [...journal.entries()].map((e) => e.kind + " " + ("reason" in e ? e.reason : "")).join("\n"));
  assert.equal(conclusion.outcome, "gain");
});
