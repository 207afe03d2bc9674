/**
 * MergeWalk: several sorted runs as one, in one direction chosen at the start.
 *
 * Algorithm: a binary heap of the runs by the entry they stand on; taking the next entry moves the run at
 * the top and sifts it down. Forwards the order is key ascending, then index descending, then the newer run
 * first; backwards it is the exact reverse.
 * Source: Knuth, TAOCP 3, 5.4.1 (replacement selection); LevelDB's merger.cc.
 */
import { compareRanges } from "../../../../../../kit/compare.ts";
import type { EntryIterator } from "./entry-iterator.ts";

export class MergeWalk {
  /** The run with the next entry, or undefined at the end. Read the entry from it; it is valid until `step`. */
  top: EntryIterator | undefined = undefined;
  readonly #runs: readonly EntryIterator[];
  readonly #reverse: boolean;
  /** Numbers of the runs that have entries left, as a heap. */
  readonly #heap: Int32Array;
  #size = 0;

  /** `runs` from the newest to the oldest. */
  constructor(runs: readonly EntryIterator[], reverse: boolean) {
    this.#runs = runs;
    this.#reverse = reverse;
    this.#heap = new Int32Array(runs.length);
  }

  /**
   * Forwards: from the first entry ≥ `bound`; backwards: from the last entry < `bound`; undefined: from the
   * end.
   */
  start(bound: Uint8Array | undefined): void {
    this.#size = 0;
    for (let i = 0; i < this.#runs.length; i++) {
      const run = this.#runs[i];
      if (this.#reverse) {
        if (bound === undefined) run.seekLast();
        else run.seekBefore(bound);
      } else if (bound === undefined) run.seekFirst();
      else run.seek(bound);
      if (run.valid) this.#heap[this.#size++] = i;
    }
    for (let i = (this.#size >>> 1) - 1; i >= 0; i--) this.#siftDown(i);
    this.top = this.#size === 0 ? undefined : this.#runs[this.#heap[0]];
  }

  step(): void {
    const run = this.top as EntryIterator;
    if (this.#reverse) run.previous();
    else run.next();
    if (!run.valid) this.#heap[0] = this.#heap[--this.#size];
    if (this.#size > 1) this.#siftDown(0);
    this.top = this.#size === 0 ? undefined : this.#runs[this.#heap[0]];
  }

  close(): void {
    this.top = undefined;
    for (const run of this.#runs) run.close();
  }

  #siftDown(from: number): void {
    const heap = this.#heap;
    const size = this.#size;
    let at = from;
    const moving = heap[at];
    for (;;) {
      let child = at * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#before(heap[child + 1], heap[child])) child++;
      if (!this.#before(heap[child], moving)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moving;
  }

  #before(a: number, b: number): boolean {
    const x = this.#runs[a];
    const y = this.#runs[b];
    let order = compareRanges(x.keyBytes, x.keyStart, x.keyEnd, y.keyBytes, y.keyStart, y.keyEnd);
    if (order === 0) order = y.index - x.index;
    if (order === 0) order = a - b;
    return this.#reverse ? order > 0 : order < 0;
  }
}
