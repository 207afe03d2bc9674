/**
 * Packets on their way out: one contiguous run of bytes per turn of the event loop, handed over
 * with one write.
 *
 * Algorithm:
 *   1. The first byte of a turn leases the free end of a slab that all connections share; packets
 *      are written into it in place, each behind four bytes left free for its header.
 *   2. `flush` hands the written region over and returns the rest of the slab. Where the network has
 *      taken the bytes at once, as it nearly always does, the next turn writes over them; else the region
 *      is never written again, and a used-up slab is left to the garbage collector.
 *   3. A connection that writes while another holds the lease (a statement that waits in the middle
 *      of its result), or more than half a slab, gets a buffer of its own, which grows by doubling.
 *
 *   | packet field     | bytes                                                                  |
 *   |------------------|------------------------------------------------------------------------|
 *   | payload length   | 3, little-endian; FF FF FF says that another frame follows             |
 *   | sequence         | 1, from 1 in each response                                             |
 *   | payload          |                                                                        |
 *
 * Source: MySQL's net_serv.cc for framing; Node's own buffer pool for the slab.
 */
const slabBytes = 32 * 1024;
const ownBytesMin = 4096;
const frameBytesMax = 0xff_ff_ff;
/** Views of answers up to this length are kept: making one costs more than encoding a small row. */
const keptViewBytesMax = 1024;
const nothing = Buffer.alloc(0);

/** Where bytes go; true where they may be written over. */
type Send = (bytes: Uint8Array) => unknown;

/** The slab that the connections of one surface share. */
export class OutputSlab {
  bytes: Buffer = Buffer.allocUnsafeSlow(slabBytes);
  used = 0;
  leased = false;
  /** The beginning of the slab, by length. */
  readonly #views: (Buffer | undefined)[] = [];

  renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(slabBytes);
    this.used = 0;
    this.#views.length = 0;
  }

  /** The end of what is used, unless others have gone on behind it. */
  giveBack(start: number, end: number): void {
    if (this.used === end && !this.leased) this.used = start;
  }

  view(start: number, end: number): Buffer {
    if (start !== 0 || end > keptViewBytesMax) return this.bytes.subarray(start, end);
    const views = this.#views;
    while (views.length <= end) views.push(undefined);
    return (views[end] ??= this.bytes.subarray(0, end));
  }
}

export class OutputBuffer {
  /** Where packets are written; replaced as it grows, so read it again after `reserve`. */
  bytes: Buffer = nothing;
  /** Next byte to write. */
  position = 0;
  /** Sequence number of the next packet. */
  sequence = 0;
  readonly #slab: OutputSlab;
  readonly #send: Send;
  #start = 0;
  #leased = false;
  #packetStart = 0;
  #packetOpen = false;

  constructor(slab: OutputSlab, send: Send) {
    this.#slab = slab;
    this.#send = send;
  }

  /** Bytes written since the last flush. */
  get pendingBytes(): number {
    return this.position - this.#start;
  }

  /** Makes room for `length` bytes from `position` on. */
  reserve(length: number): void {
    if (this.bytes.length - this.position < length) this.#grow(length);
  }

