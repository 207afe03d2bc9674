/**
 * TableFilter: a bloom filter of an open SSTable (bloom-filter.ts), by pages of 64 lines. A probe touches one line, and
 * so one page; none where the filter is kept whole.
 */
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";
import { bloomLineMayContain, bloomLineOf, bloomProbesOf, lineBytes } from "./bloom-filter.ts";
import { PagedSection, pageOverheadBytes, type PageSource } from "./paged-section.ts";

const pageShift = 12;
const pageBytes = 1 << pageShift;

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
    this.keepWhole(filter);
  }

  get isEmpty(): boolean {
    return this.#lines === 0;
  }

  /** Number of the page that a probe for this hash needs and that is not in memory, or -1. */
  missingPage(hash: number): number {
    if (this.#lines === 0 || this.whole !== undefined) return -1;
    const page = bloomLineOf(hash, this.#lines) >>> pageShift;
    return this.resident(page) === undefined ? page : -1;
  }

  /** False only where no key with this hash was added. Errors: CORRUPTION, IO_ERROR. */
  mayContain(hash: number): boolean {
    const lines = this.#lines;
    if (lines === 0) return true;
    const line = bloomLineOf(hash, lines);
    const { whole } = this;
    if (whole !== undefined) return bloomLineMayContain(whole, line, this.#probes, hash);
    return bloomLineMayContain(this.page(line >>> pageShift), line & (pageBytes - 1), this.#probes, hash);
  }

  override get wholeBytes(): number {
    return this.#lines * lineBytes;
  }

  protected override decodeWhole(section: Uint8Array): Uint8Array {
    return section.slice(0, this.wholeBytes);
  }

  protected override release(whole: Uint8Array): void {
    releaseBuffer(whole);
  }

  protected override decode(bytes: Uint8Array) {
    return { content: bytes, costBytes: bytes.length + pageOverheadBytes, keepsBuffer: true };
  }
}
