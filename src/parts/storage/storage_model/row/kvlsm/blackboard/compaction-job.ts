/**
 * The compaction job: merges sorted runs into new SSTables of one level. Runs on another thread.
 *
 *   1. Merge the input files in key order, newest version first.
 *   2. Keep what Retention keeps; start a new file at a key boundary once the present one has its target size.
 *   3. Sync every file, then the directory. The owner makes the files current by a manifest edit.
 * It holds per run one open file with a read buffer and one restart interval, and one output's block and
 * write buffer.
 * A job that fails leaves no file behind where it can help it.
 */
import { assert } from "../../../../../../kit/assert.ts";
import type { Disk, JobContext, JobReference } from "../../../../../../kit/env/env.ts";
import { WalkPool } from "./block-walk.ts";
import type { EntryIterator } from "./entry-iterator.ts";
import type { FileMeta } from "./file-meta.ts";
import { tableName } from "./file-names.ts";
import type { JobOutput } from "./flush-job.ts";
import { LevelIterator } from "./level-iterator.ts";
import { MergeWalk } from "./merge-walk.ts";
import { Retention } from "./retention.ts";
import { SequentialBlocks, SequentialRun } from "./sequential-blocks.ts";
import { SortedKeys } from "./sorted-keys.ts";
import { type TableOptions, TableWriter } from "./table-writer.ts";

export interface CompactionInput {
  readonly directory: string;
  /** Sorted runs from the newest to the oldest; the files of a run do not overlap and are in key order. */
  readonly runs: readonly (readonly FileMeta[])[];
  readonly firstFileNumber: number;
  readonly fileCountMax: number;
  readonly targetFileBytes: number;
  /** Whether no run older than the inputs may hold a key of their range. */
  readonly bottom: boolean;
  /** Indexes of live snapshots, ascending. */
  readonly snapshots: readonly number[];
  readonly table: TableOptions;
}

export const compactionJobReference: JobReference = {
  moduleUrl: import.meta.url,
  exportName: "compactionJob",
};

export function* compactionJob(
  context: JobContext,
  input: CompactionInput,
): Generator<void, JobOutput, void> {
  const inputs = new InputRuns(context.disk, input);
  const outputs = new OutputFiles(context.disk, input);
  try {
    const retention = new Retention(input.snapshots, input.bottom);
    const merge = new MergeWalk(inputs.runs, false);
    merge.start(undefined);
    let readsSeen = 0;
    while (merge.top !== undefined) {
      if (inputs.reads !== readsSeen) {
        readsSeen = inputs.reads;
        yield;
      }
      const entry = merge.top;
      if (retention.keeps(entry)) {
        const wrote = outputs.add(entry, retention.index, retention.isNewKey);
        if (wrote) yield;
      }
      merge.step();
    }
    outputs.finishFile();
    yield;
    context.disk.syncDirectory(input.directory);
    return { files: outputs.files, bytesRead: inputs.bytesRead, bytesWritten: outputs.bytesWritten };
  } catch (error) {
    outputs.abandon();
    throw error;
  } finally {
    inputs.close();
  }
}

class InputRuns {
  readonly runs: EntryIterator[] = [];
  reads = 0;
  bytesRead = 0;
  readonly #open: SequentialRun[] = [];

  constructor(disk: Disk, input: CompactionInput) {
    const pool = new WalkPool();
    for (const files of input.runs) {
      const run = new SequentialRun(disk, input.table.selectionHash, (bytes) => {
        this.reads++;
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
}

class OutputFiles {
  readonly files: FileMeta[] = [];
  bytesWritten = 0;
  readonly #disk: Disk;
  readonly #input: CompactionInput;
  #writer: TableWriter | undefined = undefined;
  #started = 0;

  constructor(disk: Disk, input: CompactionInput) {
    this.#disk = disk;
    this.#input = input;
  }

  /** Returns whether it wrote to the disk. */
  add(entry: EntryIterator, index: number, isNewKey: boolean): boolean {
    let wrote = false;
    const full = this.#writer !== undefined && this.#writer.sizeBytes >= this.#input.targetFileBytes;
    if (full && isNewKey && this.#started < this.#input.fileCountMax) {
      this.finishFile();
      wrote = true;
    }
    this.#writer ??= this.#start();
    this.#writer.add(entry, index);
    if (this.#writer.wantsWrite) {
      this.#writer.writePending();
      wrote = true;
    }
    return wrote;
  }

  finishFile(): void {
    if (this.#writer === undefined) return;
    const meta = this.#writer.finish();
    this.#writer = undefined;
    this.files.push(meta);
    this.bytesWritten += meta.sizeBytes;
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
