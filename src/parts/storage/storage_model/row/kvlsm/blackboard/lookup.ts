/**
 * Lookup: where a point read leaves what it found. One per engine, overwritten by every read, so that the
 * hot path returns several numbers without allocating.
 */
import { noBytes } from "./entry-iterator.ts";

export class Lookup {
  bytes: Uint8Array = noBytes;
  valueStart = 0;
  valueEnd = 0;
  /** Set where a read must not block and a block is not in memory: the table and the block to load. */
  missingTable: BlockLoader | undefined = undefined;
  missingBlock = 0;
}

/** A table seen from a read that must wait for one of its blocks. */
export interface BlockLoader {
  loadBlock(blockNumber: number): Promise<void>;
}

/** What a lookup in one run says: the kind of the entry found, or one of the two that no entry has. */
export const lookupAbsent = 0;
export const lookupPut = 1;
export const lookupDelete = 2;
/** A put that expires: the value in the lookup begins with the time. */
export const lookupPutExpiring = 3;
/** The block is not in memory and the read must not block. */
export const lookupMissing = 16;
