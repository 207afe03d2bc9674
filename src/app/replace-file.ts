/**
 * Writes results to the files that a person named, each as a whole or not at all, and overwrites nothing else.
 *
 * Steps:
 *   1. a file that is there is replaced where it is empty, where it is an older result of the same kind, which its
 *      beginning tells, or where the caller forces it; what people edit (contracts, models) has none;
 *   2. the content goes to a file beside it, which then takes its place: links stay links, and the mode stays;
 *   3. devices and pipes (`/dev/stdout`) are not replaced but written to.
 */
import {
  closeSync, constants, existsSync, openSync, readSync, realpathSync, renameSync, rmSync, type Stats,
  statSync, writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";

export interface ResultKind {
  /** As "selection". */
  readonly name: string;
  /** How files that Lathe wrote begin; undefined for what people edit. */
  readonly beginning?: RegExp;
}

export const selectionFile: ResultKind = {
  name: "selection", beginning: /^\s*\{\s*"version":\s*\d+,\s*"contract":\s*"[^"]*",\s*"contractHash":/,
};
export const planFile: ResultKind = {
  name: "plan", beginning: /^\s*\{\s*"version":\s*\d+,\s*"mode":\s*"\w+",\s*"leaves":/,
};
export const planPicture: ResultKind = {
  name: "picture of a plan", beginning: /^<svg [^>]*role="img" class="plan">/,
};
export const modelPicture: ResultKind = {
  name: "picture of the model", beginning: /^<svg [^>]*role="img" class="model figure">/,
};
export const modelFile: ResultKind = { name: "model" };
export const contractFile: ResultKind = { name: "contract" };

const beginningLength = 400;

/** Replaces an older result of the kind only, unless forced. Errors: ALREADY_EXISTS; those of `replaceFile`. */
export function writeResult(file: string, content: string, kind: ResultKind, force: boolean): void {
  refuseOccupied(file, kind, force);
  replaceFile(file, content);
}

/** Before long work, so that it is not lost. Errors: ALREADY_EXISTS, NOT_FOUND without the directory. */
export function refuseOccupied(file: string, { name, beginning }: ResultKind, force: boolean): void {
  const stats = placeOf(file);
  if (force || stats === undefined || !stats.isFile() || stats.size === 0) return;
  if (beginning?.test(beginningOf(file)) === true) return;
  const what = beginning === undefined ? "" : ` and is no ${name}`;
  throw new LatheError("ALREADY_EXISTS", `${file} is there already${what}; choose another file or add --force`);
}

/** Errors: NOT_FOUND without the directory, ALREADY_EXISTS for a directory; those of the system, translated. */
export function replaceFile(file: string, content: string): void {
  const stats = placeOf(file);
  if (stats !== undefined && !stats.isFile()) return writeThrough(file, content, stats);
  const target = stats === undefined ? file : realpathSync(file);
  const unfinished = `${target}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, content, stats === undefined ? {} : { mode: stats.mode & 0o777 });
    renameSync(unfinished, target);
  } catch (error) {
    if (existsSync(unfinished)) rmSync(unfinished);
    throw translateSystemError(error, "write", file);
  }
}

/** What is there; undefined where the file would be new. */
function placeOf(file: string): Stats | undefined {
  if (file === "") throw new LatheError("INVALID_ARGUMENT", "--out is empty; name a file");
  let stats: Stats | undefined;
  try {
    stats = statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw translateSystemError(error, "write", file);
  }
  if (stats?.isDirectory() === true) throw new LatheError("ALREADY_EXISTS", `${file} is a directory; name a file`);
  const parent = dirname(resolve(file));
  if (stats !== undefined || existsSync(parent)) return stats;
  throw new LatheError("NOT_FOUND", `cannot write ${file}: there is no directory ${parent}; make it first`);
}

function beginningOf(file: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY);
    const bytes = Buffer.alloc(beginningLength);
    return bytes.toString("utf8", 0, readSync(descriptor, bytes));
  } catch (error) {
    throw translateSystemError(error, "read", file);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** A pipe without a reader would be waited for without end: opened without waiting, the system tells. */
function writeThrough(file: string, content: string, stats: Stats): void {
  try {
    if (stats.isFIFO()) closeSync(openSync(file, constants.O_WRONLY | constants.O_NONBLOCK));
    writeFileSync(file, content);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENXIO") {
      throw new LatheError("IO_ERROR", `cannot write ${file}: it is a pipe that nobody reads; name a file`);
    }
    throw translateSystemError(error, "write", file);
  }
}
