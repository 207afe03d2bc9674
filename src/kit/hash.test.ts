import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hash32 } from "./hash.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

/** The sanity buffer of the reference implementation's self-test. */
function sanityBuffer(length: number): Uint8Array {
  let generator = 2654435761n;
  return Uint8Array.from({ length }, () => {
    const byte = Number((generator >> 56n) & 0xffn);
    generator = (generator * 11400714785074694797n) & 0xffff_ffff_ffff_ffffn;
    return byte;
  });
}

test("published vectors", () => {
  assert.equal(hash32(ascii("")), 0x02cc5d05);
  assert.equal(hash32(ascii("a")), 0x550d7456);
  assert.equal(hash32(ascii("abc")), 0x32d153ff);
  assert.equal(hash32(ascii("Nobody inspects the spammish repetition")), 0xe2293b2f);
  assert.equal(hash32(sanityBuffer(0), 2654435761), 0x36b78ae7);
  assert.equal(hash32(sanityBuffer(1)), 0xcf65b03e);
  assert.equal(hash32(sanityBuffer(1), 2654435761), 0xb4545aa4);
  assert.equal(hash32(sanityBuffer(14)), 0x1208e7e2);
  assert.equal(hash32(sanityBuffer(14), 2654435761), 0x6af1d1fe);
  assert.equal(hash32(sanityBuffer(222)), 0x5bd11dbd);
  assert.equal(hash32(sanityBuffer(222), 2654435761), 0x58803c5f);
});

test("a slice hashes as its copy", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), fc.integer(), (bytes, cut, seed) => {
      const start = Math.min(cut, bytes.length);
      assert.equal(hash32(bytes, seed, start), hash32(bytes.slice(start), seed));
    }),
  );
});

test("spreads consecutive keys evenly", () => {
  const counts = Array.from({ length: 64 }, () => 0);
  for (let key = 0; key < 64_000; key++) counts[hash32(ascii(`user${key}`)) % 64]++;
  const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  // 63 degrees of freedom: 131 is exceeded once in a million times by a fair hash; the keys are fixed.
  assert.ok(chiSquare < 131, `chi-square ${chiSquare}`);
});
