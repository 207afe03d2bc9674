/**
 * MemtableRanges: the range tombstones of one memtable, beside its arenas.
 *
 *   1. A new tombstone joins the recent ones; a look-up asks the fragments and then the recent ones, one by one.
 *   2. Beyond `recentMax` recent ones, or when a walk begins, all are cut into fragments anew. So neither writes nor
 *      reads pay for cutting every time.
 * Limits: `isFull` says when the memtable is to be flushed on their account, because they have become many or overlap
 * so much that their fragments have.
 * Source: RocksDB's cached fragmented range tombstone lists and memtable_max_range_deletions.
 */
import { compareRanges } from "../../../../../../kit/compare.ts";
import { type RangeSpan, RangeTombstones } from "./range-tombstones.ts";

const recentMax = 32;
const spansMax = 4096;
const indexesMax = 1 << 18;
/** What a tombstone costs beside its bounds. */
const spanOverheadBytes = 200;

export class MemtableRanges {
  #spans: RangeSpan[] = [];
  #fragments = RangeTombstones.fragment([]);
  #fragmented = 0;
  #bytes = 0;

  get count(): number {
    return this.#spans.length;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#spans.length >= spansMax || this.#bytes >= indexesMax * 8;
  }

  /** All tombstones as they were added; a list of its own. */
  get spans(): readonly RangeSpan[] {
    return this.#spans.slice();
  }

  /** Bounds are copied; indexes do not descend. An empty range is passed over. */
  add(source: Uint8Array, start: number, middle: number, end: number, index: number): void {
    if (compareRanges(source, start, middle, source, middle, end) >= 0) return;
    this.#spans.push({ start: source.slice(start, middle), end: source.slice(middle, end), indexes: [index] });
    this.#bytes += end - start + spanOverheadBytes;
    if (this.#spans.length - this.#fragmented > recentMax) this.fragments();
  }

  /** The newest index ≤ `indexMax` at which the key was deleted, or 0. */
  coverIndex(key: Uint8Array, indexMax: number): number {
    let newest = this.#fragments.coverIndex(key, 0, key.length, indexMax);
    for (let i = this.#fragmented; i < this.#spans.length; i++) {
      const { start, end, indexes } = this.#spans[i];
      const covers =
        indexes[0] <= indexMax &&
        compareRanges(start, 0, start.length, key, 0, key.length) <= 0 &&
        compareRanges(end, 0, end.length, key, 0, key.length) > 0;
      if (covers && indexes[0] > newest) newest = indexes[0];
    }
    return newest;
  }

  fragments(): RangeTombstones {
    if (this.#fragmented < this.#spans.length) {
      const before = this.#fragments.indexCount;
      const recent = this.#spans.slice(this.#fragmented);
      this.#fragments = RangeTombstones.fragment([...this.#fragments.spans, ...recent]);
      this.#fragmented = this.#spans.length;
      this.#bytes += Math.max(0, this.#fragments.indexCount - before) * 8;
    }
    return this.#fragments;
  }
}
