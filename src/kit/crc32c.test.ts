import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc32c } from "./crc32c.ts";
import { laneInputMax, makeCrcLanes, rowBytes } from "./crc32c-lanes.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

test("published vectors (RFC 3720, appendix B.4)", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
  assert.equal(crc32c(ascii("")), 0);
  assert.equal(crc32c(ascii("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(ascending), 0x46dd794e);
  assert.equal(crc32c(ascending.toReversed()), 0x113fdb5c);
});

test("equals the bitwise definition on any slice, and continues from any cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400, size: "max" }), fc.nat(400), fc.nat(400), (bytes, a, b) => {
      const start = Math.min(a, b, bytes.length);
      const end = Math.min(Math.max(a, b), bytes.length);
      assert.equal(crc32c(bytes, start, end), bitwise(bytes.subarray(start, end)));
      assert.equal(crc32c(bytes, end, bytes.length, crc32c(bytes, 0, end)), crc32c(bytes));
    }),
  );
});

test("long inputs, of every length about a whole number of rows and what the lanes take at a time", () => {
  assert.notEqual(makeCrcLanes(byteTable()), undefined, "the lanes are there to be tested");
  let state = 7;
  const bytes = Uint8Array.from({ length: 2 * laneInputMax + 2000 }, () => {
    state = Math.imul(state, 1103515245) + 12345;
    return state >>> 16;
  });
  const wholes = [5 * rowBytes, 6 * rowBytes, 43 * rowBytes, laneInputMax, laneInputMax + 512, 2 * laneInputMax];
  for (const whole of wholes) {
    for (const length of [-1, 0, 1, 7, 8, 95].map((more) => whole + more)) {
      for (const start of [0, 1, 13]) {
        const expected = bitwise(bytes.subarray(start, start + length));
        assert.equal(crc32c(bytes, start, start + length), expected, `${length} bytes from ${start} on`);
        const cut = start + Math.floor(length / 3);
        const before = crc32c(bytes, start, cut);
        assert.equal(crc32c(bytes, cut, start + length, before), expected, `${length} bytes in two parts`);
      }
    }
  }
});

test("any single bit that is turned in a long input is seen", () => {
  const bytes = new Uint8Array(4096).fill(0x5a);
  const before = crc32c(bytes);
  for (let bit = 0; bit < bytes.length * 8; bit += 37) {
    bytes[bit >>> 3] ^= 1 << (bit & 7);
    assert.notEqual(crc32c(bytes), before, `bit ${bit}`);
    bytes[bit >>> 3] ^= 1 << (bit & 7);
  }
});

/** What a byte leaves in an empty register. */
function byteTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    return crc;
  });
}
