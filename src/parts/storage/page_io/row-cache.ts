/**
 * RowCache: what every row cache does, whatever its policy. A policy says in which order entries go.
 *
 *   1. Entries lie in an `EntryTable`: chains of 64-byte cells, found by a seeded hash of the key. The policy keeps its
 *   lists in the entries' first cells, and may give each entry one of four segments.
 *   2. `get` finds the entry, tells the policy of the use, and copies the value into a buffer.
 *   3. `fill` asks the policy for a place, which makes room for it or refuses the newcomer. An entry larger than an
 *   eighth of all cells has none.
 *   4. An entry whose new value takes as many cells stays where it is; else it leaves the table and comes back into its
 *   segment.
 *   5. `WriteEpochs` refuses fills that a write has overtaken.
 *   6. An entry that the caller's time finds expired is dropped; until somebody asks, it waits for its turn to
 *   be evicted.
 * Invariants: each entry of the table is in the policy's lists exactly once; all memory is allocated at the start, and
 * table, epochs and what the policy keeps stay together within `capacityBytes`; a get allocates nothing but the view.
 * Source: memcached's LRU; Caffeine's BoundedLocalCache.
 */
import type { Metric } from "../../../kit/metric.ts";
import type { Cache } from "./cache.ts";
import { EntryTable } from "./entry-table.ts";
import { WriteEpochs } from "./write-epochs.ts";

export interface RowCacheOptions {
  /** Everything that the cache allocates, but for a buffer of the largest value. */
  capacityBytes: number;
  /** Of the hash, and of chance where a policy has any: drawn at random where keys come from strangers. */
  seed?: number;
}

/** In place of a segment: the newcomer is not taken in. */
export const refused = -1;

export abstract class RowCache implements Cache {
  readonly capacityBytes: number;
  protected readonly table: EntryTable;
  protected hits = 0;
  protected misses = 0;
  readonly #epochs: WriteEpochs;
  readonly #policyBytes: number;
  #fills = 0;
  #staleFills = 0;
  #evictions = 0;
  #expirations = 0;

  /** `policyBytes` is what the policy keeps beside the entries. */
  constructor({ capacityBytes, seed = 0 }: RowCacheOptions, policyBytes = 0) {
    this.capacityBytes = capacityBytes;
    this.#policyBytes = policyBytes;
    this.#epochs = new WriteEpochs(capacityBytes);
    this.table = new EntryTable(capacityBytes - this.#epochs.sizeBytes - policyBytes, seed);
  }

  /** An entry was read or rewritten. */
  protected abstract use(entry: number, hash: number): void;
  /** Makes room for a newcomer of so many cells; returns the segment that it belongs in, or `refused`. */
  protected abstract place(hash: number, cells: number): number;
  /** Takes an entry that was just put into the table as the newest of its segment. */
  protected abstract link(entry: number, segment: number): void;
  protected abstract unlink(entry: number): void;
  /** What goes next; there is one. */
  protected abstract victim(): number;
  protected abstract forgetAll(): void;
  protected abstract policyMetrics(): Metric[];

  get sizeBytes(): number {
    return this.table.cells === 0 ? 0 : this.#epochs.sizeBytes + this.#policyBytes + this.table.sizeBytes;
  }

  get(key: Uint8Array, nowMs = Infinity): Uint8Array | undefined {
    const table = this.table;
    const hash = table.hash(key);
    const entry = table.find(key, hash);
    if (entry === 0) {
      this.misses++;
      return undefined;
    }
    if (table.isExpired(entry, nowMs)) {
      this.#remove(entry);
      this.#expirations++;
      this.misses++;
      return undefined;
    }
    this.hits++;
    this.use(entry, hash);
    return table.value(entry);
  }

  epoch(): number {
    return this.#epochs.current();
  }

  fill(key: Uint8Array, value: Uint8Array, epoch: number, expiresAtMs = Infinity): void {
    const hash = this.table.hash(key);
    if (this.#epochs.isStale(hash, epoch)) {
      this.#staleFills++;
      return;
    }
    this.#fills++;
    const present = this.table.find(key, hash);
    if (present !== 0) {
      this.#replace(present, key, value, hash, expiresAtMs);
      return;
    }
    const cells = this.table.cellsOf(key, value, expiresAtMs);
    if (cells > this.table.entryCellsMax) return;
    const segment = this.place(hash, cells);
    if (segment !== refused) this.link(this.table.insert(key, value, hash, expiresAtMs), segment);
  }

  update(key: Uint8Array, value: Uint8Array, expiresAtMs = Infinity): void {
    const hash = this.table.hash(key);
    this.#epochs.noteWrite(hash);
    const present = this.table.find(key, hash);
    if (present !== 0) this.#replace(present, key, value, hash, expiresAtMs);
  }

  invalidate(key: Uint8Array): void {
    const hash = this.table.hash(key);
    this.#epochs.noteWrite(hash);
    const entry = this.table.find(key, hash);
    if (entry !== 0) this.#remove(entry);
  }

  clear(): void {
    this.#epochs.noteClear();
    this.table.clear();
    this.forgetAll();
  }

  metrics(): Metric[] {
    return [
      counter("row_cache_hits_total", "Reads answered by the row cache.", this.hits),
      counter("row_cache_misses_total", "Reads that the row cache could not answer.", this.misses),
      counter("row_cache_fills_total", "Values offered to the row cache and not stale.", this.#fills),
      counter("row_cache_stale_fills_total", "Values refused because a write came in between.", this.#staleFills),
      counter("row_cache_evictions_total", "Entries dropped to make room.", this.#evictions),
      counter("row_cache_expirations_total", "Entries found expired and dropped.", this.#expirations),
      gauge("row_cache_entries", "Entries in the row cache.", this.table.entries),
      gauge("row_cache_bytes", "Memory in use by the row cache.", this.sizeBytes),
      gauge("row_cache_capacity_bytes", "Memory that the row cache may use.", this.capacityBytes),
      ...this.policyMetrics(),
    ];
  }

  protected evict(entry: number): void {
    this.#remove(entry);
    this.#evictions++;
  }

  /** Drops what is there where the new value is too large; a write counts as a use. */
  #replace(entry: number, key: Uint8Array, value: Uint8Array, hash: number, expiresAtMs: number): void {
    const table = this.table;
    if (table.overwrite(entry, key, value, expiresAtMs)) {
      this.use(entry, hash);
      return;
    }
    const segment = table.segmentOf(entry);
    this.#remove(entry);
    const cells = table.cellsOf(key, value, expiresAtMs);
    if (cells > table.entryCellsMax) return;
    while (table.freeCells < cells) this.evict(this.victim());
    const replaced = table.insert(key, value, hash, expiresAtMs);
    this.link(replaced, segment);
    this.use(replaced, hash);
  }

  #remove(entry: number): void {
    this.unlink(entry);
    this.table.remove(entry);
  }
}

export function counter(name: string, help: string, value: number): Metric {
  return { kind: "counter", name, help, value };
}

export function gauge(name: string, help: string, value: number): Metric {
  return { kind: "gauge", name, help, value };
}
