/**
 * RangeBatch: the operations of a batch that deletes ranges, without those that its own later range deletes cover.
 *
 * All operations of a batch get the same index, and a range tombstone hides only what has a lower one: so what the
 * batch wrote before the tombstone must not get into the store, and what it wrote behind it stays.
 *   1. Cut the ranges into fragments, each with the place in the batch of the last delete that covers it.
 *   2. Leave out every point operation whose place is before that of its key's fragment.
 */
import { batchKindDeleteRange, type BatchVisitor, forEachOperation } from "../../../../write-batch.ts";
import { type RangeSpan, RangeTombstones } from "./range-tombstones.ts";

/** Range deletes in one batch: they are cut against each other before it is applied. */
export const rangeDeletesMax = 4096;

/** Visits what is left of an encoded batch, in order. Errors: CORRUPTION. */
export function forEachSurvivor(encoded: Uint8Array, visit: BatchVisitor): void {
  const spans: RangeSpan[] = [];
  let place = 0;
  forEachOperation(encoded, (kind, bytes, keyStart, keyEnd, valueEnd) => {
    place++;
    if (kind !== batchKindDeleteRange) return;
    spans.push({
      start: bytes.subarray(keyStart, keyEnd),
      end: bytes.subarray(keyEnd, valueEnd),
      indexes: [place],
    });
  });
  const ranges = RangeTombstones.fragment(spans, true);
  place = 0;
  forEachOperation(encoded, (kind, bytes, keyStart, keyEnd, valueEnd) => {
    place++;
    const covered =
      kind !== batchKindDeleteRange && ranges.coverIndex(bytes, keyStart, keyEnd, Infinity) > place;
    if (!covered) visit(kind, bytes, keyStart, keyEnd, valueEnd);
  });
}
