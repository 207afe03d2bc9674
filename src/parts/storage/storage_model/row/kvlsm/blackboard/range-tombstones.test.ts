/** Range tombstones: fragments against a plain list of ranges; the section; what flushes and compactions keep. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareBytes } from "../../../../../../kit/compare.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { MemtableRanges } from "./memtable-ranges.ts";
import { forEachSurvivor } from "./range-batch.ts";
import { RangeMask } from "./range-mask.ts";
import { decodeRangeTombstones, encodeRangeTombstones, type RangeSpan, RangeTombstones } from "./range-tombstones.ts";
import { Retention } from "./retention.ts";
import { stripeOf } from "./snapshot-stripes.ts";
import { ArrayIterator, currentOf, entriesArbitrary, keyArbitrary } from "./sorted-entries.fixture.ts";

const spanArbitrary = fc
  .tuple(keyArbitrary, keyArbitrary, fc.integer({ min: 1, max: 30 }))
  .map(([a, b, index]): RangeSpan => {
    const [start, end] = compareBytes(a, b) < 0 ? [a, b] : [b, a];
    return { start, end, indexes: [index] };
  });
const spansArbitrary = fc.array(spanArbitrary, { maxLength: 20 });
const snapshotsArbitrary = fc
  .uniqueArray(fc.nat(32), { maxLength: 4 })
  .map((indexes) => indexes.sort((a, b) => a - b));

/** The plain answer: the newest index at which the key was deleted. */
function plainCover(spans: readonly RangeSpan[], key: Uint8Array, indexMax: number): number {
  let newest = 0;
  for (const { start, end, indexes } of spans) {
    if (compareBytes(start, key) > 0 || compareBytes(key, end) >= 0) continue;
    for (const index of indexes) if (index <= indexMax && index > newest) newest = index;
  }
  return newest;
}

/** All keys at which an answer can change, and their neighbours. */
function keysAround(spans: readonly RangeSpan[], more: readonly Uint8Array[]): Uint8Array[] {
  const bounds = spans.flatMap(({ start, end }) => [start, end]);
  return [...bounds, ...bounds.map((key) => Uint8Array.from([...key, 0])), ...more];
}

