/**
 * SharedRows: engine and row cache as a surface with a query language uses them, where a key-value store keeps its rows
 * in one of that surface's tables.
 *
 * Rows of that table expire, and their version is the store's affair; a query language knows nothing of either. So the
 * parts behind it get an engine and a cache in front of the real ones, which differ for rows of that table alone:
 *   1. A row whose `expires_ms` has come is not there, for gets, scans and snapshots.
 *   2. While a command is applied the time is that of its log entry, so that equal logs give equal states: an INSERT
 *   over an expired row finds nothing in its way, an UPDATE nothing to change. Reads judge by the clock, but never by
 *   an earlier time than that of the last entry, as the store itself does.
 *   3. A row that is written gets the entry's index for its version, whatever was written there: ETags change with
 *   every write, through whichever door it came.
 *   4. The cache is never filled with a row that expires, and drops what a query language writes (its bytes have not
 *   that version).
 * Cost: for each row read a comparison of a few bytes, and for rows of that table the reading of one column.
 * The engine itself may drop rows that the store put with an expiry: it judges by the time of entries, which is never
 * ahead of the times above. Rows to which a query language gave an expiry stay on disk until they are deleted or
 * overwritten.
 */
import type { Clock } from "../../../../../kit/env/env.ts";
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { Cursor, ScanRange, Snapshot, StorageEngine, WriteRoom } from "../../../../storage/engine.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import type { Cache } from "../../../../storage/page_io/cache.ts";
import { batchKindPut, type WriteBatch } from "../../../../storage/write-batch.ts";
import { readExpiry, writeVersion } from "./key-value-table.ts";

export interface SharedRowsOptions {
  readonly engine: StorageEngine;
  readonly cache?: Cache | undefined;
  readonly layout: RowLayout;
  readonly clock: Clock;
}

/** What the parts of a query language open instead of engine and cache. */
export interface RowDoors {
  readonly engine: StorageEngine;
  readonly cache: Cache | undefined;
}

export class SharedRows {
  /** For the state machine of a query language. */
  readonly applying: RowDoors;
  /** For its reads. */
  readonly reading: RowDoors;
  readonly #layout: RowLayout;
  #tableOf: () => Table | undefined = () => undefined;
  #table: Table | undefined;
  #prefix: Uint8Array = new Uint8Array(0);
  /** Of the entry that is being applied, or was last. */
  #entryMs = 0;

