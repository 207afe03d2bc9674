import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatChange,
  formatDuration,
  formatKnobValue,
  formatLatency,
  formatRate,
} from "./format.ts";
import { fit, linearScale, logScale, logTicks, ticks } from "./svg.ts";

test("figures are written as people read them", () => {
  assert.deepEqual(
    [formatChange(1.0983), formatChange(0.8), formatChange(1), formatChange(3.2)],
    ["+9.8 %", "−20.0 %", "±0.0 %", "+220 %"],
  );
  assert.deepEqual([412, 999.6, 1380, 11_000, 2_100_000].map(formatLatency), [
    "412 µs",
    "1.00 ms",
    "1.38 ms",
    "11.0 ms",
    "2.10 s",
  ]);
  assert.deepEqual([21_034.4, 99.96, 5.2, 0.034].map(formatRate), [
    "21,034",
    "100",
    "5.20",
    "0.0340",
  ]);
  assert.deepEqual([4.21, 59, 200, 7500, 3600].map(formatDuration), [
    "4.2 s",
    "59 s",
    "3 min 20 s",
    "2 h 5 min",
    "1 h",
  ]);
  const bytes = { unit: "bytes" } as never;
  assert.deepEqual(
    [
      formatKnobValue(33_554_432, bytes),
      formatKnobValue(1500, bytes),
      formatKnobValue(true, undefined),
    ],
    ["32 MiB", "1.46 KiB", "on"],
  );
});

test("ticks are round, ascending and within the range", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
      (low, span) => {
        const marks = ticks([low, low + span], 6);
        assert.ok(marks.length <= 10);
        for (const [index, mark] of marks.entries()) {
          assert.ok(mark >= low - span * 1e-6 && mark <= low + span * (1 + 1e-6));
          if (index > 0) assert.ok(mark > marks[index - 1]);
        }
      },
    ),
  );
  assert.deepEqual(ticks([0, 10], 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(logTicks([300, 3000]), [500, 1000, 2000]);
});

test("scales map the ends of the domain to the ends of the range", () => {
  const linear = linearScale([-1, 1], [0, 100]);
  assert.deepEqual([linear(-1), linear(0), linear(1)], [0, 50, 100]);
  const logarithmic = logScale([1, 100], [0, 100]);
  assert.ok(Math.abs(logarithmic(10) - 50) < 1e-9);
});

test("text that does not fit is cut with an ellipsis", () => {
  assert.equal(fit("short", 100), "short");
  assert.match(fit("a rather long label for a narrow place", 100), /…$/);
});
