import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cacheConformance } from "../../cache.conformance.ts";
import { CellArena, cellsFor } from "./cell-arena.ts";
import { createLruCache } from "./lru-cache.ts";

cacheConformance("LRU", (capacityBytes) => createLruCache({ capacityBytes }));

const key = (number: number) => new TextEncoder().encode(`user${number}`);

test("drops what was not used for longest, in the order of a model", () => {
  const entryBytes = 20;
  const access = fc.record({ kind: fc.constantFrom("get", "fill"), number: fc.nat(500) });
  fc.assert(
    fc.property(fc.array(access, { minLength: 200, maxLength: 600 }), (accesses) => {
      const cache = createLruCache({ capacityBytes: 16 << 10 });
      // A Map iterates in the order of insertion: the model's oldest is its first.
      const model = new Map<number, true>();
      let room = 0;
      for (const { kind, number } of accesses) {
        const found = cache.get(key(number)) !== undefined;
        assert.equal(found, model.has(number));
        if (found) model.delete(number);
        if (found) model.set(number, true);
        if (kind === "get" || found) continue;
        const before = cache.sizeBytes;
        cache.fill(key(number), new Uint8Array(entryBytes), cache.epoch());
        model.set(number, true);
        if (cache.sizeBytes === before) model.delete(model.keys().next().value as number);
        else room = model.size;
      }
      assert.ok(room > 100 || model.size < 200);
    }),
    { numRuns: 30 },
  );
});

test("a full cache uses nearly all of its capacity", () => {
  const cache = createLruCache({ capacityBytes: 1 << 20 });
  for (let number = 0; number < 20_000; number++) cache.fill(key(number), new Uint8Array(150), cache.epoch());
  assert.ok(cache.sizeBytes > 0.99 * cache.capacityBytes, `${cache.sizeBytes}`);
  assert.ok(cache.sizeBytes <= cache.capacityBytes);
});

test("the arena keeps chains apart, whatever comes and goes", () => {
  const change = fc.record({ free: fc.boolean(), pick: fc.nat(1000), length: fc.nat(400) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const arena = new CellArena(100);
      const chains: { first: number; bytes: Uint8Array; cells: number }[] = [];
      changes.forEach(({ free, pick, length }, at) => {
        if (free && chains.length > 0) {
          const [chain] = chains.splice(pick % chains.length, 1);
          assert.equal(arena.release(chain.first), chain.cells);
        } else if (cellsFor(length) <= arena.freeCells) {
          const bytes = Uint8Array.from({ length }, (_, position) => (at * 7 + position) & 0xff);
          const cells = cellsFor(length);
          const first = arena.allocate(cells);
          const cut = length === 0 ? 0 : pick % length;
          arena.write(first, 0, bytes.subarray(0, cut));
          arena.write(first, cut, bytes.subarray(cut));
          chains.push({ first, bytes, cells });
        }
        for (const { first, bytes } of chains) {
          const target = new Int32Array(Math.ceil(bytes.length / 4));
          arena.read(first, 0, target.length, target);
          assert.equal(Buffer.compare(new Uint8Array(target.buffer, 0, bytes.length), bytes), 0);
          assert.ok(arena.startsWith(first, bytes));
        }
        assert.equal(arena.usedCells, chains.reduce((sum, { cells }) => sum + cells, 0));
      });
    }),
    { numRuns: 40 },
  );
});
