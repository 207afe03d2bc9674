/**
 * GhostBlocks: which blocks the cache dropped last, without their bytes, to tell what a larger cache would have spared.
 *
 *   1. A block that is dropped for want of room becomes a ghost; ghosts stand for a fixed share of the cache's bytes,
 *      and the oldest go first.
 *   2. A block that is read from its file while its ghost is there is a ghost hit: a cache larger by that share would
 *      have had it.
 * Source: the ghost lists of ARC (Megiddo and Modha 2003) and of 2Q.
 */
import type { CachedPiece } from "./block-cache.ts";

/** Ghosts stand for this share of the cache. */
const shareOfCache = 1 / 8;

export class GhostBlocks {
  hits = 0;
  #bytesMax = 0;
  #bytes = 0;
  /** Bytes by block, oldest first. */
  readonly #ghosts = new Map<string, number>();

  /** Bytes of blocks that the ghosts may stand for. */
  get bytesMax(): number {
    return this.#bytesMax;
  }

  resize(cacheBytes: number): void {
    this.#bytesMax = Math.floor(cacheBytes * shareOfCache);
    this.#trim();
  }

  /** Notes a block that was dropped for want of room. */
  noteDropped(block: CachedPiece): void {
    const name = nameOf(block);
    this.#forget(name);
    this.#ghosts.set(name, block.costBytes);
    this.#bytes += block.costBytes;
    this.#trim();
  }

  /** Notes a block that was read from its file. */
  noteRead(block: CachedPiece): void {
    if (this.#forget(nameOf(block))) this.hits++;
  }

  #forget(name: string): boolean {
    const bytes = this.#ghosts.get(name);
    if (bytes === undefined) return false;
    this.#ghosts.delete(name);
    this.#bytes -= bytes;
    return true;
  }

  #trim(): void {
    for (const [name, bytes] of this.#ghosts) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#ghosts.delete(name);
      this.#bytes -= bytes;
    }
  }
}

function nameOf({ owner, number }: CachedPiece): string {
  return `${number}:${owner.path}`;
}
