/**
 * MergedCursor: a range of the store with a transaction's own writes laid over it.
 *
 * Algorithm: both sides come in one order; of two with one key the own write counts, a deletion hides both. Every row
 * of the store that is passed goes into the mark of what was read.
 * What was read is told once, when the cursor is closed: from where it began up to the last place that it reached, or
 * to the range's end where it came that far. Gaps between rows are part of it, so that a row that appears in one of
 * them is noticed.
 */
import { compareBytes } from "../../../../../kit/compare.ts";
import type { Cursor, ScanRange } from "../../../../storage/engine.ts";
import { RowMark } from "../../row-mark.ts";
import type { ReadSet } from "./read-set.ts";
import type { PendingWrite } from "./write-set.ts";

export class MergedCursor implements Cursor {
  readonly #base: Cursor;
  readonly #own: readonly PendingWrite[];
  readonly #range: ScanRange;
  readonly #reads: ReadSet | undefined;
  readonly #mark = new RowMark();
  #ownPlace = 0;
  /** The store's next row has been asked for and not been passed. */
  #peeked = false;
  #more = true;
  #current: PendingWrite | undefined;
  #reached: Uint8Array | undefined;
  #ended = false;
  #told = false;

  /** `own`: in the order of the range. Without `reads` nothing is kept of what is read. */
  constructor(base: Cursor, own: readonly PendingWrite[], range: ScanRange, reads: ReadSet | undefined) {
    this.#base = base;
    this.#own = own;
    this.#range = range;
    this.#reads = reads;
  }

  get key(): Uint8Array {
    return this.#current === undefined ? this.#base.key : this.#current.key;
  }

  get value(): Uint8Array {
    return this.#current === undefined ? this.#base.value : (this.#current.value as Uint8Array);
  }

  next(): boolean {
    if (this.#ended) return false;
    for (;;) {
      if (!this.#peeked && this.#more) this.#peeked = this.#more = this.#base.next();
      const own = this.#own[this.#ownPlace];
      if (!this.#peeked && own === undefined) {
        this.#ended = true;
        return false;
      }
      const order = own === undefined ? -1 : this.#peeked ? this.#compare(this.#base.key, own.key) : 1;
      if (order <= 0) this.#pass();
      if (order < 0) {
        this.#current = undefined;
        return true;
      }
      this.#ownPlace++;
      this.#reach((own as PendingWrite).key);
      if ((own as PendingWrite).value === undefined) continue;
      this.#current = own;
      return true;
    }
  }

  close(): void {
    this.#base.close();
    if (this.#told) return;
    this.#told = true;
    this.#tell();
  }

  #compare(a: Uint8Array, b: Uint8Array): number {
    return this.#range.reverse === true ? compareBytes(b, a) : compareBytes(a, b);
  }

  /** The store's row has been read, whether it is shown or not. */
  #pass(): void {
    this.#peeked = false;
    if (this.#reads === undefined) return;
    const { key, value } = this.#base;
    this.#mark.add(key, value);
    this.#reads.count++;
    this.#reach(key);
  }

  #reach(key: Uint8Array): void {
    if (this.#reads !== undefined) this.#reached = key.slice();
  }

  #tell(): void {
    const { gte = new Uint8Array(0), lt = maxKey, reverse } = this.#range;
    if (this.#reads === undefined) return;
    if (this.#ended) return this.#reads.addRange(gte.slice(), lt.slice(), this.#mark);
    if (this.#reached === undefined) return;
    if (reverse === true) return this.#reads.addRange(this.#reached, lt.slice(), this.#mark);
    const after = new Uint8Array(this.#reached.length + 1);
    after.set(this.#reached);
    this.#reads.addRange(gte.slice(), after, this.#mark);
  }
}

/** Above every key of a table. */
const maxKey = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff]);
