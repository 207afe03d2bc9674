/**
 * VersionEdit: one change of the set of files, as a record of the manifest.
 *
 * Encoding (varints): durable index, next file number, number of removals, each as level and file number,
 * number of additions, each as level, FileMeta, range tombstones and whether the largest key is exclusive; expiry
 * time. In manifests of version 1 the last three were not there. A manifest begins with an edit that adds
 * everything.
 * Source: LevelDB's version_edit.cc.
 */
import { ByteReader } from "../../../../../../kit/byte-reader.ts";
import { ByteWriter } from "../../../../../../kit/byte-writer.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { decodeFileMeta, decodeRangeFields, encodeFileMeta, encodeRangeFields, type FileMeta } from "./file-meta.ts";

/** Levels are 0…levelsMax - 1. */
export const levelsMax = 7;

export interface VersionEdit {
  /** All batches up to this index are in the files. */
  readonly durableIndex: number;
  readonly nextFileNumber: number;
  /** What expired by this time (ms) has expired for good; absent: 0. */
  readonly expiryTimeMs?: number;
  readonly removed: readonly { readonly level: number; readonly number: number }[];
  readonly added: readonly { readonly level: number; readonly meta: FileMeta }[];
}

export function encodeVersionEdit(edit: VersionEdit): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(edit.durableIndex);
  writer.varint(edit.nextFileNumber);
  writer.varint(edit.removed.length);
  for (const { level, number } of edit.removed) {
    writer.varint(level);
    writer.varint(number);
  }
  writer.varint(edit.added.length);
  for (const { level, meta } of edit.added) {
    writer.varint(level);
    encodeFileMeta(writer, meta);
    encodeRangeFields(writer, meta);
  }
  writer.varint(edit.expiryTimeMs ?? 0);
  return writer.finish();
}

/** `version` is the manifest's. Errors: CORRUPTION. */
export function decodeVersionEdit(bytes: Uint8Array, what: string, version = 2): VersionEdit {
  const reader = new ByteReader(bytes, what);
  const durableIndex = reader.varint();
  const nextFileNumber = reader.varint();
  const removed: { level: number; number: number }[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    removed.push({ level: decodeLevel(reader, what), number: reader.varint() });
  }
  const added: { level: number; meta: FileMeta }[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const level = decodeLevel(reader, what);
    const meta = decodeFileMeta(reader);
    added.push({ level, meta: version < 2 ? meta : { ...meta, ...decodeRangeFields(reader) } });
  }
  const expiryTimeMs = version < 2 ? 0 : reader.varint();
  reader.expectEnd();
  const edit = { durableIndex, nextFileNumber, removed, added };
  return expiryTimeMs === 0 ? edit : { ...edit, expiryTimeMs };
}

function decodeLevel(reader: ByteReader, what: string): number {
  const level = reader.varint();
  if (level >= levelsMax)
    throw new LatheError("CORRUPTION", `${what}: level ${level}, the last is ${levelsMax - 1}`);
  return level;
}
