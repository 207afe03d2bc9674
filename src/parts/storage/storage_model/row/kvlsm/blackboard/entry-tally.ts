/**
 * EntryTally: checks the order of the entries of an SSTable as they go by, and counts what its FileMeta says.
 * Order: keys ascend, the versions of one key descend by index.
 */
import { compareRanges } from "../../../../../../kit/compare.ts";
import { kindDelete } from "./entry-iterator.ts";
import type { FileMeta } from "./file-meta.ts";

export class EntryTally {
  entryCount = 0;
  #deleteCount = 0;
  #indexMin = Number.MAX_SAFE_INTEGER;
  #indexMax = 0;
  #smallest: Uint8Array | undefined = undefined;
  #last = new Uint8Array(256);
  #lastLength = -1;
  #lastIndex = 0;

  /** What is wrong with the order, or undefined. */
  add(bytes: Uint8Array, start: number, end: number, index: number, kind: number): string | undefined {
    if (this.#lastLength >= 0) {
      const order = compareRanges(this.#last, 0, this.#lastLength, bytes, start, end);
      if (order > 0) return "a key stands behind one that is above it";
      if (order === 0 && index >= this.#lastIndex) return "a version stands behind one that is not newer";
      if (order !== 0) this.#remember(bytes, start, end);
    } else this.#remember(bytes, start, end);
    this.#smallest ??= bytes.slice(start, end);
    this.#lastIndex = index;
    this.entryCount++;
    if (kind === kindDelete) this.#deleteCount++;
    if (index < this.#indexMin) this.#indexMin = index;
    if (index > this.#indexMax) this.#indexMax = index;
    return undefined;
  }

  get lastKey(): Uint8Array | undefined {
    return this.#lastLength < 0 ? undefined : this.#last.slice(0, this.#lastLength);
  }

  meta(number: number, sizeBytes: number): FileMeta {
    return {
      number,
      sizeBytes,
      entryCount: this.entryCount,
      deleteCount: this.#deleteCount,
      indexMin: this.#indexMin,
      indexMax: this.#indexMax,
      smallest: this.#smallest ?? new Uint8Array(0),
      largest: this.#last.slice(0, Math.max(0, this.#lastLength)),
    };
  }

  #remember(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.#last.length) this.#last = new Uint8Array(length * 2);
    for (let i = 0; i < length; i++) this.#last[i] = bytes[start + i];
    this.#lastLength = length;
  }
}
