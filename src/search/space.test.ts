import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import type { Knob } from "../knobs/knob.ts";
import { baselineCandidate, createCandidate, differingKnobs } from "./candidate.ts";
import { ladderOf } from "./ladder.ts";
import { createRandomStream } from "./random-stream.ts";
import {
  createSpace,
  limitMemory,
  movesFrom,
  pointCount,
  points,
  problemsOf,
  sample,
  valuesAt,
} from "./space.ts";

function knob(name: string, rest: Partial<Knob>): Knob {
  return {
    name,
    type: "integer",
    leaf: "storage",
    description: name,
    default: 0,
    impact: "high",
    risk: "none",
    effect: "restart",
    constraints: [],
    ...rest,
  };
}

const mebibyte = 1 << 20;
const table: Knob[] = [
  knob("lsm.block_cache_bytes", {
    min: mebibyte,
    max: 1024 * mebibyte,
    scale: "log2",
    default: 64 * mebibyte,
  }),
  knob("lsm.memtable_bytes", {
    min: mebibyte,
    max: 256 * mebibyte,
    scale: "log2",
    default: 8 * mebibyte,
    constraints: ["lsm.memtable_bytes + lsm.block_cache_bytes <= lsm.memory_bytes"],
  }),
  knob("lsm.memory_bytes", {
    min: mebibyte,
    max: 4096 * mebibyte,
    default: 512 * mebibyte,
    impact: "low",
  }),
  knob("lsm.compression", { type: "choice", choices: ["none", "lz4"], default: "none" }),
  knob("lsm.ratio", { type: "number", min: 0, max: 1, default: 0.3 }),
  knob("wal.sync", { type: "boolean", default: true, risk: "durability" }),
];

test("the default space has the knobs of high impact and none that weakens durability", () => {
  const names = createSpace(table).knobs.map(({ name }) => name);
  assert.deepEqual(names, [
    "lsm.block_cache_bytes",
    "lsm.memtable_bytes",
    "lsm.compression",
    "lsm.ratio",
  ]);
  assert.throws(() => createSpace(table, { names: ["wal.sync"] }), /weakens durability/);
  const allowed = createSpace(table, { names: ["wal.sync"], riskyAllowed: ["wal.sync"] });
  assert.deepEqual(
    allowed.knobs.map(({ name }) => name),
    ["wal.sync"],
  );
  assert.throws(
    () => createSpace(table, { names: ["lsm.memtable_byte"] }),
    /did you mean lsm\.memtable_bytes\?/,
  );
  assert.throws(() => createSpace(table, { impacts: ["medium"] }), /empty/);
});

test("a product without knobs of high impact varies those of the next, never what weakens durability", () => {
  const low = knob("low", { impact: "low", min: 0, max: 9 });
  const medium = knob("medium", { impact: "medium", min: 0, max: 9 });
  const sync = knob("sync", { type: "boolean", default: true, risk: "durability" });
  const namesOf = (knobs: Knob[]) => createSpace(knobs).knobs.map(({ name }) => name);
  assert.deepEqual(namesOf([low, medium, sync]), ["medium"]);
  assert.deepEqual(namesOf([low]), ["low"]);
  assert.throws(() => namesOf([knob("fixed", { min: 1, max: 1, default: 1 })]), /empty/);
});

test("ladders are ordered, in range, without repeats, and hold the default", () => {
  for (const one of table) {
    const ladder = ladderOf(one);
    assert.equal(new Set(ladder).size, ladder.length);
    assert.ok(ladder.includes(one.default));
    if (one.type !== "integer" && one.type !== "number") continue;
    const numbers = ladder as number[];
    assert.deepEqual(
      [...numbers].sort((a, b) => a - b),
      numbers,
    );
    assert.ok(numbers[0] === one.min && numbers[numbers.length - 1] === one.max);
  }
  assert.deepEqual(ladderOf(knob("a.b", { min: 0, max: 9, scale: "log2" })), [0, 1, 2, 4, 8, 9]);
  assert.throws(() => ladderOf(knob("a.b", {})), /bounds/);
});

test("samples and moves satisfy ranges and constraints, also over knobs outside of the space", () => {
  const space = createSpace(table);
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const candidate = sample(space, createRandomStream(seed, "sample"));
      assert.ok(candidate !== undefined);
      assert.deepEqual(problemsOf(space, candidate), []);
      for (const move of movesFrom(space, candidate)) {
        assert.deepEqual(problemsOf(space, move.candidate), []);
        assert.deepEqual(differingKnobs(move.candidate, candidate), [move.knob.name]);
      }
      const values = valuesAt(space, candidate);
      const used =
        (values["lsm.memtable_bytes"] as number) + (values["lsm.block_cache_bytes"] as number);
      assert.ok(used <= 512 * mebibyte);
    }),
    { numRuns: 60 },
  );
});

test("a broken constraint and a knob that may not vary are named", () => {
  const space = createSpace(table);
  const huge = createCandidate({ "lsm.block_cache_bytes": 1024 * mebibyte }, table);
  assert.match(problemsOf(space, huge)[0], /does not hold/);
  const outside = createCandidate({ "lsm.memory_bytes": mebibyte }, table);
  assert.match(problemsOf(space, outside)[0], /may not vary/);
});

test("knobs that count memory end at half of what the contract grants, defaults stay", () => {
  const marked = table.map((one): Knob => ({ ...one, unit: "bytes", risk: "memory" }));
  const space = createSpace(marked.slice(0, 2));
  const maxima = limitMemory(space, 32 * mebibyte).knobs.map(({ max }) => max);
  assert.deepEqual(maxima, [64 * mebibyte, 16 * mebibyte]);
  assert.deepEqual(limitMemory(createSpace(table), mebibyte), createSpace(table));
});

test("every knob of the catalog can be searched, and the default space has few", () => {
  const catalog = loadKnobCatalog();
  for (const one of catalog) assert.ok(ladderOf(one).includes(one.default), one.name);
  const { knobs } = limitMemory(createSpace(catalog), 256 * mebibyte);
  assert.ok(knobs.length >= 4 && knobs.length <= 8, knobs.map(({ name }) => name).join(", "));
});

test("the id of a candidate depends on what it changes, not on how it is written", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...table.map(({ name }) => name)), fc.integer()),
      (values) => {
        const reversed = Object.fromEntries(Object.entries(values).reverse());
        assert.deepEqual(createCandidate(values, table), createCandidate(reversed, table));
      },
    ),
  );
  const defaults = Object.fromEntries(table.map((one) => [one.name, one.default]));
  assert.deepEqual(createCandidate(defaults, table), baselineCandidate());
  assert.notEqual(createCandidate({ a: 1 }, []).id, createCandidate({ a: "1" }, []).id);
});

test("points walks every point once", () => {
  const space = createSpace(table, { names: ["lsm.memtable_bytes", "lsm.compression"] });
  const ids = [...points(space)].map(({ id }) => id);
  assert.equal(new Set(ids).size, pointCount(space));
});

test("labels give streams of their own", () => {
  assert.notEqual(createRandomStream(1, "a").next(), createRandomStream(1, "b").next());
  assert.equal(createRandomStream(1, "a").next(), createRandomStream(1, "a").next());
});
