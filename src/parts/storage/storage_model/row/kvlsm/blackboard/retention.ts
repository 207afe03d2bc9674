/**
 * Retention: which versions a flush or compaction keeps.
 *
 * Live snapshots divide the indexes into stripes: (…s1], (s1…s2], …, (sn…∞). Of the versions of a key in one
 * stripe only the newest can ever be read.
 *   1. A version is kept if it is the newest of its key, or in another stripe than the next newer one.
 *   2. A put that has expired by `nowMs` is kept as a tombstone without a value: no reader will see the entry
 *      again, but it still hides the older versions.
 *   3. An entry is dropped where a range with its key was deleted later, in the same stripe.
 *   4. At the bottom (no older run may hold the key) a tombstone in the oldest stripe is dropped: nothing is
 *      left for it to hide. A put in the oldest stripe gets index 0 there, because every reader may see it.
 * Source: RocksDB's compaction_iterator.cc.
 */
import { compareRanges } from "../../../../../../kit/compare.ts";
import { expiryOf } from "../../../../write-batch.ts";
import { type ShownEntry, kindDelete, kindPutExpiring } from "./entry-iterator.ts";
import { RangeTombstones } from "./range-tombstones.ts";
import { stripeOf } from "./snapshot-stripes.ts";

export interface RetentionRules {
  /** Indexes of the live snapshots, ascending. */
  readonly snapshots: readonly number[];
  /** Whether no older run may hold a key of these. */
  readonly bottom: boolean;
  /** What expires by this time has expired: never ahead of what readers of the store judge by. */
  readonly nowMs: number;
  /** The range tombstones of all runs that are merged. */
  readonly ranges?: RangeTombstones;
}

export class Retention {
  readonly #snapshots: readonly number[];
  readonly #bottom: boolean;
  readonly #nowMs: number;
  #lastKey = new Uint8Array(256);
  #lastKeyLength = -1;
  #lastStripe = 0;
  /** Whether the entry last judged began a new key. */
  isNewKey = false;
  /** The index to store for the entry last judged as kept. */
  index = 0;
  /** Puts that had expired. */
  expired = 0;
  /** Entries whose range was deleted. */
  covered = 0;
  readonly #ranges: RangeTombstones;
  /** The first fragment that ends above the key last asked about. */
  #position = 0;

  constructor({ snapshots, bottom, nowMs, ranges }: RetentionRules) {
    this.#ranges = ranges ?? RangeTombstones.fragment([]);
    this.#snapshots = snapshots;
    this.#bottom = bottom;
    this.#nowMs = nowMs;
  }

  /**
   * Whether to keep the entry that the iterator shows; entries come key ascending, newest version first. An
   * entry that has expired is turned into a tombstone where it stands, in the fields of the iterator.
   * A caller that knows whether the entry begins a new key says so, every time.
   */
  keeps(entry: ShownEntry, isNewKey = this.#beginsKey(entry)): boolean {
    const stripe = stripeOf(this.#snapshots, entry.index);
    this.isNewKey = isNewKey;
    if (!isNewKey && stripe === this.#lastStripe) return false;
    this.#lastStripe = stripe;
    this.index = entry.index;
    if (this.#ranges.count > 0 && this.#isCovered(entry, stripe)) {
      this.covered++;
      return false;
    }
    if (entry.kind === kindPutExpiring && expiryOf(entry.valueBytes, entry.valueStart) <= this.#nowMs) {
      this.expired++;
      entry.kind = kindDelete;
      entry.valueStart = entry.valueEnd;
    }
    if (!this.#bottom || stripe !== 0) return true;
    this.index = 0;
    return entry.kind !== kindDelete;
  }

  #beginsKey({ keyBytes, keyStart, keyEnd }: ShownEntry): boolean {
    const length = this.#lastKeyLength;
    if (length >= 0 && compareRanges(this.#lastKey, 0, length, keyBytes, keyStart, keyEnd) === 0) return false;
    this.#remember(keyBytes, keyStart, keyEnd);
    return true;
  }

  /** Whether the entry's range was deleted later, in the same stripe: then who sees the one sees the other. */
  #isCovered({ keyBytes, keyStart, keyEnd, index }: ShownEntry, stripe: number): boolean {
    const { spans } = this.#ranges;
    for (; this.#position < spans.length; this.#position++) {
      const { end } = spans[this.#position];
      if (compareRanges(end, 0, end.length, keyBytes, keyStart, keyEnd) > 0) break;
    }
    const span = spans[this.#position];
    if (span === undefined) return false;
    if (compareRanges(span.start, 0, span.start.length, keyBytes, keyStart, keyEnd) > 0) return false;
    const next = span.indexes.findLast((one) => one > index);
    return next !== undefined && stripeOf(this.#snapshots, next) === stripe;
  }

  #remember(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.#lastKey.length) this.#lastKey = new Uint8Array(length * 2);
    for (let i = 0; i < length; i++) this.#lastKey[i] = bytes[start + i];
    this.#lastKeyLength = length;
  }
}
