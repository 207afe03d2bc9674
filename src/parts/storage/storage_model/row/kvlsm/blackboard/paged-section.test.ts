/** Filters and indexes by pages: the same answers with any cache, memory that does not grow with the table, damage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodeOf } from "../../../../../../kit/errors.ts";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import { hash32 } from "../../../../../../kit/hash.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { BlockCache } from "./block-cache.ts";
import { Lookup, lookupAbsent, lookupMissing, lookupPut } from "./lookup.ts";
import { ReadCounters } from "./read-counters.ts";
import { ArrayIterator } from "./sorted-entries.fixture.ts";
import { Table } from "./table.ts";
import { readTableSections } from "./table-layout.ts";
import { TableWriter } from "./table-writer.ts";

const path = "/store/00000001.sst";
const options = { blockBytes: 64, bloomBitsPerKey: 10, restartInterval: 16, selectionHash: noSelectionHash };
const keyOf = (id: number) => new TextEncoder().encode(`key${String(id).padStart(7, "0")}`);

/** A table of every second id below `ids`. */
function writeTable(ids: number): SimulatedDisk {
  const disk = new SimulatedDisk();
  disk.makeDirectory("/store");
  const writer = new TableWriter(disk, path, 1, options);
  const value = new Uint8Array(8);
  const entries = Array.from({ length: ids / 2 }, (_, i) => ({ key: keyOf(i * 2), index: 1, kind: lookupPut, value }));
  const source = new ArrayIterator(entries);
  for (source.seekFirst(); source.valid; source.next()) writer.add(source, 1);
  writer.finish();
  return disk;
}

function open(
  disk: SimulatedDisk, cacheBytes: number, cache = new BlockCache(cacheBytes),
): { table: Table; cache: BlockCache } {
  const file = disk.open(path, "read");
  const sections = readTableSections(file, noSelectionHash);
  return { table: new Table(sections.properties, file, sections, cache, new ReadCounters()), cache };
}

function find(table: Table, id: number, mayBlock = true, lookup = new Lookup()): number {
  const key = keyOf(id);
  return table.find(key, hash32(key) | 0, Infinity, lookup, mayBlock);
}

test("with any cache, every key is found and no other; the cache keeps to its bound, and gets every page back", () => {
  const ids = 12_000;
  const disk = writeTable(ids);
  for (const cacheBytes of [0, 9000, 40_000, 1 << 22]) {
    const { table, cache } = open(disk, cacheBytes);
    for (let i = 0; i < ids; i++) {
      const id = (i * 7919) % ids;
      assert.equal(find(table, id), id % 2 === 0 ? lookupPut : lookupAbsent, `id ${id}`);
      assert.ok(cache.sizeBytes <= Math.max(cacheBytes, 7000), `${cache.sizeBytes} of ${cacheBytes} bytes`);
    }
    const { pageBytes, wholeBytes } = cache;
    assert.ok(pageBytes.filter + pageBytes.index <= cache.sizeBytes);
    assert.ok(wholeBytes.filter + wholeBytes.index <= cacheBytes / 8);
    if (cacheBytes === 1 << 22) {
      assert.equal(cache.pageReads, 0, "the sections are small beside the cache, so they are kept whole");
      assert.ok(wholeBytes.filter > (ids / 2) * 1.2 && wholeBytes.index > table.blockCount * 20, "and counted");
    } else assert.ok(cache.pageReads > 3);
    table.close();
    const none = { filter: 0, index: 0 };
    assert.deepEqual([cache.sizeBytes, cache.blockCount, pageBytes, wholeBytes], [0, 0, none, none]);
  }
});

test("what an open table holds beside the cache is some bytes per block", () => {
  const bytes = [2000, 32_000].map((ids) => {
    const { table } = open(writeTable(ids), 0);
    return { perBlock: table.memoryBytes / table.blockCount, blocks: table.blockCount };
  });
  assert.ok(bytes[1].blocks > 15 * bytes[0].blocks);
  for (const { perBlock } of bytes) assert.ok(perBlock < 2, `${perBlock} bytes per block`);
});

