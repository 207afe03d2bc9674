/** Writes numbers and byte strings one after another into a buffer that grows, up to a stated limit. */
import { varintBytesMax, writeBigU64LE, writeU16LE, writeU32LE, writeU64LE, writeVarint } from "./bytes.ts";
import { releaseBuffer } from "./buffer-release.ts";
import { LatheError } from "./errors.ts";

const initialBytes = 256;
const defaultBytesMax = 1 << 30;
const noBytes = new Uint8Array(0);

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;
  readonly #bytesMax: number;

  constructor(bytesMax = defaultBytesMax, capacityBytes = initialBytes) {
    this.#bytes = new Uint8Array(Math.min(capacityBytes, bytesMax));
    this.#bytesMax = bytesMax;
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#length = writeU16LE(this.#bytes, this.#length, value);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = writeU32LE(this.#bytes, this.#length, value);
  }

  /** An integer in [0, 2^53). */
  u64(value: number): void {
    this.#reserve(8);
    this.#length = writeU64LE(this.#bytes, this.#length, value);
  }

  bigU64(value: bigint): void {
    this.#reserve(8);
    this.#length = writeBigU64LE(this.#bytes, this.#length, value);
  }

  /** An integer in [0, 2^53). */
  varint(value: number): void {
    this.#reserve(varintBytesMax);
    this.#length = writeVarint(this.#bytes, this.#length, value);
  }

  raw(source: Uint8Array): void {
    this.#reserve(source.length);
    this.#bytes.set(source, this.#length);
    this.#length += source.length;
  }

  lengthPrefixed(source: Uint8Array): void {
    this.varint(source.length);
    this.raw(source);
  }

  /** A view of what was written, valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Ends the writer, and frees its memory at once; views of it are empty from now on. */
  release(): void {
    releaseBuffer(this.#bytes);
    this.#bytes = noBytes;
    this.#length = 0;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#bytesMax + varintBytesMax) {
      throw new LatheError("LIMIT_EXCEEDED", `more than ${this.#bytesMax} bytes in one buffer`);
    }
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
