/**
 * A cursor over the payload of one packet. Every read checks its bounds first; a packet that is too
 * short for what it announces ends in PROTOCOL, never in bytes of its neighbour.
 *
 *   | encoding         | bytes                                                                  |
 *   |------------------|------------------------------------------------------------------------|
 *   | int<n>           | n, little-endian                                                       |
 *   | int<lenenc>      | 1 if < 251; FC + 2; FD + 3; FE + 8                                     |
 *   | string<lenenc>   | int<lenenc>, then as many bytes                                        |
 *   | string<NUL>      | bytes, then 00                                                         |
 */
import { LatheError } from "../../../../../kit/errors.ts";

export class PacketReader {
  bytes: Buffer;
  position: number;
  end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  reset(bytes: Buffer, start: number, end: number): this {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    return this;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Steps over `length` bytes and returns where they began. */
  take(length: number): number {
    const start = this.position;
    if (length > this.end - start) throw malformedPacket();
    this.position = start + length;
    return start;
  }

  u8(): number {
    return this.bytes[this.take(1)];
  }

  u16(): number {
    const at = this.take(2);
    return this.bytes[at] | (this.bytes[at + 1] << 8);
  }

  u32(): number {
    const bytes = this.bytes;
    const at = this.take(4);
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }

  /**
   * A length-encoded integer that is used as a length: beyond what is left it is malformed,
   * whatever it says.
   */
  length(): number {
    const first = this.u8();
    if (first < 251) return first;
    if (first === 0xfc) return this.u16();
    if (first === 0xfd) {
      const at = this.take(3);
      return this.bytes[at] | (this.bytes[at + 1] << 8) | (this.bytes[at + 2] << 16);
    }
    if (first !== 0xfe) throw malformedPacket();
    const low = this.u32();
    if (this.u32() !== 0) throw malformedPacket();
    return low;
  }

  /** A view of `length` bytes; valid as long as the packet is. */
  view(length: number): Buffer {
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  text(length: number): string {
    const start = this.take(length);
    return this.bytes.toString("utf8", start, start + length);
  }

  /** Text up to a NUL, which must be there. */
  textUntilNul(): string {
    const end = this.bytes.indexOf(0, this.position);
    if (end === -1 || end >= this.end) throw malformedPacket();
    const text = this.bytes.toString("utf8", this.position, end);
    this.position = end + 1;
    return text;
  }
}

export function malformedPacket(): LatheError {
  return new LatheError("PROTOCOL", "a packet ends before what it announces");
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Bytes as text, or undefined where they are not UTF-8. The common case costs one native call: only
 * text that holds a replacement character, which invalid bytes turn into, is looked at twice.
 */
export function decodeText(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString("utf8", start, end);
  if (!text.includes("\uFFFD")) return text;
  try {
    return strictUtf8.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}
