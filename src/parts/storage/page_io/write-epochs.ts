/**
 * WriteEpochs: refuses values that were read before a write to their key.
 *
 *   1. Writes are numbered. The number of the last write is kept per stripe of hashes.
 *   2. A reader takes the number of the last write before it reads (its ticket).
 *   3. A fill whose ticket is older than its key's stripe, or than the last clear, is refused.
 * Invariant: a stripe stands for many keys, so a refusal may be needless, but a stale fill cannot pass.
 * Source: ours, after the leases of Nishtala et al. 2013 ("Scaling Memcache").
 */
const stripeBytes = 8;
const stripesMax = 4096;

export class WriteEpochs {
  /** Number of the last write to a key of the stripe. */
  readonly #stripes: Float64Array;
  readonly #stripeMask: number;
  #writes = 0;
  #clearedAt = 0;

  /** `capacityBytes` is the cache's, of which the stripes take their part. */
  constructor(capacityBytes: number) {
    // At least one: the smallest cache that holds an entry must refuse stale ones too.
    const stripes = Math.max(1, powerOfTwoUpTo(Math.min(stripesMax, capacityBytes / 1024)));
    this.#stripes = new Float64Array(stripes);
    this.#stripeMask = stripes - 1;
  }

  get sizeBytes(): number {
    return this.#stripes.length * stripeBytes;
  }

  /** A reader's ticket. */
  current(): number {
    return this.#writes;
  }

  noteWrite(hash: number): void {
    this.#stripes[hash & this.#stripeMask] = ++this.#writes;
  }

  noteClear(): void {
    this.#clearedAt = ++this.#writes;
  }

  isStale(hash: number, epoch: number): boolean {
    return epoch < this.#clearedAt || epoch < this.#stripes[hash & this.#stripeMask];
  }
}

/** The largest power of two up to `limit`; 0 where that is below 1. */
export function powerOfTwoUpTo(limit: number): number {
  return limit < 1 ? 0 : 2 ** Math.floor(Math.log2(limit));
}
