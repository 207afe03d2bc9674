/**
 * Scrub: reads every byte of a store's directory, changes nothing, and says per file what it is and what is wrong.
 *
 *   1. CURRENT, then the manifest that it names, folded into the state of the store.
 *   2. Every table of that state with table-scan.ts; that it is there, that it is what the manifest says, and that the
 *      tables of every level below 0 are disjoint.
 *   3. What else lies there: files that an interrupted flush, compaction or switch left behind (harmless, removed at
 *      the next opening), and files that are not the store's.
 * Without CURRENT or a readable manifest every table is still looked at, on its own.
 * It is a generator that yields the bytes of every read, so that it can be paced, stopped and told of. The store must
 * not be open elsewhere: its files would go away meanwhile.
 * Source: RocksDB's VerifyChecksum and `sst_dump`, PostgreSQL's amcheck, ZFS's scrub.
 */
import { compareBytes } from "../../../../../../kit/compare.ts";
import type { Disk } from "../../../../../../kit/env/env.ts";
import { errorCodeOf, type LatheError } from "../../../../../../kit/errors.ts";
import { fileHeaderBytes, peekFileHeader } from "../../../../../../kit/file-header.ts";
import type { FileMeta } from "./file-meta.ts";
import { currentName, manifestName, parseStoreFile, tableName } from "./file-names.ts";
import { readCurrent, readManifest } from "./manifest.ts";
import { scanTable, type TableScan } from "./table-scan.ts";
import { foldEdits, type VersionState } from "./version-state.ts";

export type FileKind = "current" | "manifest" | "table" | "temporary" | "lock" | "other";

export interface FileProblem {
  /** A note is no damage: an orphan, a torn append that never counted. */
  readonly severity: "damage" | "note";
  readonly offset: number;
  readonly what: string;
}

export interface FileReport {
  readonly file: string;
  readonly kind: FileKind;
  readonly sizeBytes: number;
  /** Bytes of it that were read and checked. */
  readonly checkedBytes: number;
  readonly problems: readonly FileProblem[];
}

export interface StoreReport {
  readonly files: readonly FileReport[];
  /** Undefined where CURRENT or the manifest is lost. */
  readonly state: VersionState | undefined;
  readonly entryCount: number;
}

/**
 * The selection that a store's files name: of the first header that holds. Undefined where there is none; then
 * nothing can be read, or the directory holds no store.
 */
export function selectionHashOfStore(disk: Disk, directory: string): string | undefined {
  const names = disk.list(directory).filter((name) => parseStoreFile(name) !== undefined);
  for (const name of names) {
    const file = disk.open(`${directory}/${name}`, "read");
    try {
      const bytes = new Uint8Array(fileHeaderBytes);
      const length = file.readSync(bytes, 0, bytes.length, 0);
      const header = peekFileHeader(bytes.subarray(0, length));
      if (header?.magic.startsWith("LATHE") === true) return header.selectionHash;
    } finally {
      file.close();
    }
  }
  return undefined;
}

/** Errors: NOT_FOUND (no such directory), IO_ERROR. Damage, and files of another format, are results. */
export function* scrubStore(
  disk: Disk,
  directory: string,
  selectionHash: string,
): Generator<number, StoreReport, void> {
  const names = disk.list(directory);
  const files: FileReport[] = [];
  const { state, reports } = readStoreState(disk, directory, selectionHash);
  files.push(...reports);
  const seen = new Set(reports.map(({ file }) => file));
  let entryCount = 0;
  const expected = new Map<string, FileMeta>();
  for (const meta of state?.levels.flat() ?? []) expected.set(tableName(meta.number), meta);
  const overlaps = state === undefined ? new Map<string, string>() : overlapping(state);
  const tables = new Set([...expected.keys(), ...names.filter((name) => parseStoreFile(name)?.kind === "table")]);
  for (const name of [...tables].sort()) {
    seen.add(name);
    if (!names.includes(name)) {
      files.push(reportOf(name, "table", 0, 0, [damage(0, "it is missing; the manifest names it")]));
      continue;
    }
    const orphan = state !== undefined && !expected.has(name);
    const { report, scan } = yield* scrubTable(disk, directory, name, selectionHash, expected.get(name));
    const overlap = overlaps.get(name);
    const more = [
      ...(overlap === undefined ? [] : [damage(0, overlap)]),
      ...(orphan ? [note("no part of the store: what was left behind; the next opening removes it")] : []),
    ];
    const problems = orphan ? [...more, ...report.problems.map(asNote)] : [...more, ...report.problems];
    files.push({ ...report, problems });
    if (!orphan) entryCount += scan?.entryCount ?? 0;
  }
  for (const name of names) if (!seen.has(name)) files.push(otherFile(disk, directory, name, state !== undefined));
  return { files: files.sort((a, b) => (a.file < b.file ? -1 : 1)), state, entryCount };
}

