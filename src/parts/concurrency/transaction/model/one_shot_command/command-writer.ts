/**
 * CommandWriter: numbers and texts one after another into slabs of which each command gets its own part.
 *
 * A command is a view of its slab: nothing is copied when it is finished, and no memory is allocated for most commands.
 * Bytes that were given out are never written again; a slab lives as long as one of its commands.
 * Beside kit's ByteWriter because of that, and because of `text`: a bulk insert has a thousand texts, and ASCII, which
 * they nearly always are, goes in without an encoded copy. Little-endian numbers, LEB128 varints.
 */
import { LatheError } from "../../../../../kit/errors.ts";

const encoder = new TextEncoder();
const word = new Uint8Array(8);
const wordInt64 = new BigInt64Array(word.buffer);
const wordDouble = new Float64Array(word.buffer);
const slabBytes = 64 * 1024;
/** A command is not begun in a slab with less room than this. */
const roomBytes = 1024;
/**
 * Texts of so many characters are left to the encoder: they are slices of a statement's text, of which it takes the
 * bytes at once where a loop looks up each character's place.
 */
const encodedCharactersMin = 48;

export class CommandWriter {
  readonly #bytesMax: number;
  #bytes = new Uint8Array(slabBytes);
  /** Where the command begins, and where its next byte goes. */
  #start = 0;
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  begin(): void {
    if (this.#bytes.length - this.#start < roomBytes) {
      this.#bytes = new Uint8Array(slabBytes);
      this.#start = 0;
    }
    this.#length = this.#start;
  }

  /** What was written since `begin`; the caller's for good. */
  finish(): Uint8Array {
    const command = this.#bytes.subarray(this.#start, this.#length);
    this.#start = this.#length;
    return command;
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
    if (length >= encodedCharactersMin) {
      // Its bytes are as many as its characters only where it is ASCII.
      const { read, written } = encoder.encodeInto(value, bytes.subarray(start, start + length));
      if (read === length && written === length) {
        this.#length = start + length;
        return;
      }
      this.#length = before;
      this.bytes(encoder.encode(value));
      return;
    }
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
    const commandBytes = needed - this.#start;
    if (commandBytes > this.#bytesMax) {
      throw new LatheError("LIMIT_EXCEEDED", `a command is larger than ${this.#bytesMax} bytes`);
    }
    const larger = new Uint8Array(Math.max(slabBytes, commandBytes * 2));
    larger.set(this.#bytes.subarray(this.#start, this.#length));
    this.#bytes = larger;
    this.#length -= this.#start;
    this.#start = 0;
  }
}
