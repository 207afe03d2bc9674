/**
 * LogWrites: writes of an engine that has a log of its own.
 *
 *   1. A batch is appended to the log, which gives it its index, and joins the queue.
 *   2. Once the log is synced up to it, it is applied, together with everything before it, in the order of
 *      the indexes. A write that did not ask for a sync is applied at once, unless something before it waits: then it
 *      waits for a sync too, for its writer must be able to read it when it resolves.
 * So nobody reads what is not durable, except what was written without a sync.
 */
import type { DurableLog } from "../../../../../core/durable-log.ts";
import type { WriteBatch } from "../../../../write-batch.ts";

/** What is asked of a batch. */
export type EncodableBatch = Pick<WriteBatch, "count" | "rangeDeleteCount" | "encode">;

/** The batch as it is now, apart from the object that its caller may fill anew. */
export function copyOf(batch: WriteBatch): EncodableBatch {
  const encoded = batch.encode().slice();
  return { count: batch.count, rangeDeleteCount: batch.rangeDeleteCount, encode: () => encoded };
}

interface PendingWrite {
  readonly index: number;
  readonly encoded: Uint8Array;
  readonly count: number;
  readonly rangeDeletes: number;
  readonly sync: boolean;
}

type Apply = (encoded: Uint8Array, count: number, rangeDeletes: number, index: number) => void;

export class LogWrites {
  readonly #log: DurableLog;
  readonly #apply: Apply;
  #queue: PendingWrite[] = [];

  constructor(log: DurableLog, apply: Apply) {
    this.#log = log;
    this.#apply = apply;
  }

  /** Resolves with the batch's index. Errors: the log's. */
  async write(batch: EncodableBatch, sync: boolean): Promise<number> {
    const { count, rangeDeleteCount: rangeDeletes } = batch;
    if (!sync && this.#queue.length === 0) {
      // Nothing waits before it, so it is applied in this turn, and needs no copy of its own.
      const index = this.#log.append(batch.encode());
      this.#apply(batch.encode(), count, rangeDeletes, index);
      return index;
    }
    const encoded = batch.encode().slice();
    const index = this.#log.append(encoded);
    this.#queue.push({ index, encoded, count, rangeDeletes, sync });
    if (!sync) this.#applyUpTo(this.#log.syncedIndex);
    if (this.#queue.length > 0) {
      await this.#log.sync();
      this.#applyUpTo(index);
    }
    return index;
  }

  /**
   * Applies what is at the head of the queue: everything up to `syncedIndex`, then what did not ask for a sync.
   */
  #applyUpTo(syncedIndex: number): void {
    while (this.#queue.length > 0) {
      const [write] = this.#queue;
      if (write.index > syncedIndex && write.sync) return;
      this.#queue.shift();
      this.#apply(write.encoded, write.count, write.rangeDeletes, write.index);
    }
  }
}
