/** Changes as bytes: what is written comes back, and bytes from strangers are refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChangeReader, ChangeWriter, changesKind } from "./change-codec.ts";

test("commands come back as they were written, and hostile ones are refused", () => {
  const writer = new ChangeWriter(1 << 20);
  writer.begin();
  writer.add({ key: "k", value: "é", ttlMs: 2 ** 40, condition: [1n, -1n] }, 10, 10);
  writer.add({ key: Buffer.from([0]), value: undefined, condition: "present" }, 10, 10);
  const command = writer.finish();
  const reader = new ChangeReader(command);
  assert.ok(reader.next());
  assert.deepEqual([reader.ttlMs, [...reader.versions], Buffer.from(reader.value as Uint8Array).toString()], [2 ** 40, [1n, -1n], "é"]);
  assert.ok(reader.next());
  assert.deepEqual([[...reader.key], reader.value], [[0], undefined]);
  assert.ok(!reader.next());
  assert.throws(() => new ChangeReader(Uint8Array.of(changesKind, 2)), { code: "FORMAT_UNKNOWN" });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (tail) => {
    const hostile = new ChangeReader(Uint8Array.of(changesKind, 1, ...tail));
    try {
      for (let changes = 0; hostile.next(); changes++) assert.ok(changes <= tail.length);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "CORRUPTION");
    }
  }), { numRuns: 2000 });
});