  constructor({ engine, cache, layout, clock }: SharedRowsOptions) {
    this.#layout = layout;
    const entryMs = () => this.#entryMs;
    const nowMs = () => Math.max(clock.nowMs(), this.#entryMs);
    this.applying = {
      engine: new EngineOfRows(engine, this, entryMs),
      cache: cache === undefined ? undefined : new CacheOfRows(cache, this, entryMs),
    };
    this.reading = {
      engine: new EngineOfRows(engine, this, nowMs),
      cache: cache === undefined ? undefined : new CacheOfRows(cache, this, nowMs),
    };
  }

  /** Called once, by the machine that knows the store's table. */
  follow(tableOf: () => Table | undefined): void {
    this.#tableOf = tableOf;
  }

  beginEntry(timeMs: number): void {
    this.#entryMs = timeMs;
  }

  /** The expiry of a row of the store's table; undefined for all other rows, and for rows that stay. */
  expiryOf(key: Uint8Array, row: Uint8Array): number | undefined {
    return this.isRow(key) ? readExpiry(this.#layout, this.#table as Table, row) : undefined;
  }

  isRow(key: Uint8Array): boolean {
    const table = this.#tableOf();
    if (table !== this.#table) {
      this.#table = table;
      this.#prefix = table === undefined ? new Uint8Array(0) : this.#layout.encodeKey(table, []).slice();
    }
    const prefix = this.#prefix;
    if (table === undefined || key.length < prefix.length) return false;
    for (let at = prefix.length - 1; at >= 0; at--) if (key[at] !== prefix[at]) return false;
    return true;
  }

  /** In the bytes of the batch. */
  setVersions(batch: WriteBatch, version: number): void {
    batch.forEach((kind, bytes, keyStart, keyEnd, valueEnd) => {
      if (kind !== batchKindPut || !this.isRow(bytes.subarray(keyStart, keyEnd))) return;
      writeVersion(this.#layout, this.#table as Table, bytes.subarray(keyEnd, valueEnd), BigInt(version));
    });
  }
}

class EngineOfRows implements StorageEngine {
  readonly #engine: StorageEngine;
  readonly #rows: SharedRows;
  readonly #nowMs: () => number;

  constructor(engine: StorageEngine, rows: SharedRows, nowMs: () => number) {
    this.#engine = engine;
    this.#rows = rows;
    this.#nowMs = nowMs;
  }

  get capabilities() {
    return this.#engine.capabilities;
  }

  get appliedIndex(): number {
    return this.#engine.appliedIndex;
  }

  get durableIndex(): number {
    return this.#engine.durableIndex;
  }

  get room(): WriteRoom | undefined {
    return this.#engine.room;
  }

  async recovered(index: number): Promise<void> {
    await this.#engine.recovered?.(index);
  }

  getSync(key: Uint8Array, snapshot?: Snapshot): Uint8Array | undefined {
    return this.#shown(key, this.#engine.getSync(key, snapshot));
  }

  async get(key: Uint8Array, snapshot?: Snapshot): Promise<Uint8Array | undefined> {
    return this.#shown(key, await this.#engine.get(key, snapshot));
  }

  async getMany(keys: readonly Uint8Array[], snapshot?: Snapshot): Promise<(Uint8Array | undefined)[]> {
    const rows = await this.#engine.getMany(keys, snapshot);
    return rows.map((row, at) => this.#shown(keys[at], row));
  }

  applySync(batch: WriteBatch, index: number, timeMs?: number): void {
    this.#rows.setVersions(batch, index);
    this.#engine.applySync(batch, index, timeMs);
  }

  backpressure(): Promise<void> | undefined {
    return this.#engine.backpressure();
  }

  write(batch: WriteBatch, options?: { sync?: boolean }): Promise<number> {
    return this.#engine.write(batch, options);
  }

  scan(range: ScanRange): Cursor {
    return new CursorOfRows(this.#engine.scan(range), (key, row) => this.#shown(key, row) !== undefined);
  }

  snapshot(): Snapshot {
    return this.#engine.snapshot();
  }

  flush(): Promise<void> {
    return this.#engine.flush();
  }

  compactAll(): Promise<void> {
    return this.#engine.compactAll();
  }

  settle(): Promise<void> {
    return this.#engine.settle();
  }

  checkpoint(directory: string): Promise<void> {
    return this.#engine.checkpoint(directory);
  }

  metrics() {
    return this.#engine.metrics();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  #shown(key: Uint8Array, row: Uint8Array | undefined): Uint8Array | undefined {
    if (row === undefined) return undefined;
    const expiresAtMs = this.#rows.expiryOf(key, row);
    return expiresAtMs !== undefined && expiresAtMs <= this.#nowMs() ? undefined : row;
  }
}

class CursorOfRows implements Cursor {
  readonly #cursor: Cursor;
  readonly #isShown: (key: Uint8Array, row: Uint8Array) => boolean;

  constructor(cursor: Cursor, isShown: (key: Uint8Array, row: Uint8Array) => boolean) {
    this.#cursor = cursor;
    this.#isShown = isShown;
  }

  get key(): Uint8Array {
    return this.#cursor.key;
  }

  get value(): Uint8Array {
    return this.#cursor.value;
  }

  next(): boolean {
    while (this.#cursor.next()) if (this.#isShown(this.#cursor.key, this.#cursor.value)) return true;
    return false;
  }

  close(): void {
    this.#cursor.close();
  }
}

class CacheOfRows implements Cache {
  readonly #cache: Cache;
  readonly #rows: SharedRows;
  readonly #nowMs: () => number;

  constructor(cache: Cache, rows: SharedRows, nowMs: () => number) {
    this.#cache = cache;
    this.#rows = rows;
    this.#nowMs = nowMs;
  }

  get capacityBytes(): number {
    return this.#cache.capacityBytes;
  }

  get sizeBytes(): number {
    return this.#cache.sizeBytes;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const row = this.#cache.get(key, this.#nowMs());
    if (row === undefined) return undefined;
    const expiresAtMs = this.#rows.expiryOf(key, row);
    return expiresAtMs !== undefined && expiresAtMs <= this.#nowMs() ? undefined : row;
  }

  epoch(): number {
    return this.#cache.epoch();
  }

  fill(key: Uint8Array, value: Uint8Array, epoch: number): void {
    if (this.#rows.expiryOf(key, value) === undefined) this.#cache.fill(key, value, epoch);
  }

  update(key: Uint8Array, value: Uint8Array): void {
    if (this.#rows.isRow(key)) this.#cache.invalidate(key);
    else this.#cache.update(key, value);
  }

  invalidate(key: Uint8Array): void {
    this.#cache.invalidate(key);
  }

  clear(): void {
    this.#cache.clear();
  }

  metrics() {
    return this.#cache.metrics();
  }
}
