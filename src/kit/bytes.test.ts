import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import * as bytes from "./bytes.ts";

const u64 = fc.maxSafeNat();
const field = fc.oneof(
  fc.record({ kind: fc.constant("u8" as const), value: fc.nat(0xff) }),
  fc.record({ kind: fc.constant("u16" as const), value: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant("u32" as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  fc.record({ kind: fc.constant("u64" as const), value: u64 }),
  fc.record({ kind: fc.constant("varint" as const), value: u64 }),
  fc.record({ kind: fc.constant("bigU64" as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ kind: fc.constant("lengthPrefixed" as const), value: fc.uint8Array({ maxLength: 300 }) }),
);

test("fixed-width integers agree with DataView in both byte orders", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (small, big) => {
      const target = new Uint8Array(9);
      const view = new DataView(target.buffer);
      assert.equal(bytes.writeU16LE(target, 1, small), 3);
      assert.equal(bytes.readU16LE(target, 1), view.getUint16(1, true));
      assert.equal(view.getUint16(1, true), small & 0xffff);
      bytes.writeU16BE(target, 1, small);
      assert.equal(bytes.readU16BE(target, 1), view.getUint16(1));
      assert.equal(view.getUint16(1), small & 0xffff);
      bytes.writeU24LE(target, 1, small);
      assert.equal(bytes.readU24LE(target, 1), small & 0xffffff);
      bytes.writeU32LE(target, 1, small);
      assert.equal(bytes.readU32LE(target, 1), small);
      assert.equal(view.getUint32(1, true), small);
      bytes.writeU32BE(target, 1, small);
      assert.equal(bytes.readU32BE(target, 1), small);
      assert.equal(view.getUint32(1), small);
      bytes.writeBigU64LE(target, 1, big);
      assert.equal(bytes.readBigU64LE(target, 1), big);
      assert.equal(view.getBigUint64(1, true), big);
      bytes.writeBigU64BE(target, 1, big);
      assert.equal(bytes.readBigU64BE(target, 1), big);
      assert.equal(view.getBigUint64(1), big);
    }),
  );
});

test("64-bit numbers below 2^53 are exact", () => {
  fc.assert(
    fc.property(u64, (value) => {
      const target = new Uint8Array(8);
      bytes.writeU64LE(target, 0, value);
      assert.equal(bytes.readU64LE(target, 0), value);
      assert.equal(bytes.readBigU64LE(target, 0), BigInt(value));
      bytes.writeU64BE(target, 0, value);
      assert.equal(bytes.readU64BE(target, 0), value);
      assert.equal(bytes.readBigU64BE(target, 0), BigInt(value));
      assert.equal(bytes.writeVarint(target, 0, value), bytes.varintLength(value));
    }),
  );
});

test("what a writer wrote a reader reads, and every shorter input is refused", () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
      const writer = new ByteWriter();
      for (const { kind, value } of fields) (writer[kind] as (value: unknown) => void)(value);
      const written = writer.finish();
      const readAll = (input: Uint8Array) => {
        const reader = new ByteReader(input, "test input");
        const values = fields.map(({ kind }) => reader[kind]());
        reader.expectEnd();
        return values;
      };
      assert.deepEqual(readAll(written), fields.map(({ value }) => value));
      for (let length = 0; length < written.length; length++) {
        assert.throws(() => readAll(written.subarray(0, length)), { code: "CORRUPTION" });
      }
      assert.throws(() => readAll(Uint8Array.from([...written, 0])), { code: "CORRUPTION" });
    }),
    { numRuns: 50 },
  );
});

test("hostile varints are refused", () => {
  const read = (...input: number[]) => new ByteReader(Uint8Array.from(input), "input", "PROTOCOL").varint();
  assert.equal(read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f), Number.MAX_SAFE_INTEGER);
  assert.throws(() => read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10), { code: "PROTOCOL" });
  assert.throws(() => read(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), { code: "PROTOCOL" });
  assert.throws(() => read(0x80, 0x00), { code: "PROTOCOL" });
  assert.throws(() => read(0x80), { code: "PROTOCOL" });
  // A length of 2^53 - 1 must fail before anything is allocated.
  const huge = Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2]);
  assert.throws(() => new ByteReader(huge, "input").lengthPrefixed(), { code: "CORRUPTION" });
});

test("a writer stops at its limit", () => {
  const writer = new ByteWriter(1000);
  writer.raw(new Uint8Array(1000));
  assert.throws(() => writer.raw(new Uint8Array(100)), { code: "LIMIT_EXCEEDED" });
});
