/**
 * Block: a data block in memory, with a point search that builds no keys.
 *
 * Algorithm of `find`:
 *   1. Binary search over the restart points (their keys are whole) for the last one not above the target.
 *   2. Walk the entries from there, remembering only how many bytes the target has in common with the key
 *      before (`matched`); that key is below the target. For the next entry, which shares `shared` bytes
 *      with the key before: shared > matched: it differs from the target where the key before did, so it is
 *      below too: skip it; shared < matched: it is above the target: the key is not here;
 *      shared = matched: compare the rest of the key with the rest of the target.
 * No key is ever put together, and most entries cost three varints. A block that is hit again has a directory
 * (block-directory.ts), which names the entry to begin with; what that entry shares with the key before is then
 * what the target has in common with it.
 * Layout: see block-builder.ts. The bytes were checked against their checksum before they came here; the
 * search still cannot leave the block, because offsets past the end read as undefined and end the walk.
 */
import { LatheError } from "../../../../../../kit/errors.ts";
import { compareRanges } from "../../../../../../kit/compare.ts";
import { placeInDirectory, writeDirectory } from "./block-directory.ts";
import { type Lookup, lookupAbsent } from "./lookup.ts";
import { longVarint, varintLength } from "./varint.ts";

/** What the cache charges for a block beside its bytes: objects, the array buffer's own record, the slot. */
export const blockOverheadBytes = 200;

export class Block {
  /** The block, and behind it what its buffer has left over. */
  readonly bytes: Uint8Array;
  /** Offset of the restart array, which is also where the entries end. */
  readonly restartsAt: number;
  readonly restartCount: number;
  /** Where its directory stands; 0: not written yet, -1: it does not fit. */
  #directoryAt = 0;
  #prefixBytes = 0;
  #entryCount = 0;
  /** For the cache: whose block it is, which one, and whether it was used since the hand passed. */
  readonly owner: BlockOwner;
  readonly number: number;
  used = 0;
  /** Its place in the cache's ring. */
  slot = -1;
  /** Walks that stand in the block; while there are any, its buffer is not used for another one. */
  pins = 0;

  /** `length` bytes of `bytes` are the block. Errors: CORRUPTION where the trailer does not add up. */
  constructor(bytes: Uint8Array, length: number, owner: BlockOwner, number: number) {
    this.bytes = bytes;
    this.owner = owner;
    this.number = number;
    this.restartCount = length < 4 ? 0 : u32(bytes, length - 4);
    this.restartsAt = length - 4 - this.restartCount * 4;
    if (this.restartCount === 0 || this.restartsAt <= 0) {
      throw new LatheError("CORRUPTION", `${owner.path}: block ${number} has an impossible restart array`, {
        details: { path: owner.path, block: number },
      });
    }
  }

  get costBytes(): number {
    return this.bytes.byteLength + blockOverheadBytes;
  }

  restartOffset(restart: number): number {
    return u32(this.bytes, this.restartsAt + restart * 4);
  }

  /** The last restart point whose key is ≤ target, or 0. */
  restartFor(target: Uint8Array): number {
    let low = 0;
    let high = this.restartCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#compareRestart(middle, target) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  get hasDirectory(): boolean {
    return this.#directoryAt > 0;
  }

  /** Called when the block is hit once more: searches are worth a directory from now on. */
  noteHit(): void {
    if (this.#directoryAt !== 0) return;
    const directory = writeDirectory(this.bytes, this.restartsAt, this.restartsAt + this.restartCount * 4 + 4);
    this.#directoryAt = directory?.at ?? -1;
    this.#prefixBytes = directory?.prefixBytes ?? 0;
    this.#entryCount = directory?.entryCount ?? 0;
  }

  /**
   * The version of `target` to be read at `indexMax`: its kind, with the value's place in `lookup`, or absent.
   */
  find(target: Uint8Array, indexMax: number, lookup: Lookup): number {
    const bytes = this.bytes;
    const end = this.restartsAt;
    const targetLength = target.length;
    let at: number;
    let matched = 0;
    if (this.#directoryAt > 0) {
      at = placeInDirectory(bytes, this.#directoryAt, this.#prefixBytes, this.#entryCount, target);
      if (at < 0) return lookupAbsent;
      matched = bytes[at] > 127 ? longVarint(bytes, at) : bytes[at];
      if (matched > targetLength) return lookupAbsent;
    } else at = this.restartCount === 1 ? 0 : this.restartOffset(this.restartFor(target));
    while (at < end) {
      let shared = bytes[at++];
      if (shared > 127) {
        shared = longVarint(bytes, at - 1);
        at += varintLength(shared) - 1;
      }
      let rest = bytes[at++];
      if (rest > 127) {
        rest = longVarint(bytes, at - 1);
        at += varintLength(rest) - 1;
      }
      let valueLength = bytes[at++];
      if (valueLength > 127) {
        valueLength = longVarint(bytes, at - 1);
        at += varintLength(valueLength) - 1;
      }
      const tag = bytes[at];
      const keyAt = at + 1 + (tag >>> 4);
      const valueAt = keyAt + rest;
      // A key that is whole says nothing of what it has in common with the one before.
      if (shared < matched && shared !== 0) return lookupAbsent;
      if (shared <= matched) {
        let i = 0;
        let targetAt = shared;
        while (i < rest && targetAt < targetLength && bytes[keyAt + i] === target[targetAt]) {
          i++;
          targetAt++;
        }
        if (i === rest) {
          if (targetAt === targetLength) {
            if (indexMax === Infinity || entryIndex(bytes, at) <= indexMax) {
              lookup.bytes = bytes;
              lookup.valueStart = valueAt;
              lookup.valueEnd = valueAt + valueLength;
              return tag & 15;
            }
          }
        } else if (targetAt === targetLength || bytes[keyAt + i] > target[targetAt]) {
          return lookupAbsent;
        }
        matched = targetAt;
      }
      at = valueAt + valueLength;
    }
    return lookupAbsent;
  }

  #compareRestart(restart: number, target: Uint8Array): number {
    const bytes = this.bytes;
    let at = this.restartOffset(restart) + 1;
    let keyLength = bytes[at++];
    if (keyLength > 127) {
      keyLength = longVarint(bytes, at - 1);
      at += varintLength(keyLength) - 1;
    }
    while (bytes[at] > 127) at++;
    at++;
    at += 1 + (bytes[at] >>> 4);
    return compareRanges(bytes, at, at + keyLength, target, 0, target.length);
  }
}

/** Who a block belongs to; the cache tells it when a block leaves memory. */
export interface BlockOwner {
  readonly path: string;
  forgetBlock(blockNumber: number): void;
}

/** The index of the entry whose tag is at `tagAt`. */
export function entryIndex(bytes: Uint8Array, tagAt: number): number {
  const length = bytes[tagAt] >>> 4;
  let index = 0;
  for (let i = length; i > 0; i--) index = index * 256 + bytes[tagAt + i];
  return index;
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}
