import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeLogEntry, encodeLogEntry, logEntryHeaderBytes } from "./log-entry.ts";

const entry = fc.record({
  timestampMs: fc.maxSafeNat(),
  term: fc.maxSafeNat(),
  clientId: fc.maxSafeNat(),
  requestId: fc.maxSafeNat(),
  command: fc.uint8Array({ maxLength: 50 }),
}, { noNullPrototype: true });

test("what was encoded is decoded", () => {
  fc.assert(fc.property(entry, (one) => assert.deepEqual(decodeLogEntry(encodeLogEntry(one)), one)));
});

test("the layout never changes", () => {
  const command = Uint8Array.of(0xaa, 0xbb);
  const bytes = encodeLogEntry({ timestampMs: 1_700_000_000_000, term: 2, clientId: 3, requestId: 4, command });
  assert.equal(
    Buffer.from(bytes).toString("hex"),
    "010068e5cf8b010000020000000000000003000000000000000400000000000000aabb",
  );
});

test("hostile bytes are refused", () => {
  const bytes = encodeLogEntry({ timestampMs: 1, term: 1, clientId: 1, requestId: 1, command: new Uint8Array(3) });
  for (let length = 0; length < logEntryHeaderBytes; length++) {
    assert.throws(() => decodeLogEntry(bytes.subarray(0, length)), { code: "CORRUPTION" });
  }
  assert.throws(() => decodeLogEntry(Uint8Array.of(2, ...bytes.subarray(1))), { code: "FORMAT_UNKNOWN" });
  assert.throws(() => decodeLogEntry(bytes.map((byte, at) => (at === 8 ? 0xff : byte))), { code: "CORRUPTION" });
});
