/**
 * TableScan: reads every byte of an SSTable and says what holds, part by part; it goes on behind damage.
 *
 *   1. Header, footer, then every section by its own checksum: one damaged part does not hide the others.
 *   2. With an index, every block by its place; without, blocks are found by their checksums (block-search.ts).
 *   3. Of every block that holds: keys ascend over the whole file and stand between the block's fences, versions of a
 *      key descend, values stay inside, the filter knows every key.
 *   4. What was counted must equal the properties, and these what the manifest says (`expected`).
 * It is a generator that yields the bytes of every read, so that a job can pace it. It holds one block at a time; only
 * where the index is lost, the whole file.
 */
import { ByteReader } from "../../../../../../kit/byte-reader.ts";
import { compareBytes, compareRanges } from "../../../../../../kit/compare.ts";
import type { DiskFile } from "../../../../../../kit/env/env.ts";
import { isDamage } from "../../../../../../kit/file-header.ts";
import { hash32 } from "../../../../../../kit/hash.ts";
import { Block } from "./block.ts";
import { searchBlocks } from "./block-search.ts";
import { BlockWalk } from "./block-walk.ts";
import { bloomMayContain, isBloomFilter } from "./bloom-filter.ts";
import { EntryTally } from "./entry-tally.ts";
import type { FileMeta } from "./file-meta.ts";
import { decodeStoredBlock } from "./stored-block.ts";
import {
  checkTableHeader,
  decodeFooter,
  type Footer,
  footerBytes,
  type Section,
  tableHeaderBytes,
  tableVersion,
  trailerBytes,
  trailerHolds,
} from "./table-format.ts";
import { decodeTableProperties } from "./table-properties.ts";

export type TablePart =
  | "file"
  | "header"
  | "block"
  | "filter"
  | "prefix filter"
  | "range tombstones"
  | "index"
  | "properties"
  | "footer";

export interface TableDamage {
  readonly part: TablePart;
  readonly offset: number;
  readonly length: number;
  readonly what: string;
  /** Of a block: no key of it is below `first`, and all are below `next` (undefined: not known). */
  readonly first?: Uint8Array | undefined;
  readonly next?: Uint8Array | undefined;
}

export interface BlockPlace {
  readonly offset: number;
  /** With its trailer. */
  readonly length: number;
}

export interface TableScan {
  readonly version: number;
  readonly sizeBytes: number;
  readonly damages: readonly TableDamage[];
  /** From the properties where they hold, else counted over the blocks that hold. Undefined where nothing does. */
  readonly meta: FileMeta | undefined;
  /** Undefined where the index is lost. */
  readonly blockCount: number | undefined;
  readonly held: readonly BlockPlace[];
  /** Entries in the blocks that hold. */
  readonly entryCount: number;
  /** The encoded range tombstones; empty: none; undefined: damaged. */
  readonly rangeTombstones: Uint8Array | undefined;
}

export interface TableScanOptions {
  readonly selectionHash: string;
  /** What the manifest says about the file. */
  readonly expected?: FileMeta | undefined;
}

/** Errors: FORMAT_UNKNOWN (another version or selection), IO_ERROR. Damage is a result. Yields bytes read. */
export function* scanTable(file: DiskFile, options: TableScanOptions): Generator<number, TableScan, void> {
  return yield* new Scan(file, options).run();
}

/** A data block from its stored bytes, trailer included. Errors: CORRUPTION, FORMAT_UNKNOWN, UNAVAILABLE. */
export function blockOf(stored: Uint8Array, version: number, offset: number, path: string, number: number): Block {
  const length = stored.length - trailerBytes(version);
  const storage = version === 1 ? 0 : stored[length];
  const bytes = decodeStoredBlock(stored.subarray(0, length), storage, path, offset);
  return new Block(bytes, bytes.length, { path, forgetBlock: () => undefined }, number);
}

interface Index {
  readonly blockCount: number;
  readonly offsets: readonly number[];
  readonly fences: readonly Uint8Array[];
}

