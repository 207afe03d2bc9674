/** Writes a file as a whole or not at all, and tells what is there before. */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";

/** Errors: NOT_FOUND without the directory, ALREADY_EXISTS for a directory; those of the system, translated. */
export function replaceFile(file: string, content: string): void {
  refuseDirectory(file);
  const parent = dirname(resolve(file));
  if (!existsSync(parent)) {
    throw new LatheError("NOT_FOUND", `cannot write ${file}: there is no directory ${parent}; make it first`);
  }
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, content);
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw translateSystemError(error, "write", file);
  }
}

const beginningLength = 400;

/** How the file that is there begins, by which its kind is told; undefined for none. Errors: ALREADY_EXISTS. */
export function beginningOf(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  refuseDirectory(file);
  try {
    return readFileSync(file, "utf8").slice(0, beginningLength);
  } catch (error) {
    throw translateSystemError(error, "read", file);
  }
}

function refuseDirectory(file: string): void {
  if (file === "") throw new LatheError("INVALID_ARGUMENT", "--out is empty; name a file");
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  throw new LatheError("ALREADY_EXISTS", `${file} is a directory; name a file`);
}
