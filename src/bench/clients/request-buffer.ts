/**
 * RequestBuffer: one MySQL packet under construction, in a buffer that is reused from request to request.
 *
 * A request is finished before its answer arrives, and the next one is begun only after that, so the bytes
 * handed to the socket are never overwritten while it still needs them.
 */
import { LatheError } from "../../kit/errors.ts";

const packetBytesMax = 0xffffff - 1;
const initialBytes = 64 << 10;

export class RequestBuffer {
  #bytes = Buffer.allocUnsafeSlow(initialBytes);
  #length = 0;

  /** Starts a packet with its command byte; the header's place is kept free. */
  begin(command: number): void {
    this.#bytes[4] = command;
    this.#length = 5;
  }

  /** Starts a packet of the connection phase, which has no command. */
  beginPlain(): void {
    this.#length = 4;
  }

  /** The whole packet, header included; valid until the next `begin`. */
  finish(sequence = 0): Buffer {
    const payload = this.#length - 4;
    this.#bytes.writeUIntLE(payload, 0, 3);
    this.#bytes[3] = sequence;
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    const at = this.#length;
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
    this.#bytes[at + 2] = value >>> 16;
    this.#bytes[at + 3] = value >>> 24;
    this.#length = at + 4;
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeBigInt64LE(value, this.#length);
  }

  zeros(count: number): void {
    this.#reserve(count);
    this.#bytes.fill(0, this.#length, this.#length + count);
    this.#length += count;
  }

  bytes(source: Uint8Array): void {
    this.#reserve(source.length);
    this.#bytes.set(source, this.#length);
    this.#length += source.length;
  }

  /**
   * Text of characters below U+0100, without a length: statements and literals of the workloads are ASCII.
   */
  latin1(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, "latin1");
  }

  utf8(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length, "utf8");
  }

  /** A text parameter with its length before it. */
  lengthEncodedLatin1(text: string): void {
    if (text.length < 251) {
      this.u8(text.length);
    } else {
      this.u8(0xfc);
      this.u8(text.length & 0xff);
      this.u8(text.length >>> 8);
    }
    this.latin1(text);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    if (needed > packetBytesMax) {
      throw new LatheError("LIMIT_EXCEEDED", `a request of ${needed} bytes does not fit a packet of 16 MiB`);
    }
    const larger = Buffer.allocUnsafeSlow(Math.min(packetBytesMax + 4, Math.max(needed, this.#bytes.length * 2)));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
