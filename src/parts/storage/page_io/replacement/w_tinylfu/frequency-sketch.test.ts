import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrequencySketch } from "./frequency-sketch.ts";

const neverAge = 1e9;

test("an estimate is never below the count, nor above 15", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { maxLength: 400 }), (keys) => {
      const sketch = new FrequencySketch(256);
      const counts = new Map<number, number>();
      for (const key of keys) {
        sketch.increment(hashOf(key), neverAge);
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      for (const [key, count] of counts) {
        const estimate = sketch.frequency(hashOf(key));
        assert.ok(estimate >= Math.min(15, count) && estimate <= 15, `${estimate} for ${count}`);
      }
    }),
  );
});

test("estimates are exact for all but a few where there are four counters per key", () => {
  const sketch = new FrequencySketch(1 << 12);
  const keys = 2048;
  for (let round = 0; round < 3; round++) for (let key = 0; key < keys; key++) sketch.increment(hashOf(key), neverAge);
  let tooLarge = 0;
  for (let key = 0; key < keys; key++) {
    const estimate = sketch.frequency(hashOf(key));
    assert.ok(estimate >= 3);
    if (estimate > 3) tooLarge++;
  }
  // Each of the four counters is shared with 0.63 probability: 0.16 for all four.
  assert.ok(tooLarge < 0.22 * keys, `${tooLarge} of ${keys}`);
  let unseen = 0;
  for (let key = keys; key < 2 * keys; key++) if (sketch.frequency(hashOf(key)) > 0) unseen++;
  assert.ok(unseen < 0.22 * keys, `${unseen} of ${keys}`);
});

test("aging halves every counter, and what rounding took shortens the next sample", () => {
  const sketch = new FrequencySketch(1 << 12);
  for (let use = 0; use < 9; use++) sketch.increment(hashOf(1), neverAge);
  for (let use = 0; use < 4; use++) sketch.increment(hashOf(2), neverAge);
  sketch.increment(hashOf(3), 14);
  assert.deepEqual([1, 2, 3].map((key) => sketch.frequency(hashOf(key))), [4, 2, 0]);
  // Of 14 uses in the sample 6 are left: those of keys 1 and 2. Eight more, and it ages again.
  for (let use = 0; use < 7; use++) sketch.increment(hashOf(4), 14);
  assert.deepEqual([1, 2, 4].map((key) => sketch.frequency(hashOf(key))), [4, 2, 7]);
  sketch.increment(hashOf(5), 14);
  assert.deepEqual([1, 2, 4, 5].map((key) => sketch.frequency(hashOf(key))), [2, 1, 3, 0]);
});

test("a saturated key does not age the others", () => {
  const sketch = new FrequencySketch(1 << 12);
  sketch.increment(hashOf(1), 100);
  sketch.increment(hashOf(1), 100);
  for (let use = 0; use < 10_000; use++) sketch.increment(hashOf(2), 100);
  assert.deepEqual([1, 2].map((key) => sketch.frequency(hashOf(key))), [2, 15]);
});

test("memory is a power of two of blocks up to what is granted; below one block nothing is counted", () => {
  const sizes = [0, 63, 64, 200, 4096, 5000].map((bytes) => new FrequencySketch(bytes).sizeBytes);
  assert.deepEqual(sizes, [0, 0, 64, 128, 4096, 4096]);
  const none = new FrequencySketch(10);
  none.increment(hashOf(1), 1);
  assert.equal(none.frequency(hashOf(1)), 0);
});

function hashOf(key: number): number {
  return Math.imul(key + 1, 0x9e3779b1) ^ ((key + 77) << 7);
}
