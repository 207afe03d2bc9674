/**
 * RecordFile: a record that grows from run to run, as JSON, and beside it the same as a page for people.
 *
 * Both are written beside their places and renamed over them, so that a run that is stopped leaves what was there.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { LatheError } from "../kit/errors.ts";

/** The record in a file, named with or without `.json`; undefined where there is none. Errors: INVALID_ARGUMENT. */
export function readRecordFile<Kept>(
  file: string, isKept: (found: Partial<Kept>) => boolean, what: string,
): Kept | undefined {
  const path = jsonPath(file);
  if (!existsSync(path)) return undefined;
  try {
    const found = JSON.parse(readFileSync(path, "utf8")) as Kept;
    if (isKept(found)) return found;
  } catch {
    // Unreadable is as bad as another file.
  }
  throw new LatheError("INVALID_ARGUMENT", `${path} is no record of ${what}; name another file for --record`);
}

/** Errors: those of the file system. */
export function writeRecordFile(file: string, record: object, page: string): void {
  const path = jsonPath(file);
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, `${JSON.stringify(record, undefined, 2)}\n`);
  replaceFile(path.replace(/json$/, "md"), page);
}

function jsonPath(file: string): string {
  return `${resolve(file).replace(/\.json$/, "")}.json`;
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