test("fragments answer as the ranges they were cut from, also from a file, clipped, and in a memtable", () => {
  fc.assert(
    fc.property(
      spansArbitrary,
      fc.array(keyArbitrary),
      fc.option(keyArbitrary, { nil: undefined }),
      fc.option(keyArbitrary, { nil: undefined }),
      (spans, keys, from, to) => {
        const fragments = RangeTombstones.fragment(spans);
        const copy = decodeRangeTombstones(encodeRangeTombstones(fragments), "file");
        assert.deepEqual(copy.spans, fragments.spans);
        const memtable = new MemtableRanges();
        for (const { start, end, indexes } of [...spans].sort((a, b) => a.indexes[0] - b.indexes[0])) {
          memtable.add(Uint8Array.from([...start, ...end]), 0, start.length, start.length + end.length, indexes[0]);
        }
        const clipped = fragments.clipped(from, to);
        for (const key of keysAround(spans, keys)) {
          for (const indexMax of [0, 7, 15, Infinity]) {
            const expected = plainCover(spans, key, indexMax);
            assert.equal(fragments.coverIndex(key, 0, key.length, indexMax), expected);
            assert.equal(memtable.coverIndex(key, indexMax), expected);
            const outside =
              (from !== undefined && compareBytes(key, from) < 0) || (to !== undefined && compareBytes(key, to) >= 0);
            assert.equal(clipped.coverIndex(key, 0, key.length, indexMax), outside ? 0 : expected);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("fragments do not overlap, are in order, and are as few as they can be", () => {
  fc.assert(
    fc.property(spansArbitrary, (spans) => {
      const { spans: fragments } = RangeTombstones.fragment(spans);
      for (const [i, { start, end, indexes }] of fragments.entries()) {
        assert.ok(compareBytes(start, end) < 0);
        assert.deepEqual(indexes, [...new Set(indexes)].sort((a, b) => b - a));
        if (i === 0) continue;
        const order = compareBytes(fragments[i - 1].end, start);
        assert.ok(order <= 0);
        if (order === 0) assert.notDeepEqual(fragments[i - 1].indexes, indexes);
      }
    }),
  );
});

test("what is retained hides the same from every reader that is left", () => {
  fc.assert(
    fc.property(spansArbitrary, snapshotsArbitrary, (spans, snapshots) => {
      const fragments = RangeTombstones.fragment(spans);
      const kept = fragments.retained(snapshots, false);
      const bottom = fragments.retained(snapshots, true);
      assert.ok(kept.spans.every(({ indexes }) => indexes.length <= snapshots.length + 1));
      for (const key of keysAround(spans, [])) {
        for (const reader of [...snapshots, Infinity]) {
          const before = fragments.coverIndex(key, 0, key.length, reader);
          assert.equal(kept.coverIndex(key, 0, key.length, reader), before);
          const stripe = stripeOf(snapshots, before);
          assert.equal(bottom.coverIndex(key, 0, key.length, reader), stripe === 0 ? 0 : before);
        }
      }
    }),
  );
});

/** What a reader at `indexMax` sees of entries under range tombstones. */
function visible(
  entries: readonly { key: Uint8Array; index: number; kind: number; value: Uint8Array }[],
  spans: readonly RangeSpan[],
  indexMax: number,
): string[] {
  const found = new Map<string, string | undefined>();
  for (const { key, index, kind, value } of entries) {
    const name = Buffer.from(key).toString("hex");
    if (index > indexMax || found.has(name)) continue;
    const hidden = kind !== 1 || plainCover(spans, key, indexMax) > index;
    found.set(name, hidden ? undefined : Buffer.from(value).toString("hex"));
  }
  return [...found].filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${value}`);
}

test("retention under range tombstones changes nothing that any reader sees", () => {
  fc.assert(
    fc.property(entriesArbitrary, spansArbitrary, snapshotsArbitrary, fc.boolean(), (...drawn) => {
      const [entries, spans, snapshots, bottom] = drawn;
      const ranges = RangeTombstones.fragment(spans);
      const retention = new Retention({ snapshots, bottom, nowMs: 0, ranges });
      const source = new ArrayIterator(entries);
      const kept = [];
      for (source.seekFirst(); source.valid; source.next()) {
        if (retention.keeps(source)) kept.push({ ...currentOf(source), index: retention.index });
      }
      const left = ranges.retained(snapshots, bottom).spans;
      for (const reader of [...snapshots, Infinity]) {
        assert.deepEqual(visible(kept, left, reader), visible(entries, spans, reader));
      }
      if (snapshots.length > 0) return;
      assert.ok(kept.every(({ key, index }) => index === 0 || plainCover(spans, key, Infinity) <= index));
    }),
    { numRuns: 300 },
  );
});

test("a mask over several lists hides in both directions what one list of all would", () => {
  fc.assert(
    fc.property(fc.array(spansArbitrary, { maxLength: 3 }), entriesArbitrary, fc.nat(30), (...drawn) => {
      const [lists, entries, indexMax] = drawn;
      for (const reverse of [false, true]) {
        const mask = new RangeMask(lists.map((list) => RangeTombstones.fragment(list)), indexMax, reverse, undefined);
        for (const { key, index } of reverse ? [...entries].reverse() : entries) {
          const hidden = plainCover(lists.flat(), key, indexMax) > index;
          assert.equal(mask.hides(key, 0, key.length, index), hidden);
        }
      }
    }),
  );
});

test("a file is covered just when no reader sees anything of it but through newer data", () => {
  fc.assert(
    fc.property(spansArbitrary, snapshotsArbitrary, entriesArbitrary, (spans, snapshots, all) => {
      const entries = all.filter(({ index }) => index <= 20);
      if (entries.length === 0) return;
      const ranges = RangeTombstones.fragment(spans);
      const bounds = { smallest: entries[0].key, largest: entries[entries.length - 1].key };
      const indexes = entries.map(({ index }) => index);
      const range = { indexMin: Math.min(...indexes), indexMax: Math.max(...indexes) };
      if (!ranges.coversAll(bounds, range, snapshots)) return;
      for (const reader of [...snapshots, Infinity]) assert.deepEqual(visible(entries, spans, reader), []);
    }),
    { numRuns: 500 },
  );
  const key = (byte: number) => Uint8Array.of(byte);
  const ranges = RangeTombstones.fragment([
    { start: key(1), end: key(5), indexes: [9] },
    { start: key(5), end: key(9), indexes: [8] },
  ]);
  const file = { indexMin: 2, indexMax: 7 };
  assert.ok(ranges.coversAll({ smallest: key(1), largest: key(8) }, file, []));
  assert.ok(ranges.coversAll({ smallest: key(1), largest: key(9), largestIsExclusive: true }, file, []));
  assert.ok(!ranges.coversAll({ smallest: key(1), largest: key(9) }, file, []));
  assert.ok(!ranges.coversAll({ smallest: key(0), largest: key(8) }, file, []));
  assert.ok(!ranges.coversAll({ smallest: key(1), largest: key(8) }, { indexMin: 2, indexMax: 8 }, []));
  assert.ok(!ranges.coversAll({ smallest: key(1), largest: key(8) }, file, [4]), "the snapshot sees the file");
  assert.ok(ranges.coversAll({ smallest: key(1), largest: key(8) }, file, [1]), "a snapshot from before it does not");
});

test("of a batch survives what no later range delete of its own covers", () => {
  const operation = fc.oneof(
    fc.record({ range: fc.constant(false), a: fc.nat(9), b: fc.nat(9) }),
    fc.record({ range: fc.boolean(), a: fc.nat(9), b: fc.nat(10) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 20 }), (operations) => {
      const batch = new WriteBatch();
      let expected: string[] = [];
      for (const { range, a, b } of operations) {
        if (!range) {
          batch.put(Uint8Array.of(a), Uint8Array.of(b));
          expected.push(`${a}=${b}`);
        } else {
          batch.deleteRange(Uint8Array.of(a), Uint8Array.of(b));
          expected = expected.filter((one) => !(Number(one[0]) >= a && Number(one[0]) < b));
        }
      }
      const found: string[] = [];
      forEachSurvivor(batch.encode(), (kind, bytes, keyStart, keyEnd) => {
        if (kind === 1) found.push(`${bytes[keyStart]}=${bytes[keyEnd]}`);
      });
      assert.deepEqual(found, expected);
    }),
  );
});

test("damaged sections are CORRUPTION", () => {
  const fragments = RangeTombstones.fragment([
    { start: Uint8Array.of(1), end: Uint8Array.of(5), indexes: [9, 3] },
    { start: Uint8Array.of(5), end: Uint8Array.of(7), indexes: [4] },
  ]);
  const bytes = encodeRangeTombstones(fragments);
  for (let length = 1; length < bytes.length; length++) {
    assert.throws(() => decodeRangeTombstones(bytes.subarray(0, length), "file"), { code: "CORRUPTION" });
  }
  const swapped = bytes.slice();
  swapped[2] = 6;
  assert.throws(() => decodeRangeTombstones(swapped, "file"), { code: "CORRUPTION" });
});
