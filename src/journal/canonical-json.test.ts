import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeCanonical, encodeCanonical } from "./canonical-json.ts";

const code = (expected: string) => (error: { code?: string }) => error.code === expected;

const plain = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("$bigint", "$number", "$$x", "__proto__")), tie("value"), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value;

test("what is encoded comes back, exactly and always as the same text", () => {
  fc.assert(
    fc.property(plain, (value) => {
      const text = encodeCanonical(value);
      const back = decodeCanonical(text);
      assert.deepEqual(back, value);
      assert.equal(encodeCanonical(back), text);
      assert.ok(!text.includes("\n"));
    }),
    { numRuns: 500 },
  );
});

test("the order of keys does not matter, undefined members are left out", () => {
  assert.equal(encodeCanonical({ b: 1, a: undefined, c: [true, -0] }), '{"b":1,"c":[true,-0]}');
  assert.equal(encodeCanonical({ c: 1n, b: Number.NaN }), '{"b":{"$number":"NaN"},"c":{"$bigint":"1"}}');
});

test("what is not plain data is refused with its place", () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  for (const value of [() => 1, { a: [undefined] }, new Date(0), { a: new Map() }, Symbol.iterator, circular]) {
    assert.throws(() => encodeCanonical(value), code("INVALID_ARGUMENT"));
  }
  assert.throws(() => encodeCanonical({ a: [1, new Set()] }), /value\.a\[1\] is an instance of Set/);
});

test("damaged text is corruption", () => {
  for (const text of ["", "{", '{"$unknown":1}', `${"[".repeat(80)}${"]".repeat(80)}`]) {
    assert.throws(() => decodeCanonical(text), code("CORRUPTION"));
  }
});
