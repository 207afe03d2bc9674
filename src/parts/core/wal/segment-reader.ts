/**
 * Reads entries of a segment in order through a window of memory, checking each record.
 * A record that does not verify before the segment's known end, or that is another one than the one whose place it has
 * (a device wrote it to the wrong place), is damage that came after it was written: CORRUPTION.
 */
import { LatheError } from "../../../kit/errors.ts";
import type { LogRecord } from "../durable-log.ts";
import {
  baseRecordBytes, isRecord, readIndex, readPayloadLength, recordBytes, recordHeaderBytes, recordKinds,
  segmentHeaderBytes,
} from "./segment-format.ts";
import type { LogSegment } from "./segment.ts";

const windowBytesMax = 256 << 10;

export class SegmentReader {
  #window = new Uint8Array(0);
  #windowOffset = 0;
  #windowLength = 0;

  /**
   * Entries with `fromIndex` ≤ index < `endIndex`, which the segment holds. The bytes are valid until
   * the next step.
   */
  *read(segment: LogSegment, fromIndex: number, endIndex: number): Generator<LogRecord> {
    let { index: expected, offset } = segment.placeBefore(fromIndex);
    if (offset === segmentHeaderBytes) offset += baseRecordBytes;
    this.#windowLength = 0;
    for (;;) {
      const start = this.#load(segment, offset, recordHeaderBytes);
      const index = readIndex(this.#window, start);
      const length = readPayloadLength(this.#window, start);
      if (offset + recordBytes(length) > segment.endOffset) throw damaged(segment, offset);
      const { position, end } = this.#loadRecord(segment, offset, recordHeaderBytes + length);
      if (!isRecord(this.#window, position, end, recordKinds.entry, segment.salt)) throw damaged(segment, offset);
      if (index !== expected++) throw damaged(segment, offset);
      if (index >= fromIndex) yield { index, entry: this.#window.subarray(position + recordHeaderBytes, end) };
      if (index + 1 >= endIndex) return;
      offset += recordBytes(length);
    }
  }

  #loadRecord(segment: LogSegment, offset: number, length: number): { position: number; end: number } {
    const position = this.#load(segment, offset, length);
    return { position, end: position + length };
  }

  /** Makes `length` bytes at `offset` of the file stand in the window; returns where. */
  #load(segment: LogSegment, offset: number, length: number): number {
    const position = offset - this.#windowOffset;
    if (this.#windowLength > 0 && position >= 0 && position + length <= this.#windowLength) return position;
    const left = segment.endOffset - offset;
    const size = Math.max(length, Math.min(windowBytesMax, left));
    if (size > this.#window.length) this.#window = new Uint8Array(size);
    const wanted = Math.min(this.#window.length, left);
    const count = segment.file.readSync(this.#window, 0, wanted, offset);
    if (count < length) throw damaged(segment, offset);
    this.#windowOffset = offset;
    this.#windowLength = count;
    return 0;
  }
}

function damaged(segment: LogSegment, offset: number): LatheError {
  const { path } = segment.file;
  const message = `the record at offset ${offset} of ${path} is damaged; restore the log from a copy`;
  return new LatheError("CORRUPTION", message, {
    details: { path, offset },
  });
}
