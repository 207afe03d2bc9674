/**
 * FileMeta: what the manifest, the agents and the jobs know about an SSTable without opening it. Immutable
 * plain data.
 */
import type { ByteReader } from "../../../../../../kit/byte-reader.ts";
import type { ByteWriter } from "../../../../../../kit/byte-writer.ts";
import { compareBytes } from "../../../../../../kit/compare.ts";

export interface FileMeta {
  readonly number: number;
  readonly sizeBytes: number;
  readonly entryCount: number;
  readonly deleteCount: number;
  /** Lowest and highest index (sequence number) of its entries. */
  readonly indexMin: number;
  readonly indexMax: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  /** Range tombstones (fragments) in the file; absent: none. They widen `smallest` and `largest`. */
  readonly rangeTombstones?: number;
  /** Where `largest` is the exclusive end of a range tombstone: no key of the file equals it. */
  readonly largestIsExclusive?: boolean;
}

/** Whether all of a file's keys are below the given one. */
export function endsBefore(
  file: Pick<FileMeta, "largest" | "largestIsExclusive">,
  key: Uint8Array,
): boolean {
  const order = compareBytes(file.largest, key);
  return order < 0 || (order === 0 && file.largestIsExclusive === true);
}

export function encodeFileMeta(writer: ByteWriter, meta: FileMeta): void {
  writer.varint(meta.number);
  writer.varint(meta.sizeBytes);
  writer.varint(meta.entryCount);
  writer.varint(meta.deleteCount);
  writer.varint(meta.indexMin);
  writer.varint(meta.indexMax);
  writer.lengthPrefixed(meta.smallest);
  writer.lengthPrefixed(meta.largest);
}

/** The fields that came later: in a manifest they follow the FileMeta, an SSTable has them as properties. */
export function encodeRangeFields(writer: ByteWriter, meta: FileMeta): void {
  writer.varint(meta.rangeTombstones ?? 0);
  writer.varint(meta.largestIsExclusive === true ? 1 : 0);
}

/** Errors: CORRUPTION. */
export function decodeRangeFields(reader: ByteReader): Pick<FileMeta, "rangeTombstones" | "largestIsExclusive"> {
  const rangeTombstones = reader.varint();
  const largestIsExclusive = reader.varint() === 1;
  if (rangeTombstones === 0) return {};
  return largestIsExclusive ? { rangeTombstones, largestIsExclusive } : { rangeTombstones };
}

/** Errors: CORRUPTION. */
export function decodeFileMeta(reader: ByteReader): FileMeta {
  return {
    number: reader.varint(),
    sizeBytes: reader.varint(),
    entryCount: reader.varint(),
    deleteCount: reader.varint(),
    indexMin: reader.varint(),
    indexMax: reader.varint(),
    smallest: reader.lengthPrefixed().slice(),
    largest: reader.lengthPrefixed().slice(),
  };
}
