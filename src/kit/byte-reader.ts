/**
 * Reads numbers and byte strings one after another from bytes that may be hostile.
 * Every read checks that it stays inside and throws CORRUPTION (or the code given) where it would not.
 */
import { readBigU64LE, readU16LE, readU32LE, readU64LE, varintBytesMax } from "./bytes.ts";
import { type ErrorCode, LatheError } from "./errors.ts";

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  position: number;
  readonly #what: string;
  readonly #code: ErrorCode;

  /** `what` names the thing read in messages; `code` is thrown where it ends early. */
  constructor(bytes: Uint8Array, what: string, code: ErrorCode = "CORRUPTION", start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.#what = what;
    this.#code = code;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  u8(): number {
    return this.bytes[this.#advance(1)];
  }

  u16(): number {
    return readU16LE(this.bytes, this.#advance(2));
  }

  u32(): number {
    return readU32LE(this.bytes, this.#advance(4));
  }

  /** An unsigned 64-bit integer that must be below 2^53. */
  u64(): number {
    const value = readU64LE(this.bytes, this.#advance(8));
    if (value > Number.MAX_SAFE_INTEGER) throw this.#error(`a number above 2^53 at offset ${this.position - 8}`);
    return value;
  }

  bigU64(): bigint {
    return readBigU64LE(this.bytes, this.#advance(8));
  }

  /**
   * A LEB128 integer below 2^53; longer encodings than needed are refused, so that every value has one
   * encoding.
   */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 1; count <= varintBytesMax; count++) {
      const byte = this.bytes[this.#advance(1)];
      value += (byte & 127) * factor;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) throw this.#error(`a varint above 2^53 before ${this.position}`);
        if (byte === 0 && count > 1) throw this.#error(`a padded varint before ${this.position}`);
        return value;
      }
      factor *= 128;
    }
    throw this.#error(`a varint of more than ${varintBytesMax} bytes before ${this.position}`);
  }

  /** A view of the next bytes: valid as long as the underlying bytes are. */
  view(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** A view of a byte string that is preceded by its length as a varint. */
  lengthPrefixed(): Uint8Array {
    return this.view(this.varint());
  }

  /** Throws where bytes are left over. */
  expectEnd(): void {
    if (this.position !== this.end) throw this.#error(`${this.remaining} bytes too many at offset ${this.position}`);
  }

  #advance(length: number): number {
    const start = this.position;
    if (length > this.end - start) throw this.#error(`ends at ${this.end}, but ${length} bytes are due at ${start}`);
    this.position = start + length;
    return start;
  }

  #error(problem: string): LatheError {
    return new LatheError(this.#code, `${this.#what}: ${problem}`);
  }
}
