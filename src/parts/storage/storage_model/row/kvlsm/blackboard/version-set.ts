/**
 * VersionSet: the current version, the manifest that makes it durable, and the files nobody needs any more.
 *
 *   1. `commit(edit)`: edits are taken one at a time. The added tables are opened (and so checked), the edit
 *      is appended to the manifest and synced, and only then the new version takes the place of the current
 *      one.
 *   2. A table that no version contains any more is closed and its file removed.
 *   3. A failed append leaves it open whether the edit is on disk. The edit's files are kept aside until a
 *      new manifest, which does not have them, is in force; only then they are removed.
 *   4. A manifest that has become long is replaced by a new one that starts with the present state.
 * Source: LevelDB's version_set.cc.
 */
import { assert } from "../../../../../../kit/assert.ts";
import { releaseBuffer } from "../../../../../../kit/buffer-release.ts";
import type { Disk, Logger } from "../../../../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../../../../kit/errors.ts";
import { isDamage } from "../../../../../../kit/file-header.ts";
import type { BlockCache } from "./block-cache.ts";
import { DamagedTable } from "./damaged-table.ts";
import type { FileMeta } from "./file-meta.ts";
import { manifestName, parseStoreFile, tableName } from "./file-names.ts";
import { Manifest, readCurrent, readManifest } from "./manifest.ts";
import type { ReadCounters } from "./read-counters.ts";
import { Table } from "./table.ts";
import { readTableSections } from "./table-layout.ts";
import { orderLevel, overlapsItself, Version } from "./version.ts";
import { levelsMax, type VersionEdit } from "./version-edit.ts";
import { foldEdits } from "./version-state.ts";

export interface VersionSetOptions {
  readonly disk: Disk;
  readonly log: Logger;
  readonly directory: string;
  readonly selectionHash: string;
  readonly cache: BlockCache;
  readonly counters: ReadCounters;
}

/** What a caller wants changed; file numbers and indexes that it does not name stay. */
export interface VersionChange {
  readonly durableIndex?: number;
  /** What expired by this time (ms) has expired for good; a lower one than before changes nothing. */
  readonly expiryTimeMs?: number;
  readonly removed: VersionEdit["removed"];
  readonly added: VersionEdit["added"];
}

export class VersionSet {
  readonly #options: VersionSetOptions;
  #current: Version;
  #manifest: Manifest | undefined = undefined;
  #durableIndex = 0;
  #nextFileNumber = 1;
  #expiryTimeMs = 0;
  #tail: Promise<void> = Promise.resolve();
  /** Files of edits whose append failed. */
  #doubtful: string[] = [];
  #closed = false;

  private constructor(options: VersionSetOptions) {
    this.#options = options;
    this.#current = new Version(noLevels(), (table) => this.#drop(table));
  }

  /** Opens or creates the store in the directory. Errors: CORRUPTION, FORMAT_UNKNOWN, IO_ERROR, DISK_FULL. */
  static open(options: VersionSetOptions): VersionSet {
    const versions = new VersionSet(options);
    versions.#recover();
    return versions;
  }

  get current(): Version {
    return this.#current;
  }

  get durableIndex(): number {
    return this.#durableIndex;
  }

  /** The expiry time that the manifest remembers, in ms. */
  get expiryTimeMs(): number {
    return this.#expiryTimeMs;
  }

  /** Takes `count` file numbers for the outputs of a job; returns the first. */
  reserveFileNumbers(count: number): number {
    const first = this.#nextFileNumber;
    this.#nextFileNumber += count;
    return first;
  }

