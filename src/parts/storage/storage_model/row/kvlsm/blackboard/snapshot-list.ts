/**
 * SnapshotList: the live snapshots, whose indexes flushes and compactions must keep readable. Every one costs them a
 * comparison per version of a key, so there is a limit.
 */
import { LatheError } from "../../../../../../kit/errors.ts";
import type { Snapshot } from "../../../../engine.ts";

export const snapshotsMax = 4096;

export class SnapshotList {
  readonly #live = new Set<LiveSnapshot>();

  get count(): number {
    return this.#live.size;
  }

  /** Errors: BACKPRESSURE. */
  take(index: number): Snapshot {
    if (this.#live.size >= snapshotsMax) {
      const what = `${snapshotsMax} snapshots are live, which is the limit; release some first`;
      throw new LatheError("BACKPRESSURE", what);
    }
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