const metaFields = [
  "number",
  "sizeBytes",
  "entryCount",
  "deleteCount",
  "indexMin",
  "indexMax",
  "smallest",
  "largest",
] as const satisfies (keyof FileMeta)[];

class Scan {
  readonly #file: DiskFile;
  readonly #options: TableScanOptions;
  readonly #sizeBytes: number;
  readonly #damages: TableDamage[] = [];
  readonly #held: BlockPlace[] = [];
  readonly #walk = new BlockWalk();
  readonly #tally = new EntryTally();
  #version = tableVersion;
  #filter: Uint8Array | undefined = undefined;

  constructor(file: DiskFile, options: TableScanOptions) {
    this.#file = file;
    this.#options = options;
    this.#sizeBytes = file.sizeSync();
  }

  *run(): Generator<number, TableScan, void> {
    const sizeBytes = this.#sizeBytes;
    if (sizeBytes < tableHeaderBytes + footerBytes(1)) {
      this.#damage("file", 0, sizeBytes, `it has ${sizeBytes} bytes, less than an SSTable can have`);
      return this.#result(undefined, undefined, undefined);
    }
    const footer = this.#readEnds();
    yield tableHeaderBytes + footerBytes(this.#version);
    if (footer === undefined) {
      yield* this.#findBlocks(sizeBytes);
      return this.#result(undefined, undefined, undefined);
    }
    this.#filter = this.#readFilter("filter", footer.filter);
    if (this.#version > 1) this.#readFilter("prefix filter", footer.prefixFilter);
    yield footer.filter.length + footer.prefixFilter.length;
    const tombstones =
      this.#version > 1 ? this.#section("range tombstones", footer.rangeTombstones) : new Uint8Array(0);
    const index = this.#readIndex(footer);
    const properties = this.#readProperties(footer);
    yield footer.index.length + footer.properties.length;
    if (index === undefined) yield* this.#findBlocks(footer.filter.offset);
    else yield* this.#readBlocks(index);
    if (properties !== undefined) this.#checkProperties(properties, tombstones?.length === 0);
    return this.#result(properties, index?.blockCount, tombstones);
  }

  /** Header and footer; where the header is lost, the footer tells the version. */
  #readEnds(): Footer | undefined {
    const { selectionHash } = this.#options;
    const { path } = this.#file;
    const version = this.#guard("header", 0, tableHeaderBytes, () =>
      checkTableHeader(this.#read(0, tableHeaderBytes), selectionHash, path),
    );
    const candidates = version === undefined ? [tableVersion, 1] : [version];
    for (const [position, candidate] of candidates.entries()) {
      const length = footerBytes(candidate);
      const offset = this.#sizeBytes - length;
      const decode = () => decodeFooter(this.#read(offset, length), candidate, this.#sizeBytes, selectionHash, path);
      this.#version = candidate;
      if (position + 1 === candidates.length) return this.#guard("footer", offset, length, decode);
      try {
        return decode();
      } catch {
        // Perhaps the next candidate fits.
      }
    }
    return undefined;
  }

  #readFilter(part: "filter" | "prefix filter", place: Section): Uint8Array | undefined {
    const bytes = this.#section(part, place);
    if (bytes === undefined || isBloomFilter(bytes)) return bytes;
    this.#damage(part, place.offset, place.length, "the bloom filter has a wrong shape");
    return undefined;
  }

  #readIndex(footer: Footer): Index | undefined {
    const { offset, length } = footer.index;
    const bytes = this.#section("index", footer.index);
    if (bytes === undefined) return undefined;
    return this.#guard("index", offset, length, () => this.#decodeIndex(bytes, footer));
  }