  /**
   * Makes a change durable and current. Errors: what opening the files or writing the manifest gave; then
   * nothing changed.
   */
  commit(change: VersionChange): Promise<void> {
    const done = this.#tail.then(() => this.#commit(change));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** The whole present state as one edit, as a checkpoint or a new manifest begins. */
  state(): VersionEdit {
    const added = this.#current.files.flatMap((files, level) => files.map((meta) => ({ level, meta })));
    return {
      durableIndex: this.#durableIndex,
      nextFileNumber: this.#nextFileNumber,
      expiryTimeMs: this.#expiryTimeMs,
      removed: [],
      added,
    };
  }

  async close(): Promise<void> {
    await this.#tail;
    this.#closed = true;
    this.#current.release();
    this.#manifest?.close();
    this.#manifest = undefined;
  }

  async #commit(change: VersionChange): Promise<void> {
    if (this.#closed) throw new LatheError("CLOSED", "the store is closed");
    const opened = this.#openTables(change.added.map(({ meta }) => meta));
    const edit: VersionEdit = {
      durableIndex: Math.max(this.#durableIndex, change.durableIndex ?? 0),
      nextFileNumber: this.#nextFileNumber,
      expiryTimeMs: Math.max(this.#expiryTimeMs, change.expiryTimeMs ?? 0),
      removed: change.removed,
      added: change.added,
    };
    try {
      const manifest = this.#usableManifest();
      await manifest.append(edit);
    } catch (error) {
      for (const table of opened.values()) {
        table.close();
        this.#doubtful.push(table.path);
      }
      throw error;
    }
    this.#durableIndex = edit.durableIndex;
    this.#expiryTimeMs = edit.expiryTimeMs ?? 0;
    this.#install(edit, opened);
  }

  #install(edit: Pick<VersionEdit, "removed" | "added">, opened: ReadonlyMap<number, Table>): void {
    const levels = this.#current.levels.map((tables) => [...tables]);
    // A move between levels removes and adds the same file: keep the open table.
    const moved = new Map<number, Table>();
    for (const { level, number } of edit.removed) {
      const at = levels[level].findIndex((table) => table.meta.number === number);
      assert(at >= 0, `table ${number} to be removed is in level ${level}`);
      moved.set(number, levels[level][at]);
      levels[level].splice(at, 1);
    }
    for (const { level, meta } of edit.added) {
      const table = moved.get(meta.number) ?? opened.get(meta.number);
      assert(table !== undefined, `table ${meta.number} is open`);
      levels[level].push(table);
    }
    for (const [level, tables] of levels.entries()) {
      orderLevel(level, tables);
      assert(level === 0 || !overlapsItself(tables), `the tables of level ${level} do not overlap`);
    }
    const before = this.#current;
    this.#current = new Version(levels, (table) => this.#drop(table));
    before.release();
  }

  /**
   * Opens those that are not open already. Errors: CORRUPTION, NOT_FOUND, IO_ERROR; then none stays open, and all are
   * removed: no manifest has them, and every further attempt writes others.
   */
  #openTables(metas: readonly FileMeta[]): Map<number, Table> {
    const present = new Set(this.#current.files.flat().map((meta) => meta.number));
    const added = metas.filter(({ number }) => !present.has(number));
    const opened = new Map<number, Table>();
    try {
      for (const meta of added) opened.set(meta.number, this.#openTable(meta));
    } catch (error) {
      for (const table of opened.values()) table.close();
      for (const { number } of added) this.#removeFile(`${this.#options.directory}/${tableName(number)}`);
      throw error;
    }
    return opened;
  }

  #openTable(meta: FileMeta): Table {
    const { disk, directory, selectionHash, cache, counters } = this.#options;
    const file = disk.open(`${directory}/${tableName(meta.number)}`, "read");
    try {
      const sections = readTableSections(file, selectionHash);
      const { properties } = sections;
      if (properties.sizeBytes !== meta.sizeBytes || properties.number !== meta.number) {
        throw new LatheError(
          "CORRUPTION",
          `${file.path} at byte 0: it is not the file that the manifest names (${properties.sizeBytes} bytes, number ` +
            `${properties.number}; expected ${meta.sizeBytes} and ${meta.number}); restore it from a checkpoint`,
          { details: { path: file.path, offset: 0 } },
        );
      }
      const table = new Table(meta, file, sections, cache, counters);
      // All sections are views of one buffer.
      releaseBuffer(sections.index);
      return table;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #drop(table: Table): void {
    table.close();
    if (!this.#closed) this.#removeFile(table.path);
  }

  #usableManifest(): Manifest {
    const manifest = this.#manifest;
    if (manifest !== undefined && !manifest.failed && !manifest.isLong) return manifest;
    return this.#switchManifest();
  }

  /** Starts a new manifest with the present state. Errors: DISK_FULL, IO_ERROR; the store goes on with none. */
  #switchManifest(): Manifest {
    const { disk, directory, selectionHash } = this.#options;
    const before = this.#manifest;
    const number = this.reserveFileNumbers(1);
    const next = Manifest.create(disk, directory, number, selectionHash, this.state());
    this.#manifest = next;
    if (before !== undefined) {
      before.close();
      this.#removeFile(before.path);
    }
    for (const path of this.#doubtful.splice(0)) this.#removeFile(path);
    return next;
  }

  #removeFile(path: string): void {
    try {
      this.#options.disk.unlink(path);
    } catch (error) {
      if (errorCodeOf(error) === "NOT_FOUND") return;
      this.#options.log.warn("lsm_unlink_failed", { path, code: errorCodeOf(error) });
    }
  }

  #recover(): void {
    const { disk, directory, selectionHash, log } = this.#options;
    const present = disk.list(directory).map((name) => ({ name, file: parseStoreFile(name) }));
    const current = readCurrent(disk, directory, selectionHash);
    const tables = present.filter(({ file }) => file?.kind === "table");
    if (current === undefined && tables.length > 0) {
      throw new LatheError(
        "CORRUPTION",
        `${directory} holds ${tables.length} SSTables and no CURRENT file; restore the store from a checkpoint`,
        { details: { path: `${directory}/CURRENT`, offset: 0 } },
      );
    }
    let manifestPath = "";
    if (current !== undefined) {
      manifestPath = `${directory}/${manifestName(current)}`;
      if (!disk.exists(manifestPath)) {
        throw new LatheError(
          "CORRUPTION",
          `${manifestPath}, which CURRENT names, is missing; restore the store`,
          {
            details: { path: manifestPath, offset: 0 },
          },
        );
      }
      const { edits, tornBytes } = readManifest(disk, manifestPath, selectionHash);
      if (tornBytes > 0) log.warn("lsm_manifest_torn_tail", { path: manifestPath, bytes: tornBytes });
      this.#replay(edits, manifestPath);
    }
    for (const { file } of present) {
      if (file !== undefined && "number" in file) {
        this.#nextFileNumber = Math.max(this.#nextFileNumber, file.number + 1);
      }
    }
    this.#startManifest(current === undefined);
    this.#removeOrphans(present);
  }

  #replay(edits: readonly VersionEdit[], path: string): void {
    const { levels, durableIndex, nextFileNumber, expiryTimeMs } = foldEdits(edits, path);
    this.#expiryTimeMs = expiryTimeMs;
    this.#durableIndex = durableIndex;
    this.#nextFileNumber = nextFileNumber;
    const added = levels.flatMap((files, level) => files.map((meta) => ({ level, meta })));
    this.#install({ removed: [], added }, this.#openOrStandIn(added.map(({ meta }) => meta)));
  }

