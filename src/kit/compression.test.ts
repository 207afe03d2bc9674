import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Codec, codecs, compress, decompress, decompressedBytesMax, hasCodec } from "./compression.ts";

const present = codecs.filter((codec): codec is Exclude<Codec, "none"> => codec !== "none" && hasCodec(codec));

test("zlib, brotli and zstd are there, and what goes in comes out", () => {
  assert.ok(present.length >= 2);
  for (const codec of present) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 50 }), (bytes, repeat) => {
        const whole = new Uint8Array(Buffer.concat(Array.from({ length: repeat }, () => bytes)));
        const small = compress(codec, whole);
        if (whole.length > 10_000 && repeat > 20) assert.ok(small.length < whole.length);
        assert.deepEqual(new Uint8Array(decompress(codec, small, whole.length)), whole);
      }),
      { numRuns: 40 },
    );
  }
});

test("a stream that holds more or less than was stated is CORRUPTION, and more is not even expanded", () => {
  const whole = new Uint8Array(1 << 22);
  for (const codec of present) {
    const small = compress(codec, whole);
    for (const length of [whole.length - 1, whole.length + 1, 10, 0]) {
      assert.throws(() => decompress(codec, small, length), { code: "CORRUPTION" }, `${codec} ${length}`);
    }
    for (const length of [-1, Number.NaN, decompressedBytesMax + 1]) {
      assert.throws(() => decompress(codec, small, length), { code: "LIMIT_EXCEEDED" });
    }
  }
});

test("damaged and foreign streams are CORRUPTION or give other bytes of the stated length, never anything else", () => {
  const whole = new TextEncoder().encode("the same again and again ".repeat(100));
  for (const codec of present) {
    const small = compress(codec, whole);
    let refused = 0;
    for (let at = 0; at < small.length; at++) {
      const damaged = small.slice();
      damaged[at] ^= 0x55;
      try {
        assert.equal(decompress(codec, damaged, whole.length).length, whole.length);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "CORRUPTION");
        refused++;
      }
    }
    assert.ok(refused > 0);
    assert.throws(() => decompress(codec, small.subarray(0, small.length >> 1), whole.length), {
      code: "CORRUPTION",
    });
    assert.throws(() => decompress(codec, new Uint8Array(20), 1000), { code: "CORRUPTION" });
  }
});
