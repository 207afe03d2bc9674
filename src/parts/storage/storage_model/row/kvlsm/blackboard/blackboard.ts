/**
 * Blackboard: all mutable state of a store, owned by one thread.
 *
 * Readers read it, `apply` writes it, the runner installs the results of jobs on it; all in turns of one
 * event loop, so there is no lock. Other threads see only what is immutable: frozen memtables and files.
 * Invariants:
 *   1. Reading order is newest first: the memtable, the frozen memtables, level 0, the deeper levels.
 *   2. A frozen memtable leaves the list only after its table is in the current version.
 *   3. A batch is in one memtable as a whole, so what is flushed always ends at a batch.
 */
import { hash32 } from "../../../../../../kit/hash.ts";
import { batchKindDeleteRange, forEachOperation } from "../../../../write-batch.ts";
import type { BlackboardView, RunningCompaction } from "./agent.ts";
import type { BlockCache } from "./block-cache.ts";
import { WalkPool } from "./block-walk.ts";
import type { ExpiryClock } from "../../../../expiry-clock.ts";
import { compactionDebtBytes } from "./level-shape.ts";
import { alignmentMax, Memtable, memtableWordsMax } from "./memtable.ts";
import { MemtableArenaPool } from "./memtable-arena.ts";
import { cacheBytesWithin } from "./memory-budget.ts";
import type { Tuning } from "./options.ts";
import { forEachSurvivor } from "./range-batch.ts";
import type { ReadCounters } from "./read-counters.ts";
import { SnapshotList } from "./snapshot-list.ts";
import type { Version } from "./version.ts";
import type { VersionSet } from "./version-set.ts";
import { WorkCounters } from "./work-counters.ts";

/** A memtable that waits to be frozen is frozen all the same once it has grown to so many times its size. */
const overfullFactor = 9 / 8;
/** Flushes side by side while the log is replayed. */
const replayFlushesMax = 2;

export class Blackboard {
  #tuning: Tuning;
  readonly versions: VersionSet;
  readonly cache: BlockCache;
  readonly reads: ReadCounters;
  readonly work = new WorkCounters();
  readonly snapshots = new SnapshotList();
  openCursors = 0;
  readonly walks = new WalkPool();
  readonly expiry: ExpiryClock;
  memtable: Memtable;
  /** Frozen memtables, newest first. */
  immutables: readonly Memtable[] = [];
  /** How many of the memtables hold range tombstones. */
  rangeMemtables = 0;
  /** Flushes under way. */
  flushes = 0;
  /** Compactions under way. */
  compactions: readonly RunningCompaction[] = [];
  /** Threads that compactions may use; set by the runner. */
  compactionJobsMax = 1;
  /** Merges of everything that wait or run; agents hold back meanwhile. */
  manualCompactions = 0;
  /** While the log is replayed. */
  isReplaying = false;
  /** A compaction that ran into damaged files; none is started any more. */
  compactionHalted: unknown = undefined;
  appliedIndex: number;
  #applyingIndex = 0;
  #figuresOf: { version: Version; debtBytes: number; tableBytes: number } | undefined = undefined;
  readonly #arenas: MemtableArenaPool;
  readonly #addOperation: Parameters<typeof forEachOperation>[1];

