/**
 * The LRU row cache: when room is needed, what was not used for longest goes.
 *
 *   1. Entries lie in an `EntryTable`: chains of 64-byte cells, found by a seeded hash of the key.
 *   2. `get` finds the entry, puts it first in the recency list, and copies the value into a buffer.
 *   3. `fill` makes room by dropping entries from the end of the list until enough cells are free.
 *   4. `WriteEpochs` refuses fills that a write has overtaken.
 *   5. An entry that the caller's time finds expired is dropped; until somebody asks, it waits for its turn to
 *   be evicted.
 * Invariants: each entry is once in the list; all memory is allocated at the start, and table and epochs
 * together stay within `capacityBytes`.
 * Source: memcached's LRU.
 */
import type { Metric } from "../../../../../kit/metric.ts";
import type { Cache } from "../../cache.ts";
import { EntryTable } from "../../entry-table.ts";
import { RecencyList } from "../../recency-list.ts";
import { WriteEpochs } from "../../write-epochs.ts";

export interface LruCacheOptions {
  /** Everything that the cache allocates, but for a buffer of the largest value. */
  capacityBytes: number;
  /** Of the hash: drawn at random where keys come from strangers. */
  seed?: number;
}

export function createLruCache(options: LruCacheOptions): Cache {
  return new LruCache(options.capacityBytes, options.seed ?? 0);
}

class LruCache implements Cache {
  readonly capacityBytes: number;
  readonly #epochs: WriteEpochs;
  readonly #table: EntryTable;
  readonly #list: RecencyList;
  #hits = 0;
  #misses = 0;
  #fills = 0;
  #staleFills = 0;
  #evictions = 0;
  #expirations = 0;

  constructor(capacityBytes: number, seed: number) {
    this.capacityBytes = capacityBytes;
    this.#epochs = new WriteEpochs(capacityBytes);
    this.#table = new EntryTable(capacityBytes - this.#epochs.sizeBytes, seed);
    this.#list = new RecencyList(this.#table.words);
  }

  get sizeBytes(): number {
    return this.#table.cells === 0 ? 0 : this.#epochs.sizeBytes + this.#table.sizeBytes;
  }

  get(key: Uint8Array, nowMs = Infinity): Uint8Array | undefined {
    const entry = this.#table.find(key, this.#table.hash(key));
    if (entry === 0) {
      this.#misses++;
      return undefined;
    }
    if (this.#table.isExpired(entry, nowMs)) {
      this.#remove(entry);
      this.#expirations++;
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#use(entry);
    return this.#table.value(entry);
  }

  epoch(): number {
    return this.#epochs.current();
  }

  fill(key: Uint8Array, value: Uint8Array, epoch: number, expiresAtMs = Infinity): void {
    const hash = this.#table.hash(key);
    if (this.#epochs.isStale(hash, epoch)) {
      this.#staleFills++;
      return;
    }
    this.#fills++;
    const present = this.#table.find(key, hash);
    if (present === 0) this.#add(key, value, hash, expiresAtMs);
    else this.#replace(present, key, value, hash, expiresAtMs);
  }

  update(key: Uint8Array, value: Uint8Array, expiresAtMs = Infinity): void {
    const hash = this.#table.hash(key);
    this.#epochs.noteWrite(hash);
    const present = this.#table.find(key, hash);
    if (present !== 0) this.#replace(present, key, value, hash, expiresAtMs);
  }

  invalidate(key: Uint8Array): void {
    const hash = this.#table.hash(key);
    this.#epochs.noteWrite(hash);
    const entry = this.#table.find(key, hash);
    if (entry !== 0) this.#remove(entry);
  }

  clear(): void {
    this.#epochs.noteClear();
    this.#table.clear();
    this.#list.clear();
  }

  metrics(): Metric[] {
    const counter = (name: string, help: string, value: number): Metric => ({ kind: "counter", name, help, value });
    const gauge = (name: string, help: string, value: number): Metric => ({ kind: "gauge", name, help, value });
    return [
      counter("row_cache_hits_total", "Reads answered by the row cache.", this.#hits),
      counter("row_cache_misses_total", "Reads that the row cache could not answer.", this.#misses),
      counter("row_cache_fills_total", "Values taken into the row cache.", this.#fills),
      counter("row_cache_stale_fills_total", "Values refused because a write came in between.", this.#staleFills),
      counter("row_cache_evictions_total", "Entries dropped to make room.", this.#evictions),
      counter("row_cache_expirations_total", "Entries found expired and dropped.", this.#expirations),
      gauge("row_cache_entries", "Entries in the row cache.", this.#table.entries),
      gauge("row_cache_bytes", "Memory in use by the row cache.", this.sizeBytes),
      gauge("row_cache_capacity_bytes", "Memory that the row cache may use.", this.capacityBytes),
    ];
  }

  /** Adds an entry as the newest, unless it is too large. */
  #add(key: Uint8Array, value: Uint8Array, hash: number, expiresAtMs: number): void {
    const cells = this.#table.cellsOf(key, value, expiresAtMs);
    if (cells > this.#table.entryCellsMax) return;
    while (this.#table.freeCells < cells) {
      this.#remove(this.#list.oldest);
      this.#evictions++;
    }
    this.#list.linkNewest(this.#table.insert(key, value, hash, expiresAtMs));
  }

  /** Drops what is there where the new value is too large. */
  #replace(entry: number, key: Uint8Array, value: Uint8Array, hash: number, expiresAtMs: number): void {
    if (this.#table.overwrite(entry, key, value, expiresAtMs)) {
      this.#use(entry);
      return;
    }
    this.#remove(entry);
    this.#add(key, value, hash, expiresAtMs);
  }

  #use(entry: number): void {
    if (entry !== this.#list.newest) {
      this.#list.unlink(entry);
      this.#list.linkNewest(entry);
    }
  }

  #remove(entry: number): void {
    this.#list.unlink(entry);
    this.#table.remove(entry);
  }
}
