/**
 * The bytes of a connection that could not be handled when they came: the beginning of a packet, or
 * packets behind a statement that waits.
 *
 * Most chunks hold whole packets and are parsed where they lie; only tails come here. The buffer
 * grows by doubling as bytes arrive, never by what a header announces, and gives its memory back
 * when it is empty.
 */
import type { SharedBudget } from "./shared-budget.ts";

const bytesMin = 1024;
const keptBytesMax = 16 * 1024;
const nothing = Buffer.alloc(0);

export class InboundBuffer {
  bytes: Buffer = nothing;
  start = 0;
  end = 0;
  readonly #budget: SharedBudget;

  constructor(budget: SharedBudget) {
    this.#budget = budget;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Appends a copy of bytes [start, end) of a chunk; false where the surface's budget is used up. */
  append(chunk: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.bytes.length - this.end < length) {
      const needed = this.length + length;
      const size = this.bytes.length >= needed ? this.bytes.length : Math.max(bytesMin, 2 * needed);
      if (!this.#move(size)) return false;
    }
    this.bytes.set(chunk.subarray(start, end), this.end);
    this.end += length;
    return true;
  }

  /** Says that everything before `start` is done with. */
  consume(start: number): void {
    this.start = start;
    if (start < this.end) return;
    this.start = 0;
    this.end = 0;
    if (this.bytes.length > keptBytesMax) this.release();
  }

  release(): void {
    this.#budget.give(this.bytes.length);
    this.bytes = nothing;
    this.start = 0;
    this.end = 0;
  }

  /** Moves what is there to the front of a buffer of `size` bytes. */
  #move(size: number): boolean {
    if (size === this.bytes.length) {
      this.bytes.copyWithin(0, this.start, this.end);
    } else {
      if (!this.#budget.tryTake(size)) return false;
      const grown = Buffer.allocUnsafeSlow(size);
      this.bytes.copy(grown, 0, this.start, this.end);
      this.#budget.give(this.bytes.length);
      this.bytes = grown;
    }
    this.end -= this.start;
    this.start = 0;
    return true;
  }
}
