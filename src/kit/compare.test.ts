import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commonPrefixLength, compareBytes, compareRanges, equalRanges } from "./compare.ts";

const shortBytes = fc.uint8Array({ maxLength: 6, max: 3 });

test("compareBytes and compareRanges agree with Buffer.compare", () => {
  fc.assert(
    fc.property(shortBytes, shortBytes, fc.nat(4), fc.nat(4), (a, b, aPad, bPad) => {
      const expected = Buffer.compare(a, b);
      assert.equal(Math.sign(compareBytes(a, b)), expected);
      const aPadded = new Uint8Array([...new Uint8Array(aPad).fill(9), ...a, 7]);
      const bPadded = new Uint8Array([...new Uint8Array(bPad).fill(8), ...b, 1]);
      const ranges = compareRanges(aPadded, aPad, aPad + a.length, bPadded, bPad, bPad + b.length);
      assert.equal(Math.sign(ranges), expected);
      const equal = a.length === b.length && equalRanges(aPadded, aPad, bPadded, bPad, a.length);
      assert.equal(equal, expected === 0);
    }),
  );
});

test("commonPrefixLength is the longest prefix that is equal", () => {
  fc.assert(
    fc.property(shortBytes, shortBytes, (a, b) => {
      const shared = commonPrefixLength(a, 0, a.length, b, 0, b.length);
      assert.deepEqual(a.slice(0, shared), b.slice(0, shared));
      const longer = shared < a.length && shared < b.length;
      if (longer) assert.notEqual(a[shared], b[shared]);
    }),
  );
});