  #decodeIndex(bytes: Uint8Array, footer: Footer): Index | undefined {
    const reader = new ByteReader(bytes, `${this.#file.path}: the index`);
    const blockCount = reader.varint();
    const offsets = [tableHeaderBytes];
    const fences: Uint8Array[] = [];
    for (let i = 0; i < blockCount; i++) {
      fences.push(reader.lengthPrefixed());
      offsets.push(offsets[i] + reader.varint() + trailerBytes(this.#version));
    }
    reader.expectEnd();
    if (offsets[blockCount] === footer.filter.offset) return { blockCount, offsets, fences };
    this.#damage("index", footer.index.offset, bytes.length, "the index does not cover the data blocks");
    return undefined;
  }

  #readProperties({ properties }: Footer): FileMeta | undefined {
    const { offset, length } = properties;
    const bytes = this.#section("properties", properties);
    if (bytes === undefined) return undefined;
    return this.#guard("properties", offset, length, () => {
      const { meta } = decodeTableProperties(bytes, this.#version, this.#file.path);
      return { ...meta, sizeBytes: this.#sizeBytes };
    });
  }

  *#readBlocks({ blockCount, offsets, fences }: Index): Generator<number, void, void> {
    for (let number = 0; number < blockCount; number++) {
      const place = { offset: offsets[number], length: offsets[number + 1] - offsets[number] };
      const stored = this.#read(place.offset, place.length);
      const covered = place.length - trailerBytes(this.#version);
      const holds =
        stored.length === place.length && trailerHolds(stored, 0, covered, place.offset, this.#version);
      if (holds) this.#examine(stored, place, number, fences[number], fences[number + 1]);
      else {
        const what = `the checksum of block ${number} does not match`;
        this.#damage("block", place.offset, place.length, what, fences[number], fences[number + 1]);
      }
      yield place.length;
    }
  }

  /** Without an index: everything between header and `end` is searched. Sections are found too, and passed over. */
  *#findBlocks(end: number): Generator<number, void, void> {
    const bytes = this.#read(tableHeaderBytes, Math.max(0, end - tableHeaderBytes));
    yield bytes.length;
    const { covered, gaps } = searchBlocks(bytes, tableHeaderBytes);
    const footerAt = this.#sizeBytes - footerBytes(this.#version) - tableHeaderBytes;
    const found = covered.map((range) => ({ range, isGap: false }));
    // A lost footer is a gap too, and told of already.
    const lost = gaps.filter(({ start }) => start < footerAt).map((range) => ({ range, isGap: true }));
    let number = 0;
    let gap: { offset: number; length: number; first: Uint8Array | undefined } | undefined;
    const what = "no data block that holds begins here";
    for (const { range, isGap } of [...found, ...lost].sort((a, b) => a.range.start - b.range.start)) {
      const offset = tableHeaderBytes + range.start;
      if (isGap) {
        gap = { offset, length: range.end - range.start, first: this.#tally.lastKey };
        continue;
      }
      const stored = bytes.subarray(range.start, range.end + 4);
      const firstKey = this.#firstKeyOf(stored);
      if (firstKey === undefined) continue;
      if (gap !== undefined) this.#damage("block", gap.offset, gap.length, what, gap.first, firstKey);
      gap = undefined;
      this.#examine(stored, { offset, length: stored.length }, number++);
    }
    if (gap !== undefined) this.#damage("block", gap.offset, gap.length, what, gap.first);
  }

  /** The first key of a block; undefined where the bytes are no block. */
  #firstKeyOf(stored: Uint8Array): Uint8Array | undefined {
    const walk = this.#walk;
    try {
      const block = blockOf(stored, this.#version, 0, this.#file.path, 0);
      walk.open(block);
      const holds = walk.toFirst() && walk.valueEnds[0] <= block.restartsAt && walk.keyEnds[0] > 0;
      return holds ? walk.keyArena.slice(walk.keyStarts[0], walk.keyEnds[0]) : undefined;
    } catch {
      return undefined;
    } finally {
      walk.close();
    }
  }

  #examine(stored: Uint8Array, place: BlockPlace, number: number, first?: Uint8Array, next?: Uint8Array): void {
    const { offset, length } = place;
    const block = this.#guard("block", offset, length, () =>
      blockOf(stored, this.#version, offset, this.#file.path, number),
    );
    if (block === undefined) return;
    const problem = this.#walkBlock(block, first, next);
    if (problem === undefined) this.#held.push(place);
    else this.#damage("block", offset, length, `block ${number}: ${problem}`, first, next);
  }

