/**
 * RequestReader: HTTP/1.x requests out of a stream of bytes, sans I/O and without buffers of its own.
 *
 * `next(bytes, start, end)` goes on until there is something to tell and returns how far it came; what is left is to be
 * handed in again, with more behind it where `event` is `more`. Events of one request:
 *
 *     head, then data…, then end;   or bad, after which nothing is read any more
 *
 * | state      | reads                                        | then                                       |
 * |------------|----------------------------------------------|--------------------------------------------|
 * | request    | one line (an empty one before it is skipped) | fields                                     |
 * | fields     | lines up to an empty one: `head`             | length, chunk size, or `end` without body  |
 * | length     | bytes: `data`                                | `end`                                      |
 * | chunk size | one line                                     | chunk data; trailers behind size 0         |
 * | chunk data | bytes: `data`                                | chunk end                                  |
 * | chunk end  | CR LF                                        | chunk size                                 |
 * | trailers   | lines up to an empty one                     | `end`                                      |
 *
 * Lines end with CR LF and nothing else. Invariants: progress (a call that does not say `more` has consumed bytes or
 * changed the state); bytes once scanned for the end of a line are not scanned again.
 * Source: RFC 9112; the state machines of llhttp and of uWebSockets, which keep no bytes either.
 */
import { fault, type RequestFault } from "./request-fault.ts";
import type { HttpLimits } from "./http-limits.ts";
import { RequestHead } from "./request-head.ts";

export type ReaderEvent = "more" | "head" | "data" | "end" | "bad";

type State = "request" | "fields" | "length" | "chunk size" | "chunk data" | "chunk end" | "trailers" | "failed";

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** Eight hexadecimal digits: 4 GiB in one chunk, beyond every limit of a body. */
const chunkDigitsMax = 8;

export class RequestReader {
  readonly head = new RequestHead();
  event: ReaderEvent = "more";
  fault: RequestFault | undefined;
  /** Where the bytes of a `data` event lie. */
  dataStart = 0;
  dataEnd = 0;
  readonly #limits: HttpLimits;
  #state: State = "request";
  /** Bytes of the head, or of the trailers, so far. */
  #headBytes = 0;
  #fields = 0;
  #skippedLine = false;
  /** Bytes of the unfinished line that were scanned already. */
  #scanned = 0;
  /** Bytes that the body, or its chunk, still has. */
  #left = 0;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  /** Whether a request has begun and not ended. */
  get begun(): boolean {
    return this.#state !== "request" || this.#scanned > 0;
  }

  get failed(): boolean {
    return this.#state === "failed";
  }

  next(bytes: Buffer, start: number, end: number): number {
    let at = start;
    this.event = "more";
    while (this.event === "more") {
      const before = this.#state;
      const from = at;
      at = this.#step(bytes, at, end);
      if (at === from && before === this.#state) break;
    }
    return at;
  }

  #step(bytes: Buffer, at: number, end: number): number {
    switch (this.#state) {
      case "length":
      case "chunk data":
        return this.#readData(at, end);
      case "chunk end":
        return this.#readChunkEnd(bytes, at, end);
      case "failed":
        return this.#fail(this.fault ?? fault(400, "the request before was refused"), at);
      default:
        return this.#readLine(bytes, at, end);
    }
  }

  #readLine(bytes: Buffer, at: number, end: number): number {
    const found = bytes.indexOf(lineFeed, at + this.#scanned);
    const feed = found < 0 || found >= end ? -1 : found;
    const length = (feed < 0 ? end : feed + 1) - at;
    const refused = this.#judgeLength(length);
    if (refused !== undefined) return this.#fail(refused, at);
    if (feed < 0) {
      this.#scanned = length;
      return at;
    }
    this.#scanned = 0;
    if (feed === at || bytes[feed - 1] !== carriageReturn) {
      return this.#fail(fault(400, "a line ends with LF alone; lines of HTTP end with CR LF"), at);
    }
    const wrong = this.#takeLine(bytes, at, feed - 1);
    return wrong === undefined ? feed + 1 : this.#fail(wrong, at);
  }

