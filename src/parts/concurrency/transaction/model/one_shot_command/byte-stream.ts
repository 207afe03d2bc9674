/**
 * Bytes written and read in sequence: little-endian numbers, varints (LEB128), length-prefixed bytes.
 *
 * The writer grows; the reader checks every length against what is left before it allocates anything.
 */
import { LatheError } from "../../../../../kit/errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const word = new Uint8Array(8);
const wordInt64 = new BigInt64Array(word.buffer);
const wordDouble = new Float64Array(word.buffer);
const keptBytesMax = 1024 * 1024;

export class ByteWriter {
  readonly #bytesMax: number;
  #bytes = new Uint8Array(1024);
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  begin(): void {
    this.#length = 0;
    if (this.#bytes.length > keptBytesMax) this.#bytes = new Uint8Array(1024);
  }

  /** A copy of what was written since `begin`. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  int64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) {
      throw new LatheError("INVALID_ARGUMENT", "an integer does not fit into 64 bits");
    }
    wordInt64[0] = value;
    this.#word();
  }

  double(value: number): void {
    wordDouble[0] = value;
    this.#word();
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  text(value: string): void {
    const length = value.length;
    this.#reserve(length + 8);
    const before = this.#length;
    this.varint(length);
    const start = this.#length;
    const bytes = this.#bytes;
    let seen = 0;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      seen |= code;
      bytes[start + i] = code;
    }
    if (seen < 0x80) {
      this.#length = start + length;
      return;
    }
    this.#length = before;
    this.bytes(encoder.encode(value));
  }

  #word(): void {
    this.#reserve(8);
    const bytes = this.#bytes;
    const at = this.#length;
    for (let i = 0; i < 8; i++) bytes[at + i] = word[i];
    this.#length = at + 8;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#bytesMax) {
      throw new LatheError("LIMIT_EXCEEDED", `a command is larger than ${this.#bytesMax} bytes`);
    }
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++];
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw this.corrupt("a varint is too long");
  }

  /** A count of things that take at least `bytesEach` bytes; refused where they cannot be there. */
  count(bytesEach: number): number {
    const count = this.varint();
    if (count * bytesEach > this.remaining) throw this.corrupt(`${count} things cannot follow`);
    return count;
  }

  int64(): bigint {
    this.#word();
    return wordInt64[0];
  }

  double(): number {
    this.#word();
    return wordDouble[0];
  }

  /** A view of the bytes read. */
  bytes(): Uint8Array {
    const length = this.count(1);
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  text(): string {
    try {
      return decoder.decode(this.bytes());
    } catch (cause) {
      throw this.corrupt("text is not UTF-8", cause);
    }
  }

  corrupt(why: string, cause?: unknown): LatheError {
    return new LatheError("CORRUPTION", `command, byte ${this.#at}: ${why}`, { cause, details: { offset: this.#at } });
  }

  #word(): void {
    this.#need(8);
    for (let i = 0; i < 8; i++) word[i] = this.#bytes[this.#at + i];
    this.#at += 8;
  }

  #need(count: number): void {
    if (count > this.remaining) throw this.corrupt("it is too short");
  }
}
