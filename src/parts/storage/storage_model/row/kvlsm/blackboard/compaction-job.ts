/**
 * The compaction job: merges sorted runs into new SSTables of one level. Runs on another thread.
 *
 *   1. Merge the input files in key order, newest version first; of a compaction that was split by key ranges, only
 *      the keys of one range.
 *   2. Keep what Retention keeps; start a new file at a key boundary once the present one has its target size.
 *      Range tombstones are read first: files whose whole range they delete are not read at all, and what is kept of
 *      them is cut at the bounds of the new files.
 *   3. Sync every file, then the directory. The owner makes the files current by a manifest edit.
 * After every read and write it yields how long to pause (job-pace.ts). It holds per run one open file with a read
 * buffer and one restart interval, and one output's block and write buffer.
 * A job that fails leaves no file behind where it can help it.
 */
import { assert } from "../../../../../../kit/assert.ts";
import { compareBytes, compareRanges } from "../../../../../../kit/compare.ts";
import type { Disk, JobContext, JobReference } from "../../../../../../kit/env/env.ts";
import { WalkPool } from "./block-walk.ts";
import type { KeyRange } from "./compaction-split.ts";
import type { EntryIterator } from "./entry-iterator.ts";
import type { FileMeta } from "./file-meta.ts";
import { tableName } from "./file-names.ts";
import type { JobOutput } from "./flush-job.ts";
import { JobPace } from "./job-pace.ts";
import { LevelIterator } from "./level-iterator.ts";
import { MergeWalk } from "./merge-walk.ts";
import { decodeRangeTombstones, rangeSection, type RangeSpan, RangeTombstones } from "./range-tombstones.ts";
import { Retention } from "./retention.ts";
import { SequentialBlocks, SequentialRun } from "./sequential-blocks.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { readTableLayout } from "./table-layout.ts";
import { type TableOptions, TableWriter } from "./table-writer.ts";

export interface CompactionInput {
  readonly directory: string;
  /** Sorted runs from the newest to the oldest; the files of a run do not overlap and are in key order. */
  readonly runs: readonly (readonly FileMeta[])[];
  /** The keys to take. */
  readonly range: KeyRange;
  readonly firstFileNumber: number;
  readonly fileCountMax: number;
  readonly targetFileBytes: number;
  /** Whether no run older than the inputs may hold a key of their range. */
  readonly bottom: boolean;
  /** Indexes of live snapshots, ascending. */
  readonly snapshots: readonly number[];
  /** What expires by this time has expired. */
  readonly nowMs: number;
  readonly table: TableOptions;
  /** What it may read and write; 0: no limit. */
  readonly bytesPerSecond: number;
}

export const compactionJobReference: JobReference = {
  moduleUrl: import.meta.url,
  exportName: "compactionJob",
};

export function* compactionJob(
  context: JobContext,
  input: CompactionInput,
): Generator<number, JobOutput, void> {
  const inputs = new InputRuns(context.disk, input);
  const outputs = new OutputFiles(context.disk, input, inputs.ranges.retained(input.snapshots, input.bottom));
  try {
    const { ranges } = inputs;
    const retention = new Retention({ ...input, ranges });
    const merge = new MergeWalk(inputs.runs, false);
    const pace = new JobPace(context.clock, input.bytesPerSecond);
    const { from, to } = input.range;
    merge.start(from);
    let seen = 0;
    while (merge.top !== undefined) {
      const moved = inputs.bytesRead + outputs.bytesTouched;
      if (moved !== seen) {
        yield pace.note(moved - seen);
        seen = moved;
      }
      const entry = merge.top;
      if (to !== undefined && compareRanges(entry.keyBytes, entry.keyStart, entry.keyEnd, to, 0, to.length) >= 0) {
        break;
      }
      if (retention.keeps(entry)) outputs.add(entry, retention.index, retention.isNewKey);
      merge.step();
    }
    outputs.finishFile();
    yield pace.note(outputs.bytesTouched + inputs.bytesRead - seen);
    context.disk.syncDirectory(input.directory);
    const { bytesRead, coveredFiles } = inputs;
    const { files, bytesWritten } = outputs;
    const { expired, covered } = retention;
    return { files, bytesRead, bytesWritten, expired, covered, coveredFiles };
  } catch (error) {
    outputs.abandon();
    throw error;
  } finally {
    inputs.close();
  }
}

class InputRuns {
  readonly runs: EntryIterator[] = [];
  /** The range tombstones of all inputs, within the range of the job. */
  readonly ranges: RangeTombstones;
  bytesRead = 0;
  coveredFiles = 0;
  readonly #open: SequentialRun[] = [];

