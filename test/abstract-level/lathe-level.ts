/**
 * LatheLevel: Lathe's storage engine behind the interface of `abstract-level`, for those who come from level, and so
 * that level's own test suite can judge the engine.
 *
 * It stands with the tests and not with the parts: parts have no dependencies, and this one is made of one.
 *   1. A key gets one byte in front, because level allows empty keys and the engine does not; the order stays.
 *   2. The engine keeps a log of its own. A write is in the log when it resolves; `sync: true` flushes the device too.
 *   3. An iterator holds a snapshot of the engine, its own or the one it was given, and one cursor; `seek` makes
 *   another cursor over the same snapshot.
 * Bytes handed out are copies: level's callers keep them.
 */
import {
  AbstractIterator, AbstractLevel, type AbstractIteratorOptions, type AbstractSeekOptions, AbstractSnapshot,
} from "abstract-level";
import type { Env } from "../../src/kit/env/env.ts";
import { LatheError } from "../../src/kit/errors.ts";
import { noSelectionHash } from "../../src/kit/file-header.ts";
import type { DurableLog } from "../../src/parts/core/durable-log.ts";
import { openWal } from "../../src/parts/core/wal/wal.ts";
import type { Cursor, ScanRange, Snapshot, StorageEngine } from "../../src/parts/storage/engine.ts";
import { openBlackboardEngine } from "../../src/parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import type { BlackboardOptions } from "../../src/parts/storage/storage_model/row/kvlsm/blackboard/options.ts";
import { WriteBatch } from "../../src/parts/storage/write-batch.ts";

export type Tuning = Omit<BlackboardOptions, "directory" | "log">;

/** What abstract-level passes on, with keys as bytes. */
interface Bounds {
  readonly gt?: Uint8Array;
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly snapshot?: LevelSnapshot | undefined;
}

interface BatchOperation {
  readonly type: "put" | "del";
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface WriteOptions {
  readonly sync?: boolean;
}

interface ReadOptions {
  readonly snapshot?: LevelSnapshot | undefined;
}

const front = 1;
/** Keys that a `clear` deletes at a time. */
const clearBatch = 1000;

/** `getSync` is newer than the declared type of manifests. */
const manifest = {
  encodings: { view: true }, createIfMissing: true, errorIfExists: true, explicitSnapshots: true,
  implicitSnapshots: true, seek: true, permanence: true, has: true, getSync: true,
};

export class LatheLevel extends AbstractLevel<Uint8Array, string, string> {
  readonly #env: Env;
  readonly #directory: string;
  readonly #tuning: Tuning;
  #engine: StorageEngine | undefined = undefined;
  #log: DurableLog | undefined = undefined;

  constructor(env: Env, directory: string, tuning: Tuning, options?: Record<string, unknown>) {
    super(manifest, options);
    this.#env = env;
    this.#directory = directory;
    this.#tuning = tuning;
  }

  get engine(): StorageEngine {
    if (this.#engine === undefined) throw new LatheError("CLOSED", "the store is closed");
    return this.#engine;
  }

  async _open({ createIfMissing, errorIfExists }: { createIfMissing: boolean; errorIfExists: boolean }): Promise<void> {
    const { disk } = this.#env;
    const there = disk.exists(`${this.#directory}/store`);
    if (!there && !createIfMissing) throw new LatheError("NOT_FOUND", `${this.#directory} does not exist`);
    if (there && errorIfExists) throw new LatheError("ALREADY_EXISTS", `${this.#directory} exists`);
    const directory = `${this.#directory}/store`;
    disk.makeDirectory(directory);
    const log = await openWal(this.#env, {
      directory: `${this.#directory}/log`, segmentBytes: 1 << 16, selectionHash: noSelectionHash,
    });
    try {
      this.#engine = await openBlackboardEngine(this.#env, { ...this.#tuning, directory, log });
      this.#log = log;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  async _close(): Promise<void> {
    await this.#engine?.close();
    await this.#log?.close();
    this.#engine = undefined;
    this.#log = undefined;
  }

  async _get(key: Uint8Array, { snapshot }: ReadOptions): Promise<Uint8Array | undefined> {
    return this.engine.get(stored(key), snapshot?.inner);
  }

  _getSync(key: Uint8Array, { snapshot }: ReadOptions): Uint8Array | undefined {
    return this.engine.getSync(stored(key), snapshot?.inner)?.slice();
  }

  async _getMany(keys: Uint8Array[], { snapshot }: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    return this.engine.getMany(keys.map(stored), snapshot?.inner);
  }

  async _has(key: Uint8Array, options: ReadOptions): Promise<boolean> {
    return (await this._get(key, options)) !== undefined;
  }

  async _hasMany(keys: Uint8Array[], options: ReadOptions): Promise<boolean[]> {
    return (await this._getMany(keys, options)).map((value) => value !== undefined);
  }

  async _put(key: Uint8Array, value: Uint8Array, { sync }: WriteOptions): Promise<void> {
    await this.#write(new WriteBatch().put(stored(key), value), sync);
  }

  async _del(key: Uint8Array, { sync }: WriteOptions): Promise<void> {
    await this.#write(new WriteBatch().delete(stored(key)), sync);
  }

  async _batch(operations: BatchOperation[], { sync }: WriteOptions): Promise<void> {
    const batch = new WriteBatch();
    for (const { type, key, value } of operations) {
      if (type === "put") batch.put(stored(key), value);
      else batch.delete(stored(key));
    }
    await this.#write(batch, sync);
  }

  async _clear(options: Bounds): Promise<void> {
    const cursor = this.engine.scan(rangeOf(options));
    try {
      let batch = new WriteBatch();
      const { limit = -1 } = options;
      for (let count = 0; (limit < 0 || count < limit) && cursor.next(); count++) {
        batch.delete(cursor.key);
        if (batch.count < clearBatch) continue;
        await this.#write(batch, false);
        batch = new WriteBatch();
      }
      if (batch.count > 0) await this.#write(batch, false);
    } finally {
      cursor.close();
    }
  }

  _snapshot(options: object): LevelSnapshot {
    return new LevelSnapshot(options, this.engine.snapshot());
  }

  _iterator(options: AbstractIteratorOptions<string, string> & Bounds): LevelIterator {
    return new LevelIterator(this, options);
  }

  async #write(batch: WriteBatch, sync = false): Promise<void> {
    await this.engine.write(batch, { sync });
  }
}

class LevelSnapshot extends AbstractSnapshot {
  readonly inner: Snapshot;

