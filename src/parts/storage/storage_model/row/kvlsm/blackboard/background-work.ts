/**
 * BackgroundWork: carries out one proposal: jobs on other threads, then one manifest edit.
 *
 *   flush       The oldest frozen memtable that is not being written becomes one table of level 0. The log must be
 *               synced up to it before the edit, or the next entry would get an index that is taken; it is synced while
 *               the table is written. Where two are written side by side (while the log is replayed), edits are made in
 *               the order of the memtables.
 *   compaction  The inputs become tables of the output level. A large one is split by key ranges (compaction-split.ts)
 *               into as many jobs as threads are free; all their outputs come into force by one edit. Where one of
 *               them fails, the tables of the others are removed.
 * The owner keeps `jobs` slots for compactions: one thread less than there are, so that a flush never waits for one.
 */
import { assert } from "../../../../../../kit/assert.ts";
import type { Env } from "../../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import type { DurableLog } from "../../../../../core/durable-log.ts";
import type { CompactionProposal } from "./agent.ts";
import type { Blackboard } from "./blackboard.ts";
import { type CompactionInput, compactionJobReference } from "./compaction-job.ts";
import { isWithin, type KeyRange, splitRanges, wholeRange } from "./compaction-split.ts";
import { DamagedTable } from "./damaged-table.ts";
import { tableName } from "./file-names.ts";
import { type FlushInput, flushJobReference, type JobOutput } from "./flush-job.ts";
import { totalBytes } from "./level-shape.ts";
import type { Memtable } from "./memtable.ts";
import { tableOptionsOf } from "./table-options.ts";
import type { TableOptions } from "./table-writer.ts";
import type { Version } from "./version.ts";

export interface WorkOptions {
  readonly env: Env;
  readonly board: Blackboard;
  readonly directory: string;
  readonly selectionHash: string;
  readonly log: DurableLog | undefined;
  /** As in `BlackboardOptions`. */
  readonly logDurable?: ((index: number) => Promise<void> | undefined) | undefined;
}

/** A job writes at least so many files, or it is not worth a thread of its own. */
const filesPerJobMin = 2;

export class BackgroundWork {
  readonly #options: WorkOptions;
  readonly #board: Blackboard;
  /** Threads that compactions may use, and how many of them do. */
  readonly jobsMax: number;
  #jobs = 0;
  /** Whether the last flush found that the log cannot be synced. */
  #logFailed = false;
  /** Memtables that are being written. */
  readonly #flushing = new Map<Memtable, Promise<void>>();

  constructor(options: WorkOptions) {
    this.#options = options;
    this.#board = options.board;
    this.jobsMax = Math.max(1, options.env.threads.concurrency - 1);
  }

  flush(): Promise<void> {
    const memtable = this.#board.immutables.findLast((one) => !this.#flushing.has(one));
    assert(memtable !== undefined, "a frozen memtable waits to be written");
    const flushed = this.#flush(memtable).finally(() => this.#flushing.delete(memtable));
    this.#flushing.set(memtable, flushed);
    return flushed;
  }

  async #flush(memtable: Memtable): Promise<void> {
    const { log } = this.#options;
    const board = this.#board;
    // A log that failed is asked first, or every further attempt would write a table for nothing.
    if (this.#logFailed) await this.#logSynced(memtable.lastIndex);
    const [synced, written] = await Promise.allSettled([
      this.#logSynced(memtable.lastIndex),
      this.#writeTable(memtable),
    ]);
    if (written.status === "rejected") throw written.reason;
    const { files } = written.value;
    this.#logFailed = synced.status === "rejected";
    try {
      if (synced.status === "rejected") throw synced.reason;
      await this.#olderFlushed(memtable);
    } catch (error) {
      for (const { number } of files) this.#removeOutput(number);
      throw error;
    }
    const added = files.map((meta) => ({ level: 0, meta }));
    await board.versions.commit({
      durableIndex: memtable.lastIndex,
      expiryTimeMs: memtable.timeMs,
      removed: [],
      added,
    });
    board.work.flushes++;
    board.retireOldestImmutable();
    log?.truncatePrefix(memtable.lastIndex);
  }