  constructor(
    tuning: Tuning,
    versions: VersionSet,
    cache: BlockCache,
    reads: ReadCounters,
    expiry: ExpiryClock,
  ) {
    this.expiry = expiry;
    this.#tuning = tuning;
    this.versions = versions;
    this.cache = cache;
    this.reads = reads;
    this.appliedIndex = versions.durableIndex;
    this.#arenas = new MemtableArenaPool(tuning.memtableBytes, 1 + tuning.immutableMemtablesMax);
    this.memtable = this.#newMemtable(0, 0, undefined);
    this.fitCache();
    // One closure for all batches.
    this.#addOperation = (kind, bytes, keyStart, keyEnd, valueEnd) => {
      if (kind === batchKindDeleteRange) {
        const { ranges } = this.memtable;
        const before = ranges.count;
        ranges.add(bytes, keyStart, keyEnd, valueEnd, this.#applyingIndex);
        if (before === 0 && ranges.count > 0) this.rangeMemtables++;
        return;
      }
      const hash = hash32(bytes, 0, keyStart, keyEnd) | 0;
      this.memtable.add(keyStart, keyEnd, valueEnd, kind, hash, this.#applyingIndex);
    };
  }

  get tuning(): Tuning {
    return this.#tuning;
  }

  /** Puts other options in force; they must be resolved ones. Memtables and files that are there stay as they are. */
  retune(tuning: Tuning): void {
    this.#tuning = tuning;
    this.#arenas.resize(tuning.memtableBytes, 1 + tuning.immutableMemtablesMax);
    this.#figuresOf = undefined;
    this.fitCache();
  }

  /** Bytes due for compaction. */
  debtBytes(): number {
    return this.#figures().debtBytes;
  }

  /** What all open tables hold beside the ring of the cache. */
  tableBytes(): number {
    const { filter, index } = this.cache.wholeBytes;
    return this.#figures().tableBytes + filter + index;
  }

  /** Memory of memtables; see memory-budget.ts for what counts. */
  memtableBytes(): number {
    const active = Math.max(this.memtable.sizeBytes, this.#tuning.memtableBytes);
    return this.immutables.reduce((total, one) => total + one.sizeBytes, active) + this.#arenas.freeBytes;
  }

  /** Gives the block cache what memtables and tables leave of the budget. */
  fitCache(): void {
    const use = { memtableBytes: this.memtableBytes(), tableBytes: this.tableBytes() };
    this.cache.resize(cacheBytesWithin(use, this.#tuning));
  }

  /** Applies an encoded batch that was checked. Returns whether a memtable was frozen. */
  apply(
    encoded: Uint8Array,
    operations: number,
    rangeDeletes: number,
    index: number,
    timeMs: number,
  ): boolean {
    let froze = false;
    if (!this.memtable.fits(operations, encoded.length)) {
      froze = this.freeze();
      if (!this.memtable.fits(operations, encoded.length)) {
        this.#giveBack(this.memtable);
        this.memtable = this.#newMemtable(operations, encoded.length, this.memtable);
      }
    }
    // After the freeze above: a frozen memtable keeps the time of its own entries.
    this.expiry.advance(timeMs);
    this.#applyingIndex = index;
    this.memtable.noteIndex(index);
    this.memtable.take(encoded);
    if (rangeDeletes === 0) forEachOperation(encoded, this.#addOperation);
    else forEachSurvivor(encoded, this.#addOperation);
    this.appliedIndex = index;
    this.work.appliedBytes += encoded.length;
    this.work.appliedBatches++;
    if (this.#isDue() || this.memtable.ranges.isFull) froze = this.freeze() || froze;
    return froze;
  }

  /** Whether the memtable has the size at which it is frozen, or waits to be. */
  get isMemtableFull(): boolean {
    return this.memtable.sizeBytes >= this.tuning.memtableBytes;
  }

  /**
   * Whether the memtable is to be frozen. A full one waits for a flush where as many as may are frozen already: writers
   * who ask wait meanwhile, and what those who do not ask add to it is bounded.
   */
  #isDue(): boolean {
    const { memtableBytes, immutableMemtablesMax } = this.tuning;
    const { sizeBytes } = this.memtable;
    if (sizeBytes < memtableBytes) return false;
    return this.immutables.length < immutableMemtablesMax || sizeBytes >= memtableBytes * overfullFactor;
  }

  /** Freezes the memtable where a batch was applied to it; returns whether there was one. */
  freeze(): boolean {
    if (this.memtable.lastIndex === 0) return false;
    this.memtable.timeMs = this.expiry.nowMs();
    this.immutables = [this.memtable, ...this.immutables];
    this.memtable = this.#newMemtable(0, 0, this.memtable);
    this.fitCache();
    return true;
  }

  /** The time (ms) by which a compaction may judge what has expired; see expiry-clock.ts. */
  fileTimeMs(): number {
    return this.expiry.source === "entry" ? this.versions.expiryTimeMs : this.expiry.nowMs();
  }

  /** Takes the oldest frozen memtable off the list, after its table became current; one that waited is frozen. */
  retireOldestImmutable(): void {
    const oldest = this.immutables[this.immutables.length - 1];
    this.immutables = this.immutables.slice(0, -1);
    oldest.isRetired = true;
    if (oldest.ranges.count > 0) this.rangeMemtables--;
    if (oldest.pins === 0) this.#giveBack(oldest);
    if (this.#isDue()) this.freeze();
  }

  view(): BlackboardView {
    return {
      levels: this.versions.current.files,
      immutables: this.immutables
        .map(({ sizeBytes, versionCount, lastIndex }) => ({ sizeBytes, versionCount, lastIndex }))
        .reverse()
        .slice(this.flushes),
      flushRunning: this.flushes >= this.#flushesMax(),
      compactions: this.compactions,
      compactionsMax: this.#compactionsHeldBack()
        ? 0
        : Math.min(this.tuning.compactionsMax, this.compactionJobsMax),
      tuning: this.tuning,
    };
  }

  /** While the log is replayed the threads that compactions leave idle write memtables, too. */
  #flushesMax(): number {
    return this.isReplaying && this.compactions.length === 0 ? replayFlushesMax : 1;
  }

  /**
   * Flushes decide how long a replay takes: compactions leave them the threads until writers would be slowed, by level
   * 0 or by debt. Longer they must not, or the replay itself would wait for one that nobody begins.
   */
  #compactionsHeldBack(): boolean {
    if (this.compactionHalted !== undefined || this.manualCompactions > 0) return true;
    const { l0SlowdownTrigger, debtSlowdownBytes } = this.#tuning;
    const l0Files = this.versions.current.files[0].length;
    return this.isReplaying && l0Files < l0SlowdownTrigger && this.debtBytes() < debtSlowdownBytes;
  }

  /** Whether a read must ask whether its key was deleted with a range. */
  get hasRangeTombstones(): boolean {
    return this.rangeMemtables !== 0 || this.versions.current.hasRangeTombstones;
  }

  /** The newest index ≤ `indexMax` at which a range with the key was deleted, or 0. */
  coverIndex(key: Uint8Array, indexMax: number): number {
    let newest = this.versions.current.rangeTombstones.coverIndex(key, 0, key.length, indexMax);
    if (this.rangeMemtables === 0) return newest;
    newest = Math.max(newest, this.memtable.ranges.coverIndex(key, indexMax));
    for (const { ranges } of this.immutables) newest = Math.max(newest, ranges.coverIndex(key, indexMax));
    return newest;
  }

  /** Pins the memtables for a cursor; hand them back with `unpin`. */
  pinMemtables(): readonly Memtable[] {
    this.openCursors++;
    const pinned = [this.memtable, ...this.immutables];
    for (const memtable of pinned) memtable.pins++;
    return pinned;
  }

  unpin(memtables: readonly Memtable[]): void {
    this.openCursors--;
    for (const memtable of memtables) {
      memtable.pins--;
      if (memtable.isRetired && memtable.pins === 0) this.#giveBack(memtable);
    }
  }

  /** What takes a walk over all tables, once per version. */
  #figures(): { readonly debtBytes: number; readonly tableBytes: number } {
    const version = this.versions.current;
    if (this.#figuresOf?.version !== version) {
      let tableBytes = 0;
      for (const tables of version.levels) for (const table of tables) tableBytes += table.memoryBytes;
      const debtBytes = compactionDebtBytes(version.files, this.#tuning);
      this.#figuresOf = { version, debtBytes, tableBytes };
    }
    return this.#figuresOf;
  }

  #giveBack(memtable: Memtable): void {
    this.#arenas.give(memtable.arena, memtable.sizeBytes);
    memtable.release();
  }

  /** One that follows another is taken for one of its kind. */
  #newMemtable(operations: number, bytes: number, before: Memtable | undefined): Memtable {
    const arena = this.#arenas.take(bytes + alignmentMax, memtableWordsMax(operations));
    return new Memtable(arena, before?.wasScanned, before?.keyCount);
  }
}
