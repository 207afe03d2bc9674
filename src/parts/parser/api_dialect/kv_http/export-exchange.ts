/**
 * An export: items as lines, page by page, as fast as the client reads and no faster, all as of one moment.
 *
 *   1. A view of the store is taken when the request comes. A page is read from it in one turn and sent; then others
 *   have theirs. What the client leaves unread stops it.
 *   2. A view pins the files it is made of, so it is held for `msMax` at most, and by `exportsMax` exports at once: the
 *   next one is refused with 503. One that takes too long is broken off, which a client sees (its last chunk is
 *   missing); one that is not read at all meets the connection's limit for slow readers before.
 * Source: CouchDB's _changes and etcd's paged ranges at one revision.
 */
import type { Clock } from "../../../../kit/env/env.ts";
import type { HttpExchange, HttpResponder } from "../../../architecture/networking/http-application.ts";
import type { KeyRange, KeyValueStore, KeyValueView } from "../../../concurrency/transaction/key-value-store.ts";
import { exportLine } from "./item-json.ts";
import { answerOfError, problemAnswer } from "./problem.ts";

/** What exports may hold, and what they hold. */
export interface ExportLimits {
  readonly msMax: number;
  running: number;
}

const exportsMax = 16;
const pageItems = 256;
const pageCharsMax = 256 << 10;

export interface ExportDoors {
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly limits: ExportLimits;
}

export class ExportExchange implements HttpExchange {
  readonly body = "collect";
  readonly bodyBytesMax = 0;
  readonly #store: KeyValueStore;
  readonly #clock: Clock;
  readonly #responder: HttpResponder;
  readonly #limits: ExportLimits;
  #view: KeyValueView | undefined;
  #startedMs = 0;
  #range: KeyRange;
  #waiting = false;
  #over = false;

  constructor(doors: ExportDoors, range: KeyRange, responder: HttpResponder) {
    this.#store = doors.store;
    this.#clock = doors.clock;
    this.#limits = doors.limits;
    this.#range = range;
    this.#responder = responder;
  }

  handle(): void {
    if (this.#limits.running >= exportsMax) {
      const text = `${exportsMax} exports are running; try again when one has ended`;
      return this.#responder.send(problemAnswer(503, text));
    }
    try {
      this.#view = this.#store.view();
    } catch (error) {
      return this.#responder.send(answerOfError(error));
    }
    this.#limits.running++;
    this.#startedMs = this.#clock.nowMs();
    this.#responder.begin({ status: 200, contentType: "application/x-ndjson" });
    this.#sendPage();
  }

  ready(): void {
    if (this.#waiting) this.#sendPage();
  }

  gone(): void {
    this.#end();
  }

  #end(): void {
    this.#over = true;
    if (this.#view === undefined) return;
    this.#view.release();
    this.#view = undefined;
    this.#limits.running--;
  }

  #sendPage(): void {
    this.#waiting = false;
    if (this.#over) return;
    if (this.#clock.nowMs() - this.#startedMs > this.#limits.msMax) return this.#breakOff();
    let lines = "";
    let items = 0;
    let last: Uint8Array | undefined;
    try {
      this.#store.scan(this.#range, (item) => {
        lines += exportLine(item);
        last = item.key.slice();
        return ++items < pageItems && lines.length < pageCharsMax;
      }, this.#view);
    } catch {
      return this.#breakOff();
    }
    const more = items === pageItems || lines.length >= pageCharsMax;
    const taken = this.#responder.write(Buffer.from(lines));
    if (!more) {
      this.#end();
      return this.#responder.end();
    }
    this.#range = { ...this.#range, after: last };
    if (taken) this.#clock.defer(() => this.#sendPage());
    else this.#waiting = true;
  }

  /** The status has gone out: a broken stream is all that can say so. */
  #breakOff(): void {
    this.#end();
    this.#responder.abort();
  }
}
