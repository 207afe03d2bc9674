/**
 * RangeTombstones: deleted ranges, cut into fragments that do not overlap, so that the one for a key is found by
 * binary search.
 *
 * A tombstone at index i hides the entries of its range with indexes below i. Entries of the same index are those that
 * its own batch wrote behind it (what the batch wrote before it never gets here, see range-batch.ts).
 *   1. Cut (`fragment`): sweep over all bounds in order with the set of spans that are open; between two neighbouring
 *      bounds lies one fragment with the indexes of the open ones, newest first. Neighbours that touch and have the
 *      same indexes are joined again.
 *   2. Look up: the first fragment that ends above the key, if it begins at or below it; of its indexes the newest
 *      that the reader may see.
 *   3. Retain: of the indexes in one stripe of the snapshots the newest is enough; at the bottom the oldest stripe
 *      has nothing left to hide.
 * Invariants: fragments ascend, are not empty and do not overlap; indexes descend. Immutable.
 *
 * Section of an SSTable (varints are LEB128): the number of fragments, then per fragment
 *
 *   | size | field                                                                              |
 *   |------|------------------------------------------------------------------------------------|
 *   | 1…   | length of the start, then the start (inclusive)                                    |
 *   | 1…   | length of the end, then the end (exclusive); length 0: the next fragment's start    |
 *   | 1…   | number of indexes n ≥ 1                                                            |
 *   | n…   | the newest index, then what each further one is lower than the one before          |
 *
 * Source: Pebble's keyspan.Fragmenter; RocksDB's FragmentedRangeTombstoneList.
 */
import { ByteReader } from "../../../../../../kit/byte-reader.ts";
import { ByteWriter } from "../../../../../../kit/byte-writer.ts";
import { compareBytes, compareRanges } from "../../../../../../kit/compare.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { stripeOf } from "./snapshot-stripes.ts";
import type { RangeTombstoneSection } from "./table-writer.ts";

/** A deleted range with the indexes at which it was deleted, newest first. */
export interface RangeSpan {
  /** Inclusive. */
  readonly start: Uint8Array;
  /** Exclusive. */
  readonly end: Uint8Array;
  readonly indexes: readonly number[];
}

export class RangeTombstones {
  readonly spans: readonly RangeSpan[];

  private constructor(spans: readonly RangeSpan[]) {
    this.spans = spans;
  }

  /** Cuts spans that may overlap; empty ones are left out. With `newestOnly` each fragment has one index. */
  static fragment(spans: readonly RangeSpan[], newestOnly = false): RangeTombstones {
    const sorted = spans.filter(({ start, end }) => compareBytes(start, end) < 0);
    sorted.sort((a, b) => compareBytes(a.start, b.start));
    const bounds = sorted.flatMap(({ start, end }) => [start, end]).sort(compareBytes);
    const fragments: RangeSpan[] = [];
    let open: RangeSpan[] = [];
    let next = 0;
    for (let i = 0; i + 1 < bounds.length; i++) {
      const start = bounds[i];
      const end = bounds[i + 1];
      if (compareBytes(start, end) === 0) continue;
      open = open.filter((span) => compareBytes(span.end, start) > 0);
      while (next < sorted.length && compareBytes(sorted[next].start, start) <= 0) open.push(sorted[next++]);
      if (open.length > 0) append(fragments, { start, end, indexes: joinedIndexes(open, newestOnly) });
    }
    return new RangeTombstones(fragments);
  }

  get count(): number {
    return this.spans.length;
  }

  /** Indexes over all fragments: what memory and time go with where ranges overlap much. */
  get indexCount(): number {
    return this.spans.reduce((total, { indexes }) => total + indexes.length, 0);
  }

