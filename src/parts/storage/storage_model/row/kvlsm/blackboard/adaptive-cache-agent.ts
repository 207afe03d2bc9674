/**
 * The adaptive cache agent: moves memory between the block cache and the memtables, whichever earns more by it.
 *
 * What it reads on the blackboard, once per interval (`MemoryView`): how many block reads a slightly larger cache would
 * have spared (ghost-blocks.ts), how many bytes were applied, the write pressure, and how memory is divided now.
 * What it changes: `memtableBytes` and `blockCacheBytes`. Their sum, `memtables` times the one and the other, stays.
 *
 *   1. What a byte more of cache earns, in microseconds of work per second: ghost hits per second, times the cost of
 *      reading a block, divided by the bytes that the ghosts stand for.
 *   2. What a byte more of memtables earns: a compaction of level 0 rewrites level 1 once in T memtables of M bytes;
 *      so a byte applied costs B / (T · M) bytes of rewriting; its derivative by M is B / (T · M²).
 *   3. Both are smoothed. Where one is more than `hysteresis` times the other for `dwell` intervals in a row, and worth
 *      anything, the memtable shrinks or grows by a factor of √2, within its bounds; what gives way never loses more
 *      than that, so that a step cannot turn the comparison round.
 *   4. Rate of change: after a change none for `cooldownSeconds`. One that takes back the last doubles that, up to 64
 *      times; a calm eight times as long restores it. So a workload that swings cannot make the agent swing too.
 * Memtables do not shrink while writers are slowed down.
 * Source: Luo and Carey, "Breaking Down Memory Walls" (VLDB 2020), for the two derivatives; ARC's ghost lists.
 */
export interface MemoryView {
  /** Length of the interval. */
  readonly seconds: number;
  /** In force now. */
  readonly memtableBytes: number;
  readonly blockCacheBytes: number;
  /** Memtables that there may be: the one that takes writes and those that wait. */
  readonly memtables: number;
  readonly memtableBytesMin: number;
  readonly memtableBytesMax: number;
  readonly cacheBytesMin: number;
  /** Within the interval. */
  readonly ghostHits: number;
  readonly appliedBytes: number;
  /** Bytes of blocks that the ghosts stand for. */
  readonly ghostBytes: number;
  readonly pressure: number;
  readonly levelBaseBytes: number;
  readonly l0CompactionTrigger: number;
}

export type MemoryDirection = "to_cache" | "to_memtables";

export interface MemoryChange {
  readonly direction: MemoryDirection;
  readonly memtableBytes: number;
  readonly blockCacheBytes: number;
  /** Microseconds of work per second that a MiB more would spare. */
  readonly cacheGain: number;
  readonly memtableGain: number;
}

export interface MemoryAgent {
  readonly name: string;
  step(view: MemoryView): MemoryChange | undefined;
}

/** Reading, checking and placing a block of 4 KiB; reading and writing a byte in a compaction. */
const missUs = 12;
const rewriteUsPerByte = 0.02;
const smoothing = 0.25;
/** Below this many microseconds per second and MiB there is nothing to be won. */
const gainMin = 50;
const stepFactor = Math.SQRT2;
const cooldownFactorMax = 64;
const calmFactor = 8;
const mebibyte = 2 ** 20;

export interface AdaptiveCacheOptions {
  readonly hysteresis?: number;
  readonly dwell?: number;
  readonly cooldownSeconds?: number;
}

export class AdaptiveCacheAgent implements MemoryAgent {
  readonly name = "adaptive-cache";
  readonly #hysteresis: number;
  readonly #dwell: number;
  readonly #cooldownSeconds: number;
  #cacheGain = 0;
  #memtableGain = 0;
  #wanted: MemoryDirection | undefined = undefined;
  #agreed = 0;
  #last: MemoryDirection | undefined = undefined;
  #sinceLast = Infinity;
  #factor = 1;

  constructor({ hysteresis = 2, dwell = 3, cooldownSeconds = 10 }: AdaptiveCacheOptions = {}) {
    this.#hysteresis = hysteresis;
    this.#dwell = dwell;
    this.#cooldownSeconds = cooldownSeconds;
  }

  step(view: MemoryView): MemoryChange | undefined {
    this.#note(view);
    const wanted = this.#direction(view);
    this.#agreed = wanted !== undefined && wanted === this.#wanted ? this.#agreed + 1 : 1;
    this.#wanted = wanted;
    const cooldown = this.#cooldownSeconds * this.#factor;
    if (this.#sinceLast > calmFactor * cooldown) this.#factor = 1;
    if (wanted === undefined || this.#agreed < this.#dwell || this.#sinceLast < cooldown) return undefined;
    const change = this.#change(view, wanted);
    if (change === undefined) return undefined;
    if (this.#last !== undefined && this.#last !== wanted) {
      this.#factor = Math.min(cooldownFactorMax, 2 * this.#factor);
    }
    this.#last = wanted;
    this.#sinceLast = 0;
    this.#agreed = 0;
    return change;
  }

  #note({ seconds, ghostHits, ghostBytes, appliedBytes, memtableBytes, memtables, ...view }: MemoryView): void {
    this.#sinceLast += seconds;
    const cacheGain = ghostBytes === 0 ? 0 : ((ghostHits / seconds) * missUs * mebibyte) / ghostBytes;
    const rewrites = view.levelBaseBytes / (view.l0CompactionTrigger * memtableBytes * memtableBytes);
    const memtableGain = ((appliedBytes / seconds) * rewriteUsPerByte * rewrites * mebibyte) / memtables;
    this.#cacheGain += smoothing * (cacheGain - this.#cacheGain);
    this.#memtableGain += smoothing * (memtableGain - this.#memtableGain);
  }

  #direction({ pressure }: MemoryView): MemoryDirection | undefined {
    const [cache, memtable] = [this.#cacheGain, this.#memtableGain];
    if (cache > gainMin && cache > this.#hysteresis * memtable && pressure === 0) return "to_cache";
    if (memtable > gainMin && memtable > this.#hysteresis * cache) return "to_memtables";
    return undefined;
  }

  /** One step in a direction, or undefined at the bound. */
  #change(view: MemoryView, direction: MemoryDirection): MemoryChange | undefined {
    const { memtables, memtableBytes: before } = view;
    const total = view.blockCacheBytes + memtables * before;
    const cacheBytesMin = Math.max(view.cacheBytesMin, view.blockCacheBytes / stepFactor);
    const most = Math.min(view.memtableBytesMax, Math.floor((total - cacheBytesMin) / memtables));
    const aim = direction === "to_cache" ? before / stepFactor : before * stepFactor;
    // The least memtable comes last: where the cache is below its least, `most` may even be negative.
    const memtableBytes = Math.round(Math.max(view.memtableBytesMin, Math.min(most, aim)));
    if (direction === "to_cache" ? memtableBytes >= before : memtableBytes <= before) return undefined;
    const blockCacheBytes = total - memtables * memtableBytes;
    return { direction, memtableBytes, blockCacheBytes, cacheGain: this.#cacheGain, memtableGain: this.#memtableGain };
  }
}
