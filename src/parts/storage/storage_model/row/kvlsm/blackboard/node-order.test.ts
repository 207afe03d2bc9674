import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NodeOrder } from "./node-order.ts";

/** Sorts keys as nodes of two words each, their place and length. */
function sorted(keys: readonly Uint8Array[]): Buffer[] {
  const bytes = Buffer.concat(keys);
  const words = new Int32Array(keys.length * 2);
  let at = 0;
  for (const [i, key] of keys.entries()) {
    words[i * 2] = at;
    words[i * 2 + 1] = key.length;
    at += key.length;
  }
  const nodes = Int32Array.from(keys, (_, i) => i * 2);
  new NodeOrder(bytes, words, nodes).sort();
  return Array.from(nodes, (node) => bytes.subarray(words[node], words[node] + words[node + 1]));
}

function check(keys: readonly Uint8Array[]): void {
  assert.deepEqual(
    sorted(keys).map((key) => key.toString("hex")),
    keys.map((key) => Buffer.from(key)).sort(Buffer.compare).map((key) => key.toString("hex")),
  );
}

/** Few distinct bytes, so that prefixes and whole words tie; zeros, because words are padded with them. */
const key = fc
  .array(fc.constantFrom(0, 0, 1, 255), { minLength: 1, maxLength: 12 })
  .map((bytes) => Uint8Array.from(bytes));
const keysOf = (prefix: number): fc.Arbitrary<Uint8Array[]> =>
  fc
    .uniqueArray(key, { maxLength: 400, size: "max", selector: (bytes) => bytes.join() })
    .map((keys) => keys.map((bytes) => Uint8Array.from([...new Uint8Array(prefix).fill(7), ...bytes])));

test("keys come in the order of their bytes", () => {
  fc.assert(fc.property(fc.constantFrom(0, 1, 4, 9).chain(keysOf), check), { numRuns: 300 });
});

test("keys of which each is a prefix of the next, as long as keys get, do not exhaust the stack", () => {
  const zeros = new Uint8Array(65_535);
  const lengths = Array.from({ length: 700 }, (_, i) => 65_535 - i * 93);
  check(lengths.map((length) => zeros.subarray(0, length)));
  check(Array.from({ length: 200 }, (_, i) => zeros.subarray(0, 1 + ((i * 37) % 200))));
});

test("many keys that differ late, and one that differs early", () => {
  const keys = Array.from({ length: 30_000 }, (_, i) => Buffer.from(`user/0000/${String(Math.imul(i, 7919) >>> 0)}`));
  check([...keys, Buffer.from("a")]);
});
