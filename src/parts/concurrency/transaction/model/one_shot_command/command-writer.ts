/**
 * CommandWriter: numbers and texts one after another into bytes that are used from command to command.
 *
 * Beside kit's ByteWriter because of `text`: a bulk insert has a thousand texts, and ASCII, which they nearly always are,
 * goes in without an encoded copy. Little-endian numbers, varints (LEB128), length-prefixed bytes.
 */
import { LatheError } from "../../../../../kit/errors.ts";

const encoder = new TextEncoder();
const word = new Uint8Array(8);
const wordInt64 = new BigInt64Array(word.buffer);
const wordDouble = new Float64Array(word.buffer);
const keptBytesMax = 1024 * 1024;

export class CommandWriter {
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
