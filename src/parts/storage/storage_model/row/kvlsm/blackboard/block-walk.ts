/**
 * BlockWalk: walks the entries of one block in both directions.
 *
 * Prefix compression reads forwards only, so the walk decodes one restart interval at a time into small
 * arrays: the keys put together in an arena of their own, the places of the values. Moving within the
 * interval is then an increment in either direction, and a short scan pays for one interval, not for the block.
 * The walk pins the block it stands in.
 */
import { assert } from "../../../../../../kit/assert.ts";
import { compareRanges } from "../../../../../../kit/compare.ts";
import { type Block, entryIndex } from "./block.ts";
import { noBytes } from "./entry-iterator.ts";
import { longVarint, varintLength } from "./varint.ts";

const restingWalksMax = 64;

export class BlockWalk {
  /** Number of the entry within the interval; -1 before the block's first entry or after its last. */
  position = -1;
  keyArena = new Uint8Array(1024);
  keyStarts = new Int32Array(32);
  keyEnds = new Int32Array(32);
  valueStarts = new Int32Array(32);
  valueEnds = new Int32Array(32);
  tagOffsets = new Int32Array(32);
  #count = 0;
  #restart = -1;
  #block: Block | undefined = undefined;

  get block(): Block | undefined {
    return this.#block;
  }

  get valueBytes(): Uint8Array {
    return this.#block === undefined ? noBytes : this.#block.bytes;
  }

  open(block: Block): void {
    this.position = -1;
    if (block === this.#block) return;
    if (this.#block !== undefined) this.#block.pins--;
    block.pins++;
    this.#block = block;
    this.#restart = -1;
  }

  close(): void {
    if (this.#block !== undefined) this.#block.pins--;
    this.#block = undefined;
    this.#restart = -1;
    this.position = -1;
  }

  index(): number {
    return entryIndex(this.valueBytes, this.tagOffsets[this.position]);
  }

  kind(): number {
    return this.valueBytes[this.tagOffsets[this.position]] & 15;
  }

  toFirst(): boolean {
    this.#decode(0);
    this.position = 0;
    return true;
  }

  toLast(): boolean {
    assert(this.#block !== undefined, "a walk has a block");
    this.#decode(this.#block.restartCount - 1);
    this.position = this.#count - 1;
    return true;
  }

  /** To the first entry with a key ≥ target; false where the block has none. */
  toFirstFrom(target: Uint8Array): boolean {
    assert(this.#block !== undefined, "a walk has a block");
    this.#decode(this.#block.restartFor(target));
    this.position = this.#firstFrom(target);
    return this.position < this.#count || this.#nextInterval();
  }

  /** To the last entry with a key < target; false where the block has none. */
  toLastBefore(target: Uint8Array): boolean {
    assert(this.#block !== undefined, "a walk has a block");
    this.#decode(this.#block.restartFor(target));
    this.position = this.#firstFrom(target) - 1;
    return this.position >= 0 || this.#previousInterval();
  }

  next(): boolean {
    this.position++;
    return this.position < this.#count || this.#nextInterval();
  }

  previous(): boolean {
    this.position--;
    return this.position >= 0 || this.#previousInterval();
  }

  #nextInterval(): boolean {
    assert(this.#block !== undefined, "a walk has a block");
    if (this.#restart + 1 >= this.#block.restartCount) {
      this.position = -1;
      return false;
    }
    this.#decode(this.#restart + 1);
    this.position = 0;
    return true;
  }

  #previousInterval(): boolean {
    if (this.#restart === 0) {
      this.position = -1;
      return false;
    }
    this.#decode(this.#restart - 1);
    this.position = this.#count - 1;
    return true;
  }

  #firstFrom(target: Uint8Array): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = this.keyStarts[middle];
      const end = this.keyEnds[middle];
      if (compareRanges(this.keyArena, start, end, target, 0, target.length) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #decode(restart: number): void {
    if (restart === this.#restart) return;
    const block = this.#block;
    assert(block !== undefined, "a walk has a block");
    this.#restart = restart;
    const bytes = block.bytes;
    const last = restart + 1 === block.restartCount;
    const end = last ? block.restartsAt : block.restartOffset(restart + 1);
    let at = block.restartOffset(restart);
    let arenaUsed = 0;
    let before = 0;
    let count = 0;
    while (at < end) {
      const shared = longVarint(bytes, at);
      at += varintLength(shared);
      const rest = longVarint(bytes, at);
      at += varintLength(rest);
      const valueLength = longVarint(bytes, at);
      at += varintLength(valueLength);
      if (count === this.keyStarts.length) this.#growEntries();
      if (arenaUsed + shared + rest > this.keyArena.length) this.#growArena(arenaUsed + shared + rest);
      const keyAt = at + 1 + (bytes[at] >>> 4);
      const arena = this.keyArena;
      for (let i = 0; i < shared; i++) arena[arenaUsed + i] = arena[before + i];
      for (let i = 0; i < rest; i++) arena[arenaUsed + shared + i] = bytes[keyAt + i];
      this.tagOffsets[count] = at;
      this.keyStarts[count] = before = arenaUsed;
      arenaUsed += shared + rest;
      this.keyEnds[count] = arenaUsed;
      at = keyAt + rest;
      this.valueStarts[count] = at;
      at += valueLength;
      this.valueEnds[count] = at;
      count++;
    }
    this.#count = count;
  }

  #growEntries(): void {
    this.keyStarts = doubled(this.keyStarts);
    this.keyEnds = doubled(this.keyEnds);
    this.valueStarts = doubled(this.valueStarts);
    this.valueEnds = doubled(this.valueEnds);
    this.tagOffsets = doubled(this.tagOffsets);
  }

  #growArena(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.keyArena.length * 2));
    larger.set(this.keyArena);
    this.keyArena = larger;
  }
}

/**
 * Walks that rest between scans: making their arrays anew would cost a short scan more than the scan itself.
 */
export class WalkPool {
  readonly #free: BlockWalk[] = [];

  take(): BlockWalk {
    return this.#free.pop() ?? new BlockWalk();
  }

  give(walk: BlockWalk): void {
    walk.close();
    if (this.#free.length < restingWalksMax) this.#free.push(walk);
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
