import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { candidateGates, productGates } from "./gate-table.ts";

test("names are unique, stages are right", () => {
  const gates = [...productGates(), ...candidateGates()];
  assert.equal(new Set(gates.map(({ name }) => name)).size, gates.length);
  assert.ok(productGates().every(({ stage }) => stage === "product"));
  assert.ok(candidateGates().every(({ stage }) => stage === "candidate"));
});

test("the architecture's table of gates has these gates in this order", () => {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "ARCHITECTURE.md"), "utf8");
  const found = text.matchAll(/^\| `([a-z0-9-]+)` \| (product|candidate) \|/gm);
  const rows = [...found].map(([, name, stage]) => [name, stage]);
  const expected = [...productGates(), ...candidateGates()].map(({ name, stage }) => [name, stage]);
  assert.deepEqual(rows, expected);
});
