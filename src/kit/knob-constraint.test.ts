import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { holds, parseConstraint } from "./knob-constraint.ts";

test("a constraint compares two sums of products", () => {
  const constraint = parseConstraint("lsm.a_bytes + 2 * lsm.b <= (lsm.c - 1) / 2");
  assert.deepEqual(constraint.knobs, ["lsm.a_bytes", "lsm.b", "lsm.c"]);
  assert.equal(holds(constraint, { "lsm.a_bytes": 1, "lsm.b": 2, "lsm.c": 11 }), true);
  assert.equal(holds(constraint, { "lsm.a_bytes": 1, "lsm.b": 3, "lsm.c": 11 }), false);
  assert.equal(holds(constraint, { "lsm.a_bytes": 1, "lsm.b": 3 }), undefined);
  assert.equal(holds(constraint, { "lsm.a_bytes": 1, "lsm.b": "none", "lsm.c": 11 }), undefined);
});

test("division and subtraction associate to the left", () => {
  assert.equal(holds(parseConstraint("64 / 4 / 2 = 8"), {}), true);
  assert.equal(holds(parseConstraint("10 - 4 - 3 = 3"), {}), true);
});

test("what is no constraint is refused with its column", () => {
  for (const [
    text,
    column,
  ] of [["a.b <", 6], ["a.b", 4], ["a.b < 1 2", 9], ["(a.b < 1", 6], ["< 1", 1], ["a.b <= 1; drop", 9]] as const) {
    assert.throws(
      () => parseConstraint(text),
      { code: "INVALID_ARGUMENT", message: new RegExp(`at column ${column}$`) },
    );
  }
  assert.throws(() => parseConstraint(`${"(".repeat(50)}1${")".repeat(50)} = 1`), { code: "INVALID_ARGUMENT" });
  assert.throws(() => parseConstraint("1 = ".padEnd(1000, "1")), { code: "LIMIT_EXCEEDED" });
});

test("any expression evaluates as JavaScript does", () => {
  type Tree = { text: string; value: number };
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.integer({ min: 0, max: 999 }).map((value) => ({ text: String(value), value })),
      fc.tuple(tie("tree"), fc.constantFrom("+", "-", "*"), tie("tree")).map(([left, sign, right]) => ({
        text: `(${left.text} ${sign} ${right.text})`,
        value: sign === "+" ? left.value + right.value : sign === "-" ? left.value - right.value : left.value * right.value,
      })),
    ),
  }));
  fc.assert(fc.property(tree, ({ text, value }) => {
    fc.pre(text.length < 240);
    assert.equal(holds(parseConstraint(`${text} = knob.value`), { "knob.value": value }), true);
    assert.equal(holds(parseConstraint(`${text} < knob.value`), { "knob.value": value }), false);
  }));
});
