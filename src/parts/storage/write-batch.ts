/**
 * WriteBatch: operations that are applied together.
 *
 * Layout (little-endian): one growing buffer, so that a batch can be logged without being encoded again.
 *
 *   | offset | size | field                                        |
 *   |--------|------|----------------------------------------------|
 *   | 0      | 1    | kind: 1 put, 2 delete, 3 put that expires,   |
 *   |        |      | 4 delete of a range                          |
 *   | 1      | 2    | key length in bytes                          |
 *   | 3      | 4    | value length in bytes (0 for a delete)       |
 *   | 7      | k    | key; of a range: its inclusive lower bound   |
 *   | 7 + k  | v    | value; of a put that expires: the time (u64, |
 *   |        |      | ms since the Unix epoch), then the value;    |
 *   |        |      | of a range: its exclusive upper bound        |
 *
 * repeated per operation. Kinds 1 to 3 are those of the entries of a store, so that time and value lie there as
 * they lie here. Source: LevelDB's write_batch.cc; the expiry before the value is that of Badger's and RocksDB's
 * time-to-live, as an absolute time, so that it does not depend on when the batch is applied.
 */
import { readU64LE, writeU64LE } from "../../kit/bytes.ts";
import { compareBytes } from "../../kit/compare.ts";
import { LatheError } from "../../kit/errors.ts";

export const batchKindPut = 1;
export const batchKindDelete = 2;
export const batchKindPutExpiring = 3;
export const batchKindDeleteRange = 4;
export const batchHeaderBytes = 7;
/** Bytes of the time that stands before the value of a put that expires. */
export const expiryBytes = 8;

export interface PutOptions {
  /** The entry is gone from this time on, in ms since the Unix epoch; a safe integer ≥ 0. */
  readonly expiresAtMs?: number | undefined;
}

/** Called per operation in order; `bytes` holds key and value at the given offsets. */
export type BatchVisitor = (
  kind: number,
  bytes: Uint8Array,
  keyStart: number,
  keyEnd: number,
  valueEnd: number,
) => void;

export class WriteBatch {
  #bytes: Uint8Array;
  /** What was handed out last: a view costs as much as some hundred bytes, and batches are often of one length. */
  #encoded: Uint8Array | undefined = undefined;
  #length = 0;
  #count = 0;
  #rangeDeleteCount = 0;
  #expiringCount = 0;

  constructor(capacityBytes = 256) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** Number of operations. */
  get count(): number {
    return this.#count;
  }

  /** Encoded size in bytes. */
  get byteLength(): number {
    return this.#length;
  }

  /** How many of the operations delete a range. */
  get rangeDeleteCount(): number {
    return this.#rangeDeleteCount;
  }

  /** How many of the operations put an entry that expires. */
  get expiringCount(): number {
    return this.#expiringCount;
  }

