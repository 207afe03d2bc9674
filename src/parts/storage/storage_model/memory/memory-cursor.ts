/**
 * MemoryCursor: walks a range of the ordered index as of one index.
 *
 *   1. It takes a view, so that what it hands out stays where it is until it is closed.
 *   2. It stands at an entry of a leaf; how far the range goes within a leaf is looked up once per leaf.
 *   3. Where entries have moved since, it looks its place up again by the key of the version that it handed out last.
 *   4. Of each key it takes the version that its index sees, and leaves out tombstones and what has expired: by the
 *   time of each step, or by a fixed one.
 */
import type { Cursor, ScanRange } from "../../engine.ts";
import { batchKindPutExpiring, expiryBytes } from "../../write-batch.ts";
import { nodeBefore, nodeNext } from "./tree-node.ts";
import type { RecordStore } from "./record-store.ts";

export class MemoryCursor implements Cursor {
  readonly #store: RecordStore;
  readonly #index: number;
  readonly #timeMs: number | undefined;
  readonly #gte: Uint8Array | undefined;
  readonly #lt: Uint8Array | undefined;
  readonly #step: 1 | -1;
  readonly #closed: () => void;
  /** 0: at the end. */
  #leaf = 0;
  #entry = 0;
  /** First entry of the leaf, in the direction of the walk, that is beyond the range. */
  #end = 0;
  #isLastLeaf = false;
  #changes = -1;
  #ref = 0;
  #state: "open" | "ended" | "closed" = "open";

  /** With `timeMs`, expiry is judged by that time. `closed` is called once. */
  constructor(store: RecordStore, range: ScanRange, index: number, closed: () => void, timeMs?: number) {
    this.#store = store;
    this.#index = index;
    this.#timeMs = timeMs;
    this.#gte = range.gte?.slice();
    this.#lt = range.lt?.slice();
    this.#step = range.reverse === true ? -1 : 1;
    this.#closed = closed;
    store.views.take(index);
  }

  next(): boolean {
    if (this.#state !== "open") return false;
    const { ordered } = this.#store;
    if (this.#changes !== ordered.changes) this.#seek();
    else this.#entry += this.#step;
    for (; this.#leaf !== 0; this.#entry += this.#step) {
      while (this.#entry === this.#end) if (!this.#turnLeaf()) return this.#ends();
      const ref = this.#store.versionAt(ordered.nodes.refAt(this.#leaf, this.#entry), this.#index);
      if (ref === 0 || !this.#store.isLive(ref, this.#timeMs)) continue;
      this.#ref = ref;
      return true;
    }
    return this.#ends();
  }

  /** The version that it stands at. */
  get record(): number {
    return this.#ref;
  }

  get key(): Uint8Array {
    const { heap } = this.#store;
    const start = heap.keyStartOf(this.#ref);
    return heap.sourceOf(this.#ref).subarray(start, start + heap.keyLengthOf(this.#ref));
  }

  get value(): Uint8Array {
    const { heap } = this.#store;
    const start = heap.keyStartOf(this.#ref) + heap.keyLengthOf(this.#ref);
    const before = heap.kindOf(this.#ref) === batchKindPutExpiring ? expiryBytes : 0;
    return heap.sourceOf(this.#ref).subarray(start + before, start + heap.valueLengthOf(this.#ref));
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#store.views.release(this.#index);
    this.#closed();
  }

  #ends(): false {
    this.#state = "ended";
    return false;
  }

  /** Finds the first entry of the range behind the one handed out last. */
  #seek(): void {
    const { ordered, heap } = this.#store;
    const { nodes } = ordered;
    this.#changes = ordered.changes;
    let source = this.#step > 0 ? this.#gte : this.#lt;
    let start = 0;
    let end = source?.length ?? 0;
    if (this.#ref !== 0) {
      source = heap.sourceOf(this.#ref);
      start = heap.keyStartOf(this.#ref);
      end = start + heap.keyLengthOf(this.#ref);
    }
    if (source === undefined) {
      this.#leaf = this.#step > 0 ? ordered.firstLeaf() : ordered.lastLeaf();
      this.#entry = this.#step > 0 ? 0 : nodes.countOf(this.#leaf) - 1;
    } else {
      this.#leaf = ordered.leafOf(source, start, end);
      const rank = nodes.rank(this.#leaf, source, start, end, this.#step > 0 && this.#ref !== 0);
      this.#entry = this.#step > 0 ? rank : rank - 1;
    }
    this.#bound();
  }

  /** Looks up how far the range goes in the leaf. */
  #bound(): void {
    const { nodes } = this.#store.ordered;
    const count = nodes.countOf(this.#leaf);
    if (this.#step > 0) {
      this.#end = this.#lt === undefined ? count : nodes.rank(this.#leaf, this.#lt, 0, this.#lt.length, false);
      this.#isLastLeaf = this.#end < count;
      if (this.#entry > this.#end) this.#entry = this.#end;
    } else {
      this.#end = (this.#gte === undefined ? 0 : nodes.rank(this.#leaf, this.#gte, 0, this.#gte.length, false)) - 1;
      this.#isLastLeaf = this.#end >= 0;
      if (this.#entry < this.#end) this.#entry = this.#end;
    }
  }

  #turnLeaf(): boolean {
    const { nodes } = this.#store.ordered;
    if (this.#isLastLeaf) return false;
    this.#leaf = nodes.link(this.#leaf, this.#step > 0 ? nodeNext : nodeBefore);
    if (this.#leaf === 0) return false;
    this.#entry = this.#step > 0 ? 0 : nodes.countOf(this.#leaf) - 1;
    this.#bound();
    return true;
  }
}
