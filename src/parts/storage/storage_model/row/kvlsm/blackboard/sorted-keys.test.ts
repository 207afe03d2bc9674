import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareBytes } from "../../../../../../kit/compare.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** Few distinct bytes and a shared prefix, so that ties in the words, padding and the prefix all come up. */
const keyArbitrary = fc
  .tuple(fc.constantFrom("", "pre", "prefix/"), fc.array(fc.constantFrom(0, 1, 128, 255), { maxLength: 7 }))
  .map(([prefix, rest]) => Uint8Array.from([...new TextEncoder().encode(prefix), ...rest]));

function expectedFloor(keys: readonly Uint8Array[], target: Uint8Array): number {
  return keys.filter((key) => compareBytes(key, target) <= 0).length - 1;
}

test("floor is the last key that is not above", () => {
  fc.assert(
    fc.property(
      fc.array(keyArbitrary, { maxLength: 30 }),
      fc.array(keyArbitrary, { maxLength: 20 }),
      (keys, targets) => {
        const sorted = keys.sort(compareBytes);
        const fences = SortedKeys.from(sorted);
        for (const target of [...targets, ...sorted])
          assert.equal(fences.floor(target), expectedFloor(sorted, target));
      },
    ),
    { numRuns: 500 },
  );
});

test("the same where all keys share a prefix", () => {
  const prefixed = keyArbitrary.map((key) => Uint8Array.from([9, 9, 9, ...key]));
  fc.assert(
    fc.property(
      fc.array(prefixed, { minLength: 1, maxLength: 30 }),
      fc.array(fc.oneof(prefixed, keyArbitrary)),
      (keys, targets) => {
        const sorted = keys.sort(compareBytes);
        const fences = SortedKeys.from(sorted);
        const edges = [[], [9], [9, 9], [9, 9, 9], [9, 9, 10], [9, 8], [10]].map((bytes) =>
          Uint8Array.from(bytes),
        );
        for (const target of [...targets, ...edges])
          assert.equal(fences.floor(target), expectedFloor(sorted, target));
      },
    ),
    { numRuns: 300 },
  );
});