  constructor(options: object, inner: Snapshot) {
    // The declared constructor takes nothing; the real one takes the options that `snapshot` was given.
    super(...([options] as unknown as []));
    this.inner = inner;
  }

  async _close(): Promise<void> {
    this.inner.release();
  }
}

class LevelIterator extends AbstractIterator<LatheLevel, string, string> {
  readonly #range: ScanRange;
  readonly #snapshot: Snapshot;
  readonly #isOwn: boolean;
  #cursor: Cursor;

  constructor(db: LatheLevel, options: AbstractIteratorOptions<string, string> & Bounds) {
    super(db, options);
    this.#isOwn = options.snapshot === undefined;
    this.#snapshot = options.snapshot?.inner ?? db.engine.snapshot();
    this.#range = { ...rangeOf(options), snapshot: this.#snapshot };
    this.#cursor = db.engine.scan(this.#range);
  }

  // The base class declares none of its private hooks; keys and values are bytes here.
  async _next(): Promise<[never, never] | undefined> {
    return this.#cursor.next() ? entryOf(this.#cursor) : undefined;
  }

  async _nextv(size: number): Promise<[never, never][]> {
    const entries: [never, never][] = [];
    while (entries.length < size && this.#cursor.next()) entries.push(entryOf(this.#cursor));
    return entries;
  }

  _seek(target: Uint8Array, _options: AbstractSeekOptions<string>): void {
    this.#cursor.close();
    const key = stored(target);
    const range = { ...this.#range };
    if (range.reverse === true) range.lt = lower(range.lt, after(key));
    else range.gte = higher(range.gte, key);
    this.#cursor = this.db.engine.scan(range);
  }

  async _close(): Promise<void> {
    this.#cursor.close();
    if (this.#isOwn) this.#snapshot.release();
  }
}

function entryOf({ key, value }: Cursor): [never, never] {
  return [key.slice(1), value.slice()] as unknown as [never, never];
}

/** The key as the engine has it. */
function stored(key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(key.length + 1);
  bytes[0] = front;
  bytes.set(key, 1);
  return bytes;
}

/** The first key behind this one. */
function after(key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(key.length + 1);
  bytes.set(key);
  return bytes;
}

function rangeOf({ gt, gte, lt, lte, reverse, snapshot }: Bounds): ScanRange {
  const lowest = Uint8Array.of(front);
  const highest = Uint8Array.of(front + 1);
  const range: ScanRange = {
    gte: gte !== undefined ? stored(gte) : gt !== undefined ? after(stored(gt)) : lowest,
    lt: lte !== undefined ? after(stored(lte)) : lt !== undefined ? stored(lt) : highest,
    reverse: reverse === true,
  };
  return snapshot === undefined ? range : { ...range, snapshot: snapshot.inner };
}

function lower(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  return a !== undefined && Buffer.compare(a, b) < 0 ? a : b;
}

function higher(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  return a !== undefined && Buffer.compare(a, b) > 0 ? a : b;
}
