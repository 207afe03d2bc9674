/**
 * An import: lines of items, stored group by group while further ones come.
 *
 *   1. Whole lines become changes; a group is written when it is large enough, and at the end.
 *   2. While a group is being written the body pauses: memory holds one group and one unfinished line.
 *   3. The first line that is not valid ends it: the group before it is stored, and the answer says how many items are
 *   in and which line to mend. A write that fails ends it likewise, with the line from which to go on.
 */
import type { Clock } from "../../../../kit/env/env.ts";
import type { HttpExchange, HttpResponder } from "../../../architecture/networking/http-application.ts";
import type { KeyValueChange, KeyValueStore } from "../../../concurrency/transaction/key-value-store.ts";
import { changeOf, parseJson } from "./item-json.ts";
import { answerOfError, Problem } from "./problem.ts";

const groupItems = 500;
const groupBytesMax = 1 << 20;
const lineFeed = 0x0a;
const nothing = Buffer.alloc(0);

export class ImportExchange implements HttpExchange {
  readonly body = "stream";
  readonly bodyBytesMax = Number.MAX_SAFE_INTEGER;
  readonly #store: KeyValueStore;
  readonly #clock: Clock;
  readonly #responder: HttpResponder;
  readonly #lineBytesMax: number;
  #rest: Buffer[] = [];
  #restBytes = 0;
  #changes: KeyValueChange[] = [];
  #changeBytes = 0;
  #line = 0;
  #imported = 0;
  /** The lines of which everything is stored. */
  #storedLine = 0;
  #writing = false;
  #ended = false;
  #answered = false;
  #failure: unknown;

  constructor(store: KeyValueStore, clock: Clock, responder: HttpResponder) {
    this.#store = store;
    this.#clock = clock;
    this.#responder = responder;
    // A character may be six of JSON (\u0000), and a byte at most that much of base64.
    this.#lineBytesMax = 6 * (store.keyBytesMax + store.valueBytesMax) + 4096;
  }

  data(bytes: Uint8Array): boolean {
    if (this.#answered || this.#failure !== undefined) return true;
    let start = 0;
    while (this.#failure === undefined) {
      const feed = bytes.indexOf(lineFeed, start);
      if (feed < 0) break;
      this.#takeLine(this.#joined(bytes.subarray(start, feed)));
      start = feed + 1;
    }
    if (start < bytes.length && this.#failure === undefined) this.#keep(bytes.subarray(start));
    this.#writeWhenDue();
    return !this.#writing;
  }

  end(): void {
    if (this.#answered) return;
    if (this.#restBytes > 0 && this.#failure === undefined) this.#takeLine(this.#joined(nothing));
    this.#ended = true;
    this.#writeWhenDue();
  }

  gone(): void {
    this.#answered = true;
  }

  #keep(bytes: Uint8Array): void {
    this.#restBytes += bytes.length;
    if (this.#restBytes > this.#lineBytesMax) {
      this.#line++;
      this.#fail(new Problem(413, `a line has at most ${this.#lineBytesMax} bytes`));
    } else this.#rest.push(Buffer.from(bytes));
  }

  #joined(bytes: Uint8Array): Uint8Array {
    if (this.#restBytes === 0) return bytes;
    const whole = Buffer.concat([...this.#rest, bytes]);
    this.#rest = [];
    this.#restBytes = 0;
    return whole;
  }

  #takeLine(line: Uint8Array): void {
    this.#line++;
    const end = line.length > 0 && line[line.length - 1] === 0x0d ? line.length - 1 : line.length;
    if (end === 0) return;
    try {
      const change = changeOf(parseJson(line.subarray(0, end)), this.#clock.nowMs()) as KeyValueChange;
      this.#checkSize(change);
      this.#changes.push(change);
      this.#changeBytes += end;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Here, so that a group does not fail for one of its lines. */
  #checkSize({ key, value }: KeyValueChange): void {
    const bytesOf = (data: string | Uint8Array) => (typeof data === "string" ? Buffer.byteLength(data) : data.length);
    const { keyBytesMax, valueBytesMax } = this.#store;
    if (bytesOf(key) > keyBytesMax) throw new Problem(413, `a key has at most ${keyBytesMax} bytes`);
    if (value !== undefined && bytesOf(value) > valueBytesMax) {
      throw new Problem(413, `a value has at most ${valueBytesMax} bytes`);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#rest = [];
    this.#restBytes = 0;
  }

  #writeWhenDue(): void {
    if (this.#writing || this.#answered) return;
    const over = this.#ended || this.#failure !== undefined;
    const due = this.#changes.length >= groupItems || this.#changeBytes >= groupBytesMax;
    if (this.#changes.length > 0 && (due || over)) void this.#writeGroup();
    else if (over) this.#answer();
  }

  async #writeGroup(): Promise<void> {
    const changes = this.#changes;
    const line = this.#failure === undefined ? this.#line : this.#line - 1;
    this.#changes = [];
    this.#changeBytes = 0;
    this.#writing = true;
    try {
      await this.#store.write(changes);
      this.#imported += changes.length;
      this.#storedLine = line;
    } catch (error) {
      // What was wrong with a line behind this group is no longer the first thing to tell.
      this.#failure = error;
      this.#line = this.#storedLine + 1;
    }
    this.#writing = false;
    if (this.#answered) return;
    this.#writeWhenDue();
    if (!this.#writing && !this.#answered) this.#responder.resumeBody();
  }

  #answer(): void {
    this.#answered = true;
    const contentType = "application/json";
    const imported = this.#imported;
    if (this.#failure === undefined) {
      return this.#responder.send({ status: 200, contentType, body: JSON.stringify({ imported }) });
    }
    const { status, body } = answerOfError(this.#failure);
    const told = { imported, line: this.#line, error: String(body) };
    this.#responder.send({ status, contentType, body: JSON.stringify(told) });
  }
}
