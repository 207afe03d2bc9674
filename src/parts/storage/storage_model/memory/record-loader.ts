/**
 * RecordLoader: fills an empty store with entries that come in the order of their keys, as a snapshot holds them.
 *
 *   1. The hash table gets its size at once, from the number of entries, so that it does not grow on the way.
 *   2. An entry whose key is above the one before it is above all: nothing has to be looked for, neither by hash nor
 *   in order. Its record is copied, the last leaf of the tree goes on, and slots of the hash table are filled many at
 *   once.
 * Source: bulk loading of B-trees; Redis sizes its table from what the RDB file says of itself.
 */
import { batchKindPutExpiring } from "../../write-batch.ts";
import type { RecordStore } from "./record-store.ts";

const pairsAtOnce = 1024;

export class RecordLoader {
  readonly #store: RecordStore;
  readonly #index: number;
  #leaf: number;
  /** Hashes and records that are not in the hash table yet. */
  readonly #pairs = new Int32Array(pairsAtOnce * 2);
  #count = 0;

  /** Entries get the index that is given. */
  constructor(store: RecordStore, index: number) {
    this.#store = store;
    this.#index = index;
    this.#leaf = store.ordered.lastLeaf();
  }

  /** Makes room for so many entries. */
  begin(entryCount: number): void {
    this.#store.hashed.reserve(entryCount);
  }

  /** Puts an entry in; returns whether its key is above the last one's: else the store is of no use. */
  add(kind: number, bytes: Uint8Array, keyStart: number, keyEnd: number, valueEnd: number): boolean {
    const store = this.#store;
    const { heap } = store;
    const made = heap.make(kind, bytes, keyStart, keyEnd, valueEnd, this.#index, 0);
    if (kind === batchKindPutExpiring) store.expiringCount++;
    store.liveBytes += heap.weightOf(made);
    this.#pairs[this.#count * 2] = store.hashOf(bytes, keyStart, keyEnd);
    this.#pairs[this.#count * 2 + 1] = made;
    if (++this.#count === pairsAtOnce) this.#insert();
    this.#leaf = store.ordered.append(this.#leaf, made);
    return this.#leaf !== 0;
  }

  /** To be called behind the last entry. */
  end(): void {
    this.#insert();
  }

  #insert(): void {
    this.#store.hashed.insertAll(this.#pairs, this.#count);
    this.#count = 0;
  }
}
