import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadPace } from "./read-pace.ts";

test("hiccups among fast reads are forgotten", () => {
  const pace = new ReadPace();
  for (let i = 0; i < 5000; i++) assert.equal(pace.note(i % 100 === 0 ? 4000 : 3, i), false);
  assert.ok(pace.mayBlock(5000));
});

test("a cold disk sends reads to the pool for a second; then they are tried again", () => {
  const pace = new ReadPace();
  assert.deepEqual([pace.note(3000, 0), pace.note(3000, 0), pace.note(3000, 10)], [false, false, true]);
  assert.equal(pace.mayBlock(1_000_009), false);
  assert.equal(pace.mayBlock(1_000_010), true);
  assert.equal(pace.note(3000, 2_000_000), false, "the score began anew");
});

test("one read that takes very long is enough", () => {
  const pace = new ReadPace();
  assert.equal(pace.note(60_000, 7), true);
  assert.equal(pace.mayBlock(8), false);
});
