/**
 * RangeMask: what range tombstones hide from a walk over the store in one direction, as of one index.
 *
 * Every list of tombstones (a memtable's, the version's) has a place that only moves in the direction of the walk, so
 * a walk over n entries and m fragments compares n + m keys.
 */
import { compareRanges } from "../../../../../../kit/compare.ts";
import { newestUpTo, type RangeSpan, type RangeTombstones } from "./range-tombstones.ts";

export class RangeMask {
  readonly #lists: readonly RangeTombstones[];
  readonly #positions: Int32Array;
  readonly #indexMax: number;
  readonly #reverse: boolean;
  /** The fragment that hid the entry asked about last, and its index. */
  span: RangeSpan | undefined = undefined;
  index = 0;

  /** `bound` is where the walk begins. */
  constructor(
    lists: readonly RangeTombstones[],
    indexMax: number,
    reverse: boolean,
    bound: Uint8Array | undefined,
  ) {
    this.#lists = lists;
    this.#indexMax = indexMax;
    this.#reverse = reverse;
    this.#positions = Int32Array.from(lists, (list) => {
      if (bound === undefined) return reverse ? list.count - 1 : 0;
      const position = list.positionFor(bound, 0, bound.length);
      return reverse ? Math.min(position, list.count - 1) : position;
    });
  }

  /** Whether an entry of this index is hidden. The keys asked about do not go back. */
  hides(bytes: Uint8Array, start: number, end: number, index: number): boolean {
    for (let i = 0; i < this.#lists.length; i++) {
      const span = this.#spanFor(i, bytes, start, end);
      if (span === undefined) continue;
      const newest = newestUpTo(span, this.#indexMax);
      if (newest <= index) continue;
      this.span = span;
      this.index = newest;
      return true;
    }
    return false;
  }

  #spanFor(list: number, bytes: Uint8Array, start: number, end: number): RangeSpan | undefined {
    const { spans } = this.#lists[list];
    let position = this.#positions[list];
    if (this.#reverse) {
      while (position >= 0 && startOrder(spans[position], bytes, start, end) > 0) position--;
    } else {
      while (position < spans.length && endOrder(spans[position], bytes, start, end) <= 0) position++;
    }
    this.#positions[list] = position;
    const span = spans[position];
    if (span === undefined) return undefined;
    const holds = this.#reverse ? endOrder(span, bytes, start, end) > 0 : startOrder(span, bytes, start, end) <= 0;
    return holds ? span : undefined;
  }
}

function startOrder(span: RangeSpan, bytes: Uint8Array, start: number, end: number): number {
  return compareRanges(span.start, 0, span.start.length, bytes, start, end);
}

function endOrder(span: RangeSpan, bytes: Uint8Array, start: number, end: number): number {
  return compareRanges(span.end, 0, span.end.length, bytes, start, end);
}
