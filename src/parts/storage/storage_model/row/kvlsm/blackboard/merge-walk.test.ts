import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareBytes } from "../../../../../../kit/compare.ts";
import { MergeWalk } from "./merge-walk.ts";
import { Retention } from "./retention.ts";
import {
  ArrayIterator,
  currentOf,
  describeEntry,
  type Entry,
  entriesArbitrary,
  keyArbitrary,
} from "./sorted-entries.fixture.ts";

function walk(runs: readonly Entry[][], reverse: boolean, bound: Uint8Array | undefined): string[] {
  const merge = new MergeWalk(
    runs.map((run) => new ArrayIterator(run)),
    reverse,
  );
  const found: string[] = [];
  for (merge.start(bound); merge.top !== undefined; merge.step())
    found.push(describeEntry(currentOf(merge.top)));
  return found;
}

/** Deals entries out to runs. */
const runsArbitrary = fc
  .tuple(entriesArbitrary, fc.integer({ min: 1, max: 6 }), fc.infiniteStream(fc.nat(1000)))
  .map(([entries, count, choices]) => {
    const runs: Entry[][] = Array.from({ length: count }, () => []);
    for (const entry of entries) runs[(choices.next().value as number) % count].push(entry);
    return { entries, runs };
  });

test("a merge is the sorted union, in both directions, from any bound", () => {
  fc.assert(
    fc.property(runsArbitrary, fc.option(keyArbitrary, { nil: undefined }), ({ entries, runs }, bound) => {
      const at =
        bound === undefined ? 0 : entries.filter((entry) => compareBytes(entry.key, bound) < 0).length;
      const all = entries.map(describeEntry);
      assert.deepEqual(walk(runs, false, bound), all.slice(at));
      assert.deepEqual(
        walk(runs, true, bound),
        all.slice(0, bound === undefined ? all.length : at).reverse(),
      );
    }),
  );
});

test("of equal entries the one of the newer run comes first", () => {
  const entry = (value: number): Entry => ({
    key: Uint8Array.of(1),
    index: 5,
    kind: 1,
    value: Uint8Array.of(value),
  });
  assert.deepEqual(
    walk([[entry(1)], [entry(2)]], false, undefined).map((text) => text.slice(-2)),
    ["01", "02"],
  );
  assert.deepEqual(
    walk([[entry(1)], [entry(2)]], true, undefined).map((text) => text.slice(-2)),
    ["02", "01"],
  );
});

/** What a reader at `indexMax` sees: key to value. */
function visible(entries: readonly Entry[], indexMax: number): string[] {
  const seen = new Map<string, Entry>();
  for (const entry of entries) {
    const key = Buffer.from(entry.key).toString("hex");
    if (entry.index <= indexMax && !seen.has(key)) seen.set(key, entry);
  }
  return [...seen]
    .filter(([, entry]) => entry.kind === 1)
    .map(([key, entry]) => `${key}=${Buffer.from(entry.value).toString("hex")}`);
}

test("retention changes nothing that any reader can see, and keeps no more than it must", () => {
  fc.assert(
    fc.property(
      entriesArbitrary,
      fc.uniqueArray(fc.nat(25), { maxLength: 4 }),
      fc.boolean(),
      (entries, taken, bottom) => {
        const snapshots = taken.sort((a, b) => a - b);
        const retention = new Retention({ snapshots, bottom, nowMs: 0 });
        const source = new ArrayIterator(entries);
        const kept: Entry[] = [];
        for (source.seekFirst(); source.valid; source.next()) {
          if (retention.keeps(source)) kept.push({ ...currentOf(source), index: retention.index });
        }
        for (const index of [...snapshots, Infinity])
          assert.deepEqual(visible(kept, index), visible(entries, index));
        const perKey = new Map<string, number>();
        for (const { key } of kept) {
          const name = Buffer.from(key).toString("hex");
          perKey.set(name, (perKey.get(name) ?? 0) + 1);
        }
        for (const count of perKey.values()) assert.ok(count <= snapshots.length + 1);
        if (bottom && snapshots.length === 0)
          assert.ok(kept.every((entry) => entry.kind === 1 && entry.index === 0));
      },
    ),
    { numRuns: 300 },
  );
});
