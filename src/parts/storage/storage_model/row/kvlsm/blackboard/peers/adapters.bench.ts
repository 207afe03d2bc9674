/**
 * Engines behind one face for the side-by-side bench: ours, and three native bindings, each by its fastest documented
 * call for the purpose (RocksDB's synchronous get is `_getManySync([key])`; there is no public one).
 * The bindings are loaded from a directory outside the repository (see side-by-side.bench.ts).
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { createNodeEnv } from "../../../../../../../kit/env/node-env.ts";
import { noSelectionHash } from "../../../../../../../kit/file-header.ts";
import { openWal } from "../../../../../../core/wal/wal.ts";
import { WriteBatch } from "../../../../../write-batch.ts";
import { openBlackboardEngine } from "../blackboard-engine.ts";

export const engineNames = ["lathe", "classic-level", "rocksdb", "lmdb"] as const;
export type EngineName = (typeof engineNames)[number];

export interface OpenOptions {
  readonly directory: string;
  readonly cacheBytes: number;
  /** Only for lmdb, whose transactions are durable unless told otherwise. */
  readonly unsynced: boolean;
  readonly peers: string;
}

export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface BenchEngine {
  /** What it was opened with, for the record. */
  readonly settings: string;
  getSync(key: Buffer): Uint8Array | undefined;
  /** As `getSync`, where the engine has a call that lends its bytes until the next one. */
  getLent?(key: Buffer): Uint8Array | undefined;
  writeBatch(entries: readonly Entry[]): Promise<void>;
  putDurable(key: Buffer, value: Buffer): Promise<unknown>;
  /** Walks everything; returns the bytes of keys and values. */
  scan(): Promise<number>;
  /** Waits until background work is done; flushes what is in memory where `flush` says so. */
  settle(flush: boolean): Promise<void>;
  /** Sorted runs on disk, where the engine can be asked. */
  runs?(): number;
  /** Sorted runs and what is in memory, in the engine's own words. */
  shape(): string;
  close(): Promise<void>;
}

export function openEngine(name: EngineName, options: OpenOptions): Promise<BenchEngine> {
  switch (name) {
    case "lathe":
      return openLathe(options);
    case "classic-level":
      return openClassicLevel(options);
    case "rocksdb":
      return openRocksdb(options);
    case "lmdb":
      return openLmdb(options);
  }
}

const scanChunk = 1000;
const readAheadBytes = 1 << 20;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function openLathe({ directory, cacheBytes }: OpenOptions): Promise<BenchEngine> {
  const env = createNodeEnv({ logLevel: "error" });
  const log = await openWal(env, { directory: join(directory, "wal"), selectionHash: noSelectionHash });
  const options = { directory: join(directory, "store"), log, blockCacheBytes: cacheBytes };
  const engine = await openBlackboardEngine(env, options);
  const batch = new WriteBatch(1 << 18);
  const gauge = (name: string) =>
    engine.metrics().flatMap((one) => (one.name === name && one.kind !== "histogram" ? [one] : []));
  return {
    settings: `defaults, blockCacheBytes ${cacheBytes}, with its write-ahead log, no row cache, checksums on`,
    getSync: (key) => engine.getSync(key),
    async writeBatch(entries) {
      batch.clear();
      for (const { key, value } of entries) batch.put(key, value);
      await engine.write(batch, { sync: false });
    },
    putDurable: (key, value) => engine.write(new WriteBatch().put(key, value)),
    async scan() {
      let bytes = 0;
      const cursor = engine.scan({});
      while (cursor.next()) bytes += cursor.key.length + cursor.value.length;
      cursor.close();
      return bytes;
    },
    async settle(flush) {
      if (flush) await engine.flush();
      await engine.settle();
    },
    runs() {
      const [newest, ...deeper] = gauge("lsm_level_files").map(({ value }) => value);
      return newest + deeper.filter((files) => files > 0).length;
    },
    shape() {
      const files = gauge("lsm_level_files").map(({ value }) => value);
      const memory = gauge("lsm_memory_bytes").find(({ labels }) => labels?.component === "memtable");
      return JSON.stringify({ levelFiles: files, memtableBytes: memory?.value });
    },
    async close() {
      await engine.close();
      await log.close();
      await env.threads.close();
    },
  };
}

/* The bindings have no types here; what is used of them is stated below. */
interface LevelIterator {
  nextv(size: number): Promise<[Buffer, Buffer][]>;
  close(): Promise<void>;
}

interface LevelBatch {
  put(key: Buffer, value: Buffer): LevelBatch;
  write(options?: object): Promise<void>;
}

interface ClassicLevelDb {
  open(): Promise<void>;
  close(): Promise<void>;
  getSync(key: Buffer): Uint8Array | undefined;
  put(key: Buffer, value: Buffer, options: object): Promise<void>;
  batch(): LevelBatch;
  iterator(options: object): LevelIterator;
  getProperty(name: string): string;
}