  /** What is wrong with the entries of a block whose checksum holds: then the writer was at fault. */
  #walkBlock(block: Block, first: Uint8Array | undefined, next: Uint8Array | undefined): string | undefined {
    const walk = this.#walk;
    walk.open(block);
    try {
      for (let more = walk.toFirst(); more; more = walk.next()) {
        const at = walk.position;
        const { keyArena: key } = walk;
        const start = walk.keyStarts[at];
        const end = walk.keyEnds[at];
        if (walk.valueEnds[at] > block.restartsAt || end <= start) return "an entry leaves the block";
        if (first !== undefined && compareRanges(key, start, end, first, 0, first.length) < 0)
          return "a key is below the block's fence";
        if (next !== undefined && compareRanges(key, start, end, next, 0, next.length) >= 0)
          return "a key is not below the next block's fence";
        const problem = this.#tally.add(key, start, end, walk.index(), walk.kind());
        if (problem !== undefined) return problem;
        if (this.#filter !== undefined && !bloomMayContain(this.#filter, hash32(key, 0, start, end) | 0))
          return "the filter denies a key that is there";
      }
      return undefined;
    } finally {
      walk.close();
    }
  }

  /** Range tombstones widen what the properties say, so the blocks alone are no measure then. */
  #checkProperties(properties: FileMeta, pointsOnly: boolean): void {
    const { expected } = this.#options;
    if (expected !== undefined) this.#compareMeta(properties, expected, "the manifest");
    const lost = this.#damages.some(({ part }) => part === "block" || part === "index");
    if (!pointsOnly || lost) return;
    this.#compareMeta(properties, this.#tally.meta(properties.number, this.#sizeBytes), "the blocks");
  }

  #compareMeta(properties: FileMeta, other: FileMeta, who: string): void {
    for (const name of metaFields) {
      if (same(properties[name], other[name])) continue;
      const what = `the properties say ${name} ${shown(properties[name])}, ${who} ${shown(other[name])}`;
      this.#damage("properties", this.#sizeBytes - footerBytes(this.#version), 0, what);
    }
  }

  #section(part: TablePart, { offset, length }: Section): Uint8Array | undefined {
    const whole = length + trailerBytes(this.#version);
    const bytes = this.#read(offset, whole);
    const holds = bytes.length === whole && trailerHolds(bytes, 0, length, offset, this.#version);
    if (holds) return bytes.subarray(0, length);
    this.#damage(part, offset, whole, `the checksum of the ${part} does not match`);
    return undefined;
  }

  /** Turns CORRUPTION into a damage. What says undamaged that it is of another version or selection goes on. */
  #guard<Value>(part: TablePart, offset: number, length: number, read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#damage(part, offset, length, (error as Error).message);
      return undefined;
    }
  }

  #damage(part: TablePart, offset: number, length: number, what: string, first?: Uint8Array, next?: Uint8Array): void {
    this.#damages.push({ part, offset, length, what, first, next });
  }

  /** Up to `length` bytes; fewer where the file ends. */
  #read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, this.#file.readSync(bytes, 0, length, offset));
  }

  #result(
    properties: FileMeta | undefined,
    blockCount: number | undefined,
    rangeTombstones: Uint8Array | undefined,
  ): TableScan {
    const { entryCount } = this.#tally;
    const number = this.#options.expected?.number ?? 0;
    const counted = entryCount === 0 ? undefined : this.#tally.meta(number, this.#sizeBytes);
    return {
      version: this.#version,
      sizeBytes: this.#sizeBytes,
      damages: this.#damages,
      meta: properties ?? counted,
      blockCount,
      held: this.#held,
      entryCount,
      rangeTombstones,
    };
  }
}

function same(one: number | Uint8Array, other: number | Uint8Array): boolean {
  if (typeof one === "number" || typeof other === "number") return one === other;
  return compareBytes(one, other) === 0;
}

function shown(value: number | Uint8Array): string {
  return typeof value === "number" ? String(value) : `a key of ${value.length} bytes`;
}
