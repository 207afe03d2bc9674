/**
 * WriteBatch: operations that are applied together.
 *
 * Layout (little-endian): one growing buffer, so that a batch can be logged without being encoded again.
 *
 *   | offset | size | field                                        |
 *   |--------|------|----------------------------------------------|
 *   | 0      | 1    | kind: 1 put, 2 delete                        |
 *   | 1      | 2    | key length in bytes                          |
 *   | 3      | 4    | value length in bytes (0 for a delete)       |
 *   | 7      | k    | key                                          |
 *   | 7 + k  | v    | value                                        |
 *
 * repeated per operation. Source: LevelDB's write_batch.cc.
 */
import { LatheError } from "../../kit/errors.ts";

export const batchKindPut = 1;
export const batchKindDelete = 2;
export const batchHeaderBytes = 7;

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
  #length = 0;
  #count = 0;

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

  put(key: Uint8Array, value: Uint8Array): this {
    this.#append(batchKindPut, key, value);
    return this;
  }

  delete(key: Uint8Array): this {
    this.#append(batchKindDelete, key, undefined);
    return this;
  }

  clear(): void {
    this.#length = 0;
    this.#count = 0;
  }

  /** The encoded batch; a view, valid until the batch changes. */
  encode(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  forEach(visit: BatchVisitor): void {
    forEachOperation(this.encode(), visit);
  }

  /** Takes encoded bytes (a copy is made). Errors: CORRUPTION. */
  static decode(bytes: Uint8Array): WriteBatch {
    const batch = new WriteBatch(0);
    let count = 0;
    forEachOperation(bytes, () => count++);
    batch.#bytes = bytes.slice();
    batch.#length = bytes.length;
    batch.#count = count;
    return batch;
  }

  #append(kind: number, key: Uint8Array, value: Uint8Array | undefined): void {
    if (key.length === 0) throw new LatheError("INVALID_ARGUMENT", "a key must have at least one byte");
    if (key.length > 0xffff) {
      throw new LatheError("LIMIT_EXCEEDED", `a key of ${key.length} bytes is longer than 65,535`);
    }
    const valueLength = value === undefined ? 0 : value.length;
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
    bytes.set(key, at);
    if (value !== undefined) bytes.set(value, at + key.length);
    this.#length = end;
    this.#count++;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2, 64));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
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
    const known = kind === batchKindPut || (kind === batchKindDelete && valueLength === 0);
    if (!known || keyLength === 0 || valueEnd > bytes.length) throw corrupt(at);
    visit(kind, bytes, keyStart, keyEnd, valueEnd);
    at = valueEnd;
  }
}

function corrupt(offset: number): LatheError {
  return new LatheError("CORRUPTION", `write batch: no valid operation at byte ${offset}`, { details: { offset } });
}