/** One table on its own. */
export function* scrubTable(
  disk: Disk,
  directory: string,
  name: string,
  selectionHash: string,
  expected: FileMeta | undefined,
): Generator<number, { report: FileReport; scan: TableScan | undefined }, void> {
  const path = `${directory}/${name}`;
  let checkedBytes = 0;
  let sizeBytes = 0;
  try {
    const file = disk.open(path, "read");
    try {
      sizeBytes = file.sizeSync();
      const steps = scanTable(file, { selectionHash, expected });
      for (;;) {
        const step = steps.next();
        if (step.done === true) {
          const problems = step.value.damages.map(({ offset, what }) => damage(offset, what));
          return { report: reportOf(name, "table", sizeBytes, sizeBytes, problems), scan: step.value };
        }
        checkedBytes += step.value;
        yield step.value;
      }
    } finally {
      file.close();
    }
  } catch (error) {
    return { report: reportOf(name, "table", sizeBytes, checkedBytes, [problemOf(error)]), scan: undefined };
  }
}

/** CURRENT and the manifest in force, as reports, and the state that they give where they hold. */
export function readStoreState(
  disk: Disk,
  directory: string,
  selectionHash: string,
): { state: VersionState | undefined; reports: FileReport[] } {
  const reports: FileReport[] = [];
  let number: number | undefined;
  const add = (file: string, kind: FileKind, problems: readonly FileProblem[]) => {
    const path = `${directory}/${file}`;
    const sizeBytes = disk.exists(path) ? disk.size(path) : 0;
    reports.push(reportOf(file, kind, sizeBytes, sizeBytes, problems));
  };
  try {
    number = readCurrent(disk, directory, selectionHash);
    if (number === undefined) {
      const isStore = disk.list(directory).some((name) => parseStoreFile(name) !== undefined);
      if (isStore) add(currentName, "current", [damage(0, "it is missing, though there are files of a store")]);
      return { state: undefined, reports };
    }
    add(currentName, "current", []);
  } catch (error) {
    add(currentName, "current", [problemOf(error)]);
    return { state: undefined, reports };
  }
  const name = manifestName(number);
  const path = `${directory}/${name}`;
  try {
    if (!disk.exists(path)) {
      add(name, "manifest", [damage(0, "it is missing; CURRENT names it")]);
      return { state: undefined, reports };
    }
    const { edits, tornBytes } = readManifest(disk, path, selectionHash);
    const state = foldEdits(edits, path);
    const torn = `its last ${tornBytes} bytes are an append that was torn and never counted`;
    add(name, "manifest", tornBytes === 0 ? [] : [{ ...note(torn), offset: disk.size(path) - tornBytes }]);
    return { state, reports };
  } catch (error) {
    add(name, "manifest", [problemOf(error)]);
    return { state: undefined, reports };
  }
}

/** Tables of levels below 0 that overlap the one before. */
function overlapping(state: VersionState): Map<string, string> {
  const found = new Map<string, string>();
  state.levels.slice(1).forEach((files, position) => {
    for (let i = 1; i < files.length; i++) {
      const order = compareBytes(files[i - 1].largest, files[i].smallest);
      if (order < 0 || (order === 0 && files[i - 1].largestIsExclusive === true)) continue;
      const before = tableName(files[i - 1].number);
      found.set(tableName(files[i].number), `its keys overlap those of ${before} in level ${position + 1}`);
    }
  });
  return found;
}

function otherFile(disk: Disk, directory: string, name: string, hasState: boolean): FileReport {
  const kind = parseStoreFile(name)?.kind ?? (name.startsWith("LOCK") ? "lock" : "other");
  const sizeBytes = disk.size(`${directory}/${name}`);
  const problems: FileProblem[] = [];
  if (kind === "other") problems.push(note("not a file of the store; it was not looked at"));
  if (kind === "temporary") problems.push(note("left behind by an interrupted switch; the next opening removes it"));
  if (kind === "manifest") {
    problems.push(note(hasState ? "not in force; the next opening removes it" : "perhaps the one that was in force"));
  }
  return reportOf(name, kind, sizeBytes, 0, problems);
}

function reportOf(
  file: string,
  kind: FileKind,
  sizeBytes: number,
  checkedBytes: number,
  problems: readonly FileProblem[],
): FileReport {
  return { file, kind, sizeBytes, checkedBytes, problems };
}

function damage(offset: number, what: string): FileProblem {
  return { severity: "damage", offset, what };
}

function note(what: string): FileProblem {
  return { severity: "note", offset: 0, what };
}

function asNote(problem: FileProblem): FileProblem {
  return { ...problem, severity: "note" };
}

/** Errors that are no statement about the file go on. */
function problemOf(error: unknown): FileProblem {
  const code = errorCodeOf(error);
  if (code === undefined || !["CORRUPTION", "FORMAT_UNKNOWN", "NOT_FOUND", "IO_ERROR"].includes(code)) throw error;
  const { details, message } = error as LatheError;
  return damage(typeof details.offset === "number" ? details.offset : 0, message);
}
