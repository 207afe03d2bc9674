/**
 * Native bindings beside our engine in the bulk ingest, through the adapters of the engine's side-by-side bench.
 *
 * The same bytes in the same batches: the row and its two index entries of each record, all of a batch in one atomic
 * batch of the binding, unsynced. Where ours flushes, a binding has a log: its `sync` is one more write with a synced log,
 * which makes everything before it durable as well. Its `flush` phase is empty.
 * Checked after reopening: every record by its key, and the bytes of a full scan.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { WriteBatch } from "../parts/storage/write-batch.ts";

interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** What is used of `peers/adapters.bench.ts`. */
interface PeerStore {
  getSync(key: Buffer): Uint8Array | undefined;
  writeBatch(entries: readonly Entry[]): Promise<void>;
  putDurable(key: Buffer, value: Buffer): Promise<unknown>;
  scan(): Promise<number>;
  close(): Promise<void>;
}

interface PeerOptions {
  readonly directory: string;
  readonly cacheBytes: number;
  readonly unsynced: boolean;
  readonly peers: string;
}

export type PeerName = "rocksdb" | "classic-level";
type OpenPeer = (name: PeerName, options: PeerOptions) => Promise<PeerStore>;

const cacheBytes = 32 << 20;
const lastKey = Buffer.from([0xff, 0xff, 0xff, 0xff]);

export async function loadPeers(root: string): Promise<OpenPeer> {
  const file = "src/parts/storage/storage_model/row/kvlsm/blackboard/peers/adapters.bench.ts";
  const adapters = (await import(pathToFileURL(join(root, file)).href)) as { openEngine: OpenPeer };
  return adapters.openEngine;
}

export interface PeerRun {
  readonly open: OpenPeer;
  readonly name: PeerName;
  readonly directory: string;
  /** Where the bindings are installed. */
  readonly peers: string;
  /** Batches as our engine takes them; one is valid until the next is asked for. */
  readonly batches: () => Iterable<WriteBatch>;
  /** Keys and values that must be there afterwards. */
  readonly expected: () => Iterable<{ key: Uint8Array; value: Uint8Array }>;
}

export interface PeerTimes {
  readonly open: number;
  readonly write: number;
  readonly flush: number;
  readonly sync: number;
  readonly close: number;
}

/** Milliseconds per phase. Throws where something is not there afterwards. */
export async function ingestIntoPeer(run: PeerRun): Promise<PeerTimes> {
  const options = { directory: run.directory, cacheBytes, unsynced: false, peers: run.peers };
  const marks = [performance.now()];
  const mark = () => void marks.push(performance.now());
  const store = await run.open(run.name, options);
  mark();
  let bytes = lastKey.length + 1;
  for (const batch of run.batches()) {
    const entries = entriesOf(batch);
    for (const { key, value } of entries) bytes += key.length + value.length;
    await store.writeBatch(entries);
  }
  mark();
  await store.putDurable(lastKey, Buffer.of(1));
  mark();
  await store.close();
  mark();
  await check(run, await run.open(run.name, options), bytes);
  const [open, write, sync, close] = marks.slice(1).map((at, i) => at - marks[i]);
  return { open, write, flush: 0, sync, close };
}

/** Views of the batch's own bytes. */
function entriesOf(batch: WriteBatch): Entry[] {
  const entries: Entry[] = [];
  batch.forEach((_kind, bytes, keyStart, keyEnd, valueEnd) => {
    const { buffer, byteOffset } = bytes;
    entries.push({
      key: Buffer.from(buffer, byteOffset + keyStart, keyEnd - keyStart),
      value: Buffer.from(buffer, byteOffset + keyEnd, valueEnd - keyEnd),
    });
  });
  return entries;
}

async function check({ name, expected }: PeerRun, store: PeerStore, bytes: number): Promise<void> {
  try {
    for (const { key, value } of expected()) {
      const found = store.getSync(Buffer.from(key));
      assert.ok(found !== undefined, `${name}: ${Buffer.from(key).toString("hex")} is gone`);
      assert.equal(Buffer.compare(found, value), 0, `${name}: ${Buffer.from(key).toString("hex")} differs`);
    }
    assert.equal(await store.scan(), bytes, `${name}: bytes of everything`);
  } finally {
    await store.close();
  }
}
