/**
 * EntryIterator: what memtables, tables, levels and merges look like from inside the engine.
 *
 * Entries are ordered by key ascending, then by index descending (the newest version of a key first). After
 * a call that moves, `valid` says whether there is an entry and the fields describe it; they are plain
 * fields, not getters, because merging reads them millions of times. The bytes stay as they are until the
 * next call that moves.
 * Source: LevelDB's InternalIterator.
 */

/** Kinds of entries; the numbers are part of the file format and equal those of a write batch. */
export const kindPut = 1;
export const kindDelete = 2;
/** A put whose value begins with its expiry time (see write-batch.ts). */
export const kindPutExpiring = 3;

/** An entry as an iterator shows it. */
export interface ShownEntry {
  keyBytes: Uint8Array;
  keyStart: number;
  keyEnd: number;
  /** The sequence number: the index of the batch that wrote the entry. */
  index: number;
  kind: number;
  valueBytes: Uint8Array;
  valueStart: number;
  valueEnd: number;
}

export interface EntryIterator extends ShownEntry {
  valid: boolean;
  seekFirst(): void;
  seekLast(): void;
  /** To the first entry with a key ≥ `target`. */
  seek(target: Uint8Array): void;
  /** To the last entry with a key < `target`. */
  seekBefore(target: Uint8Array): void;
  next(): void;
  previous(): void;
  /** Lets go of what it pins; the iterator is invalid afterwards. */
  close(): void;
}

export const noBytes = new Uint8Array(0);
