import assert from "node:assert/strict";
import { test } from "node:test";
import { RangeCopier } from "./range-copier.ts";

test("ranges of every length and place arrive whole, and nothing beside them changes", () => {
  const copier = new RangeCopier();
  const whole = Uint8Array.from({ length: 2000 }, (_, at) => (at * 167 + (at >> 8)) & 255);
  for (const [sourceAt, targetAt] of [[0, 0], [1, 7], [5, 2]]) {
    const source = whole.subarray(sourceAt);
    for (const length of [0, 1, 15, 16, 17, 31, 32, 144, 767, 768, 1500]) {
      const target = new Uint8Array(1600).subarray(targetAt);
      copier.copy(source, 3, 3 + length, target, 9);
      assert.deepEqual([...target.subarray(9, 9 + length)], [...source.subarray(3, 3 + length)], `${length} bytes`);
      assert.ok(target.every((byte, at) => byte === 0 || (at >= 9 && at < 9 + length)), `beside ${length} bytes`);
    }
  }
});

test("a range beyond its buffer is refused and not cut", () => {
  assert.throws(() => new RangeCopier().copy(new Uint8Array(200), 0, 180, new Uint8Array(100), 0), RangeError);
});
