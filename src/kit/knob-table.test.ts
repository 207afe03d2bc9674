import assert from "node:assert/strict";
import { test } from "node:test";
import { type KnobDefinition, knobProblems, resolveKnobs } from "./knob-table.ts";

const table: KnobDefinition[] = [
  {
    name: "lsm.memtable_bytes",
    type: "integer",
    default: 16,
    min: 1,
    max: 64,
    constraints: ["lsm.memtable_bytes <= lsm.memory_bytes / 2"],
  },
  { name: "lsm.memory_bytes", type: "integer", default: 64, min: 1, max: 128, constraints: [] },
  { name: "lsm.read_mode", type: "choice", default: "sync", choices: ["sync", "pool"], constraints: [] },
  { name: "lsm.checks", type: "boolean", default: true, constraints: ["lsm.memtable_bytes < other.part_bytes"] },
];

test("defaults are overlaid", () => {
  assert.deepEqual(resolveKnobs(table, { "lsm.memtable_bytes": 8 }), {
    "lsm.memtable_bytes": 8, "lsm.memory_bytes": 64, "lsm.read_mode": "sync", "lsm.checks": true,
  });
});

test("everything wrong is said at once, with a suggestion", () => {
  const wrong = { "lsm.memtable_byte": 8, "lsm.memory_bytes": 1.5, "lsm.read_mode": "pol", "lsm.checks": 1 };
  assert.deepEqual(knobProblems(table, wrong), [
    "lsm.memtable_byte is not a knob of this product; did you mean lsm.memtable_bytes?",
    "lsm.memory_bytes: expected a whole number, found 1.5",
    'lsm.read_mode: expected one of sync, pool, found "pol"; did you mean pool?',
    "lsm.checks: expected true or false, found 1",
  ]);
  assert.throws(() => resolveKnobs(table, wrong), { code: "INVALID_ARGUMENT" });
});

test("values out of range are refused, never clamped", () => {
  assert.deepEqual(
    knobProblems(table, { "lsm.memtable_bytes": 65 }),
    ["lsm.memtable_bytes: expected at most 64, found 65"],
  );
  assert.deepEqual(
    knobProblems(table, { "lsm.memtable_bytes": 0 }),
    ["lsm.memtable_bytes: expected at least 1, found 0"],
  );
  assert.deepEqual(knobProblems(table, { "lsm.memtable_bytes": Number.NaN }).length, 1);
});

test("constraints bind the whole assignment, and only where their knobs are there", () => {
  assert.deepEqual(knobProblems(table, { "lsm.memtable_bytes": 33 }), [
    "the constraint lsm.memtable_bytes <= lsm.memory_bytes / 2 of lsm.memtable_bytes does not hold " +
      "(lsm.memtable_bytes is 33, lsm.memory_bytes is 64)",
  ]);
  assert.deepEqual(knobProblems(table, { "lsm.memtable_bytes": 33, "lsm.memory_bytes": 128 }), []);
});
