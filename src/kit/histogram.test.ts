import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Histogram } from "./histogram.ts";

const value = fc.oneof(fc.nat(200), fc.nat(100_000), fc.maxSafeNat());
const values = fc.array(value, { minLength: 1, maxLength: 200 });

function histogramOf(records: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const record of records) histogram.record(record);
  return histogram;
}

test("percentiles lie within 1/128 of the exact ones", () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 100, noNaN: true }), (records, percent) => {
      const sorted = records.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1];
      const found = histogramOf(records).percentile(percent);
      assert.ok(Math.abs(found - exact) <= exact / 128, `${found} instead of ${exact}`);
    }),
  );
});

test("count, sum, extremes and merging are exact; a snapshot restores everything", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1e9), { maxLength: 50 }), fc.array(fc.nat(1e9), { maxLength: 50 }), (left, right) => {
      const merged = histogramOf(left);
      merged.merge(histogramOf(right));
      const all = [...left, ...right];
      const expected = { count: all.length, sum: all.reduce((a, b) => a + b, 0), max: Math.max(0, ...all) };
      assert.deepEqual({ count: merged.count, sum: merged.sum, max: merged.max }, expected);
      assert.equal(merged.min, all.length === 0 ? 0 : Math.min(...all));
      const restored = Histogram.fromSnapshot(JSON.parse(JSON.stringify(merged.snapshot())));
      assert.deepEqual(restored, merged);
      assert.deepEqual(merged.snapshot(), histogramOf(all).snapshot());
      merged.clear();
      assert.deepEqual(merged, new Histogram());
    }),
  );
});

test("the Prometheus form counts exactly below each power of two", () => {
  fc.assert(
    fc.property(values, (records) => {
      const metric = histogramOf(records).toMetric({ name: "x_seconds", help: "x", scale: 1 });
      for (const { upperBound, cumulativeCount } of metric.buckets) {
        assert.equal(cumulativeCount, records.filter((record) => record < upperBound).length);
      }
      assert.equal(metric.count, records.length);
      assert.equal(metric.buckets.at(-1)?.cumulativeCount, records.length);
    }),
  );
});

test("negative values count as 0, and values that it cannot hold are our bug", () => {
  const histogram = histogramOf([-1, 0.5]);
  assert.equal(histogram.count, 2);
  assert.throws(() => histogram.record(2 ** 53), /assertion failed/);
  assert.throws(() => histogram.record(Number.NaN), /assertion failed/);
});
