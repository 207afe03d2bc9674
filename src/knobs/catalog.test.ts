import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { knobValuesOf, parseKnobFile } from "../kit/knob-file.ts";
import { knobProblems, valueProblem } from "../kit/knob-table.ts";
import { clampKnob, diffKnobs, formatKnobFile } from "./assignment.ts";
import { loadKnobCatalog, parseKnobCatalog } from "./catalog.ts";
import { formatProblem } from "./yaml-document.ts";

const catalog = loadKnobCatalog();

test("the shipped catalog loads, and its defaults are a valid assignment", () => {
  assert.ok(catalog.length >= 15);
  assert.deepEqual(knobProblems(catalog, {}), []);
  const high = catalog.filter((knob) => knob.impact === "high");
  assert.ok(high.length >= 4 && high.length <= 6, `the default space has 4 to 6 knobs, found ${high.map((knob) => knob.name)}`);
});

test("golden: a wrong catalog is described line by line", () => {
  const text = `- name: lsm.a_bytes
  type: integer
  leaf: core/wal
  description: A.
  default: 5
  min: 10
  max: 4
  scale: log
  impact: high
  risk: none
  effect: restart
- name: lsm.b
  type: choice
  leaf: core/wal
  descripton: B.
  default: c
  choices: [d, e]
  impact: high
  risk: none
  effect: restart
`;
  const messages = (source: string) => {
    const read = parseKnobCatalog(source, "lsm.yaml");
    return read.ok ? [] : read.problems.map(formatProblem);
  };
  assert.deepEqual(messages(text), [
    'lsm.yaml:8:10: [0].scale: expected linear or log2, found "log"; did you mean log2?',
    "lsm.yaml:12:3: [1].description: missing; expected a text",
    "lsm.yaml:15:3: [1].descripton: unknown key; did you mean description?",
  ]);
  const shaped = text.replace("scale: log", "scale: log2").replace("descripton", "description")
    .replace("choices: [d, e]", "choices: [d, e]\n  min: 1\n  constraints: [lsm.b <]");
  assert.deepEqual(messages(shaped), [
    "lsm.yaml:5:12: lsm.a_bytes.default: expected at least 10, found 5",
    "lsm.yaml:6:8: lsm.a_bytes.min: expected less than max 4, found 10",
    'lsm.yaml:16:12: lsm.b.default: expected one of d, e, found "c"; did you mean d?',
    "lsm.yaml:18:8: lsm.b.min: a knob of type choice has none; remove it",
    'lsm.yaml:19:16: lsm.b.constraints: constraint "lsm.b <": expected a number, a knob\'s name or ( at column 8',
  ]);
});

test("names are unique over all files; constraints mention known knobs and hold for the defaults", () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-knobs-"));
  try {
    const knob = (name: string, constraint: string) => `- { name: ${name}, type: integer, leaf: core/wal, description: x,
    default: 4, min: 1, max: 9, scale: linear, impact: low, risk: none, effect: restart, constraints: [${constraint}] }\n`;
    writeFileSync(join(directory, "one.yaml"), knob("a.a", ""));
    writeFileSync(join(directory, "two.yaml"), knob("a.a", ""));
    assert.throws(() => loadKnobCatalog(directory), { code: "INVALID_ARGUMENT", message: /a.a is defined 2 times/ });
    writeFileSync(join(directory, "two.yaml"), knob("a.b", '"a.b < a.a"') + knob("a.c", '"a.c < z.z"'));
    assert.throws(() => loadKnobCatalog(directory), {
      message: "a.b: the constraint a.b < a.a does not hold for the defaults\n" +
        "a.c: the constraint a.c < z.z mentions unknown knobs z.z",
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a knob file reads back as what was written, with documentation for each knob", () => {
  const assignment = fc.record(Object.fromEntries(catalog.map((knob) => [knob.name, valueOf(knob)])));
  fc.assert(fc.property(assignment, (values) => {
    const text = formatKnobFile(catalog, values, ["head"]);
    const read = knobValuesOf(parseKnobFile(text, "knobs.yaml"));
    assert.deepEqual(Object.keys(read), catalog.map((knob) => knob.name));
    assert.deepEqual(diffKnobs(catalog, values, read), []);
    for (const line of text.split("\n")) assert.ok(line.length <= 160);
  }), { numRuns: 30 });
});

test("clamping gives a value that is valid, and keeps those that are", () => {
  const any = fc.oneof(fc.double(), fc.boolean(), fc.string(), fc.integer());
  fc.assert(fc.property(fc.constantFrom(...catalog), any, (knob, value) => {
    const clamped = clampKnob(knob, value);
    assert.equal(valueProblem(knob, clamped), undefined, `${knob.name} ${String(value)}`);
    if (valueProblem(knob, value) === undefined) assert.equal(clamped, value);
  }));
});

function valueOf(knob: (typeof catalog)[number]): fc.Arbitrary<number | string | boolean> {
  if (knob.type === "boolean") return fc.boolean();
  if (knob.type === "choice") return fc.constantFrom(...(knob.choices ?? []));
  const { min = 0, max = 0 } = knob;
  return knob.type === "integer" ? fc.integer({ min, max: Math.min(max, 2 ** 31 - 1) }) : fc.double({ min, max, noNaN: true });
}