  #logSynced(index: number): Promise<void> | undefined {
    const { log, logDurable } = this.#options;
    if (log === undefined) return logDurable?.(index);
    return log.syncedIndex < index ? log.sync() : undefined;
  }

  async #writeTable(memtable: Memtable): Promise<Pick<JobOutput, "files">> {
    const { env, directory } = this.#options;
    const board = this.#board;
    if (memtable.versionCount === 0 && memtable.ranges.count === 0) return { files: [] };
    const output = await env.threads.run<FlushInput, JobOutput>(flushJobReference, {
      directory,
      memtable: memtable.freeze(),
      fileNumber: board.versions.reserveFileNumbers(1),
      snapshots: board.snapshots.indexes(),
      table: this.#tableOptions(false),
      bytesPerSecond: this.#bytesPerSecond(),
    });
    board.work.flushedBytes += output.bytesWritten;
    board.work.expiredDropped += output.expired;
    board.work.rangeDropped += output.covered;
    return output;
  }

  /** Resolves when the memtable is the oldest. Errors: why one before it could not be flushed. */
  async #olderFlushed(memtable: Memtable): Promise<void> {
    for (;;) {
      const { immutables } = this.#board;
      const older = immutables[immutables.indexOf(memtable) + 1];
      if (older === undefined) return;
      const flushed = this.#flushing.get(older);
      if (flushed === undefined) {
        throw new LatheError("JOB_LOST", "a table was given up: the memtable before it was not flushed; both go again");
      }
      await flushed;
    }
  }

  async compact(proposal: CompactionProposal): Promise<void> {
    const board = this.#board;
    const { inputs, outputLevel, move } = proposal;
    const files = inputs.flatMap((run) => run.files);
    const removed = inputs.flatMap((run) => run.files.map(({ number }) => ({ level: run.level, number })));
    if (move) {
      await board.versions.commit({ removed, added: files.map((meta) => ({ level: outputLevel, meta })) });
      board.work.moves++;
      return;
    }
    this.#refuseDamaged(new Set(files.map(({ number }) => number)));
    const version = board.versions.current.retain();
    const ranges = this.#ranges(version, proposal, totalBytes(files));
    const nowMs = board.fileTimeMs();
    this.#jobs += ranges.length;
    try {
      const outputs = await this.#runAll(proposal, ranges, nowMs);
      for (const output of outputs) {
        board.work.compactionReadBytes += output.bytesRead;
        board.work.compactionWrittenBytes += output.bytesWritten;
        board.work.expiredDropped += output.expired;
        board.work.rangeDropped += output.covered;
        board.work.coveredFiles += output.coveredFiles;
      }
      const added = outputs.flatMap((output) => output.files.map((meta) => ({ level: outputLevel, meta })));
      await board.versions.commit({ expiryTimeMs: nowMs, removed, added });
      board.work.compactions++;
      board.work.subcompactions += ranges.length;
    } finally {
      this.#jobs -= ranges.length;
      version.release();
    }
  }

  /** Errors: CORRUPTION, what a read of the table says too; the job would only find that it cannot open the file. */
  #refuseDamaged(numbers: ReadonlySet<number>): void {
    for (const table of this.#board.versions.current.levels.flat()) {
      if (table instanceof DamagedTable && numbers.has(table.meta.number)) throw table.error;
    }
  }

  /** The parts that a compaction is done in: one, unless it is large and threads are free. */
  #ranges(version: Version, { inputs, outputLevel }: CompactionProposal, bytes: number): readonly KeyRange[] {
    const { subcompactionsMax, targetFileBytes } = this.#board.tuning;
    // What goes into level 0 is one run and so one file.
    if (outputLevel === 0) return [wholeRange];
    const free = Math.max(1, this.jobsMax - this.#jobs);
    const parts = Math.min(subcompactionsMax, free, Math.floor(bytes / (filesPerJobMin * targetFileBytes)));
    if (parts < 2) return [wholeRange];
    const numbers = new Set(inputs.flatMap((run) => run.files.map((file) => file.number)));
    const tables = version.levels.flat().filter((table) => numbers.has(table.meta.number));
    const sources = tables.map(({ meta, fences }) => ({ fences, sizeBytes: meta.sizeBytes }));
    return splitRanges(sources, parts);
  }

  async #runAll(
    proposal: CompactionProposal,
    ranges: readonly KeyRange[],
    nowMs: number,
  ): Promise<JobOutput[]> {
    const runs = ranges.map((range) => this.#run(proposal, range, nowMs));
    const ended = await Promise.allSettled(runs);
    const failed = ended.find((one) => one.status === "rejected");
    const outputs = ended.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    if (failed === undefined) return outputs;
    for (const { number } of outputs.flatMap((output) => output.files)) this.#removeOutput(number);
    throw failed.reason;
  }

  #run(
    { inputs, outputLevel, bottom }: CompactionProposal,
    range: KeyRange,
    nowMs: number,
  ): Promise<JobOutput> {
    const { env, directory } = this.#options;
    const board = this.#board;
    const runs = inputs
      .map((run) => run.files.filter((file) => isWithin(range, file)))
      .filter((files) => files.length > 0);
    const files = runs.flat();
    const single = outputLevel === 0;
    const { targetFileBytes } = board.tuning;
    const fileCountMax = single ? 1 : 2 * Math.ceil(totalBytes(files) / targetFileBytes) + files.length + 1;
    return env.threads.run<CompactionInput, JobOutput>(compactionJobReference, {
      directory,
      runs,
      range,
      firstFileNumber: board.versions.reserveFileNumbers(fileCountMax),
      fileCountMax,
      targetFileBytes,
      bottom,
      snapshots: board.snapshots.indexes(),
      nowMs,
      table: this.#tableOptions(bottom),
      bytesPerSecond: this.#bytesPerSecond(),
    });
  }

  #removeOutput(number: number): void {
    const { env, directory } = this.#options;
    try {
      env.disk.unlink(`${directory}/${tableName(number)}`);
    } catch {
      // An orphan then, and removed when the store is opened next.
    }
  }

  /** Every job that may run gets the same share, so that together they keep to the rate whichever of them run. */
  #bytesPerSecond(): number {
    const { backgroundBytesPerSecond, compactionsMax, subcompactionsMax } = this.#board.tuning;
    const jobs = 1 + Math.min(this.jobsMax, compactionsMax * subcompactionsMax);
    return Math.ceil(backgroundBytesPerSecond / jobs);
  }

  #tableOptions(bottom: boolean): TableOptions {
    return tableOptionsOf(this.#board.tuning, this.#options.selectionHash, bottom);
  }
}