  /** Those that are damaged or gone are stood in for. Errors: FORMAT_UNKNOWN, IO_ERROR. */
  #openOrStandIn(metas: readonly FileMeta[]): Map<number, Table> {
    const { cache, counters, log } = this.#options;
    const opened = new Map<number, Table>();
    try {
      for (const meta of metas) {
        try {
          opened.set(meta.number, this.#openTable(meta));
        } catch (error) {
          const path = `${this.#options.directory}/${tableName(meta.number)}`;
          const missing = errorCodeOf(error) === "NOT_FOUND";
          if (!missing && !isDamage(error)) throw error;
          const reason = missing ? missingTable(path, error) : damagedTable(path, error);
          log.error("lsm_table_damaged", { path, message: reason.message });
          opened.set(meta.number, new DamagedTable(meta, path, reason, cache, counters));
        }
      }
    } catch (error) {
      for (const table of opened.values()) table.close();
      throw error;
    }
    return opened;
  }

  /** Every open starts a new manifest, so that nothing is ever appended behind a torn tail. */
  #startManifest(isNew: boolean): void {
    try {
      this.#switchManifest();
    } catch (error) {
      // A full disk must not keep what is there from being read; the next edit tries again.
      if (isNew || errorCodeOf(error) !== "DISK_FULL") throw error;
      this.#options.log.warn("lsm_manifest_not_switched", { code: "DISK_FULL" });
    }
  }

  #removeOrphans(present: readonly { name: string; file: ReturnType<typeof parseStoreFile> }[]): void {
    if (this.#manifest === undefined) return;
    const live = new Set(this.#current.files.flat().map((meta) => meta.number));
    for (const { name, file } of present) {
      const orphan =
        (file?.kind === "table" && !live.has(file.number)) ||
        (file?.kind === "manifest" && file.number !== this.#manifest.number) ||
        file?.kind === "temporary";
      if (orphan) this.#removeFile(`${this.#options.directory}/${name}`);
    }
  }
}

function noLevels(): Table[][] {
  return Array.from({ length: levelsMax }, () => []);
}

function missingTable(path: string, cause: unknown): LatheError {
  return new LatheError(
    "CORRUPTION",
    `${path} at byte 0: it is missing, the manifest names it; put it back, restore a backup, or run \`lathe repair\``,
    { cause, details: { path, offset: 0 } },
  );
}

/** Other bytes where the magic stood are damage here, since the manifest names the file. */
function damagedTable(path: string, cause: unknown): LatheError {
  if (errorCodeOf(cause) === "CORRUPTION") return cause as LatheError;
  return new LatheError(
    "CORRUPTION",
    `${path} at byte 0: its header is damaged; restore a backup or run \`lathe repair\``,
    { cause, details: { path, offset: 0 } },
  );
}
