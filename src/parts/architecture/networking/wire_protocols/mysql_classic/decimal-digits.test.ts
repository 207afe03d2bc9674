import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { writeDigits, writeInt64Digits } from "./decimal-digits.ts";

function digitsOf(value: bigint): string {
  const target = Buffer.alloc(24, 0x78);
  const end = writeInt64Digits(target, 2, Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
  assert.equal(target.toString("latin1", end), "x".repeat(24 - end), "nothing is written behind the end");
  return target.toString("latin1", 2, end);
}

test("64-bit integers come out as BigInt prints them", () => {
  const edges = [0n, 1n, -1n, 9n, 10n, 999_999_999n, 1_000_000_000n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)];
  for (const value of [...edges, ...edges.flatMap((edge) => [edge - 1n, edge + 1n, -edge])]) {
    if (value === BigInt.asIntN(64, value)) assert.equal(digitsOf(value), value.toString());
  }
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.integer({ min: 0, max: 63 }),
    (value, shift) => assert.equal(digitsOf(value >> BigInt(shift)), (value >> BigInt(shift)).toString())));
});

test("numbers below 2^53 come out as Number prints them", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (value) => {
    const target = Buffer.alloc(20);
    assert.equal(target.toString("latin1", 0, writeDigits(target, 0, value)), String(value));
  }));
});
