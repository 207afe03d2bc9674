/**
 * The parts of an SSTable that are read and checked when it is opened: everything but the data blocks.
 *
 *   TableSections   the sections as they lie in the file, views of one buffer. The owner's thread takes from them what
 *                   stays in memory (table.ts) and then releases the buffer.
 *   TableLayout     the same with the whole index decoded, for whoever reads the file from front to back.
 */
import { ByteReader } from "../../../../../../kit/byte-reader.ts";
import type { DiskFile } from "../../../../../../kit/env/env.ts";
import { isBloomFilter } from "./bloom-filter.ts";
import { noBytes } from "./entry-iterator.ts";
import type { FileMeta } from "./file-meta.ts";
import { SortedKeys } from "./sorted-keys.ts";
import {
  checkTableHeader,
  corruptTable,
  decodeFooter,
  type Footer,
  footerBytes,
  type Section,
  tableHeaderBytes,
  trailerBytes,
  trailerHolds,
} from "./table-format.ts";
import { decodeTableProperties, type TableProperties } from "./table-properties.ts";

export interface TableSections {
  /** Version of the file's format. */
  readonly version: number;
  readonly footer: Footer;
  readonly filter: Uint8Array;
  /** Over the prefixes that `extra.prefixRule` makes; empty where there is none. */
  readonly prefixFilter: Uint8Array;
  /** The encoded range tombstones; empty where there are none. */
  readonly rangeTombstones: Uint8Array;
  /** The encoded index. */
  readonly index: Uint8Array;
  readonly properties: FileMeta;
  readonly extra: TableProperties;
}

export interface TableLayout extends TableSections {
  readonly blockCount: number;
  readonly fences: SortedKeys;
  /** Offset of every block, and of the end of the last: one more than there are blocks. */
  readonly blockOffsets: Float64Array;
}

/** Reads and checks everything but the data blocks. Errors: CORRUPTION, FORMAT_UNKNOWN, IO_ERROR. */
export function readTableLayout(file: DiskFile, selectionHash: string): TableLayout {
  const sections = readTableSections(file, selectionHash);
  return { ...sections, ...decodeIndex(sections, file.path) };
}

/** The same without decoding the index. Errors: CORRUPTION, FORMAT_UNKNOWN, IO_ERROR. */
export function readTableSections(file: DiskFile, selectionHash: string): TableSections {
  const { path } = file;
  const sizeBytes = file.sizeSync();
  if (sizeBytes < tableHeaderBytes) throw tooShort(path, sizeBytes);
  const version = checkTableHeader(readExactly(file, 0, tableHeaderBytes), selectionHash, path);
  const footerLength = footerBytes(version);
  if (sizeBytes < tableHeaderBytes + footerLength) throw tooShort(path, sizeBytes);
  const footerBuffer = readExactly(file, sizeBytes - footerLength, footerLength);
  const footer = decodeFooter(footerBuffer, version, sizeBytes, selectionHash, path);
  const tailAt = footer.filter.offset;
  const tail = readExactly(file, tailAt, sizeBytes - footerLength - tailAt);
  const section = (part: Section, name: string): Uint8Array => {
    // Version 1 has no place for some sections.
    if (part.offset === 0) return noBytes;
    const start = part.offset - tailAt;
    if (!trailerHolds(tail, start, part.length, part.offset, version)) {
      throw corruptTable(path, part.offset, `the checksum of ${name} does not match`);
    }
    return tail.subarray(start, start + part.length);
  };
  const filter = section(footer.filter, "the bloom filter");
  const prefixFilter = section(footer.prefixFilter, "the prefix filter");
  if (!isBloomFilter(filter) || !isBloomFilter(prefixFilter)) {
    throw corruptTable(path, tailAt, "a bloom filter has a wrong shape");
  }
  const rangeTombstones = section(footer.rangeTombstones, "the range tombstones");
  const decoded = decodeTableProperties(section(footer.properties, "the properties"), version, path);
  const properties = { ...decoded.meta, sizeBytes };
  const index = section(footer.index, "the index");
  return { version, footer, filter, prefixFilter, rangeTombstones, index, properties, extra: decoded.properties };
}

function tooShort(path: string, sizeBytes: number): Error {
  return corruptTable(path, sizeBytes, `the file has ${sizeBytes} bytes, less than an SSTable can have`);
}

function decodeIndex(
  { index: bytes, footer, version }: TableSections, path: string,
): Pick<TableLayout, "blockCount" | "fences" | "blockOffsets"> {
  const reader = new ByteReader(bytes, `${path}: the index`);
  const blockCount = reader.varint();
  // Every block takes two bytes of index at least: a hostile count cannot make us allocate more than that.
  if (blockCount > bytes.length)
    throw corruptTable(path, footer.index.offset, `${blockCount} blocks in the index`);
  const blockOffsets = new Float64Array(blockCount + 1);
  const fenceOffsets = new Uint32Array(blockCount + 1);
  const fenceBytes = new Uint8Array(bytes.length);
  const trailer = trailerBytes(version);
  blockOffsets[0] = tableHeaderBytes;
  for (let i = 0; i < blockCount; i++) {
    const fence = reader.lengthPrefixed();
    fenceBytes.set(fence, fenceOffsets[i]);
    fenceOffsets[i + 1] = fenceOffsets[i] + fence.length;
    blockOffsets[i + 1] = blockOffsets[i] + reader.varint() + trailer;
  }
  reader.expectEnd();
  const mayBeEmpty = footer.rangeTombstones.length > 0;
  if ((blockCount === 0 && !mayBeEmpty) || blockOffsets[blockCount] !== footer.filter.offset) {
    throw corruptTable(path, footer.index.offset, "the index does not cover the data blocks");
  }
  const fences = new SortedKeys(fenceBytes.slice(0, fenceOffsets[blockCount]), fenceOffsets);
  return { blockCount, fences, blockOffsets };
}

function readExactly(file: DiskFile, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const count = file.readSync(bytes, 0, length, offset);
  if (count !== length) throw corruptTable(file.path, offset, `${count} bytes where ${length} were written`);
  return bytes;
}