  #judgeLength(length: number): RequestFault | undefined {
    const { lineBytesMax, headBytesMax, chunkLineBytesMax } = this.#limits;
    if (this.#state === "chunk size") {
      return length > chunkLineBytesMax ? fault(400, "the line of a chunk's size is too long") : undefined;
    }
    if (length > lineBytesMax) {
      return this.#state === "request"
        ? fault(414, `a request line has at most ${lineBytesMax} bytes`)
        : fault(431, `a field has at most ${lineBytesMax} bytes`);
    }
    return this.#headBytes + length > headBytesMax
      ? fault(431, `a head has at most ${headBytesMax} bytes`)
      : undefined;
  }

  #takeLine(bytes: Buffer, start: number, end: number): RequestFault | undefined {
    switch (this.#state) {
      case "request":
        return this.#takeRequestLine(bytes, start, end);
      case "chunk size":
        return this.#takeChunkSize(bytes, start, end);
      default:
        return this.#takeField(bytes, start, end);
    }
  }

  #takeRequestLine(bytes: Buffer, start: number, end: number): RequestFault | undefined {
    if (start === end) {
      if (this.#skippedLine) return fault(400, "a request begins with its request line");
      this.#skippedLine = true;
      return undefined;
    }
    this.head.reset();
    this.#headBytes = end + 2 - start;
    this.#fields = 0;
    this.#state = "fields";
    return this.head.takeRequestLine(bytes, start, end);
  }

  #takeField(bytes: Buffer, start: number, end: number): RequestFault | undefined {
    this.#headBytes += end + 2 - start;
    if (start === end) return this.#state === "fields" ? this.#finishHead() : this.#finishRequest();
    const { fieldsMax } = this.#limits;
    if (++this.#fields > fieldsMax) return fault(431, `a head has at most ${fieldsMax} fields`);
    return this.head.takeField(bytes, start, end, this.#state === "fields");
  }

  #finishHead(): RequestFault | undefined {
    const wrong = this.head.finish();
    if (wrong !== undefined) return wrong;
    this.event = "head";
    const { bodyLength } = this.head;
    this.#left = Math.max(0, bodyLength ?? 0);
    this.#state = bodyLength === -1 ? "chunk size" : "length";
    return undefined;
  }

  #finishRequest(): undefined {
    this.event = "end";
    this.#state = "request";
    this.#skippedLine = false;
    this.#headBytes = 0;
  }

  #readData(at: number, end: number): number {
    if (this.#left === 0) {
      if (this.#state === "length") this.#finishRequest();
      else this.#state = "chunk end";
      return at;
    }
    const length = Math.min(this.#left, end - at);
    if (length === 0) return at;
    this.#left -= length;
    this.event = "data";
    this.dataStart = at;
    this.dataEnd = at + length;
    return this.dataEnd;
  }

  #takeChunkSize(bytes: Buffer, start: number, end: number): RequestFault | undefined {
    let at = start;
    let size = 0;
    for (; at < end; at++) {
      const digit = hexDigit(bytes[at]);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    if (at === start || at - start > chunkDigitsMax) return fault(400, "a chunk has no valid size");
    // Extensions are read over; nobody sends any, and nothing else may stand behind the digits.
    if (at < end && bytes[at] !== 0x3b) return fault(400, "a chunk has no valid size");
    for (; at < end; at++) {
      if (bytes[at] < 0x20 || bytes[at] >= 0x7f) return fault(400, "a chunk's extension has a control character");
    }
    this.#left = size;
    if (size > 0) this.#state = "chunk data";
    else {
      this.#state = "trailers";
      this.#headBytes = 0;
      this.#fields = 0;
    }
    return undefined;
  }

  #readChunkEnd(bytes: Buffer, at: number, end: number): number {
    if (at < end && bytes[at] !== carriageReturn) return this.#fail(fault(400, "a chunk is longer than its size"), at);
    if (end - at < 2) return at;
    if (bytes[at + 1] !== lineFeed) return this.#fail(fault(400, "a chunk is longer than its size"), at);
    this.#state = "chunk size";
    return at + 2;
  }

  #fail(wrong: RequestFault, at: number): number {
    this.#state = "failed";
    this.fault = wrong;
    this.event = "bad";
    return at;
  }
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
