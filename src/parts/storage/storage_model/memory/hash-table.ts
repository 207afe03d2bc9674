/**
 * HashIndex: from a key to its newest record, by open addressing, growing without a pause.
 *
 *   1. A slot holds the hash and the reference of a record (8 bytes). A search begins at the hash and goes on slot by
 *   slot until an empty one (linear probing); keys are compared only where all 32 bits of the hash are equal.
 *   2. A removal moves the entries behind it back, where they may begin there, so that no gap and no marker is left.
 *   3. Beyond three quarters full, a table of twice the size is begun. Each search and insertion from then on takes
 *   some slots of the old table over; searches look into the new one, then into the old one, whose slots that were
 *      taken over are marked. The old table is given up long before the new one is full, also where nothing is put in
 *      any more.
 *   4. The hash has a seed that strangers do not know, so that they cannot aim keys at one place.
 * Invariant: every key is in exactly one of the two tables.
 * Source: Knuth, The Art of Computer Programming 3, section 6.4 (algorithms L and R); Redis' incremental rehashing.
 */
import { assert } from "../../../../kit/assert.ts";
import { releaseBuffer } from "../../../../kit/buffer-release.ts";
import type { RecordHeap } from "./record-heap.ts";

const slotsInitial = 16;
/** Slots of the old table that a search or insertion takes over. */
export const slotsTakenOver = 16;
/** In the old table: was taken over, or removed. */
const moved = -1;

export class HashIndex {
  readonly #heap: RecordHeap;
  #slots = new Int32Array(slotsInitial * 2);
  #mask = slotsInitial - 1;
  #count = 0;
  #old: Int32Array | undefined = undefined;
  #oldMask = 0;
  /** Slots of the old table below this one are taken over. */
  #oldNext = 0;

  constructor(heap: RecordHeap) {
    this.#heap = heap;
  }

  /** How many keys there are. */
  get count(): number {
    return this.#count;
  }

  get slotCount(): number {
    return this.#mask + 1;
  }

  get isGrowing(): boolean {
    return this.#old !== undefined;
  }

  get sizeBytes(): number {
    return this.#slots.byteLength + (this.#old?.byteLength ?? 0);
  }

  /** The record of the key `source[start, end)`, whose hash is given as a signed number; 0: none. */
  find(hash: number, source: Uint8Array, start: number, end: number): number {
    this.goOn();
    const slots = this.#slots;
    const mask = this.#mask;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const ref = slots[at * 2 + 1];
      if (ref === 0) break;
      if (slots[at * 2] === hash && this.#heap.hasKey(ref >>> 0, source, start, end)) return ref >>> 0;
    }
    return this.#old === undefined ? 0 : this.#findOld(this.#old, hash, source, start, end);
  }

  /** Makes room for so many keys at once, in an empty index. */
  reserve(count: number): void {
    assert(this.#count === 0, "room is made before there are keys");
    let slots = slotsInitial;
    while (slots * 3 < (count + 1) * 4) slots *= 2;
    if (slots <= this.#mask + 1) return;
    this.#slots = new Int32Array(slots * 2);
    this.#mask = slots - 1;
  }

  /** The caller has made sure that the key is not there. */
  insert(hash: number, ref: number): void {
    if (this.#old !== undefined) this.#takeOver(this.#old);
    else if ((this.#count + 1) * 4 > (this.#mask + 1) * 3) this.#grow();
    this.#place(hash, ref);
    this.#count++;
  }

  /**
   * The same for `count` pairs of hash and record, for which there is room: so close together, the searches for their
   * slots wait for memory at the same time and not one after the other.
   */
  insertAll(pairs: Int32Array, count: number): void {
    for (let at = 0; at < count; at++) this.insert(pairs[at * 2], pairs[at * 2 + 1]);
  }

  /** Puts the record `by` of the same key in the place of `ref`. */
  replace(hash: number, ref: number, by: number): void {
    const at = this.#slotOf(hash, ref);
    if (at >= 0) this.#slots[at * 2 + 1] = by;
    else this.#setOld(this.#oldSlotOf(hash, ref), by);
  }

  remove(hash: number, ref: number): void {
    this.#count--;
    const at = this.#slotOf(hash, ref);
    if (at >= 0) this.#close(at);
    else this.#setOld(this.#oldSlotOf(hash, ref), moved);
  }

  /** Takes over some more slots, where the index grows. */
  goOn(): void {
    if (this.#old !== undefined) this.#takeOver(this.#old);
  }

  /** The record in a slot, 0: none. For those that look at all of them by and by, while the index does not grow. */
  recordIn(slot: number): number {
    return this.#slots[(slot & this.#mask) * 2 + 1] >>> 0;
  }

  #place(hash: number, ref: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let at = hash & mask;
    while (slots[at * 2 + 1] !== 0) at = (at + 1) & mask;
    slots[at * 2] = hash;
    slots[at * 2 + 1] = ref;
  }

  #grow(): void {
    this.#old = this.#slots;
    this.#oldMask = this.#mask;
    this.#oldNext = 0;
    const count = (this.#mask + 1) * 2;
    this.#slots = new Int32Array(count * 2);
    this.#mask = count - 1;
    this.#takeOver(this.#old);
  }

  #takeOver(old: Int32Array): void {
    const end = Math.min(this.#oldNext + slotsTakenOver, this.#oldMask + 1);
    for (let at = this.#oldNext; at < end; at++) {
      const ref = old[at * 2 + 1];
      if (ref === 0 || ref === moved) continue;
      this.#place(old[at * 2], ref);
      old[at * 2 + 1] = moved;
    }
    this.#oldNext = end;
    if (end <= this.#oldMask) return;
    this.#old = undefined;
    releaseBuffer(old);
  }

  #findOld(old: Int32Array, hash: number, source: Uint8Array, start: number, end: number): number {
    for (let at = hash & this.#oldMask; ; at = (at + 1) & this.#oldMask) {
      const ref = old[at * 2 + 1];
      if (ref === 0) return 0;
      if (ref === moved || old[at * 2] !== hash) continue;
      if (this.#heap.hasKey(ref >>> 0, source, start, end)) return ref >>> 0;
    }
  }

  #slotOf(hash: number, ref: number): number {
    const slots = this.#slots;
    const wanted = ref | 0;
    for (let at = hash & this.#mask; slots[at * 2 + 1] !== 0; at = (at + 1) & this.#mask) {
      if (slots[at * 2 + 1] === wanted) return at;
    }
    return -1;
  }

  #oldSlotOf(hash: number, ref: number): number {
    const old = this.#old;
    const wanted = ref | 0;
    // At most three quarters of the slots were ever filled, so there is an empty one to end at.
    for (let at = hash & this.#oldMask; old !== undefined && old[at * 2 + 1] !== 0; at = (at + 1) & this.#oldMask) {
      if (old[at * 2 + 1] === wanted) return at;
    }
    assert(false, "a record that is to be replaced or removed is in the hash table");
    return -1;
  }

  #setOld(at: number, ref: number): void {
    if (this.#old !== undefined) this.#old[at * 2 + 1] = ref;
  }

  /** Empties a slot, and moves back what a search would not find beyond the gap. */
  #close(gap: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = gap;
    for (let at = (gap + 1) & mask; slots[at * 2 + 1] !== 0; at = (at + 1) & mask) {
      const home = slots[at * 2] & mask;
      // Whether its home lies cyclically behind the hole; then it may stay.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole * 2] = slots[at * 2];
      slots[hole * 2 + 1] = slots[at * 2 + 1];
      hole = at;
    }
    slots[hole * 2 + 1] = 0;
  }
}
