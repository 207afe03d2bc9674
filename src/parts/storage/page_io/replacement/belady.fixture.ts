/**
 * Belady's optimum: the hits of a cache that knows the future, for entries of one size.
 *
 *   1. For each access the position of the next one to the same key is found, from the end backwards.
 *   2. On a miss in a full cache, of the entries there and the newcomer, the one whose next use is farthest
 *   away goes; the newcomer may be it (caches with admission need not take what they read).
 * Invariant: no policy whatever has more hits at this capacity.
 * Source: Belady 1966; Mattson et al. 1970.
 */
import type { Trace } from "./access-traces.fixture.ts";

const never = 0xffff_ffff;

export function optimalHits(trace: Trace, capacity: number): number {
  const nextUse = new Uint32Array(trace.length);
  const seen = new Map<number, number>();
  for (let at = trace.length - 1; at >= 0; at--) {
    nextUse[at] = seen.get(trace[at]) ?? never;
    seen.set(trace[at], at);
  }
  const residents = new Map<number, number>();
  const farthest = new NextUses();
  let hits = 0;
  trace.forEach((key, at) => {
    const next = nextUse[at];
    if (residents.has(key)) hits++;
    else if (next === never || capacity === 0) return;
    else if (residents.size >= capacity) {
      // What was used since lies in the heap with the old position, too: that one is passed over.
      while (residents.get(farthest.key) !== farthest.position) farthest.pop();
      if (farthest.position < next) return;
      residents.delete(farthest.key);
      farthest.pop();
    }
    residents.set(key, next);
    farthest.push(next, key);
  });
  return hits;
}

/** A binary heap with the farthest position on top. */
class NextUses {
  readonly #positions: number[] = [];
  readonly #keys: number[] = [];

  get position(): number {
    return this.#positions[0];
  }

  get key(): number {
    return this.#keys[0];
  }

  push(position: number, key: number): void {
    let at = this.#positions.length;
    this.#positions.push(position);
    this.#keys.push(key);
    for (let parent = (at - 1) >> 1; at > 0 && this.#positions[parent] < position; parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): void {
    const last = this.#positions.length - 1;
    this.#swap(0, last);
    this.#positions.pop();
    this.#keys.pop();
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) return;
      if (child + 1 < last && this.#positions[child + 1] > this.#positions[child]) child++;
      if (this.#positions[child] <= this.#positions[at]) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #swap(one: number, other: number): void {
    [this.#positions[one], this.#positions[other]] = [this.#positions[other], this.#positions[one]];
    [this.#keys[one], this.#keys[other]] = [this.#keys[other], this.#keys[one]];
  }
}
