/**
 * TableLayout: the parts of an SSTable that are read when it is opened and stay in memory: fences, block
 * places, filter.
 *
 * Memory: per block the fence and 12 bytes; per key the filter's bits. It grows with the data (about 1.3 %
 * of it with 4 KiB blocks and 128-byte values) and is reported as
 * `lsm_memory_bytes{component="table_index"}` and `"filter"`.
 */
import { ByteReader } from "../../../../../../kit/byte-reader.ts";
import type { DiskFile } from "../../../../../../kit/env/env.ts";
import { isBloomFilter } from "./bloom-filter.ts";
import { decodeFileMeta, type FileMeta } from "./file-meta.ts";
import { SortedKeys } from "./sorted-keys.ts";
import {
  checksumBytes,
  checksumHolds,
  checkTableHeader,
  corruptTable,
  decodeFooter,
  type Footer,
  footerBytes,
  type Section,
  tableHeaderBytes,
} from "./table-format.ts";

export interface TableLayout {
  readonly blockCount: number;
  readonly fences: SortedKeys;
  /** Offset of every block, and of the end of the last: one more than there are blocks. */
  readonly blockOffsets: Float64Array;
  readonly filter: Uint8Array;
  readonly properties: FileMeta;
}

/** Reads and checks everything but the data blocks. Errors: CORRUPTION, FORMAT_UNKNOWN, IO_ERROR. */
export function readTableLayout(file: DiskFile, selectionHash: string): TableLayout {
  const { path } = file;
  const sizeBytes = file.sizeSync();
  if (sizeBytes < tableHeaderBytes + footerBytes) {
    throw corruptTable(path, sizeBytes, `the file has ${sizeBytes} bytes, less than an SSTable can have`);
  }
  checkTableHeader(readExactly(file, 0, tableHeaderBytes), selectionHash, path);
  const footerBuffer = readExactly(file, sizeBytes - footerBytes, footerBytes);
  const footer = decodeFooter(footerBuffer, sizeBytes, selectionHash, path);
  const tail = readExactly(file, footer.filter.offset, sizeBytes - footerBytes - footer.filter.offset);
  // A copy, so that the filter does not keep the rest of the tail in memory.
  const filter = section(tail, footer, footer.filter, path, "the bloom filter").slice();
  if (!isBloomFilter(filter))
    throw corruptTable(path, footer.filter.offset, "the bloom filter has a wrong shape");
  const propertiesReader = new ByteReader(
    section(tail, footer, footer.properties, path, "the properties"),
    `${path}: the properties`,
  );
  const properties = { ...decodeFileMeta(propertiesReader), sizeBytes };
  const index = decodeIndex(section(tail, footer, footer.index, path, "the index"), footer, path);
  return { ...index, filter, properties };
}

function decodeIndex(
  bytes: Uint8Array,
  footer: Footer,
  path: string,
): Pick<TableLayout, "blockCount" | "fences" | "blockOffsets"> {
  const reader = new ByteReader(bytes, `${path}: the index`);
  const blockCount = reader.varint();
  // Every block takes two bytes of index at least: a hostile count cannot make us allocate more than that.
  if (blockCount > bytes.length)
    throw corruptTable(path, footer.index.offset, `${blockCount} blocks in the index`);
  const blockOffsets = new Float64Array(blockCount + 1);
  const fenceOffsets = new Uint32Array(blockCount + 1);
  const fenceBytes = new Uint8Array(bytes.length);
  blockOffsets[0] = tableHeaderBytes;
  for (let i = 0; i < blockCount; i++) {
    const fence = reader.lengthPrefixed();
    fenceBytes.set(fence, fenceOffsets[i]);
    fenceOffsets[i + 1] = fenceOffsets[i] + fence.length;
    blockOffsets[i + 1] = blockOffsets[i] + reader.varint() + checksumBytes;
  }
  reader.expectEnd();
  if (blockCount === 0 || blockOffsets[blockCount] !== footer.filter.offset) {
    throw corruptTable(path, footer.index.offset, "the index does not cover the data blocks");
  }
  const fences = new SortedKeys(fenceBytes.slice(0, fenceOffsets[blockCount]), fenceOffsets);
  return { blockCount, fences, blockOffsets };
}

function section(tail: Uint8Array, footer: Footer, part: Section, path: string, name: string): Uint8Array {
  const start = part.offset - footer.filter.offset;
  if (!checksumHolds(tail, start, part.length, part.offset)) {
    throw corruptTable(path, part.offset, `the checksum of ${name} does not match`);
  }
  return tail.subarray(start, start + part.length);
}

function readExactly(file: DiskFile, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const count = file.readSync(bytes, 0, length, offset);
  if (count !== length) throw corruptTable(file.path, offset, `${count} bytes where ${length} were written`);
  return bytes;
}
