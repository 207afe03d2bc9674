/**
 * Repair: makes an openable store in another directory out of what can be read of a damaged one. The original is only
 * read.
 *
 *   1. Every table that the manifest names (without one: every table there is) is scanned (table-scan.ts).
 *   2. One that holds is linked. Of one that does not, the entries of the blocks that hold are written into a new
 *      table, which takes its place in its level; what was in other blocks is lost.
 *   3. With a manifest the levels stay as they are. Without, nobody knows which table is newer than which, nor which
 *      are left-overs: all are merged into one sorted run by the indexes of their entries (compaction-job.ts), which
 *      settles it for all but keys that had been deleted for good.
 *   4. A new manifest and CURRENT make the copy openable; they are written last.
 * What a lost block held may have hidden older versions of its keys in older tables: these are read again afterwards.
 * The report has the key ranges. Memory: one block, and what a compaction takes.
 * Source: LevelDB's repair.cc; RocksDB's RepairDB.
 */
import { ByteReader } from "../../../../../../kit/byte-reader.ts";
import { compareBytes } from "../../../../../../kit/compare.ts";
import type { Disk, DiskFile, JobContext } from "../../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { WalkPool } from "./block-walk.ts";
import { compactionJob } from "./compaction-job.ts";
import { wholeRange } from "./compaction-split.ts";
import type { FileMeta } from "./file-meta.ts";
import { parseStoreFile, tableName } from "./file-names.ts";
import { Manifest } from "./manifest.ts";
import { resolveTuning } from "./options.ts";
import { readStoreState, scrubTable } from "./scrub.ts";
import { TableIterator } from "./table-iterator.ts";
import { tableOptionsOf } from "./table-options.ts";
import { blockOf, type TableScan } from "./table-scan.ts";
import { TableWriter } from "./table-writer.ts";
import { levelsMax } from "./version-edit.ts";
import type { VersionState } from "./version-state.ts";

export interface RepairOptions {
  readonly directory: string;
  /** Missing or empty. */
  readonly target: string;
  readonly selectionHash: string;
  /** Only says what would be saved and lost; nothing is written. */
  readonly dryRun: boolean;
  /** Where the log that belongs to the store begins: what is before it is in the files, or is lost. */
  readonly logFirstIndex?: number | undefined;
}

export interface LostRange {
  /** No lost key is below; undefined: not known. */
  readonly first: Uint8Array | undefined;
  /** All lost keys are below; undefined: not known. */
  readonly next: Uint8Array | undefined;
}

export interface RepairedFile {
  readonly file: string;
  /** kept: as it is; salvaged: what holds of it, in a new file; lost: nothing of it. */
  readonly outcome: "kept" | "salvaged" | "lost";
  readonly savedEntries: number;
  /** Undefined where nobody knows how many there were. */
  readonly lostEntries: number | undefined;
  readonly lostRanges: readonly LostRange[];
  /** What was wrong with it. */
  readonly problems: readonly string[];
}

export interface RepairReport {
  readonly files: readonly RepairedFile[];
  readonly manifest: "kept" | "rebuilt";
  /** As far as the files went themselves; without a manifest the highest index in them. The log had the rest. */
  readonly filesIndex: number;
  /** Everything up to it is in the repaired files, apart from what was lost. */
  readonly durableIndex: number;
  readonly savedEntries: number;
}

interface SavedTable {
  readonly level: number;
  readonly meta: FileMeta;
}

/** Yields bytes read. Errors: ALREADY_EXISTS, FORMAT_UNKNOWN, DISK_FULL, IO_ERROR. */
export function* repairStore(
  context: JobContext,
  options: RepairOptions,
): Generator<number, RepairReport, void> {
  return yield* new Repair(context, options).run();
}

class Repair {
  readonly #context: JobContext;
  readonly #disk: Disk;
  readonly #options: RepairOptions;
  readonly #files: RepairedFile[] = [];
  #nextFileNumber = 1;

  constructor(context: JobContext, options: RepairOptions) {
    this.#context = context;
    this.#disk = context.disk;
    this.#options = options;
  }

