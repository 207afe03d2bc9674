/**
 * RowMark: what a transaction keeps of rows that it has read, to see at its commit whether they are still the same.
 *
 * A mark is 64 bits of hash over key and value, in two halves; that of a range is the sum of its rows' marks and their
 * number, whatever the order in which they were read. It takes two hashes that agree by chance, once in 2^64, for a
 * change to go unseen.
 * Invariant: marks stand in commands (`command.ts`), so how they are made must never change.
 * Source: Silo's read-set validation (Tu et al. 2013), with values in the place of version numbers, since rows have
 * none here and a replica must decide alike from its state alone.
 */
import { hash32 } from "../../../kit/hash.ts";

const lowSeed = 0x6c617468;
const highSeed = 0x65206d61;

export class RowMark {
  low = 0;
  high = 0;
  rows = 0;

  add(key: Uint8Array, value: Uint8Array): void {
    this.low = (this.low + hash32(value, hash32(key, lowSeed))) >>> 0;
    this.high = (this.high + hash32(value, hash32(key, highSeed))) >>> 0;
    this.rows++;
  }

  equals(other: { readonly low: number; readonly high: number; readonly rows: number }): boolean {
    return this.low === other.low && this.high === other.high && this.rows === other.rows;
  }
}

/** The mark of one key: of no rows where it has no value. */
export function markOf(key: Uint8Array, value: Uint8Array | undefined): RowMark {
  const mark = new RowMark();
  if (value !== undefined) mark.add(key, value);
  return mark;
}
