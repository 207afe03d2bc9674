/**
 * BlockCache: data blocks of all tables in memory, bounded by bytes.
 *
 * Algorithm (CLOCK):
 *   1. A table keeps its resident blocks in an array by block number; a hit is one array load and one store to the
 *      block's `used` mark, with no hash and no list to relink.
 *   2. A new block comes unmarked, so that a scan cannot push out what is read again and again.
   3. An insertion beyond the bound sweeps the ring: a marked block loses its mark and stays, an unmarked one is
 *      dropped, and its owner is told.
 * Invariants: `sizeBytes` counts every block's bytes and its overhead and exceeds `capacityBytes` by no more than the one
 * block just read; a block that somebody still walks stays alive as an object after it was dropped here.
 * Source: Corbato 1968; RocksDB's HyperClockCache.
 */
import type { Block } from "./block.ts";

export class BlockCache {
  readonly capacityBytes: number;
  hits = 0;
  misses = 0;
  #sizeBytes = 0;
  #ring: (Block | undefined)[] = [];
  #free: number[] = [];
  #count = 0;
  #hand = 0;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get blockCount(): number {
    return this.#count;
  }

  /** Takes a block that was just read; drops others for it. The owner has noted it already. */
  insert(block: Block): void {
    const cost = block.costBytes;
    this.#evictUntil(Math.max(0, this.capacityBytes - cost));
    const slot = this.#free.pop() ?? this.#ring.length;
    this.#ring[slot] = block;
    block.slot = slot;
    this.#count++;
    this.#sizeBytes += cost;
  }

  /** Drops a block whose table is going away. */
  remove(block: Block): void {
    if (this.#ring[block.slot] === block) this.#drop(block.slot, block);
  }

  #evictUntil(bytesMax: number): void {
    while (this.#sizeBytes > bytesMax) {
      if (this.#hand >= this.#ring.length) this.#hand = 0;
      const slot = this.#hand++;
      const block = this.#ring[slot];
      if (block === undefined) continue;
      if (block.used !== 0) block.used = 0;
      else this.#drop(slot, block);
    }
  }

  #drop(slot: number, block: Block): void {
    this.#ring[slot] = undefined;
    this.#free.push(slot);
    this.#count--;
    this.#sizeBytes -= block.costBytes;
    block.owner.forgetBlock(block.number);
  }
}
