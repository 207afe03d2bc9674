/**
 * BlockCache: data blocks of all tables in memory, bounded by bytes.
 *
 * Algorithm (CLOCK):
 *   1. A table keeps its resident blocks in an array by block number; a hit is one array load and one store
 *      to the block's `used` mark, with no hash and no list to relink.
 *   2. A new block comes unmarked, so that a scan cannot push out what is read again and again.
 *   3. An insertion beyond the bound sweeps the ring: a marked block loses its mark and stays, an unmarked
 *      one is dropped, and its owner is told.
 *   4. The buffer of a dropped block in which nobody walks is used again for a later one of about its size,
 *      after `restMin` others: thousands of fresh buffers per second would double the process's memory
 *      before the collector takes them away. Values read by `getSync` point into these buffers; see the port
 *      on how long they are valid.
 *   5. Pages of filters and of block indexes (paged-section.ts) are pieces of the same ring: what is asked for more
 *      often stays, whatever it is.
 *   6. Sections that are kept whole (paged-section.ts, point 3) are not in the ring and not in `sizeBytes`: they may
 *      take an eighth of the capacity beside it, and lose their place when a smaller capacity makes them a quarter.
 * Invariants: `sizeBytes` counts every block's bytes and its overhead and exceeds `capacityBytes` by no more
 * than the one block just read; a block that somebody still walks stays as it is after it was dropped here.
 * Source: Corbato 1968; RocksDB's HyperClockCache.
 */
import type { BlockOwner } from "./block.ts";
import { GhostBlocks } from "./ghost-blocks.ts";

/** Buffers come in multiples of this, so that blocks of about one size share them. */
const bufferStep = 256;
/** Larger buffers are rare and not kept. */
const bufferKeptMax = 1 << 17;
/** Buffers of one size that rest before they are used again, and how many are kept at most. */
const restMin = 16;
const restMax = 64;

/** A section is kept whole where all of them take no more than this part of the capacity. */
const wholeShift = 3;
/** More than this part of it has to go; between the two is room for a capacity that wavers with the memtables. */
const wholeKeptShift = 2;

/** A section of an open table that can be kept whole in memory. */
export interface WholeSection {
  readonly kind: "filter" | "index";
  readonly wholeBytes: number;
  /** Told when there is no room any more. */
  loseWhole(): void;
}

/** What the cache holds: a data block, or a page of a filter or an index. */
export interface CachedPiece {
  readonly owner: BlockOwner;
  /** Unique within the owner's file. */
  readonly number: number;
  /** The buffer that is used again when the piece is dropped; empty: there is none. */
  readonly bytes: Uint8Array;
  readonly costBytes: number;
  /** Set by the owner at every use. */
  used: number;
  slot: number;
  readonly pins: number;
}

export class BlockCache {
  #capacityBytes: number;
  hits = 0;
  misses = 0;
  /** Pages of filters and indexes that were read from files. */
  pageReads = 0;
  /** What the pages in memory take, of `sizeBytes`. */
  readonly pageBytes = { filter: 0, index: 0 };
  /** What sections that are kept whole take, beside `sizeBytes`. */
  readonly wholeBytes = { filter: 0, index: 0 };
  readonly #wholes = new Set<WholeSection>();
  #sizeBytes = 0;
  #ring: (CachedPiece | undefined)[] = [];
  #free: number[] = [];
  #count = 0;
  #hand = 0;
  /** Buffers at rest, by size, oldest first. */
  readonly #resting: Uint8Array[][] = [];
  #ghosts: GhostBlocks | undefined = undefined;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  /** Sets another bound; blocks beyond it are dropped at once. */
  resize(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes;
    this.#ghosts?.resize(capacityBytes);
    this.#evictUntil(capacityBytes);
    for (const section of this.#wholes) {
      if (this.#wholeTotal <= capacityBytes / 2 ** wholeKeptShift) break;
      this.giveWhole(section);
      section.loseWhole();
    }
  }

  /** Whether there is room to keep the section whole; then it counts until it is given back or told to go. */
  takeWhole(section: WholeSection): boolean {
    if (this.#wholeTotal + section.wholeBytes > this.#capacityBytes / 2 ** wholeShift) return false;
    this.#wholes.add(section);
    this.wholeBytes[section.kind] += section.wholeBytes;
    return true;
  }

  giveWhole(section: WholeSection): void {
    if (this.#wholes.delete(section)) this.wholeBytes[section.kind] -= section.wholeBytes;
  }

  get #wholeTotal(): number {
    return this.wholeBytes.filter + this.wholeBytes.index;
  }

  /** Whether to remember which blocks were dropped for want of room; see ghost-blocks.ts. */
  keepGhosts(keep: boolean): void {
    this.#ghosts = keep ? new GhostBlocks() : undefined;
    this.#ghosts?.resize(this.#capacityBytes);
  }

  /** Blocks read again that a slightly larger cache would have had, since ghosts are kept. */
  get ghostHits(): number {
    return this.#ghosts?.hits ?? 0;
  }

  /** Bytes of blocks that the ghosts may stand for; 0 where none are kept. */
  get ghostBytes(): number {
    return this.#ghosts?.bytesMax ?? 0;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get blockCount(): number {
    return this.#count;
  }

  /** A buffer of at least `length` bytes with anything in it. */
  takeBuffer(length: number): Uint8Array {
    const step = Math.ceil(length / bufferStep);
    const resting = this.#resting[step];
    if (resting !== undefined && resting.length > restMin) return resting.shift() as Uint8Array;
    return new Uint8Array(step * bufferStep);
  }

  /** Takes back a buffer that no block was made of. */
  giveBuffer(buffer: Uint8Array): void {
    this.#rest(buffer);
  }

  /** Takes a piece that was just read; drops others for it. The owner has noted it already. */
  insert(block: CachedPiece): void {
    const cost = block.costBytes;
    this.#ghosts?.noteRead(block);
    this.#evictUntil(Math.max(0, this.#capacityBytes - cost));
    const slot = this.#free.pop() ?? this.#ring.length;
    this.#ring[slot] = block;
    block.slot = slot;
    this.#count++;
    this.#sizeBytes += cost;
  }

  /** Drops a piece whose table is going away. */
  remove(block: CachedPiece): void {
    if (this.#ring[block.slot] === block) this.#drop(block.slot, block);
  }

  #evictUntil(bytesMax: number): void {
    while (this.#sizeBytes > bytesMax) {
      if (this.#hand >= this.#ring.length) this.#hand = 0;
      const slot = this.#hand++;
      const block = this.#ring[slot];
      if (block === undefined) continue;
      if (block.used !== 0) block.used = 0;
      else {
        this.#ghosts?.noteDropped(block);
        this.#drop(slot, block);
      }
    }
  }

  #drop(slot: number, block: CachedPiece): void {
    this.#ring[slot] = undefined;
    this.#free.push(slot);
    this.#count--;
    this.#sizeBytes -= block.costBytes;
    block.owner.forgetBlock(block.number);
    if (block.pins === 0) this.#rest(block.bytes);
  }

  #rest(buffer: Uint8Array): void {
    if (buffer.length === 0 || buffer.length > bufferKeptMax) return;
    const step = buffer.length / bufferStep;
    // The steps before must exist, or the array would turn into a dictionary.
    while (this.#resting.length <= step) this.#resting.push([]);
    if (this.#resting[step].length < restMax) this.#resting[step].push(buffer);
  }
}
