import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { evaluate, type Expression, featuresOf, formatExpression, parseExpression } from "./expression.ts";

const names = ["a", "b/c", "d_1"];

const expressions: fc.Arbitrary<Expression> = fc.letrec<{ one: Expression }>((tie) => ({
  one: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(...names).map((path): Expression => ({ kind: "feature", path })),
    fc.boolean().map((value): Expression => ({ kind: "constant", value })),
    tie("one").map((of): Expression => ({ kind: "not", of })),
    fc
      .tuple(fc.constantFrom("and", "or", "implies", "iff"), tie("one"), tie("one"))
      .map(([kind, left, right]): Expression => ({ kind, left, right })),
  ),
})).one;

test("what is printed parses to the same condition", () => {
  fc.assert(
    fc.property(expressions, (expression) => {
      const text = formatExpression(expression, (path) => `"${path}"`);
      const again = parseExpression(text);
      assert.equal(formatExpression(again, (path) => `"${path}"`), text);
      for (let bits = 0; bits < 8; bits++) {
        const selected = (path: string) => ((bits >> names.indexOf(path)) & 1) === 1;
        assert.equal(evaluate(again, selected), evaluate(expression, selected));
      }
    }),
  );
});

test("precedence is that of UVL", () => {
  assert.equal(formatExpression(parseExpression("!a & b | c => d => e <=> f")), "!a & b | c => d => e <=> f");
  assert.deepEqual(parseExpression("a => b => c"), parseExpression("a => (b => c)"));
  assert.deepEqual(parseExpression("a | b & c"), parseExpression("a | (b & c)"));
  assert.deepEqual(featuresOf(parseExpression("a & (b | a)")), ["a", "b"]);
});

test("a condition that does not parse is told with its column", () => {
  for (const [text, column] of [["a &", 4], ["a b", 3], ["(a", 3], ["a = b", 3], ["!", 2], ["", 1]] as const) {
    assert.throws(() => parseExpression(text), { code: "INVALID_ARGUMENT", details: { column } }, text);
  }
  assert.throws(() => parseExpression("(".repeat(100_000)), { code: "INVALID_ARGUMENT" });
});
