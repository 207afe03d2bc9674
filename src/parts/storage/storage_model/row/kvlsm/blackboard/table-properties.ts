/**
 * TableProperties: what an SSTable says of itself beside its FileMeta.
 *
 * Layout (varints are LEB128; strings have their length before them):
 *
 *   | field                                                                                    |
 *   |------------------------------------------------------------------------------------------|
 *   | the file's FileMeta (file-meta.ts; size 0)                                               |
 *   | number of properties that follow                                                         |
 *   | per property: name, value; names ascend                                                  |
 *
 *   | name            | value                                                                  |
 *   |-----------------|------------------------------------------------------------------------|
 *   | keys            | varint: distinct keys                                                  |
 *   | plain_bytes     | varint: bytes of the data blocks before compression                    |
 *   | prefix_rule     | prefix-rule.ts: what the prefix filter was made of; absent: no filter   |
 *   | largest_exclusive| varint 1: the largest key is the exclusive end of a range tombstone   |
 *   | range_tombstones| varint: how many there are; absent: none                               |
 *
 * A name that is not known is passed over, so a property can be added without a new version of the format,
 * provided that whoever does not know it reads the file correctly all the same.
 * Source: RocksDB's table properties block.
 */
import { ByteReader } from "../../../../../../kit/byte-reader.ts";
import { ByteWriter } from "../../../../../../kit/byte-writer.ts";
import { decodeFileMeta, encodeFileMeta, type FileMeta } from "./file-meta.ts";
import { decodePrefixRule, encodePrefixRule, hasPrefixes, noPrefixes, type PrefixRule } from "./prefix-rule.ts";

export interface TableProperties {
  readonly keyCount: number;
  readonly plainBytes: number;
  readonly prefixRule: PrefixRule;
  readonly rangeTombstoneCount: number;
}

export const noProperties: TableProperties = {
  keyCount: 0,
  plainBytes: 0,
  prefixRule: noPrefixes,
  rangeTombstoneCount: 0,
};

export function encodeTableProperties(meta: FileMeta, properties: TableProperties): Uint8Array {
  const named: [string, (writer: ByteWriter) => void][] = [
    ["keys", (writer) => writer.varint(properties.keyCount)],
    ["plain_bytes", (writer) => writer.varint(properties.plainBytes)],
  ];
  if (hasPrefixes(properties.prefixRule)) {
    named.push(["prefix_rule", (writer) => encodePrefixRule(writer, properties.prefixRule)]);
  }
  if (properties.rangeTombstoneCount > 0) {
    named.push(["range_tombstones", (writer) => writer.varint(properties.rangeTombstoneCount)]);
  }
  if (meta.largestIsExclusive === true) named.push(["largest_exclusive", (writer) => writer.varint(1)]);
  named.sort(([a], [b]) => (a < b ? -1 : 1));
  const writer = new ByteWriter();
  encodeFileMeta(writer, meta);
  writer.varint(named.length);
  for (const [name, encode] of named) {
    const value = new ByteWriter();
    encode(value);
    writer.lengthPrefixed(new TextEncoder().encode(name));
    writer.lengthPrefixed(value.view());
  }
  return writer.finish();
}

/** In version 1 there is a FileMeta and no more. Errors: CORRUPTION. */
export function decodeTableProperties(
  bytes: Uint8Array,
  version: number,
  path: string,
): { meta: FileMeta; properties: TableProperties } {
  const what = `${path}: the properties`;
  const reader = new ByteReader(bytes, what);
  const meta = decodeFileMeta(reader);
  const named = new Map<string, ByteReader>();
  if (version > 1) {
    for (let left = reader.varint(); left > 0; left--) {
      const name = new TextDecoder().decode(reader.lengthPrefixed());
      named.set(name, new ByteReader(reader.lengthPrefixed(), `${what}: ${name}`));
    }
  }
  reader.expectEnd();
  const rule = named.get("prefix_rule");
  const rangeTombstoneCount = named.get("range_tombstones")?.varint() ?? 0;
  const ranges = rangeTombstoneCount === 0 ? {} : { rangeTombstones: rangeTombstoneCount };
  const exclusive = named.has("largest_exclusive") ? { largestIsExclusive: true } : {};
  return {
    meta: { ...meta, ...ranges, ...exclusive },
    properties: {
      keyCount: named.get("keys")?.varint() ?? 0,
      plainBytes: named.get("plain_bytes")?.varint() ?? 0,
      prefixRule: rule === undefined ? noPrefixes : decodePrefixRule(rule),
      rangeTombstoneCount,
    },
  };
}
