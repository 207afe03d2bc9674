/** Stores with known contents, and ways to damage them region by region. */
import assert from "node:assert/strict";
import type { Disk, Env } from "../../../../../../kit/env/env.ts";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import type { StorageEngine } from "../../../../engine.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import { manifestName, parseStoreFile } from "./file-names.ts";
import { readCurrent } from "./manifest.ts";
import { readTableLayout } from "./table-layout.ts";
import { trailerBytes } from "./table-format.ts";
import type { BlackboardOptions } from "./options.ts";

export const directory = "/store";

export const bytesOf = (text: string) => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
export const keyOf = (i: number) => bytesOf(`key/${String(i).padStart(5, "0")}`);

export const smallBlocks: BlackboardOptions = {
  directory,
  blockBytes: 256,
  targetFileBytes: 4096,
  l0CompactionTrigger: 4,
};

/**
 * A store of some files in two levels: 600 keys in the lower one, every third overwritten and every seventh deleted in
 * level 0. Returns what it holds.
 */
export async function writeStore(env: Env, options = smallBlocks): Promise<Map<string, string>> {
  const engine = await openBlackboardEngine(env, options);
  const model = new Map<string, string>();
  const apply = (batch: WriteBatch) => engine.applySync(batch, engine.appliedIndex + 1);
  for (let i = 0; i < 600; i++) {
    apply(new WriteBatch().put(keyOf(i), bytesOf(`old ${i} ${"v".repeat(20)}`)));
    model.set(textOf(keyOf(i)), `old ${i} ${"v".repeat(20)}`);
  }
  await engine.compactAll();
  for (let i = 0; i < 600; i += 3) {
    apply(new WriteBatch().put(keyOf(i), bytesOf(`new ${i}`)));
    model.set(textOf(keyOf(i)), `new ${i}`);
  }
  for (let i = 0; i < 600; i += 7) {
    apply(new WriteBatch().delete(keyOf(i)));
    model.delete(textOf(keyOf(i)));
  }
  await engine.flush();
  await engine.close();
  return model;
}

export function tablesOf(disk: Disk, from = directory): string[] {
  return disk.list(from).filter((name) => parseStoreFile(name)?.kind === "table");
}

export function manifestOf(disk: Disk, from = directory): string {
  return manifestName(readCurrent(disk, from, noSelectionHash) ?? 0);
}

/** The largest table: one of the lower level, with several blocks. */
export function largestTable(disk: Disk): string {
  const size = (name: string) => disk.size(`${directory}/${name}`);
  return tablesOf(disk).sort((a, b) => size(b) - size(a) || (a < b ? -1 : 1))[0];
}

export function readAll(disk: Disk, path: string): Uint8Array {
  const bytes = new Uint8Array(disk.size(path));
  const file = disk.open(path, "read");
  file.readSync(bytes, 0, bytes.length, 0);
  file.close();
  return bytes;
}

export function flip(disk: Disk, path: string, offset: number): void {
  const file = disk.open(path, "write");
  const byte = new Uint8Array(1);
  assert.equal(file.readSync(byte, 0, 1, offset), 1, `${path} has a byte at ${offset}`);
  byte[0] ^= 0x5a;
  file.writeSync(byte, 0, 1, offset);
  file.close();
}

export interface Region {
  readonly part: string;
  readonly start: number;
  readonly end: number;
}

/** The smallest and the largest key of an SSTable. */
export function boundsOf(disk: Disk, path: string): { smallest: Uint8Array; largest: Uint8Array } {
  const file = disk.open(path, "read");
  const { properties } = readTableLayout(file, noSelectionHash);
  file.close();
  return properties;
}

/** The regions of an SSTable, from its own layout. */
export function regionsOf(disk: Disk, path: string): Region[] {
  const file = disk.open(path, "read");
  const { blockOffsets, blockCount, version, filter, prefixFilter, rangeTombstones } = readTableLayout(
    file,
    noSelectionHash,
  );
  const size = file.sizeSync();
  file.close();
  const regions: Region[] = [{ part: "header", start: 0, end: 32 }];
  for (let i = 0; i < blockCount; i++) {
    regions.push({ part: "block", start: blockOffsets[i], end: blockOffsets[i + 1] });
  }
  let at = blockOffsets[blockCount];
  const trailer = trailerBytes(version);
  const section = (part: string, length: number) => {
    regions.push({ part, start: at, end: at + length + trailer });
    at += length + trailer;
  };
  section("filter", filter.length);
  if (version > 1) section("prefix filter", prefixFilter.length);
  if (version > 1) section("range tombstones", rangeTombstones.length);
  const footerAt = size - (version === 1 ? 80 : 104);
  // Index and properties stand one behind the other; the footer says where the one ends.
  const bytes = readAll(disk, path);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const indexLength = view.getUint32(footerAt + (version === 1 ? 20 : 44), true);
  section("index", indexLength);
  regions.push({ part: "properties", start: at, end: footerAt });
  regions.push({ part: "footer", start: footerAt, end: size });
  return regions;
}

/** Everything that a store gives, by key. Errors: the engine's. */
export function contentsOf(engine: StorageEngine): Map<string, string> {
  const found = new Map<string, string>();
  const cursor = engine.scan({});
  try {
    while (cursor.next()) found.set(textOf(cursor.key), textOf(cursor.value));
  } finally {
    cursor.close();
  }
  return found;
}

export function metric(engine: BlackboardEngine, name: string): number {
  const found = engine.metrics().find((one) => one.name === name);
  assert.ok(found !== undefined && found.kind !== "histogram", name);
  return found.value;
}
