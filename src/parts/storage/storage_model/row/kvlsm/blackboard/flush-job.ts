/**
 * The flush job: writes one frozen memtable as one SSTable. Runs on another thread; reads the memtable in
 * place.
 *
 *   1. Sort the memtable's nodes, walk them in order and keep the versions that Retention keeps for the live snapshots.
 *   2. Its range tombstones, cut into fragments, become a section of the table.
 *   3. Write, sync the file, sync the directory.
 * A job that fails leaves no file behind where it can help it.
 */
import type { JobContext, JobReference } from "../../../../../../kit/env/env.ts";
import { tableName } from "./file-names.ts";
import type { FileMeta } from "./file-meta.ts";
import { FrozenWalk } from "./frozen-walk.ts";
import type { FrozenMemtable } from "./memtable.ts";
import { JobPace } from "./job-pace.ts";
import { RangeTombstones, rangeSection } from "./range-tombstones.ts";
import { Retention } from "./retention.ts";
import { type TableOptions, TableWriter } from "./table-writer.ts";

export interface FlushInput {
  readonly directory: string;
  readonly memtable: FrozenMemtable;
  readonly fileNumber: number;
  /** Indexes of live snapshots, ascending. */
  readonly snapshots: readonly number[];
  readonly table: TableOptions;
  /** What it may write; 0: no limit. */
  readonly bytesPerSecond: number;
}

export interface JobOutput {
  /** New files in key order. */
  readonly files: readonly FileMeta[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Puts that had expired and became tombstones, or went. */
  readonly expired: number;
  /** Entries dropped because their range was deleted. */
  readonly covered: number;
  /** Files dropped unread because all of their keys were deleted with ranges. */
  readonly coveredFiles: number;
}

export const flushJobReference: JobReference = { moduleUrl: import.meta.url, exportName: "flushJob" };

export function* flushJob(context: JobContext, input: FlushInput): Generator<number, JobOutput, void> {
  const { disk } = context;
  const { memtable } = input;
  const walk = new FrozenWalk(memtable);
  const { snapshots } = input;
  const ranges = RangeTombstones.fragment(memtable.ranges);
  const retention = new Retention({ snapshots, bottom: false, nowMs: memtable.timeMs, ranges });
  const path = `${input.directory}/${tableName(input.fileNumber)}`;
  const writer = new TableWriter(disk, path, input.fileNumber, input.table);
  const pace = new JobPace(context.clock, input.bytesPerSecond);
  try {
    yield 0;
    while (walk.next()) {
      if (retention.keeps(walk, walk.isNewKey)) writer.add(walk, retention.index, walk.hash);
      if (writer.wantsWrite) {
        yield pace.note(writer.writePending());
      }
    }
    const section = rangeSection(ranges.retained(snapshots, false));
    const { expired, covered } = retention;
    if (writer.entryCount === 0 && section === undefined) {
      writer.abandon(disk);
      return { files: [], bytesRead: 0, bytesWritten: 0, expired, covered, coveredFiles: 0 };
    }
    writer.setRangeTombstones(section);
    const meta = writer.finish();
    yield 0;
    disk.syncDirectory(input.directory);
    return { files: [meta], bytesRead: 0, bytesWritten: meta.sizeBytes, expired, covered, coveredFiles: 0 };
  } catch (error) {
    writer.abandon(disk);
    throw error;
  }
}
