/**
 * TableFilter: a bloom filter of an open SSTable (bloom-filter.ts), by pages of 64 lines. A probe touches one line, and
 * so one page.
 */
import { bloomLineMayContain, bloomLineOf, bloomProbesOf, lineBytes } from "./bloom-filter.ts";
import { PagedSection, pageOverheadBytes, type PageSource } from "./paged-section.ts";

const pageBytes = 64 * lineBytes;

export class TableFilter extends PagedSection<Uint8Array> {
  readonly #lines: number;
  readonly #probes: number;

  /** `filter` was checked and is one that `buildBloomFilter` makes; an empty one lets every key pass. */
  constructor(source: PageSource, filter: Uint8Array) {
    const lines = filter.length === 0 ? 0 : (filter.length - 1) / lineBytes;
    const ends = Uint32Array.from({ length: Math.ceil((lines * lineBytes) / pageBytes) }, (_, number) =>
      Math.min(lines * lineBytes, (number + 1) * pageBytes),
    );
    super(source, "filter", filter, ends);
    this.#lines = lines;
    this.#probes = bloomProbesOf(filter);
  }

  get isEmpty(): boolean {
    return this.#lines === 0;
  }

  /** Number of the page that a probe for this hash needs and that is not in memory, or -1. */
  missingPage(hash: number): number {
    if (this.#lines === 0) return -1;
    const page = Math.floor(bloomLineOf(hash, this.#lines) / pageBytes);
    return this.resident(page) === undefined ? page : -1;
  }

  /** False only where no key with this hash was added. Errors: CORRUPTION, IO_ERROR. */
  mayContain(hash: number): boolean {
    if (this.#lines === 0) return true;
    const line = bloomLineOf(hash, this.#lines);
    const page = this.page(Math.floor(line / pageBytes));
    return bloomLineMayContain(page, line % pageBytes, this.#probes, hash);
  }

  protected override decode(bytes: Uint8Array) {
    return { content: bytes, costBytes: bytes.length + pageOverheadBytes, keepsBuffer: true };
  }
}
