/**
 * BlockBuilder: packs sorted entries into one data block.
 *
 * Layout of a data block (numbers little-endian, lengths as LEB128 varints of up to 32 bits):
 *
 *   | part      | size  | field                                                                 |
 *   |-----------|-------|-----------------------------------------------------------------------|
 *   | entry     | 1…5   | bytes shared with the key before (0 at a restart point)               |
 *   |           | 1…5   | bytes of the key not shared                                           |
 *   |           | 1…5   | bytes of the value                                                    |
 *   |           | 1     | tag: kind (1 put, 2 delete) in bits 0…3, index length n in bits 4…7   |
 *   |           | n     | index (sequence number), 0 ≤ n ≤ 7; n = 0 means index 0               |
 *   |           |       | rest of the key, then the value                                       |
 *   | …         |       | further entries                                                       |
 *   | restarts  | 4 * r | offset of every restart point from the start of the block             |
 *   | trailer   | 4     | number of restart points r ≥ 1                                        |
 *
 * Invariants: keys ascend; the versions of one key descend by index; a restart point begins a new key, so
 * the version found first is the newest; all versions of a key are in one block (the table writer sees to it).
 * Source: LevelDB's block_builder.cc; the tag is ours, so that a read of the newest version skips the index
 * unread.
 */
export class BlockBuilder {
  #bytes = new Uint8Array(8192);
  #length = 0;
  #count = 0;
  #sinceRestart = 0;
  #restarts: number[] = [];
  #lastKeyLength = 0;
  readonly #restartInterval: number;

  constructor(restartInterval: number) {
    this.#restartInterval = restartInterval;
  }

  get count(): number {
    return this.#count;
  }

  /** Size that `finish` would give now. */
  get sizeBytes(): number {
    return this.#length + this.#restarts.length * 4 + 4;
  }

  /** `common`: how many bytes the key has in common with the one before at their beginning. */
  add(
    common: number,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    index: number,
    kind: number,
    valueBytes: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    let shared = common;
    const sameKey = this.#count > 0 && common === keyLength && common === this.#lastKeyLength;
    if (this.#count === 0 || (this.#sinceRestart >= this.#restartInterval && !sameKey)) {
      this.#restarts.push(this.#length);
      this.#sinceRestart = 0;
      shared = 0;
    }
    this.#reserve(23 + keyLength - shared + valueLength);
    this.#varint(shared);
    this.#varint(keyLength - shared);
    this.#varint(valueLength);
    this.#tagAndIndex(kind, index);
    this.#copy(keyBytes, keyStart + shared, keyEnd);
    this.#copy(valueBytes, valueStart, valueEnd);
    this.#lastKeyLength = keyLength;
    this.#count++;
    this.#sinceRestart++;
  }

  /** The finished block; a view that is valid until the builder is used again. */
  finish(): Uint8Array {
    this.#reserve(this.#restarts.length * 4 + 4);
    for (const restart of this.#restarts) this.#u32(restart);
    this.#u32(this.#restarts.length);
    return this.#bytes.subarray(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
    this.#count = 0;
    this.#sinceRestart = 0;
    this.#restarts = [];
    this.#lastKeyLength = 0;
  }

  #tagAndIndex(kind: number, index: number): void {
    const tagAt = this.#length++;
    let rest = index;
    let length = 0;
    while (rest > 0) {
      this.#bytes[this.#length++] = rest % 256;
      rest = Math.floor(rest / 256);
      length++;
    }
    this.#bytes[tagAt] = kind | (length << 4);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #u32(value: number): void {
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.#length = at + 4;
  }

  #copy(source: Uint8Array, start: number, end: number): void {
    const at = this.#length;
    if (end - start > 64) this.#bytes.set(source.subarray(start, end), at);
    else for (let i = start; i < end; i++) this.#bytes[at + i - start] = source[i];
    this.#length = at + end - start;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
