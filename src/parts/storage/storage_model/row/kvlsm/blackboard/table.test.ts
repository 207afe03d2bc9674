import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { writeU32LE } from "../../../../../../kit/bytes.ts";
import { compareBytes } from "../../../../../../kit/compare.ts";
import { codecs, compress, hasCodec } from "../../../../../../kit/compression.ts";
import { errorCodeOf } from "../../../../../../kit/errors.ts";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import { hash32 } from "../../../../../../kit/hash.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { BlockCache } from "./block-cache.ts";
import { WalkPool } from "./block-walk.ts";
import type { FileMeta } from "./file-meta.ts";
import { Lookup, lookupAbsent } from "./lookup.ts";
import { noPrefixes, prefixLengthOf } from "./prefix-rule.ts";
import { ReadCounters } from "./read-counters.ts";
import { SequentialBlocks, SequentialRun } from "./sequential-blocks.ts";
import {
  ArrayIterator,
  checkIterator,
  type Entry,
  entriesArbitrary,
  keyArbitrary,
} from "./sorted-entries.fixture.ts";
import { rangeSection, RangeTombstones } from "./range-tombstones.ts";
import { Table } from "./table.ts";
import { TableIterator } from "./table-iterator.ts";
import { encodeTrailer, tableVersion, trailerBytes } from "./table-format.ts";
import { readTableLayout, readTableSections } from "./table-layout.ts";
import { type TableOptions, TableWriter } from "./table-writer.ts";

const path = "/store/00000001.sst";

