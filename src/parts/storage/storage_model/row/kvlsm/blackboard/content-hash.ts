/**
 * ContentHash: one hash over what a store holds, read from its files without opening it, to tell that a copy holds the
 * same.
 *
 *   1. All tables of the manifest are merged in key order, newest version first.
 *   2. Of every key the newest version counts, unless it is a tombstone: length and bytes of the key, kind, length and
 *      bytes of the value (with its expiry time, where it has one), into SHA-256.
 *   3. Then the encoded range tombstones of every table, by file number.
 * It does not depend on how entries are spread over blocks and levels where there are no range tombstones. It judges no
 * expiry, so it is the same at any time. Yields bytes read. Memory: a compaction's.
 */
import { createHash } from "node:crypto";
import { writeU32LE } from "../../../../../../kit/bytes.ts";
import { compareRanges } from "../../../../../../kit/compare.ts";
import type { Disk } from "../../../../../../kit/env/env.ts";
import { WalkPool } from "./block-walk.ts";
import { kindDelete } from "./entry-iterator.ts";
import { tableName } from "./file-names.ts";
import { LevelIterator } from "./level-iterator.ts";
import { MergeWalk } from "./merge-walk.ts";
import { SequentialBlocks, SequentialRun } from "./sequential-blocks.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { readTableLayout } from "./table-layout.ts";
import type { VersionState } from "./version-state.ts";

export interface StoreContent {
  /** Keys whose newest version is no tombstone. */
  readonly keyCount: number;
  /** SHA-256, in hex. */
  readonly hash: string;
}

/** Errors: CORRUPTION, FORMAT_UNKNOWN, IO_ERROR. */
export function* hashStoreContent(
  disk: Disk,
  directory: string,
  selectionHash: string,
  state: VersionState,
): Generator<number, StoreContent, void> {
  let read = 0;
  const open: SequentialRun[] = [];
  const pool = new WalkPool();
  const runs = state.levels
    .flatMap((files, level) => (level === 0 ? files.map((file) => [file]) : [files]))
    .filter((files) => files.length > 0)
    .map((files) => {
      const run = new SequentialRun(disk, selectionHash, (bytes) => (read += bytes));
      open.push(run);
      const blocks = files.map(({ number }) => new SequentialBlocks(`${directory}/${tableName(number)}`, run));
      return new LevelIterator(pool, blocks, SortedKeys.from(files.map(({ smallest }) => smallest)));
    });
  const hash = createHash("sha256");
  const lengths = new Uint8Array(9);
  const merge = new MergeWalk(runs, false);
  let keyCount = 0;
  let last = new Uint8Array(256);
  let lastLength = -1;
  try {
    merge.start(undefined);
    for (let entry = merge.top; entry !== undefined; merge.step(), entry = merge.top) {
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, kind } = entry;
      const length = keyEnd - keyStart;
      if (lastLength >= 0 && compareRanges(last, 0, lastLength, keyBytes, keyStart, keyEnd) === 0) continue;
      if (length > last.length) last = new Uint8Array(length * 2);
      last.set(keyBytes.subarray(keyStart, keyEnd));
      lastLength = length;
      if (kind === kindDelete) continue;
      keyCount++;
      writeU32LE(lengths, 0, length);
      lengths[4] = kind;
      writeU32LE(lengths, 5, valueEnd - valueStart);
      hash.update(lengths);
      hash.update(keyBytes.subarray(keyStart, keyEnd));
      hash.update(valueBytes.subarray(valueStart, valueEnd));
      if (read === 0) continue;
      yield read;
      read = 0;
    }
  } finally {
    for (const run of open) run.close();
  }
  for (const { number } of state.levels.flat().sort((a, b) => a.number - b.number)) {
    const file = disk.open(`${directory}/${tableName(number)}`, "read");
    try {
      hash.update(readTableLayout(file, selectionHash).rangeTombstones);
    } finally {
      file.close();
    }
  }
  return { keyCount, hash: hash.digest("hex") };
}