  *run(): Generator<number, RepairReport, void> {
    const { directory, target, selectionHash, dryRun } = this.#options;
    const { state } = readStoreState(this.#disk, directory, selectionHash);
    for (const name of this.#disk.list(directory)) {
      const file = parseStoreFile(name);
      const number = file !== undefined && "number" in file ? file.number : 0;
      this.#nextFileNumber = Math.max(this.#nextFileNumber, number + 1);
    }
    this.#nextFileNumber = Math.max(this.#nextFileNumber, state?.nextFileNumber ?? 1);
    if (!dryRun) this.#prepareTarget();
    const saved = yield* this.#saveTables(state);
    const highest = saved.reduce((max, { meta }) => Math.max(max, meta.indexMax), 0);
    const filesIndex = state?.durableIndex ?? highest;
    const durableIndex = Math.max(filesIndex, (this.#options.logFirstIndex ?? 1) - 1);
    if (!dryRun) {
      const added = state === undefined ? yield* this.#merge(saved) : saved;
      const number = this.#nextFileNumber++;
      const expiryTimeMs = state?.expiryTimeMs ?? 0;
      const edit = { durableIndex, nextFileNumber: this.#nextFileNumber, expiryTimeMs, removed: [], added };
      this.#disk.syncDirectory(target);
      Manifest.create(this.#disk, target, number, selectionHash, edit).close();
    }
    const savedEntries = this.#files.reduce((sum, file) => sum + file.savedEntries, 0);
    const manifest = state === undefined ? "rebuilt" : "kept";
    return { files: this.#files, manifest, filesIndex, durableIndex, savedEntries };
  }

  #prepareTarget(): void {
    const { target } = this.#options;
    this.#disk.makeDirectory(target);
    const [present] = this.#disk.list(target);
    if (present === undefined) return;
    throw new LatheError("ALREADY_EXISTS", `${target} is not empty (it holds ${present}); name an empty directory`);
  }

  *#saveTables(state: VersionState | undefined): Generator<number, SavedTable[], void> {
    const { directory, selectionHash } = this.#options;
    const saved: SavedTable[] = [];
    const wanted = state?.levels.flatMap((files, level) => files.map((meta) => ({ level, meta }))) ?? this.#allTables();
    for (const { level, meta: expected } of wanted) {
      const name = tableName(expected.number);
      const known = state === undefined ? undefined : (expected as FileMeta);
      if (!this.#disk.exists(`${directory}/${name}`)) {
        this.#lose(name, known, ["it is missing"]);
        continue;
      }
      const { report, scan } = yield* scrubTable(this.#disk, directory, name, selectionHash, known);
      const problems = report.problems.map(({ offset, what }) => `at byte ${offset}: ${what}`);
      const meta = scan === undefined ? undefined : this.#save(name, scan, known, problems);
      if (meta !== undefined) saved.push({ level, meta });
      else if (scan === undefined) this.#lose(name, known, problems);
    }
    return saved;
  }

  /** Without a manifest: what the names say. */
  #allTables(): { level: number; meta: Pick<FileMeta, "number"> }[] {
    return this.#disk.list(this.#options.directory).flatMap((name) => {
      const file = parseStoreFile(name);
      return file?.kind === "table" ? [{ level: 0, meta: { number: file.number } }] : [];
    });
  }

  #save(
    name: string,
    scan: TableScan,
    known: FileMeta | undefined,
    problems: readonly string[],
  ): FileMeta | undefined {
    const { directory, target, dryRun } = this.#options;
    const number = (parseStoreFile(name) as { number: number }).number;
    const there = known ?? scan.meta;
    if (problems.length === 0 && scan.meta !== undefined) {
      this.#files.push({ ...nothingLost, file: name, outcome: "kept", savedEntries: scan.entryCount, problems });
      if (!dryRun) this.#disk.link(`${directory}/${name}`, `${target}/${name}`);
      return known ?? { ...scan.meta, number };
    }
    const tombstonesHold = scan.rangeTombstones !== undefined && scan.rangeTombstones.length > 0 && there !== undefined;
    if (scan.held.length === 0 && !tombstonesHold) {
      this.#lose(name, there, problems);
      return undefined;
    }
    const lostRanges = scan.damages.flatMap(({ part, first, next }): LostRange[] => {
      if (part === "block") return [{ first, next }];
      return part === "range tombstones" ? [{ first: there?.smallest, next: undefined }] : [];
    });
    const lostEntries = there === undefined ? undefined : Math.max(0, there.entryCount - scan.entryCount);
    const unknown = lostRanges.length > 0 && known === undefined && scan.meta?.entryCount === scan.entryCount;
    this.#files.push({
      file: name,
      outcome: "salvaged",
      savedEntries: scan.entryCount,
      lostEntries: unknown ? undefined : lostRanges.length === 0 ? 0 : lostEntries,
      lostRanges,
      problems,
    });
    if (dryRun) return scan.meta === undefined ? undefined : { ...scan.meta, number };
    return this.#rewrite(name, scan, there);
  }

  #lose(name: string, meta: FileMeta | undefined, problems: readonly string[]): void {
    this.#files.push({
      file: name,
      outcome: "lost",
      savedEntries: 0,
      lostEntries: meta?.entryCount,
      lostRanges: [{ first: meta?.smallest, next: meta === undefined ? undefined : afterKey(meta.largest) }],
      problems,
    });
  }

  /** Writes what holds of a table into a new one. */
  #rewrite(name: string, scan: TableScan, there: FileMeta | undefined): FileMeta {
    const { directory, target, selectionHash } = this.#options;
    const number = this.#nextFileNumber++;
    const options = tableOptionsOf(resolveTuning({}), selectionHash, false);
    const file = this.#disk.open(`${directory}/${name}`, "read");
    const writer = new TableWriter(this.#disk, `${target}/${tableName(number)}`, number, options);
    try {
      if (scan.held.length > 0) {
        const entries = new TableIterator(new WalkPool(), heldBlocks(file, scan));
        for (entries.seekFirst(); entries.valid; entries.next()) {
          writer.add(entries, entries.index);
          if (writer.wantsWrite) writer.writePending();
        }
        entries.close();
      }
      const bytes = scan.rangeTombstones;
      if (bytes !== undefined && bytes.length > 0 && there !== undefined) {
        const count = new ByteReader(bytes, name).varint();
        const { smallest, largest, indexMin, indexMax } = there;
        writer.setRangeTombstones({ bytes, count, smallest, largest, indexMin, indexMax });
      }
      return writer.finish();
    } catch (error) {
      writer.abandon(this.#disk);
      throw error;
    } finally {
      file.close();
    }
  }

  /** Merges tables of unknown order into one sorted run in the deepest level. */
  *#merge(saved: readonly SavedTable[]): Generator<number, SavedTable[], void> {
    if (saved.length === 0) return [];
    const { target, selectionHash } = this.#options;
    const metas = saved.map(({ meta }) => meta);
    const totalBytes = metas.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const tuning = resolveTuning({});
    const { targetFileBytes } = tuning;
    const fileCountMax = 2 * Math.ceil(totalBytes / targetFileBytes) + metas.length + 1;
    const firstFileNumber = this.#nextFileNumber;
    this.#nextFileNumber += fileCountMax;
    const job = compactionJob(this.#context, {
      directory: target,
      runs: disjointRuns(metas),
      range: wholeRange,
      firstFileNumber,
      fileCountMax,
      targetFileBytes,
      bottom: true,
      snapshots: [],
      // Nothing expires here: the store itself knows the time.
      nowMs: 0,
      table: tableOptionsOf(tuning, selectionHash, true),
      bytesPerSecond: 0,
    });
    for (;;) {
      const step = job.next();
      if (step.done === true) {
        for (const { number } of metas) this.#disk.unlink(`${target}/${tableName(number)}`);
        return step.value.files.map((meta) => ({ level: levelsMax - 1, meta }));
      }
      yield 0;
    }
  }
}

const nothingLost = { lostEntries: 0, lostRanges: [] } as const;

/** The blocks of a file that hold, as a source that is walked from its first one. */
function heldBlocks(file: DiskFile, { held, version }: TableScan) {
  return {
    blockCount: held.length,
    floor: () => -1,
    block(number: number) {
      const { offset, length } = held[number];
      const stored = new Uint8Array(length);
      file.readSync(stored, 0, length, offset);
      return blockOf(stored, version, offset, file.path, number);
    },
  };
}

/** As few runs of tables that do not overlap as there can be, so that a merge has few files open. */
function disjointRuns(metas: readonly FileMeta[]): FileMeta[][] {
  const runs: FileMeta[][] = [];
  for (const meta of [...metas].sort((a, b) => compareBytes(a.smallest, b.smallest))) {
    const run = runs.find((one) => compareBytes(one[one.length - 1].largest, meta.smallest) < 0);
    if (run === undefined) runs.push([meta]);
    else run.push(meta);
  }
  return runs;
}

/** The first string behind a key. */
function afterKey(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}
