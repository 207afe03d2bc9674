import assert from "node:assert/strict";
import { test } from "node:test";
import { duplicateKey, parseJsonText } from "./json-text.ts";

test("what is no JSON is told in one line, and a byte order mark is left out", () => {
  const oneLine = /^s\.json is not JSON: [^\n]*; write it anew$/;
  assert.throws(() => parseJsonText("{\n\nx", "s.json", "write it anew"), { code: "CORRUPTION", message: oneLine });
  assert.deepEqual(parseJsonText('\uFEFF{"a": [1]}', "s.json"), { a: [1] });
});

test("a key that stands twice in one object is told with its place", () => {
  const text = '{\n  "a": {"b": 1},\n  "c": [{"b": 2, "a": 3}],\n  "a": 4\n}';
  assert.throws(() => parseJsonText(text, "s.json"), { code: "CORRUPTION", message: 's.json:4:3: "a" stands twice in one object' });
  assert.deepEqual(duplicateKey('[{"x": {"y": 1, "\\u0079": 2}}]'), { key: "y", line: 1, column: 17 });
});

test("the same key in several objects, in texts and as a value is no repetition", () => {
  const texts = [
    '{"a": "a", "b": {"a": "b"}, "c": [{"a": 1}, {"a": 2}]}', '{"a": "\\"b\\": {", "b": "}", "\\\\": "\\\\"}', '"a"', "[]",
    '{"__proto__": 1, "constructor": 2}',
  ];
  for (const text of texts) assert.equal(duplicateKey(text), undefined, text);
});
