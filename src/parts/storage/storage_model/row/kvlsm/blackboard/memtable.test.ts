import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hash32 } from "../../../../../../kit/hash.ts";
import { FrozenWalk } from "./frozen-walk.ts";
import { Memtable, memtableWordsMax, unlinkedMax } from "./memtable.ts";
import { MemtableArenaPool } from "./memtable-arena.ts";
import { MemtableIterator } from "./memtable-iterator.ts";
import {
  checkIterator, currentOf, describeEntry, type Entry, entriesArbitrary, keyArbitrary,
} from "./sorted-entries.fixture.ts";

const pool = new MemtableArenaPool(1 << 18, 2);

/** Fills a memtable in the order of the indexes, as an engine does. */
function fill(entries: readonly Entry[], hashOf: (key: Uint8Array) => number): Memtable {
  const memtable = new Memtable(pool.take(0, 0));
  for (const { key, index, kind, value } of [...entries].sort((a, b) => a.index - b.index)) {
    const bytes = Uint8Array.from([...key, ...value]);
    memtable.noteIndex(index);
    memtable.take(bytes);
    memtable.add(0, key.length, bytes.length, kind, hashOf(key), index);
  }
  return memtable;
}

function check(
  entries: readonly Entry[],
  targets: readonly Uint8Array[],
  hashOf: (key: Uint8Array) => number,
): void {
  const memtable = fill(entries, hashOf);
  assert.equal(memtable.versionCount, entries.length);
  for (const key of [...targets, ...entries.map((entry) => entry.key)]) {
    for (const indexMax of [0, 3, 10, 2 ** 40, Infinity]) {
      const expected = entries.find(
        (entry) => Buffer.compare(entry.key, key) === 0 && entry.index <= indexMax,
      );
      const version = memtable.find(key, hashOf(key), indexMax);
      assert.equal(version !== 0, expected !== undefined);
      if (expected === undefined) continue;
      const start = memtable.valueStartOf(version);
      assert.equal(memtable.kindOf(version), expected.kind);
      const value = memtable.bytes.slice(start, start + memtable.valueLengthOf(version));
      assert.deepEqual(value, Uint8Array.from(expected.value));
    }
  }
  const beforeScan = shownBy(new FrozenWalk(memtable.freeze()));
  checkIterator(new MemtableIterator(memtable), entries, targets, assert.deepEqual);
  assert.deepEqual(beforeScan, entries.map(describeEntry));
  assert.deepEqual(shownBy(new FrozenWalk(memtable.freeze())), beforeScan);
  pool.give(memtable.arena, memtable.sizeBytes);
}

function shownBy(walk: FrozenWalk): string[] {
  const shown: string[] = [];
  while (walk.next()) shown.push(describeEntry(currentOf(walk)));
  return shown;
}

test("find and the iterators agree with the sorted entries, in arenas used before", () => {
  fc.assert(
    fc.property(entriesArbitrary, fc.array(keyArbitrary, { maxLength: 8 }), (entries, targets) =>
      check(entries, targets, (key) => hash32(key) | 0),
    ),
  );
});

test("keys that all collide are found, by descent where the probes end", () => {
  fc.assert(
    fc.property(entriesArbitrary, fc.array(keyArbitrary, { maxLength: 8 }), (entries, targets) =>
      check(entries, targets, () => 42),
    ),
    { numRuns: 30 },
  );
});

test("many keys: the hash index grows and stays right", () => {
  const memtable = new Memtable(new MemtableArenaPool(1 << 21, 1).take(0, memtableWordsMax(20_000)));
  const keyOf = (i: number) => Uint8Array.of(i & 255, (i >>> 8) & 255, i & 255, 7);
  for (let i = 0; i < 20_000; i++) {
    const key = keyOf(i);
    memtable.noteIndex(i + 1);
    memtable.take(key);
    memtable.add(0, 4, 4, 1, hash32(key) | 0, i + 1);
  }
  assert.equal(memtable.keyCount, 20_000);
  for (let i = 0; i < 20_000; i++)
    assert.notEqual(memtable.find(keyOf(i), hash32(keyOf(i)) | 0, Infinity), 0);
  const iterator = new MemtableIterator(memtable);
  let count = 0;
  for (iterator.seekLast(); iterator.valid; iterator.previous()) count++;
  assert.equal(count, 20_000);
});

test("fits says no before an arena overflows", () => {
  const memtable = new Memtable(new MemtableArenaPool(4096, 1).take(0, 0));
  let added = 0;
  for (let i = 0; memtable.fits(1, 20); i++) {
    const bytes = new Uint8Array(20).fill(i);
    new DataView(bytes.buffer).setUint32(0, i);
    memtable.take(bytes);
    memtable.add(0, 16, 20, 1, hash32(bytes, 0, 0, 16) | 0, i + 1);
    added++;
  }
  assert.ok(added > 50);
});

/** Runs near the last key, far away and before it, with and without a scan in between that links what is there. */
test("runs of keys, sorted and not, end in one order, whenever it is asked for", () => {
  const run = fc.record({
    from: fc.nat(4000),
    count: fc.nat(300),
    stride: fc.constantFrom(1, 1, 3, 40, -1, -7),
    scanned: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 8 }), (all) => {
      const memtable = new Memtable(pool.take(0, 0));
      const wanted = new Set<number>();
      for (const { from, count, stride, scanned } of all) {
        for (let id = from, i = 0; i < count && id >= 0; id += stride, i++) {
          if (wanted.has(id)) continue;
          wanted.add(id);
          const key = Uint8Array.of(id >>> 16, (id >>> 8) & 0xff, id & 0xff);
          memtable.noteIndex(wanted.size);
          memtable.take(key);
          memtable.add(0, 3, 3, 1, hash32(key) | 0, wanted.size);
        }
        if (scanned) memtable.order();
      }
      const found: number[] = [];
      const iterator = new MemtableIterator(memtable);
      for (iterator.seekFirst(); iterator.valid; iterator.next()) {
        const { keyBytes, keyStart } = iterator;
        found.push((keyBytes[keyStart] << 16) | (keyBytes[keyStart + 1] << 8) | keyBytes[keyStart + 2]);
      }
      assert.deepEqual(found, [...wanted].sort((a, b) => a - b));
      pool.give(memtable.arena, memtable.sizeBytes);
    }),
    { numRuns: 200 },
  );
});

test("writes leave the order to scans, and little of it once there are any", () => {
  const count = unlinkedMax * 3;
  const leftBy = (expectsScans: boolean, scanned: boolean) => {
    const memtable = new Memtable(new MemtableArenaPool(1 << 20, 1).take(0, memtableWordsMax(count)), expectsScans);
    for (let i = 0; i < count; i++) {
      const key = Uint8Array.of(i & 255, i >>> 8);
      memtable.take(key);
      memtable.add(0, 2, 2, 1, hash32(key) | 0, i + 1);
      if (scanned && i === 0) memtable.order();
    }
    assert.equal(memtable.wasScanned, scanned);
    return memtable.unlinkedCount;
  };
  assert.equal(leftBy(false, false), count);
  assert.ok(leftBy(true, false) <= unlinkedMax + 1);
  assert.ok(leftBy(false, true) <= unlinkedMax + 1);
});