test("a section that waited for room becomes whole, and pages again when the cache shrinks", () => {
  const ids = 4000;
  const disk = writeTable(ids);
  const { table: first, cache } = open(disk, 1 << 20);
  const bytesOfOne = cache.wholeBytes.filter + cache.wholeBytes.index;
  cache.resize(bytesOfOne * 8);
  const { table: second } = open(disk, 0, cache);
  const findAll = () => {
    for (let id = 0; id < ids; id++) assert.equal(find(second, id), id % 2 === 0 ? lookupPut : lookupAbsent);
  };
  findAll();
  assert.equal(cache.wholeBytes.filter + cache.wholeBytes.index, bytesOfOne, "there is room for one table");
  assert.ok(cache.pageBytes.filter > 0);
  first.close();
  cache.resize(bytesOfOne / 2);
  cache.resize(bytesOfOne * 8);
  findAll();
  assert.equal(cache.wholeBytes.filter + cache.wholeBytes.index, bytesOfOne);
  assert.deepEqual(cache.pageBytes, { filter: 0, index: 0 });
  const { pageReads } = cache;
  findAll();
  assert.equal(cache.pageReads, pageReads);
  cache.resize(bytesOfOne * 4);
  assert.equal(cache.wholeBytes.filter + cache.wholeBytes.index, bytesOfOne, "a capacity that wavers changes nothing");
  cache.resize(bytesOfOne / 2);
  assert.deepEqual(cache.wholeBytes, { filter: 0, index: 0 });
  findAll();
  assert.ok(cache.pageReads > pageReads);
  second.close();
  assert.deepEqual([cache.sizeBytes, cache.blockCount, cache.wholeBytes], [0, 0, { filter: 0, index: 0 }]);
});

test("damage that keeps a section from becoming whole is told where it is asked for, and nowhere else", () => {
  const ids = 16_000;
  const disk = writeTable(ids);
  const { footer } = readTableSections(disk.open(path, "read"), noSelectionHash);
  const { table, cache } = open(disk, 0);
  const file = disk.open(path, "write");
  const byte = new Uint8Array(1);
  const at = footer.filter.offset + (footer.filter.length >>> 1);
  file.readSync(byte, 0, 1, at);
  file.writeSync(Uint8Array.of(byte[0] ^ 16), 0, 1, at);
  cache.resize(1 << 22);
  let damaged = 0;
  for (let id = 0; id < ids; id += 2) {
    try {
      assert.equal(find(table, id), lookupPut);
    } catch (error) {
      assert.equal(errorCodeOf(error), "CORRUPTION", String(error));
      damaged++;
    }
  }
  assert.ok(damaged > 0 && damaged < ids / 2, `${damaged} keys`);
  assert.equal(cache.wholeBytes.filter, 0);
  assert.ok(cache.wholeBytes.index > 0);
});

test("a read that must not block asks for one page after the other, then for the block", async () => {
  const { table } = open(writeTable(4000), 1 << 14);
  const lookup = new Lookup();
  let loads = 0;
  while (find(table, 1234, false, lookup) === lookupMissing) {
    loads++;
    await lookup.missingTable?.loadBlock(lookup.missingBlock);
  }
  assert.equal(loads, 3);
  assert.equal(find(table, 1234, false), lookupPut);
});

test("a page that changed after the table was opened is CORRUPTION, at its place", () => {
  const ids = 16_000;
  const disk = writeTable(ids);
  const { footer } = readTableSections(disk.open(path, "read"), noSelectionHash);
  for (const { offset, length } of [footer.filter, footer.index]) {
    const { table } = open(disk, 0);
    const file = disk.open(path, "write");
    const byte = new Uint8Array(1);
    const at = offset + (length >>> 1);
    file.readSync(byte, 0, 1, at);
    file.writeSync(Uint8Array.of(byte[0] ^ 16), 0, 1, at);
    let damaged = 0;
    for (let id = 0; id < ids; id += 2) {
      try {
        assert.equal(find(table, id), lookupPut);
      } catch (error) {
        assert.equal(errorCodeOf(error), "CORRUPTION", String(error));
        assert.match((error as Error).message, /00000001\.sst at byte \d+: page \d+ of/);
        damaged++;
      }
    }
    assert.ok(damaged > 0 && damaged < ids / 2, `${damaged} keys`);
    file.writeSync(byte, 0, 1, at);
  }
});