  /** Number of the first fragment that ends above the key; `count` where there is none. */
  positionFor(bytes: Uint8Array, start: number, end: number): number {
    const { spans } = this;
    let low = 0;
    let high = spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const bound = spans[middle].end;
      if (compareRanges(bound, 0, bound.length, bytes, start, end) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The newest index ≤ `indexMax` at which the key was deleted, or 0. */
  coverIndex(bytes: Uint8Array, start: number, end: number, indexMax: number): number {
    const span = this.spans[this.positionFor(bytes, start, end)];
    if (span === undefined) return 0;
    if (compareRanges(span.start, 0, span.start.length, bytes, start, end) > 0) return 0;
    return newestUpTo(span, indexMax);
  }

  /** The part from `from` (inclusive) to `to` (exclusive); undefined: no bound. */
  clipped(from: Uint8Array | undefined, to: Uint8Array | undefined): RangeTombstones {
    const spans: RangeSpan[] = [];
    for (const span of this.spans) {
      const start = from !== undefined && compareBytes(span.start, from) < 0 ? from : span.start;
      const end = to !== undefined && compareBytes(span.end, to) > 0 ? to : span.end;
      if (compareBytes(start, end) < 0) spans.push({ start, end, indexes: span.indexes });
    }
    return new RangeTombstones(spans);
  }

  /** What a flush or compaction keeps for these snapshots (ascending). */
  retained(snapshots: readonly number[], bottom: boolean): RangeTombstones {
    const spans: RangeSpan[] = [];
    for (const { start, end, indexes } of this.spans) {
      let last = -1;
      const kept = indexes.filter((index) => {
        const stripe = stripeOf(snapshots, index);
        const keep = stripe !== last && !(bottom && stripe === 0);
        last = stripe;
        return keep;
      });
      if (kept.length > 0) append(spans, { start, end, indexes: kept });
    }
    return new RangeTombstones(spans);
  }

  /**
   * Whether every key from `smallest` to `largest` (both inclusive, unless `exclusive`) was deleted after `indexMax`
   * such that no reader is left who sees anything from `indexMin` on that the deletion hides from the others.
   */
  coversAll(
    bounds: { smallest: Uint8Array; largest: Uint8Array; largestIsExclusive?: boolean },
    indexes: { readonly indexMin: number; readonly indexMax: number },
    snapshots: readonly number[],
  ): boolean {
    const { smallest, largest, largestIsExclusive } = bounds;
    const stripe = stripeOf(snapshots, indexes.indexMin);
    let reached = smallest;
    for (let i = this.positionFor(smallest, 0, smallest.length); i < this.spans.length; i++) {
      const span = this.spans[i];
      if (compareBytes(span.start, reached) > 0) return false;
      const oldestAbove = span.indexes.findLast((index) => index > indexes.indexMax);
      if (oldestAbove === undefined || stripeOf(snapshots, oldestAbove) !== stripe) return false;
      reached = span.end;
      const order = compareBytes(largest, reached);
      if (order < 0 || (order === 0 && largestIsExclusive === true)) return true;
    }
    return false;
  }
}

/** The newest index of a span that is not above `indexMax`, or 0. */
export function newestUpTo({ indexes }: RangeSpan, indexMax: number): number {
  for (const index of indexes) if (index <= indexMax) return index;
  return 0;
}

/** The tombstones as a section for TableWriter; undefined where there are none. */
export function rangeSection(ranges: RangeTombstones): RangeTombstoneSection | undefined {
  const { spans, count } = ranges;
  if (count === 0) return undefined;
  const { start: smallest } = spans[0];
  const { end: largest } = spans[count - 1];
  let indexMin = Number.MAX_SAFE_INTEGER;
  let indexMax = 0;
  for (const { indexes } of spans) {
    indexMin = Math.min(indexMin, indexes[indexes.length - 1]);
    indexMax = Math.max(indexMax, indexes[0]);
  }
  return { bytes: encodeRangeTombstones(ranges), count, smallest, largest, indexMin, indexMax };
}

export function encodeRangeTombstones({ spans }: RangeTombstones): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(spans.length);
  for (const [i, { start, end, indexes }] of spans.entries()) {
    const touches = i + 1 < spans.length && compareBytes(end, spans[i + 1].start) === 0;
    writer.lengthPrefixed(start);
    if (touches) writer.varint(0);
    else writer.lengthPrefixed(end);
    writer.varint(indexes.length);
    for (const [n, index] of indexes.entries()) writer.varint(n === 0 ? index : indexes[n - 1] - index);
  }
  return writer.finish();
}

/** An empty section has none. Errors: CORRUPTION. */
export function decodeRangeTombstones(bytes: Uint8Array, path: string): RangeTombstones {
  const spans: { start: Uint8Array; end: Uint8Array; indexes: number[] }[] = [];
  if (bytes.length > 0) {
    const reader = new ByteReader(bytes, `${path}: the range tombstones`);
    for (let left = reader.varint(); left > 0; left--) {
      const start = reader.lengthPrefixed().slice();
      const end = reader.lengthPrefixed().slice();
      const indexes: number[] = [];
      for (let more = reader.varint(); more > 0; more--) {
        indexes.push(indexes.length === 0 ? reader.varint() : indexes[indexes.length - 1] - reader.varint());
      }
      const before = spans[spans.length - 1];
      if (before !== undefined && before.end.length === 0) before.end = start;
      spans.push({ start, end, indexes });
    }
    reader.expectEnd();
  }
  const ordered = spans.every(({ start, end, indexes }, i) => {
    const follows = i === 0 || compareBytes(spans[i - 1].end, start) <= 0;
    const descends = indexes.every((index, n) => index > 0 && (n === 0 || index < indexes[n - 1]));
    return follows && descends && indexes.length > 0 && start.length > 0 && compareBytes(start, end) < 0;
  });
  if (!ordered) {
    throw new LatheError("CORRUPTION", `${path}: its range tombstones are out of order; restore the file`, {
      details: { path },
    });
  }
  return RangeTombstones.fragment(spans);
}

function append(spans: RangeSpan[], span: RangeSpan): void {
  const last = spans[spans.length - 1];
  const joins =
    last !== undefined &&
    compareBytes(last.end, span.start) === 0 &&
    last.indexes.length === span.indexes.length &&
    last.indexes.every((index, i) => index === span.indexes[i]);
  if (joins) spans[spans.length - 1] = { ...last, end: span.end };
  else spans.push(span);
}

function joinedIndexes(spans: readonly RangeSpan[], newestOnly: boolean): readonly number[] {
  if (spans.length === 1 && !newestOnly) return spans[0].indexes;
  if (newestOnly) return [spans.reduce((newest, { indexes }) => Math.max(newest, indexes[0]), 0)];
  const all = new Set<number>();
  for (const { indexes } of spans) for (const index of indexes) all.add(index);
  return [...all].sort((a, b) => b - a);
}
