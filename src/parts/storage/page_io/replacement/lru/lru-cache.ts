/**
 * The LRU row cache: when room is needed, what was not used for longest goes.
 *
 * The policy is one list in order of use, over the entries of a `RowCache`: a use moves an entry to its front, and
 * entries go from its end until enough cells are free.
 * Source: memcached's LRU.
 */
import type { Cache } from "../../cache.ts";
import { RecencyList } from "../../recency-list.ts";
import { RowCache, type RowCacheOptions } from "../../row-cache.ts";

export function createLruCache(options: RowCacheOptions): Cache {
  return new LruCache(options);
}

/** All entries are in one segment. */
const onlySegment = 0;

class LruCache extends RowCache {
  readonly #list: RecencyList;

  constructor(options: RowCacheOptions) {
    super(options);
    this.#list = new RecencyList(this.table.words);
  }

  protected use(entry: number): void {
    const list = this.#list;
    if (entry === list.newest) return;
    list.unlink(entry);
    list.linkNewest(entry);
  }

  protected place(_hash: number, cells: number): number {
    while (this.table.freeCells < cells) this.evict(this.#list.oldest);
    return onlySegment;
  }

  protected link(entry: number): void {
    this.#list.linkNewest(entry);
  }

  protected unlink(entry: number): void {
    this.#list.unlink(entry);
  }

  protected victim(): number {
    return this.#list.oldest;
  }

  protected forgetAll(): void {
    this.#list.clear();
  }

  protected policyMetrics(): [] {
    return [];
  }
}
