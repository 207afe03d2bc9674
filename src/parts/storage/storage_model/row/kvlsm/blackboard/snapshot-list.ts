/** SnapshotList: the live snapshots, whose indexes flushes and compactions must keep readable. */
import type { Snapshot } from "../../../../engine.ts";

export class SnapshotList {
  readonly #live = new Set<LiveSnapshot>();

  get count(): number {
    return this.#live.size;
  }

  take(index: number): Snapshot {
    const snapshot = new LiveSnapshot(index, this.#live);
    this.#live.add(snapshot);
    return snapshot;
  }

  /** Their indexes, ascending, without repetition. */
  indexes(): number[] {
    const indexes = new Set([...this.#live].map((snapshot) => snapshot.index));
    return [...indexes].sort((a, b) => a - b);
  }
}

class LiveSnapshot implements Snapshot {
  readonly index: number;
  readonly #list: Set<LiveSnapshot>;

  constructor(index: number, list: Set<LiveSnapshot>) {
    this.index = index;
    this.#list = list;
  }

  release(): void {
    this.#list.delete(this);
  }
}
