import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMagnitude, formatShare } from "./magnitude.ts";

test("magnitudes are rounded, also over a power of ten", () => {
  const values = [0n, 999n, 1000n, 9_999_999_999n, 10n ** 10n, 99_949_999_999n, 99_960_000_000n, 314n * 10n ** 210n];
  assert.deepEqual(values.map(formatMagnitude), [
    "0", "999", "1,000", "9,999,999,999", "1.00 × 10^10", "9.99 × 10^10", "1.00 × 10^11", "3.14 × 10^212",
  ]);
});

test("shares close to none and to all are told apart from them", () => {
  const shown = [0n, 1n, 5n, 333n, 9_999n, 10_000n].map((part) => formatShare(part, 10_000n));
  assert.deepEqual(shown, ["0 %", "< 0.1 %", "0.1 %", "3.3 %", "> 99.9 %", "100 %"]);
});
