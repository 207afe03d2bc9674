/**
 * ViewList: the indexes that snapshots and cursors look at, ascending, each with how many look.
 *
 * A version of index i that was followed at index s is seen by the views from i to below s. So it is enough to know the
 * newest view, to say whether what is there now may change in place, and the oldest, to say what may go.
 */
import { LatheError } from "../../../../kit/errors.ts";

export class ViewList {
  readonly #indexes: number[] = [];
  readonly #holders: number[] = [];

  /** The highest index that is looked at; -1: none. */
  get newest(): number {
    return this.#indexes.length === 0 ? -1 : this.#indexes[this.#indexes.length - 1];
  }

  /** The lowest one; Infinity: none. */
  get oldest(): number {
    return this.#indexes.length === 0 ? Infinity : this.#indexes[0];
  }

  take(index: number): void {
    const at = this.#place(index);
    if (this.#indexes[at] === index) this.#holders[at]++;
    else {
      this.#indexes.splice(at, 0, index);
      this.#holders.splice(at, 0, 1);
    }
  }

  release(index: number): void {
    const at = this.#place(index);
    if (--this.#holders[at] > 0) return;
    this.#indexes.splice(at, 1);
    this.#holders.splice(at, 1);
  }

  #place(index: number): number {
    let low = 0;
    let high = this.#indexes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#indexes[middle] < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Errors: BACKPRESSURE. */
export function refuseMore(what: string, count: number, max: number): void {
  if (count < max) return;
  throw new LatheError("BACKPRESSURE", `${max} ${what} are live, which is the limit; release some first`);
}