const optionsArbitrary: fc.Arbitrary<TableOptions> = fc.record({
  blockBytes: fc.constantFrom(64, 200, 1000, 4096),
  bloomBitsPerKey: fc.constantFrom(0, 2, 10),
  restartInterval: fc.constantFrom(1, 2, 5, 16),
  selectionHash: fc.constant(noSelectionHash),
  compression: fc.constantFrom("none", "none", ...codecs.filter(hasCodec)),
  prefixRule: fc.constantFrom(
    noPrefixes,
    { bytes: 1, separator: -1 },
    { bytes: 5, separator: -1 },
    { bytes: 0, separator: 47 },
  ),
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

test("a prefix filter never passes over a file that has a key of the range", () => {
  let rejections = 0;
  fc.assert(
    fc.property(
      entriesArbitrary.filter((entries) => entries.length > 0),
      fc.array(fc.tuple(keyArbitrary, keyArbitrary), { minLength: 1, maxLength: 20 }),
      optionsArbitrary.filter((options) => options.prefixRule !== noPrefixes),
      (entries, pairs, options) => {
        const { disk } = writeTable(entries, { ...options, bloomBitsPerKey: 10 });
        const counters = new ReadCounters();
        const file = disk.open(path, "read");
        const layout = readTableLayout(file, noSelectionHash);
        const table = new Table(layout.properties, file, layout, new BlockCache(0), counters);
        const keys = entries.map((entry) => entry.key);
        for (const [from, other] of [...pairs, ...pairs.map(([a], i) => [a, keys[i % keys.length]])]) {
          for (const [gte, lt] of rangesFrom(from, other, options)) {
            const inside = keys.some((key) => isInside(key, gte, lt));
            const may = table.mayContainRange(gte, lt);
            assert.ok(may || !inside, `[${gte}, ${lt}) has keys of ${entries.map(({ key }) => `${key}`).join(" | ")}`);
          }
        }
        rejections += counters.prefixRejections;
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(rejections > 100, `${rejections} rejections`);
});

/** Ranges that begin at a key, and end within its prefix, at the end of it, behind it, or nowhere. */
function* rangesFrom(
  from: Uint8Array,
  other: Uint8Array,
  { prefixRule }: TableOptions,
): Generator<[Uint8Array | undefined, Uint8Array | undefined]> {
  yield [from, other];
  yield [other, from];
  yield [from, undefined];
  yield [undefined, from];
  yield [from, Uint8Array.from([...from, 0])];
  const length = prefixLengthOf(prefixRule ?? noPrefixes, from, 0, from.length);
  if (length <= 0) return;
  const prefix = from.slice(0, length);
  yield [prefix, Uint8Array.from([...prefix, 255, 255])];
  const successor = prefix.slice();
  successor[length - 1]++;
  yield [prefix, successor];
  yield [from, Uint8Array.from([...successor, 0])];
}

function isInside(key: Uint8Array, gte: Uint8Array | undefined, lt: Uint8Array | undefined): boolean {
  return (gte === undefined || compareBytes(key, gte) >= 0) && (lt === undefined || compareBytes(key, lt) < 0);
}

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

for (const compression of codecs.filter(hasCodec)) {
  test(`any changed byte is noticed: CORRUPTION or FORMAT_UNKNOWN that names the file (${compression})`, () => {
    checkEveryByte({ ...sampleOptions, compression });
  });
}

function checkEveryByte(options: TableOptions): void {
  const { disk } = writeTable(sample, options);
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
}

test("compressed blocks are smaller on disk, and the properties know how large they were", () => {
  const plain = writeTable(sample, sampleOptions).meta.sizeBytes;
  for (const compression of codecs.filter((codec) => codec !== "none" && hasCodec(codec))) {
    const { disk, meta } = writeTable(sample, { ...sampleOptions, compression });
    assert.ok(meta.sizeBytes < plain, `${compression}: ${meta.sizeBytes} of ${plain} bytes`);
    const { extra, blockOffsets } = readTableLayout(disk.open(path, "read"), noSelectionHash);
    assert.ok(extra.plainBytes > blockOffsets[blockOffsets.length - 1]);
    assert.equal(extra.keyCount, sample.length);
  }
});

/** Writes other bytes for the first block with a trailer that holds; they must be of the same length. */
function replaceFirstBlock(disk: SimulatedDisk, change: (stored: Uint8Array) => number): void {
  const file = disk.open(path, "write");
  const { blockOffsets } = readTableLayout(file, noSelectionHash);
  const stored = new Uint8Array(blockOffsets[1] - blockOffsets[0] - trailerBytes(tableVersion));
  file.readSync(stored, 0, stored.length, blockOffsets[0]);
  const storage = change(stored);
  file.writeSync(stored, 0, stored.length, blockOffsets[0]);
  const trailer = encodeTrailer(stored, storage, blockOffsets[0]);
  file.writeSync(trailer, 0, trailer.length, blockOffsets[0] + stored.length);
}

test("a block stored in a way that is not known is refused with the way out", () => {
  for (const storage of [4, 15, 16, 255]) {
    const { disk } = writeTable(sample, sampleOptions);
    replaceFirstBlock(disk, () => storage);
    assert.throws(() => readAll(disk), { code: "FORMAT_UNKNOWN", message: /00000001\.sst.*load the dump here/ });
  }
});

test("a compressed block that claims too much, or is another stream, is CORRUPTION and not expanded", () => {
  for (const length of [2 ** 32 - 1, 2 ** 30, 100, 0]) {
    const { disk } = writeTable(sample, { ...sampleOptions, compression: "zlib" });
    replaceFirstBlock(disk, (stored) => {
      writeU32LE(stored, 0, length);
      return codecs.indexOf("zlib");
    });
    assert.throws(() => readAll(disk), { code: "CORRUPTION", message: /00000001\.sst/ });
  }
  const { disk } = writeTable(sample, sampleOptions);
  replaceFirstBlock(disk, (stored) => {
    stored.set(compress("zlib", new Uint8Array(100)), 4);
    return codecs.indexOf("zlib");
  });
  assert.throws(() => readAll(disk), { code: "CORRUPTION", message: /00000001\.sst/ });
});

test("a file of range tombstones alone has no entry, opens, and walks as empty", () => {
  const disk = new SimulatedDisk();
  disk.makeDirectory("/store");
  const writer = new TableWriter(disk, path, 1, sampleOptions);
  const [smallest, largest] = [Uint8Array.of(3), Uint8Array.of(9)];
  const ranges = RangeTombstones.fragment([{ start: smallest, end: largest, indexes: [8, 7] }]);
  const section = rangeSection(ranges);
  assert.ok(section !== undefined);
  writer.setRangeTombstones(section);
  const meta = writer.finish();
  assert.deepEqual([meta.entryCount, meta.smallest, meta.largest], [0, smallest, largest]);
  assert.deepEqual([meta.rangeTombstones, meta.largestIsExclusive, meta.indexMin, meta.indexMax], [1, true, 7, 8]);
  const table = openTable(disk, 1000);
  const sections = readTableSections(disk.open(path, "read"), noSelectionHash);
  assert.deepEqual(sections.rangeTombstones, section.bytes);
  assert.deepEqual(table.ranges.spans, ranges.spans);
  assert.deepEqual(sections.properties, meta);
  assert.equal(table.extra.rangeTombstoneCount, 1);
  assert.equal(find(table, Uint8Array.of(5), Infinity), undefined);
  checkIterator(new TableIterator(new WalkPool(), table), [], [Uint8Array.of(5)], assert.deepEqual);
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