  /**
   * Hands over what was written, as one piece. A packet that was begun and not ended, because
   * something threw, is not.
   */
  flush(): void {
    if (this.#packetOpen) this.#dropPacket();
    if (this.position === this.#start) {
      this.discard();
      return;
    }
    const start = this.#start;
    const end = this.position;
    if (!this.#leased) {
      const own = this.bytes.subarray(start, end);
      this.discard();
      this.#send(own);
      return;
    }
    const slab = this.#slab;
    const written = slab.view(start, end);
    slab.used = end;
    this.discard();
    if (this.#send(written) === true) slab.giveBack(start, end);
  }

  /** Forgets what was written since the last flush. */
  discard(): void {
    if (this.#leased) this.#slab.leased = false;
    this.#leased = false;
    this.#packetOpen = false;
    this.bytes = nothing;
    this.position = 0;
    this.#start = 0;
  }

  #grow(length: number): void {
    const pending = this.position - this.#start;
    const slab = this.#slab;
    if ((this.#leased || !slab.leased) && pending + length <= slabBytes / 2) {
      if (this.#leased || slabBytes - slab.used < pending + length) {
        slab.renew();
      }
      this.#move(slab.bytes, slab.used, pending);
      slab.leased = true;
      this.#leased = true;
      return;
    }
    if (this.#leased) slab.leased = false;
    this.#leased = false;
    this.#move(Buffer.allocUnsafeSlow(Math.max(ownBytesMin, 2 * (pending + length))), 0, pending);
  }

  #move(target: Buffer, at: number, pending: number): void {
    if (pending > 0) this.bytes.copy(target, at, this.#start, this.position);
    this.bytes = target;
    this.#packetStart += at - this.#start;
    this.#start = at;
    this.position = at + pending;
  }

  /** Begins a packet; its payload is what is written until `endPacket`. */
  beginPacket(): void {
    if (this.#packetOpen) this.#dropPacket();
    this.reserve(4);
    this.#packetOpen = true;
    this.#packetStart = this.position;
    this.position += 4;
  }

  #dropPacket(): void {
    this.#packetOpen = false;
    this.position = this.#packetStart;
  }

  endPacket(): void {
    this.#packetOpen = false;
    const length = this.position - this.#packetStart - 4;
    if (length >= frameBytesMax) {
      this.#endLongPacket(length);
      return;
    }
    this.writeHeader(this.#packetStart, length);
  }

  /** Writes the header of a packet of less than 16 MiB whose bytes are in place. */
  writeHeader(at: number, length: number): void {
    const bytes = this.bytes;
    bytes[at] = length;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length >>> 16;
    bytes[at + 3] = this.sequence;
    this.sequence = (this.sequence + 1) & 0xff;
  }

  /** Cuts a payload into frames: room for the further headers is made from the end backwards. */
  #endLongPacket(length: number): void {
    const frames = Math.floor(length / frameBytesMax) + 1;
    this.reserve(4 * (frames - 1));
    const bytes = this.bytes;
    const payload = this.#packetStart + 4;
    for (let frame = frames - 1; frame > 0; frame--) {
      const source = payload + frame * frameBytesMax;
      bytes.copyWithin(source + 4 * frame, source, Math.min(payload + length, source + frameBytesMax));
    }
    for (let frame = 0; frame < frames; frame++) {
      const left = length - frame * frameBytesMax;
      this.writeHeader(this.#packetStart + frame * (frameBytesMax + 4), Math.min(left, frameBytesMax));
    }
    this.position += 4 * (frames - 1);
  }

  writeU8(value: number): void {
    this.reserve(1);
    this.bytes[this.position++] = value;
  }

  writeU16(value: number): void {
    this.reserve(2);
    this.bytes[this.position] = value;
    this.bytes[this.position + 1] = value >>> 8;
    this.position += 2;
  }

  writeU32(value: number): void {
    this.writeU16(value & 0xffff);
    this.writeU16(value >>> 16);
  }

  /** A length-encoded integer, up to 2^53. */
  writeLength(value: number): void {
    if (value < 251) {
      this.writeU8(value);
    } else if (value < 0x1_0000) {
      this.writeU8(0xfc);
      this.writeU16(value);
    } else if (value < 0x100_0000) {
      this.writeU8(0xfd);
      this.writeU16(value & 0xffff);
      this.writeU8(value >>> 16);
    } else {
      this.writeU8(0xfe);
      this.writeU32(value % 0x1_0000_0000);
      this.writeU32(Math.floor(value / 0x1_0000_0000));
    }
  }

  writeBytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.position);
    this.position += source.length;
  }

  writeText(text: string): void {
    this.reserve(text.length * 3);
    this.position += this.bytes.write(text, this.position, "utf8");
  }

  writeTextWithLength(text: string): void {
    this.writeLength(Buffer.byteLength(text, "utf8"));
    this.writeText(text);
  }

  writeBytesWithLength(source: Uint8Array): void {
    this.writeLength(source.length);
    this.writeBytes(source);
  }
}
