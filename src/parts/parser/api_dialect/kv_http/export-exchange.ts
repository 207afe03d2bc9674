/**
 * An export: items as lines, page by page, as fast as the client reads and no faster.
 *
 * A page is read in one turn and sent; then others have theirs. What the client leaves unread stops it.
 */
import type { Clock } from "../../../../kit/env/env.ts";
import type { HttpExchange, HttpResponder } from "../../../architecture/networking/http-application.ts";
import type { KeyRange, KeyValueStore } from "../../../concurrency/transaction/key-value-store.ts";
import { exportLine } from "./item-json.ts";

const pageItems = 256;
const pageCharsMax = 256 << 10;

export class ExportExchange implements HttpExchange {
  readonly body = "collect";
  readonly bodyBytesMax = 0;
  readonly #store: KeyValueStore;
  readonly #clock: Clock;
  readonly #responder: HttpResponder;
  #range: KeyRange;
  #waiting = false;
  #over = false;

  constructor(store: KeyValueStore, clock: Clock, range: KeyRange, responder: HttpResponder) {
    this.#store = store;
    this.#clock = clock;
    this.#range = range;
    this.#responder = responder;
  }

  handle(): void {
    this.#responder.begin({ status: 200, contentType: "application/x-ndjson" });
    this.#sendPage();
  }

  ready(): void {
    if (this.#waiting) this.#sendPage();
  }

  gone(): void {
    this.#over = true;
  }

  #sendPage(): void {
    this.#waiting = false;
    if (this.#over) return;
    let lines = "";
    let items = 0;
    let last: Uint8Array | undefined;
    try {
      this.#store.scan(this.#range, (item) => {
        lines += exportLine(item);
        last = item.key.slice();
        return ++items < pageItems && lines.length < pageCharsMax;
      });
    } catch {
      // The status has gone out: a broken stream is all that can say so.
      this.#over = true;
      return this.#responder.abort();
    }
    const more = items === pageItems || lines.length >= pageCharsMax;
    const taken = this.#responder.write(Buffer.from(lines));
    if (!more) {
      this.#over = true;
      return this.#responder.end();
    }
    this.#range = { ...this.#range, after: last };
    if (taken) this.#clock.defer(() => this.#sendPage());
    else this.#waiting = true;
  }
}
