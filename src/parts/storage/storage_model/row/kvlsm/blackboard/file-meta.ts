/**
 * FileMeta: what the manifest, the agents and the jobs know about an SSTable without opening it. Immutable
 * plain data.
 */
import type { ByteReader } from "../../../../../../kit/byte-reader.ts";
import type { ByteWriter } from "../../../../../../kit/byte-writer.ts";

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
