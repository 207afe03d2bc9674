import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeText, PacketReader } from "./packet-reader.ts";

const malformed = { code: "PROTOCOL" };

test("reads stay within the packet, not within the buffer", () => {
  const neighbours = Buffer.from("01020304050607", "hex");
  const reader = new PacketReader(neighbours, 1, 4);
  assert.throws(() => reader.u32(), malformed);
  assert.equal(reader.u16(), 0x0302);
  assert.throws(() => reader.view(2), malformed);
  assert.equal(reader.u8(), 4);
  assert.throws(() => reader.u8(), malformed);
  assert.throws(() => new PacketReader(Buffer.from("ab\0"), 0, 2).textUntilNul(), malformed);
});

test("a length beyond the packet is malformed however it is encoded", () => {
  for (const hex of ["05aa", "fc0500aa", "fd050000aa", "fe0500000000000000aa", "fe0000000001000000", "fb", "ff", "fc05"]) {
    const reader = new PacketReader(Buffer.from(hex, "hex"));
    assert.throws(() => reader.view(reader.length()), malformed, hex);
  }
});

test("any bytes are read or refused, never read past", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.nat(6), { maxLength: 20 }), (bytes, reads) => {
    const reader = new PacketReader(Buffer.from(bytes));
    const steps = [
      () => reader.u8(), () => reader.u16(), () => reader.u32(), () => reader.view(reader.length()),
      () => reader.textUntilNul(), () => reader.text(reader.u8()), () => reader.take(3),
    ];
    for (const read of reads) {
      try {
        steps[read]();
      } catch (error) {
        assert.equal((error as { code: string }).code, "PROTOCOL");
      }
      assert.ok(reader.position <= reader.end);
    }
  }));
});

test("text is told from bytes that are not UTF-8", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const bytes = Buffer.from(text, "utf8");
    assert.equal(decodeText(bytes, 0, bytes.length), bytes.toString("utf8"));
  }));
  const replacement = Buffer.from("\uFEFFa\uFFFDb");
  assert.equal(decodeText(replacement, 0, replacement.length), "\uFEFFa\uFFFDb");
  for (const hex of ["ff", "61c3", "eda080", "c080", "f4908080"]) {
    const bytes = Buffer.from(hex, "hex");
    assert.equal(decodeText(bytes, 0, bytes.length), undefined, hex);
  }
});
