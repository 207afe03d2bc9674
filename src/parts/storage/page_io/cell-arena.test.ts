import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CellArena, cellsFor } from "./cell-arena.ts";

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
