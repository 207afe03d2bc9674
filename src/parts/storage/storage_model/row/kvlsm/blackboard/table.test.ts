import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareBytes } from "../../../../../../kit/compare.ts";
import { errorCodeOf } from "../../../../../../kit/errors.ts";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import { hash32 } from "../../../../../../kit/hash.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { BlockCache } from "./block-cache.ts";
import { WalkPool } from "./block-walk.ts";
import type { FileMeta } from "./file-meta.ts";
import { Lookup, lookupAbsent } from "./lookup.ts";
import { ReadCounters } from "./read-counters.ts";
import { SequentialBlocks, SequentialRun } from "./sequential-blocks.ts";
import {
  ArrayIterator,
  checkIterator,
  type Entry,
  entriesArbitrary,
  keyArbitrary,
} from "./sorted-entries.fixture.ts";
import { Table } from "./table.ts";
import { TableIterator } from "./table-iterator.ts";
import { readTableLayout } from "./table-layout.ts";
import { type TableOptions, TableWriter } from "./table-writer.ts";

const path = "/store/00000001.sst";

const optionsArbitrary: fc.Arbitrary<TableOptions> = fc.record({
  blockBytes: fc.constantFrom(64, 200, 1000, 4096),
  bloomBitsPerKey: fc.constantFrom(0, 2, 10),
  restartInterval: fc.constantFrom(1, 2, 5, 16),
  selectionHash: fc.constant(noSelectionHash),
});

function writeTable(
  entries: readonly Entry[],
  options: TableOptions,
): { disk: SimulatedDisk; meta: FileMeta } {
  const disk = new SimulatedDisk();
  disk.makeDirectory("/store");
  const writer = new TableWriter(disk, path, 1, options);
  const source = new ArrayIterator(entries);
  for (source.seekFirst(); source.valid; source.next()) {
    writer.add(source, source.index);
    if (writer.sizeBytes % 3 === 0) writer.writePending();
  }
  return { disk, meta: writer.finish() };
}

function openTable(disk: SimulatedDisk, cacheBytes: number): Table {
  const file = disk.open(path, "read");
  const layout = readTableLayout(file, noSelectionHash);
  return new Table(layout.properties, file, layout, new BlockCache(cacheBytes), new ReadCounters());
}

function find(
  table: Table,
  key: Uint8Array,
  indexMax: number,
): { kind: number; value: Uint8Array } | undefined {
  const lookup = new Lookup();
  const kind = table.find(key, hash32(key) | 0, indexMax, lookup, true);
  if (kind === lookupAbsent) return undefined;
  return { kind, value: lookup.bytes.slice(lookup.valueStart, lookup.valueEnd) };
}

test("what was written is found, at every index, and walked in both directions", () => {
  fc.assert(
    fc.property(
      entriesArbitrary.filter((entries) => entries.length > 0),
      fc.array(keyArbitrary, { maxLength: 8 }),
      optionsArbitrary,
      fc.constantFrom(0, 500, 1 << 20),
      (entries, targets, options, cacheBytes) => {
        const { disk, meta } = writeTable(entries, options);
        assert.equal(meta.entryCount, entries.length);
        assert.equal(compareBytes(meta.smallest, entries[0].key), 0);
        assert.equal(compareBytes(meta.largest, entries[entries.length - 1].key), 0);
        assert.equal(meta.indexMax, Math.max(...entries.map((entry) => entry.index)));
        assert.equal(meta.sizeBytes, disk.size(path));
        const table = openTable(disk, cacheBytes);
        assert.deepEqual(table.meta, meta);
        for (const key of [...targets, ...entries.map((entry) => entry.key)]) {
          for (const indexMax of [0, 5, 2 ** 33, Infinity]) {
            const expected = entries.find((one) => compareBytes(one.key, key) === 0 && one.index <= indexMax);
            const found = find(table, key, indexMax);
            const wanted =
              expected === undefined
                ? undefined
                : { kind: expected.kind, value: Uint8Array.from(expected.value) };
            assert.deepEqual(found, wanted);
          }
        }
        const pool = new WalkPool();
        const iterator = new TableIterator(pool, table);
        checkIterator(iterator, entries, targets, assert.deepEqual);
        iterator.close();
        const sequential = new SequentialBlocks(
          path,
          new SequentialRun(disk, noSelectionHash, () => undefined),
        );
        checkIterator(new TableIterator(pool, sequential), entries, targets, assert.deepEqual);
      },
    ),
    { numRuns: 150 },
  );
});

