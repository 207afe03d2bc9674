import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hash32 } from "../../../../../../kit/hash.ts";
import { bloomMayContain, buildBloomFilter, isBloomFilter } from "./bloom-filter.ts";

function hashesOf(from: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(4, from + i);
    return hash32(bytes) | 0;
  });
}

test("no false negatives", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 24 }),
      (list, bits) => {
        const hashes = Int32Array.from(list);
        const filter = buildBloomFilter(hashes, hashes.length, bits);
        assert.ok(isBloomFilter(filter));
        for (const hash of hashes) assert.ok(bloomMayContain(filter, hash));
      },
    ),
  );
});

test("the false-positive rate is what the bits buy", () => {
  const probes = 100_000;
  const strangers = hashesOf(1_000_000, probes);
  for (const count of [1000, 60_000]) {
    const hashes = hashesOf(0, count);
    for (const [bits, rateMax] of [
      [6, 0.08],
      [10, 0.014],
      [16, 0.002],
    ]) {
      const filter = buildBloomFilter(hashes, count, bits);
      assert.ok(filter.length <= (count * bits) / 8 + 65);
      let positives = 0;
      for (const hash of strangers) if (bloomMayContain(filter, hash)) positives++;
      assert.ok(positives / probes < rateMax, `${count} keys, ${bits} bits: ${positives / probes}`);
      assert.ok(positives > 0, "a filter that never errs was not asked");
    }
  }
});

test("no bits, no filter: everything may be there", () => {
  const filter = buildBloomFilter(hashesOf(0, 10), 10, 0);
  assert.equal(filter.length, 0);
  assert.ok(bloomMayContain(filter, 12345));
});

test("a wrong shape is recognised", () => {
  assert.equal(isBloomFilter(new Uint8Array(64)), false);
  assert.equal(isBloomFilter(new Uint8Array(65)), false, "no probes");
  assert.equal(isBloomFilter(new Uint8Array(66).fill(3)), false);
});
