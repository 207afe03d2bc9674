import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseBuffer } from "./buffer-release.ts";

test("a large buffer is freed in the same turn; small ones and shared memory are left alone", () => {
  const large = new Uint8Array(32 << 20).fill(1);
  const before = process.memoryUsage().arrayBuffers;
  releaseBuffer(large.subarray(5, 10));
  assert.equal(large.length, 0);
  const freed = before - process.memoryUsage().arrayBuffers;
  assert.ok(freed >= 31 << 20, `${freed} bytes were freed`);
  const small = new Uint8Array(100);
  releaseBuffer(small);
  assert.equal(small.length, 100);
  const shared = new Uint8Array(new SharedArrayBuffer(8192));
  releaseBuffer(shared);
  assert.equal(shared.length, 8192);
});