  constructor(disk: Disk, input: CompactionInput) {
    const pool = new WalkPool();
    this.ranges = this.#readRanges(disk, input);
    for (const all of input.runs) {
      const files = all.filter((meta) => !this.#isCovered(meta, input));
      this.coveredFiles += all.length - files.length;
      if (files.length === 0) continue;
      const run = new SequentialRun(disk, input.table.selectionHash, (bytes) => {
        this.bytesRead += bytes;
      });
      this.#open.push(run);
      const blocks = files.map(
        (meta) => new SequentialBlocks(`${input.directory}/${tableName(meta.number)}`, run),
      );
      const smallestKeys = SortedKeys.from(files.map((meta) => meta.smallest));
      this.runs.push(new LevelIterator(pool, blocks, smallestKeys));
    }
  }

  close(): void {
    for (const run of this.#open) run.close();
  }

  /** Errors: CORRUPTION, FORMAT_UNKNOWN, NOT_FOUND, IO_ERROR. */
  #readRanges(disk: Disk, { runs, range, directory, table }: CompactionInput): RangeTombstones {
    const spans: RangeSpan[] = [];
    for (const meta of runs.flat()) {
      if (meta.rangeTombstones === undefined) continue;
      const file = disk.open(`${directory}/${tableName(meta.number)}`, "read");
      try {
        const { rangeTombstones } = readTableLayout(file, table.selectionHash);
        this.bytesRead += rangeTombstones.length;
        spans.push(...decodeRangeTombstones(rangeTombstones, file.path).spans);
      } finally {
        file.close();
      }
    }
    return RangeTombstones.fragment(spans).clipped(range.from, range.to);
  }

  /** Whether nobody can see an entry of the file in the job's range any more, so that it need not be read. */
  #isCovered(meta: FileMeta, { range: { from, to }, snapshots }: CompactionInput): boolean {
    if (this.ranges.count === 0) return false;
    const smallest = from !== undefined && compareBytes(meta.smallest, from) < 0 ? from : meta.smallest;
    const isCut = to !== undefined && compareBytes(meta.largest, to) >= 0;
    const bounds = {
      smallest,
      largest: isCut ? to : meta.largest,
      largestIsExclusive: isCut || meta.largestIsExclusive === true,
    };
    return this.ranges.coversAll(bounds, meta, snapshots);
  }
}

class OutputFiles {
  readonly files: FileMeta[] = [];
  bytesWritten = 0;
  /** As `bytesWritten`, with what of the unfinished file is on the disk. */
  bytesTouched = 0;
  readonly #disk: Disk;
  readonly #input: CompactionInput;
  #writer: TableWriter | undefined = undefined;
  #started = 0;
  readonly #ranges: RangeTombstones;
  /** Where the present file begins; range tombstones are cut where files are. */
  #from: Uint8Array | undefined = undefined;

  constructor(disk: Disk, input: CompactionInput, ranges: RangeTombstones) {
    this.#ranges = ranges;
    this.#disk = disk;
    this.#input = input;
  }

  add(entry: EntryIterator, index: number, isNewKey: boolean): void {
    const full = this.#writer !== undefined && this.#writer.sizeBytes >= this.#input.targetFileBytes;
    if (full && isNewKey && this.#started < this.#input.fileCountMax) {
      this.finishFile(entry.keyBytes.slice(entry.keyStart, entry.keyEnd));
    }
    this.#writer ??= this.#start();
    this.#writer.add(entry, index);
    if (this.#writer.wantsWrite) this.bytesTouched += this.#writer.writePending();
  }

  /** Ends the present file below the key `to`, or with the last of the job; a last one may hold only ranges. */
  finishFile(to?: Uint8Array): void {
    const section = rangeSection(this.#ranges.clipped(this.#from, to));
    this.#from = to;
    if (this.#writer === undefined && section === undefined) return;
    this.#writer ??= this.#start();
    this.#writer.setRangeTombstones(section);
    const meta = this.#writer.finish();
    this.#writer = undefined;
    this.files.push(meta);
    this.bytesWritten += meta.sizeBytes;
    this.bytesTouched = this.bytesWritten;
  }

  abandon(): void {
    this.#writer?.abandon(this.#disk);
    for (const meta of this.files) {
      try {
        this.#disk.unlink(`${this.#input.directory}/${tableName(meta.number)}`);
      } catch {
        // An orphan then, and removed when the store is opened next.
      }
    }
  }

  #start(): TableWriter {
    const number = this.#input.firstFileNumber + this.#started;
    assert(this.#started < this.#input.fileCountMax, "a compaction keeps to its file numbers");
    this.#started++;
    const path = `${this.#input.directory}/${tableName(number)}`;
    return new TableWriter(this.#disk, path, number, this.#input.table);
  }
}
