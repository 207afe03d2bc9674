/**
 * The W-TinyLFU row cache: an entry is kept for long only if it is used more often than the one that it would
 * push out.
 *
 *   1. Each entry of the `RowCache` is in one of three segments, each a list in order of use:
 *        window     what came lately; one per cent at first, and never less
 *        probation  what left the window, or the protected segment
 *        protected  what was used again in probation; four fifths of the rest
 *   2. `get` counts the use in the `FrequencySketch`, and moves the entry to the front of its segment; from
 *   probation to the front of protected, whose oldest entries move back to probation when it is too large.
 *   An entry that is among the newest quarter of protected is neither counted nor moved: it is in no danger, and
 *   most hits are on such entries. How new one is, a stamp in its first cell tells.
 *   3. `fill` adds to the window; what is too old for the window's size moves on to the front of probation.
 *   While room is lacking, what moved on (the candidates) is compared with the oldest of probation (the
 *   victims): the one that the sketch knows as less frequent goes, the candidate where they are equal. A
 *   large entry that is no match for the window is itself the candidate, and has to beat every victim.
 *   4. A candidate that is warm, but no warmer than the victim, wins once in 128 times: keys that collide with
 *   many others, by chance or by design, cannot keep newcomers out for ever.
 *   5. After each sample of reads the `WindowClimber` says how the window should change; entries then move
 *   between window and rest, a bounded number per fill.
 *   6. Counting begins when the cache is half full: before, there is nothing to decide.
 * Sizes are counted in cells, so that an entry weighs what it takes. Samples are ten times the entries that
 * the whole cache would hold at their mean size so far.
 * Invariants: an entry is in exactly one list; the cells of the segments add up to the cells in use; all
 * memory is allocated at the start and within `capacityBytes`; a get allocates nothing but the view; the same
 * calls with the same seed leave the same entries.
 * Source: Einziger, Friedman and Manes 2017 ("TinyLFU: A Highly Efficient Cache Admission Policy"); Caffeine's
 * BoundedLocalCache. That hits need not all be recorded: the lossy read buffers of Caffeine and Ristretto, and
 * memcached, which moves an entry once a minute.
 */
import type { Metric } from "../../../../../kit/metric.ts";
import type { Cache } from "../../cache.ts";
import { RecencyList } from "../../recency-list.ts";
import { stampMask } from "../../entry-table.ts";
import { counter, gauge, refused, RowCache, type RowCacheOptions } from "../../row-cache.ts";
import { FrequencySketch } from "./frequency-sketch.ts";
import { WindowClimber } from "./window-climber.ts";

const windowShare = 0.01;
const protectedShare = 0.8;
/** Of the capacity; the sketch takes the largest power of two up to it. */
const sketchShareMax = 1 / 32;
/** Reads in a sample, per entry that the cache can hold. */
const sampleFactor = 10;
/**
 * Of the entries of protected: those that came to its front within this period or the one before stay where they are.
 * Hit ratios are the same with a sixteenth and with none.
 */
const periodShare = 1 / 4;
/** From this frequency on a candidate may win by chance. */
const warmFrequency = 6;
const chanceMask = 127;
/** Entries that change segment per fill while the window is being resized. */
const transfersMax = 100;

const windowSegment = 0;
const probationSegment = 1;
const protectedSegment = 2;

export function createWTinyLfuCache(options: RowCacheOptions): Cache {
  return new WTinyLfuCache(options);
}

class WTinyLfuCache extends RowCache {
  readonly #sketch: FrequencySketch;
  readonly #climber: WindowClimber;
  readonly #window: RecencyList;
  readonly #probation: RecencyList;
  readonly #protected: RecencyList;
  #windowCells = 0;
  #windowCellsMax: number;
  readonly #windowCellsMin: number;
  #protectedCells = 0;
  #protectedCellsMax: number;
  /** Cells by which the window has still to grow, or to shrink. */
  #adjustment = 0;
  /** How many entries came to the front of protected, and how many of them are a period, as a power of two. */
  #protectedLinks = 0;
  #periodBits = 0;
  #counting = false;
  #sampleSize: number;
  #sampleHits = 0;
  #sampleMisses = 0;
  #random: number;
  #rejections = 0;

