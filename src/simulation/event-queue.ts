/** A binary heap of events, ordered by virtual time and then by a number drawn from the seed. */
export interface WorldEvent {
  readonly atUs: number;
  /** Among events of one moment the lower goes first. */
  readonly tie: number;
  readonly kind: number;
  readonly run: () => void;
  cancelled: boolean;
}

export class EventQueue {
  readonly #heap: WorldEvent[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(event: WorldEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = event;
  }

  /** The next event that was not cancelled. */
  pop(): WorldEvent | undefined {
    for (;;) {
      const event = this.#popAny();
      if (event === undefined || !event.cancelled) return event;
    }
  }

  #popAny(): WorldEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(one: WorldEvent, other: WorldEvent): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.tie < other.tie);
}