const sample: Entry[] = Array.from({ length: 40 }, (_, i) => ({
  key: new TextEncoder().encode(`key${String(i).padStart(4, "0")}`),
  index: i + 1,
  kind: i % 9 === 0 ? 2 : 1,
  value: i % 9 === 0 ? new Uint8Array(0) : new Uint8Array(20).fill(i),
}));
const sampleOptions: TableOptions = {
  blockBytes: 256,
  bloomBitsPerKey: 10,
  restartInterval: 4,
  selectionHash: noSelectionHash,
};

/** Reads everything; returns what was read as text. */
function readAll(disk: SimulatedDisk): string {
  const table = openTable(disk, 1 << 20);
  const iterator = new TableIterator(new WalkPool(), table);
  const parts: string[] = [];
  for (iterator.seekFirst(); iterator.valid; iterator.next()) {
    const key = iterator.keyBytes.slice(iterator.keyStart, iterator.keyEnd);
    const found = find(table, key, Infinity);
    parts.push(`${key}@${iterator.index}:${iterator.kind}=${found?.kind}:${found?.value}`);
  }
  return parts.join("\n");
}

test("any changed byte is noticed: CORRUPTION or FORMAT_UNKNOWN that names the file, never other data", () => {
  const { disk } = writeTable(sample, sampleOptions);
  const intact = readAll(disk);
  const file = disk.open(path, "write");
  const sizeBytes = file.sizeSync();
  const original = new Uint8Array(1);
  let noticed = 0;
  for (let at = 0; at < sizeBytes; at++) {
    file.readSync(original, 0, 1, at);
    for (const mask of [1, 0x80, 0xff]) {
      file.writeSync(Uint8Array.of(original[0] ^ mask), 0, 1, at);
      try {
        assert.equal(readAll(disk), intact, `byte ${at}`);
      } catch (error) {
        assert.match(
          String(errorCodeOf(error)),
          /^(CORRUPTION|FORMAT_UNKNOWN)$/,
          `byte ${at}: ${String(error)}`,
        );
        assert.match((error as Error).message, /00000001\.sst/);
        noticed++;
      }
    }
    file.writeSync(original, 0, 1, at);
  }
  assert.equal(noticed, sizeBytes * 3, "every byte of the file is covered by a checksum");
  assert.equal(readAll(disk), intact);
});

test("a file cut short anywhere is refused", () => {
  const { disk } = writeTable(sample, sampleOptions);
  for (let length = disk.size(path) - 1; length >= 0; length -= 7) {
    disk.open(path, "write").truncateSync(length);
    assert.throws(() => readAll(disk), { code: /CORRUPTION|FORMAT_UNKNOWN/ });
  }
});

test("a block at the wrong place does not pass, though its own bytes are whole", () => {
  const { disk } = writeTable(sample, sampleOptions);
  const file = disk.open(path, "write");
  const { blockOffsets } = readTableLayout(file, noSelectionHash);
  const lengths = Array.from(blockOffsets.subarray(1), (offset, i) => offset - blockOffsets[i]);
  const first = lengths.findIndex((length, i) => lengths.indexOf(length, i + 1) > 0);
  const second = lengths.indexOf(lengths[first], first + 1);
  assert.ok(first >= 0 && second > first, "two blocks have one length");
  const bytes = new Uint8Array(lengths[first]);
  file.readSync(bytes, 0, bytes.length, blockOffsets[second]);
  file.writeSync(bytes, 0, bytes.length, blockOffsets[first]);
  assert.throws(() => readAll(disk), { code: "CORRUPTION" });
});

test("a table of another selection or a later version is refused with the way out", () => {
  const { disk } = writeTable(sample, sampleOptions);
  const file = disk.open(path, "read");
  assert.throws(() => readTableLayout(file, "a".repeat(32)), {
    code: "FORMAT_UNKNOWN",
    message: /open it with that product/,
  });
});

test("the cache keeps to its bound and hands every block back", () => {
  const { disk } = writeTable(sample, { ...sampleOptions, blockBytes: 64 });
  const file = disk.open(path, "read");
  const layout = readTableLayout(file, noSelectionHash);
  const cache = new BlockCache(2000);
  const table = new Table(layout.properties, file, layout, cache, new ReadCounters());
  for (let round = 0; round < 3; round++) {
    for (const { key } of sample) {
      assert.notEqual(table.find(key, hash32(key) | 0, Infinity, new Lookup(), true), lookupAbsent);
      assert.ok(cache.sizeBytes <= 2000, `${cache.sizeBytes} bytes`);
    }
  }
  assert.ok(cache.misses > layout.blockCount, "blocks were dropped and read again");
  table.close();
  assert.equal(cache.sizeBytes, 0);
  assert.equal(cache.blockCount, 0);
});