  constructor(options: RowCacheOptions) {
    const sketch = new FrequencySketch(options.capacityBytes * sketchShareMax);
    super(options, sketch.sizeBytes);
    this.#sketch = sketch;
    const { cells, words } = this.table;
    this.#climber = new WindowClimber(cells);
    this.#window = new RecencyList(words);
    this.#probation = new RecencyList(words);
    this.#protected = new RecencyList(words);
    this.#windowCellsMax = Math.max(1, Math.ceil(windowShare * cells));
    this.#windowCellsMin = this.#windowCellsMax;
    this.#protectedCellsMax = Math.floor(protectedShare * (cells - this.#windowCellsMax));
    this.#sampleSize = sampleFactor * cells;
    // Of a xorshift generator, whose state must not be 0.
    this.#random = (options.seed ?? 0) | 1;
  }

  protected use(entry: number, hash: number): void {
    const segment = this.table.segmentOf(entry);
    if (segment === protectedSegment && this.#isAmongNewest(entry)) return;
    if (this.#counting) this.#sketch.increment(hash, this.#sampleSize);
    if (segment === probationSegment) {
      this.#move(entry, protectedSegment);
      this.#demote();
      return;
    }
    const list = segment === windowSegment ? this.#window : this.#protected;
    if (entry === list.newest) return;
    list.unlink(entry);
    list.linkNewest(entry);
    if (segment === protectedSegment) this.#stamp(entry);
  }

  /** Told by how many entries came before it in protected since it did. */
  #isAmongNewest(entry: number): boolean {
    const period = this.#protectedLinks >>> this.#periodBits;
    return ((period - this.table.stampOf(entry)) & stampMask) <= 1;
  }

  #stamp(entry: number): void {
    this.table.setPlace(entry, protectedSegment, ++this.#protectedLinks >>> this.#periodBits);
  }

  protected place(hash: number, cells: number): number {
    if (this.#counting) {
      this.#sketch.increment(hash, this.#sampleSize);
      this.#climb();
    } else if (this.table.usedCells >= this.table.cells / 2) this.#startCounting();
    const fitsWindow = cells <= this.#windowCellsMax;
    const candidate = this.#shrinkWindow(fitsWindow ? this.#windowCellsMax - cells : this.#windowCellsMax);
    if (this.#makeRoom(cells, candidate, fitsWindow ? undefined : hash)) {
      return fitsWindow ? windowSegment : probationSegment;
    }
    this.#rejections++;
    return refused;
  }

  protected link(entry: number, segment: number): void {
    if (segment === protectedSegment) this.#stamp(entry);
    else this.table.setPlace(entry, segment, 0);
    if (segment === windowSegment) this.#windowCells += this.table.cellsUsedBy(entry);
    else if (segment === protectedSegment) this.#protectedCells += this.table.cellsUsedBy(entry);
    this.#listOf(segment).linkNewest(entry);
  }

  protected unlink(entry: number): void {
    const segment = this.table.segmentOf(entry);
    if (segment === windowSegment) this.#windowCells -= this.table.cellsUsedBy(entry);
    else if (segment === protectedSegment) this.#protectedCells -= this.table.cellsUsedBy(entry);
    this.#listOf(segment).unlink(entry);
  }

  protected victim(): number {
    return this.#probation.oldest || this.#protected.oldest || this.#window.oldest;
  }

  protected forgetAll(): void {
    for (const list of [this.#window, this.#probation, this.#protected]) list.clear();
    this.#windowCells = 0;
    this.#protectedCells = 0;
  }

  protected policyMetrics(): Metric[] {
    const window = this.#windowCellsMax / Math.max(1, this.table.cells);
    return [
      counter("row_cache_rejections_total", "Candidates dropped for a victim used more often.", this.#rejections),
      gauge("row_cache_window_ratio", "Share of the entries' memory that is the window.", window),
    ];
  }

  /** Moves the window's oldest on to probation until it holds `cellsMax`; returns the first that moved, or 0. */
  #shrinkWindow(cellsMax: number): number {
    let first = 0;
    while (this.#windowCells > cellsMax) {
      const moved = this.#window.oldest;
      this.#move(moved, probationSegment);
      if (first === 0) first = moved;
    }
    return first;
  }

  /**
   * Evicts until `cells` are free. Candidates are `first` and what moved on after it, then the window's oldest;
   * with `ownHash` the newcomer itself is the last one. False where the newcomer lost.
   */
  #makeRoom(cells: number, first: number, ownHash: number | undefined): boolean {
    let candidate = first;
    let ofWindow = false;
    while (this.table.freeCells < cells) {
      if (candidate === 0 && !ofWindow && ownHash === undefined) {
        ofWindow = true;
        candidate = this.#window.oldest;
      }
      const victim = this.#probation.oldest || this.#protected.oldest;
      if (candidate === 0 && victim !== 0 && ownHash !== undefined) {
        if (!this.#admits(ownHash, this.table.hashOf(victim))) return false;
        this.evict(victim);
      } else if (candidate === 0 || candidate === victim) {
        candidate = 0;
        this.evict(victim || this.#window.oldest);
      } else {
        const next = (ofWindow ? this.#window : this.#probation).newerThan(candidate);
        if (victim === 0) this.evict(candidate);
        else if (this.#admits(this.table.hashOf(candidate), this.table.hashOf(victim))) this.evict(victim);
        else {
          this.#rejections++;
          this.evict(candidate);
        }
        candidate = next;
      }
    }
    return true;
  }

  /** Whether the candidate is worth more than the victim. */
  #admits(candidateHash: number, victimHash: number): boolean {
    const frequency = this.#sketch.frequency(candidateHash);
    if (frequency > this.#sketch.frequency(victimHash)) return true;
    return frequency >= warmFrequency && (this.#nextRandom() & chanceMask) === 0;
  }

  /** Moves the oldest of the protected segment to probation while there are too many. */
  #demote(): void {
    for (let left = transfersMax; left > 0 && this.#protectedCells > this.#protectedCellsMax; left--) {
      this.#move(this.#protected.oldest, probationSegment);
    }
  }

  #startCounting(): void {
    this.#counting = true;
    this.#startSample();
  }

  /** The mean size of entries says how many the cache would hold. */
  #startSample(): void {
    const { cells, entries, usedCells } = this.table;
    this.#sampleSize = sampleFactor * Math.ceil((cells * entries) / Math.max(1, usedCells));
    const protectedEntries = (this.#protectedCellsMax * entries) / Math.max(1, usedCells);
    this.#periodBits = Math.max(0, Math.floor(Math.log2(Math.max(1, protectedEntries * periodShare))));
    this.#sampleHits = this.hits;
    this.#sampleMisses = this.misses;
  }

  #climb(): void {
    const hits = this.hits - this.#sampleHits;
    const misses = this.misses - this.#sampleMisses;
    if (hits + misses >= this.#sampleSize) {
      this.#adjustment = this.#climber.adjustment(hits, misses);
      this.#startSample();
    }
    this.#demote();
    if (this.#adjustment > 0) this.#growWindow();
    else if (this.#adjustment < 0) this.#yieldWindow();
  }

  /** Takes room from the protected segment for the window, and entries of probation along with it. */
  #growWindow(): void {
    const wanted = Math.min(this.#adjustment, this.#protectedCellsMax);
    let quota = wanted;
    this.#protectedCellsMax -= wanted;
    this.#demote();
    for (let left = transfersMax; left > 0; left--) {
      const moved = this.#probation.oldest || this.#protected.oldest;
      const cells = moved === 0 ? Infinity : this.table.cellsUsedBy(moved);
      if (cells > quota) break;
      quota -= cells;
      this.#move(moved, windowSegment);
    }
    this.#settleBoundary(wanted, quota);
  }

  /** Gives room of the window to the protected segment; its oldest entries go to probation. */
  #yieldWindow(): void {
    const wanted = Math.min(-this.#adjustment, this.#windowCellsMax - this.#windowCellsMin);
    let quota = wanted;
    this.#protectedCellsMax += wanted;
    for (let left = transfersMax; left > 0; left--) {
      const moved = this.#window.oldest;
      const cells = moved === 0 ? Infinity : this.table.cellsUsedBy(moved);
      if (cells > quota) break;
      quota -= cells;
      this.#move(moved, probationSegment);
    }
    this.#settleBoundary(-wanted, -quota);
  }

  /** The window has changed by `wanted` less `rest`, which the next fills will see to. */
  #settleBoundary(wanted: number, rest: number): void {
    this.#windowCellsMax += wanted - rest;
    this.#protectedCellsMax += rest;
    this.#adjustment = rest;
  }

  #move(entry: number, segment: number): void {
    this.unlink(entry);
    this.link(entry, segment);
  }

  #listOf(segment: number): RecencyList {
    return segment === windowSegment ? this.#window : segment === probationSegment ? this.#probation : this.#protected;
  }

  /** Marsaglia's xorshift with 32 bits. */
  #nextRandom(): number {
    let state = this.#random;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#random = state;
    return state;
  }
}
