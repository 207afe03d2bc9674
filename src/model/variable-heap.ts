/** Variables by activity, greatest first; of equal activity the smaller first. A binary heap with positions. */
export class VariableHeap {
  readonly #heap: number[] = [];
  /** By variable: position in the heap, or -1. */
  readonly #positions: number[] = [];
  readonly #activities: number[] = [];

  get size(): number {
    return this.#heap.length;
  }

  insert(variable: number): void {
    while (this.#positions.length <= variable) {
      this.#positions.push(-1);
      this.#activities.push(0);
    }
    if (this.#positions[variable] >= 0) return;
    this.#positions[variable] = this.#heap.length;
    this.#heap.push(variable);
    this.#up(this.#heap.length - 1);
  }

  pop(): number {
    const top = this.#heap[0];
    const last = this.#heap.pop() as number;
    this.#positions[top] = -1;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#positions[last] = 0;
      this.#down(0);
    }
    return top;
  }

  /** Adds to the activity of a variable and returns it. */
  raise(variable: number, by: number): number {
    this.#activities[variable] += by;
    if (this.#positions[variable] >= 0) this.#up(this.#positions[variable]);
    return this.#activities[variable];
  }

  rescale(factor: number): void {
    this.#activities.forEach((activity, variable) => (this.#activities[variable] = activity * factor));
  }

  #before(one: number, other: number): boolean {
    const difference = this.#activities[one] - this.#activities[other];
    return difference > 0 || (difference === 0 && one < other);
  }

  #up(start: number): void {
    let at = start;
    const variable = this.#heap[at];
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(variable, this.#heap[parent])) break;
      this.#put(this.#heap[parent], at);
      at = parent;
    }
    this.#put(variable, at);
  }

  #down(start: number): void {
    let at = start;
    const variable = this.#heap[at];
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#before(this.#heap[child + 1], this.#heap[child])) child++;
      if (!this.#before(this.#heap[child], variable)) break;
      this.#put(this.#heap[child], at);
      at = child;
    }
    this.#put(variable, at);
  }

  #put(variable: number, at: number): void {
    this.#heap[at] = variable;
    this.#positions[variable] = at;
  }
}
