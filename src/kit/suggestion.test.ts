import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearestWord, suggestion } from "./suggestion.ts";

test("slips of the fingers are recognised, other words are not", () => {
  const known = ["primary_key", "columns", "rows", "name"];
  assert.equal(nearestWord("primry_key", known), "primary_key");
  assert.equal(nearestWord("Primary-Key", known), "primary_key");
  assert.equal(nearestWord("nmae", known), "name");
  assert.equal(nearestWord("zebra", known), undefined);
  assert.equal(nearestWord("x".repeat(1000), known), undefined);
  assert.equal(suggestion("row", known), "; did you mean rows?");
  assert.equal(suggestion("zebra", known), "");
});

test("the distance is symmetric, zero for equals only, and at most the longer length", () => {
  const word = fc.stringMatching(/^[ab]{0,8}$/);
  fc.assert(fc.property(word, word, (left, right) => {
    const distance = editDistance(left, right);
    assert.equal(distance, editDistance(right, left));
    assert.equal(distance === 0, left === right);
    assert.ok(distance <= Math.max(left.length, right.length));
    assert.ok(distance >= Math.abs(left.length - right.length));
  }));
});
