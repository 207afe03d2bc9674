/**
 * ByteProgress: for long work over files that reads and writes synchronously. It tells of it by the bytes that it has
 * been through, and lets the event loop turn often enough for Ctrl-C to be heard.
 */
import type { UseCaseContext } from "./use-case.ts";

/** A few milliseconds of work. */
const turnBytes = 8 << 20;
const tellBytes = 256 << 20;

export class ByteProgress {
  readonly #context: UseCaseContext;
  readonly #what: string;
  #bytes = 0;
  #turnAt = turnBytes;
  #tellAt = tellBytes;

  /** `what` is said behind the amount: "512 MiB copied". */
  constructor(context: UseCaseContext, what: string) {
    this.#context = context;
    this.#what = what;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Undefined while there is nothing to wait for. Rejects with CANCELLED once the caller was told to stop. */
  add(bytes: number): Promise<void> | undefined {
    this.#bytes += bytes;
    if (this.#bytes < this.#turnAt) return undefined;
    this.#turnAt = this.#bytes + turnBytes;
    return this.#turn();
  }

  async #turn(): Promise<void> {
    await new Promise<void>((done) => setImmediate(done));
    this.#context.signal.throwIfAborted();
    if (this.#bytes < this.#tellAt) return;
    this.#tellAt = this.#bytes + tellBytes;
    this.#context.progress(`${Math.round(this.#bytes / (1 << 20))} MiB ${this.#what}`);
  }
}
