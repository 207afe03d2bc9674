/**
 * A StorageEngine for the tests of parts that stand on one: a sorted map, which counts what it is asked for. It lies
 * beside the port, so that a part's suite needs no other part to have an engine.
 */
import type { Cursor, EngineCapabilities, ScanRange, Snapshot, StorageEngine } from "./engine.ts";
import { batchKindDeleteRange, batchKindPut, type WriteBatch } from "./write-batch.ts";

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

/** A StorageEngine over a Map; the sorted list of keys is made when a scan needs it. */
export class MapEngine implements StorageEngine {
  readonly capabilities: EngineCapabilities = {
    durable: false,
    snapshots: true,
    reverseScan: true,
    checkpoint: false,
    ttl: false,
    rangeDelete: true,
    keyBytesMax: 1024,
    valueBytesMax: 1 << 20,
  };
  appliedIndex = 0;
  readonly durableIndex = 0;
  readonly entries = new Map<string, Uint8Array>();
  openCursors = 0;
  openCursorsMost = 0;
  openSnapshots = 0;
  reads = 0;
  readonly #snapshots = new Map<Snapshot, { entries: Map<string, Uint8Array>; sorted: string[] }>();
  #sorted: string[] | undefined;

  getSync(key: Uint8Array, snapshot?: Snapshot): Uint8Array | undefined {
    this.reads++;
    const pinned = snapshot === undefined ? undefined : this.#snapshots.get(snapshot);
    return (pinned?.entries ?? this.entries).get(textOf(key));
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.getSync(key);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.getSync(key));
  }

  applySync(batch: WriteBatch, index: number): void {
    if (index <= this.appliedIndex) throw new Error(`index ${index} after ${this.appliedIndex}`);
    // Not among its capabilities; and SQL must not ask for it, because row caches are not told of it.
    if (batch.expiringCount > 0) throw new Error("a batch that expires");
    batch.forEach((kind, bytes, keyStart, keyEnd, valueEnd) => {
      const key = textOf(bytes.subarray(keyStart, keyEnd));
      if (kind === batchKindDeleteRange) return this.#deleteRange(key, textOf(bytes.subarray(keyEnd, valueEnd)));
      if (kind === batchKindPut) {
        if (!this.entries.has(key)) this.#addSorted(key, batch.count);
        this.entries.set(key, bytes.slice(keyEnd, valueEnd));
      } else if (this.entries.delete(key)) this.#sorted = undefined;
    });
    this.appliedIndex = index;
  }

  #deleteRange(gte: string, lt: string): void {
    for (const key of this.entries.keys()) if (key >= gte && key < lt) this.entries.delete(key);
    this.#sorted = undefined;
  }

  /** Few keys are put where they belong; for many, sorting again is cheaper. */
  #addSorted(key: string, batchCount: number): void {
    if (batchCount > 16) this.#sorted = undefined;
    else this.#sorted?.splice(lowerBound(this.#sorted, key), 0, key);
  }

  backpressure(): undefined {}

  async write(): Promise<number> {
    throw new Error("no log of its own");
  }

  scan(range: ScanRange): Cursor {
    const pinned = range.snapshot === undefined ? undefined : this.#snapshots.get(range.snapshot);
    const entries = pinned?.entries ?? this.entries;
    const sorted = pinned?.sorted ?? (this.#sorted ??= [...this.entries.keys()].sort());
    const start = range.gte === undefined ? 0 : lowerBound(sorted, textOf(range.gte));
    const end = range.lt === undefined ? sorted.length : lowerBound(sorted, textOf(range.lt));
    const keys = sorted.slice(start, Math.max(start, end));
    if (range.reverse === true) keys.reverse();
    const values = keys.map((key) => entries.get(key) as Uint8Array);
    this.openCursors++;
    this.openCursorsMost = Math.max(this.openCursorsMost, this.openCursors);
    let place = -1;
    let open = true;
    return {
      next: () => ++place < keys.length,
      get key() {
        return Uint8Array.from(Buffer.from(keys[place], "latin1"));
      },
      get value() {
        return values[place];
      },
      close: () => {
        if (open) this.openCursors--;
        open = false;
      },
    };
  }

  snapshot(): Snapshot {
    const release = () => {
      if (this.#snapshots.delete(snapshot)) this.openSnapshots--;
    };
    const snapshot = { index: this.appliedIndex, release };
    const entries = new Map(this.entries);
    this.#snapshots.set(snapshot, { entries, sorted: [...entries.keys()].sort() });
    this.openSnapshots++;
    return snapshot;
  }

  async flush(): Promise<void> {}
  async compactAll(): Promise<void> {}
  async settle(): Promise<void> {}
  async checkpoint(): Promise<void> {}
  metrics(): [] {
    return [];
  }
  async close(): Promise<void> {}
}

function lowerBound(sorted: readonly string[], wanted: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