async function openClassicLevel({ directory, cacheBytes, peers }: OpenOptions): Promise<BenchEngine> {
  const { ClassicLevel } = peerModule<{ ClassicLevel: new (path: string, options: object) => ClassicLevelDb }>(
    peers,
    "classic-level",
  );
  const settings = { cacheSize: cacheBytes, compression: false, writeBufferSize: 16 << 20 };
  const db = new ClassicLevel(join(directory, "db"), {
    ...settings,
    keyEncoding: "buffer",
    valueEncoding: "buffer",
  });
  await db.open();
  const filesPerLevel = () =>
    Array.from({ length: 7 }, (_, level) => Number(db.getProperty(`leveldb.num-files-at-level${level}`)));
  return {
    settings: JSON.stringify(settings),
    getSync: (key) => db.getSync(key),
    writeBatch: (entries) => chained(db.batch(), entries).write({}),
    putDurable: (key, value) => db.put(key, value, { sync: true }),
    scan: () => scanLevel(db.iterator({ highWaterMarkBytes: readAheadBytes })),
    settle: () => untilSteady(() => filesPerLevel().join()),
    shape: () => JSON.stringify({ levelFiles: filesPerLevel() }),
    close: () => db.close(),
  };
}

function chained(batch: LevelBatch, entries: readonly Entry[]): LevelBatch {
  for (const { key, value } of entries) batch.put(key, value);
  return batch;
}

async function scanLevel(iterator: LevelIterator): Promise<number> {
  let bytes = 0;
  for (;;) {
    const entries = await iterator.nextv(scanChunk);
    if (entries.length === 0) break;
    for (const [key, value] of entries) bytes += key.length + value.length;
  }
  await iterator.close();
  return bytes;
}

async function untilSteady(state: () => string): Promise<void> {
  let before = "";
  for (let same = 0; same < 4; ) {
    await pause(250);
    const now = state();
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

interface RocksBatch {
  _put(key: Buffer, value: Buffer): void;
  _writeSync(options: object): void;
  _closeSync(): void;
}

interface RocksIterator {
  _nextvSync(size: number, options: object): { rows: Buffer[]; finished: boolean };
  _closeSync(): void;
}

interface RocksDb {
  open(): Promise<void>;
  close(): Promise<void>;
  batch(): RocksBatch;
  iterator(options: object): RocksIterator;
  getProperty(name: string): string;
  _getManySync(keys: Buffer[], options: object): (Uint8Array | undefined)[];
}

async function openRocksdb({ directory, cacheBytes, peers }: OpenOptions): Promise<BenchEngine> {
  const { RocksLevel } = peerModule<{ RocksLevel: new (path: string, options: object) => RocksDb }>(
    peers,
    "@nxtedition/rocksdb",
  );
  const settings = { cacheSize: cacheBytes, compression: false, walCompression: false, optimize: "point-lookup" };
  const encodings = { keyEncoding: "buffer", valueEncoding: "buffer" };
  const db = new RocksLevel(join(directory, "db"), { ...settings, ...encodings, createIfMissing: true });
  await db.open();
  const readOptions = { keyEncoding: "buffer", valueEncoding: "buffer", fillCache: true };
  const write = (entries: readonly Entry[], options: object): void => {
    const batch = db.batch();
    for (const { key, value } of entries) batch._put(key, value);
    batch._writeSync(options);
    batch._closeSync();
  };
  const property = (name: string) => db.getProperty(`rocksdb.${name}`);
  const levels = () => Array.from({ length: 7 }, (_, level) => Number(property(`num-files-at-level${level}`)));
  return {
    settings: JSON.stringify(settings),
    getSync: (key) => db._getManySync([key], readOptions)[0],
    async writeBatch(entries) {
      write(entries, { sync: false });
    },
    // The binding writes on the caller's thread: writers of one process cannot share a flush.
    async putDurable(key, value) {
      write([{ key, value }], { sync: true });
    },
    async scan() {
      const iterator = db.iterator({ ...readOptions, highWaterMarkBytes: readAheadBytes });
      let bytes = 0;
      for (let finished = false; !finished; ) {
        const chunk = iterator._nextvSync(scanChunk, {});
        for (const part of chunk.rows) bytes += part.length;
        finished = chunk.finished;
      }
      iterator._closeSync();
      return bytes;
    },
    settle: () => untilSteady(() => levels().join() + property("num-running-compactions")),
    shape: () => JSON.stringify({ levelFiles: levels(), memtableBytes: Number(property("cur-size-active-mem-table")) }),
    close: () => db.close(),
  };
}

interface LmdbDb {
  getBinary(key: Buffer): Uint8Array | undefined;
  getBinaryFast(key: Buffer): Uint8Array | undefined;
  put(key: Buffer, value: Buffer): Promise<boolean>;
  transactionSync(run: () => void): void;
  getRange(options: object): Iterable<{ key: Buffer; value: Buffer }>;
  getStats(): object;
  close(): Promise<void>;
}

async function openLmdb({ directory, unsynced, peers }: OpenOptions): Promise<BenchEngine> {
  const lmdb = peerModule<{ open(options: object): LmdbDb }>(peers, "lmdb");
  const settings = { noSync: unsynced };
  const path = join(directory, "db");
  const db = lmdb.open({ path, keyEncoding: "binary", encoding: "binary", mapSize: 2 ** 31, ...settings });
  return {
    settings: JSON.stringify(settings),
    getSync: (key) => db.getBinary(key),
    getLent: (key) => db.getBinaryFast(key),
    async writeBatch(entries) {
      db.transactionSync(() => {
        for (const { key, value } of entries) void db.put(key, value);
      });
    },
    putDurable: (key, value) => db.put(key, value),
    async scan() {
      let bytes = 0;
      for (const { key, value } of db.getRange({})) bytes += key.length + value.length;
      return bytes;
    },
    settle: async () => undefined,
    shape: () => JSON.stringify(db.getStats()),
    close: () => db.close(),
  };
}

function peerModule<T>(peers: string, name: string): T {
  return createRequire(join(peers, "package.json"))(name) as T;
}