  /** Errors: INVALID_ARGUMENT, LIMIT_EXCEEDED. */
  put(key: Uint8Array, value: Uint8Array, options?: PutOptions): this {
    const expiresAtMs = options?.expiresAtMs;
    if (expiresAtMs === undefined) this.#append(batchKindPut, key, value, 0);
    else {
      if (!Number.isSafeInteger(expiresAtMs) || expiresAtMs < 0) {
        throw new LatheError(
          "INVALID_ARGUMENT",
          `expiresAtMs is ${expiresAtMs}; it must be a time in whole milliseconds since 1970`,
        );
      }
      const timeAt = this.#append(batchKindPutExpiring, key, value, expiryBytes);
      writeU64LE(this.#bytes, timeAt, expiresAtMs);
      this.#expiringCount++;
    }
    return this;
  }

  delete(key: Uint8Array): this {
    this.#append(batchKindDelete, key, undefined, 0);
    return this;
  }

  /**
   * Deletes every key from `gte` up to, not including, `lt`; a range that holds no key adds nothing. Operations
   * before it in the batch are covered by it, those behind it are not.
   */
  deleteRange(gte: Uint8Array, lt: Uint8Array): this {
    if (lt.length > 0xffff) {
      throw new LatheError("LIMIT_EXCEEDED", `a bound of ${lt.length} bytes is longer than 65,535`);
    }
    if (gte.length > 0 && compareBytes(gte, lt) >= 0) return this;
    this.#append(batchKindDeleteRange, gte, lt, 0);
    this.#rangeDeleteCount++;
    return this;
  }

  clear(): void {
    this.#length = 0;
    this.#count = 0;
    this.#rangeDeleteCount = 0;
    this.#expiringCount = 0;
  }

  /** The encoded batch; a view, valid until the batch changes. */
  encode(): Uint8Array {
    if (this.#encoded?.length !== this.#length) this.#encoded = this.#bytes.subarray(0, this.#length);
    return this.#encoded;
  }

  forEach(visit: BatchVisitor): void {
    forEachOperation(this.encode(), visit);
  }

  /** Takes encoded bytes (a copy is made). Errors: CORRUPTION. */
  static decode(bytes: Uint8Array): WriteBatch {
    const batch = new WriteBatch(0);
    const counts = countOperations(bytes);
    batch.#bytes = bytes.slice();
    batch.#length = bytes.length;
    batch.#count = counts.operations;
    batch.#rangeDeleteCount = counts.rangeDeletes;
    batch.#expiringCount = counts.expiring;
    return batch;
  }

  /** Returns the place of the `before` bytes that it leaves free between key and value. */
  #append(kind: number, key: Uint8Array, value: Uint8Array | undefined, before: number): number {
    if (key.length === 0) throw new LatheError("INVALID_ARGUMENT", "a key must have at least one byte");
    if (key.length > 0xffff) {
      throw new LatheError("LIMIT_EXCEEDED", `a key of ${key.length} bytes is longer than 65,535`);
    }
    const valueLength = value === undefined ? 0 : value.length + before;
    const end = this.#length + batchHeaderBytes + key.length + valueLength;
    if (end > this.#bytes.length) this.#grow(end);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at] = kind;
    bytes[at + 1] = key.length & 0xff;
    bytes[at + 2] = key.length >>> 8;
    bytes[at + 3] = valueLength & 0xff;
    bytes[at + 4] = (valueLength >>> 8) & 0xff;
    bytes[at + 5] = (valueLength >>> 16) & 0xff;
    bytes[at + 6] = (valueLength >>> 24) & 0xff;
    at += batchHeaderBytes;
    // A call into the engine's native copy costs more than the bytes of a short key.
    if (key.length > 40) bytes.set(key, at);
    else for (let i = 0; i < key.length; i++) bytes[at + i] = key[i];
    if (value !== undefined) bytes.set(value, at + key.length + before);
    this.#length = end;
    this.#count++;
    return at + key.length;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2, 64));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#encoded = undefined;
  }
}

/** Walks an encoded batch. Errors: CORRUPTION where lengths or kinds do not add up. */
export function forEachOperation(bytes: Uint8Array, visit: BatchVisitor): void {
  let at = 0;
  while (at < bytes.length) {
    if (at + batchHeaderBytes > bytes.length) throw corrupt(at);
    const kind = bytes[at];
    const keyLength = bytes[at + 1] | (bytes[at + 2] << 8);
    const valueLength =
      (bytes[at + 3] | (bytes[at + 4] << 8) | (bytes[at + 5] << 16) | (bytes[at + 6] << 24)) >>> 0;
    const keyStart = at + batchHeaderBytes;
    const keyEnd = keyStart + keyLength;
    const valueEnd = keyEnd + valueLength;
    const known = kind === batchKindPut || isKnown(kind, valueLength);
    if (!known || keyLength === 0 || valueEnd > bytes.length) throw corrupt(at);
    visit(kind, bytes, keyStart, keyEnd, valueEnd);
    at = valueEnd;
  }
}

/** How many operations an encoded batch holds. Errors: CORRUPTION. */
export function countOperations(bytes: Uint8Array): { operations: number; rangeDeletes: number; expiring: number } {
  let operations = 0;
  let rangeDeletes = 0;
  let expiring = 0;
  forEachOperation(bytes, (kind) => {
    operations++;
    if (kind === batchKindDeleteRange) rangeDeletes++;
    else if (kind === batchKindPutExpiring) expiring++;
  });
  return { operations, rangeDeletes, expiring };
}

/** The time at which the put whose value begins at `valueStart` expires. */
export function expiryOf(bytes: Uint8Array, valueStart: number): number {
  return readU64LE(bytes, valueStart);
}

function isKnown(kind: number, valueLength: number): boolean {
  if (kind === batchKindDelete) return valueLength === 0;
  if (kind === batchKindPutExpiring) return valueLength >= expiryBytes;
  return kind === batchKindDeleteRange && valueLength > 0 && valueLength <= 0xffff;
}

function corrupt(offset: number): LatheError {
  return new LatheError("CORRUPTION", `write batch: no valid operation at byte ${offset}`, { details: { offset } });
}
