/**
 * LogSegment: one open segment file and what is known about its records.
 *
 * Offsets of some records are kept in memory (about one per 64 KiB), so that reading from an index in
 * the middle does not begin at the start of the file.
 */
import { assert } from "../../../kit/assert.ts";
import type { DiskFile } from "../../../kit/env/env.ts";
import { segmentHeaderBytes } from "./segment-format.ts";

const landmarkDistanceBytes = 64 << 10;

export interface Landmark {
  readonly index: number;
  readonly offset: number;
}

export class LogSegment {
  readonly sequence: number;
  readonly salt: number;
  readonly file: DiskFile;
  /** Size of the file: records end before it. */
  readonly capacityBytes: number;
  /** Index of the first entry that the segment holds or would hold. */
  readonly baseIndex: number;
  /** Where the next record goes. */
  endOffset: number;
  /** Whether the base record, and the file's name, are durable. */
  baseDurable: boolean;
  readonly #landmarks: Landmark[];

  constructor(options: {
    sequence: number;
    salt: number;
    file: DiskFile;
    capacityBytes: number;
    baseIndex: number;
    endOffset: number;
    baseDurable: boolean;
  }) {
    this.sequence = options.sequence;
    this.salt = options.salt;
    this.file = options.file;
    this.capacityBytes = options.capacityBytes;
    this.baseIndex = options.baseIndex;
    this.endOffset = options.endOffset;
    this.baseDurable = options.baseDurable;
    this.#landmarks = [{ index: options.baseIndex, offset: segmentHeaderBytes }];
  }

  /** To be called for each entry in order, with the offset of its record. */
  noteRecord(index: number, offset: number): void {
    const last = this.#landmarks[this.#landmarks.length - 1];
    if (offset - last.offset >= landmarkDistanceBytes) this.#landmarks.push({ index, offset });
  }

  /**
   * Where to begin reading for an index: a record at or before it (at first the base record, with the index of the
   * entry that follows it).
   */
  placeBefore(index: number): Landmark {
    let low = 0;
    for (let high = this.#landmarks.length - 1; low < high; ) {
      const middle = (low + high + 1) >>> 1;
      if (this.#landmarks[middle].index <= index) low = middle;
      else high = middle - 1;
    }
    assert(this.#landmarks[low].index <= index, `segment ${this.sequence} holds entries up to ${index}`);
    return this.#landmarks[low];
  }
}

const segmentName = /^(\d{10})\.wal$/;
const spareName = /^spare-\d+\.wal$/;

export function segmentFileName(sequence: number): string {
  return `${String(sequence).padStart(10, "0")}.wal`;
}

/** The sequence number in a segment's name; undefined for other files. */
export function sequenceOfName(name: string): number | undefined {
  const match = segmentName.exec(name);
  return match === null ? undefined : Number(match[1]);
}

export function isSpareName(name: string): boolean {
  return spareName.test(name);
}
