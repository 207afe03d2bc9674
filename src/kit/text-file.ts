/**
 * Reads a text file that a person named: a contract, a selection, a model.
 *
 * Steps:
 *   1. open without waiting: a named pipe that nobody writes to would be waited for without end;
 *   2. only a regular file is read, since a device may never end, or a pipe that is open already (`/dev/stdin`, the
 *      `/dev/fd/63` that a shell makes of `<(command)`): what that gave is kept, because it gives it once only;
 *   3. what is larger than `bytesMax`, and what is not UTF-8, is refused: read as it is, it would say something else.
 * A byte order mark at the beginning is left out.
 */
import { isUtf8 } from "node:buffer";
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, type Stats, statSync } from "node:fs";
import { translateSystemError } from "./env/system-error.ts";
import { LatheError } from "./errors.ts";

export interface TextFileLimits {
  readonly bytesMax: number;
  /** What is wrong with a directory, and what to name instead. */
  readonly directory?: string;
}

/** Errors: NOT_FOUND; INVALID_ARGUMENT (no file, or not UTF-8); LIMIT_EXCEEDED; those of the system. */
export function readTextFile(file: string, { bytesMax, directory }: TextFileLimits): string {
  const bytes = readRegularFile(file, bytesMax, directory);
  if (!isUtf8(bytes)) throw new LatheError("INVALID_ARGUMENT", `cannot read ${file}: ${describeEncoding(bytes)}`);
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

/** Errors: INVALID_ARGUMENT for what is no regular file. */
export function refuseOddFile(file: string, stats: Stats, directory = "it is a directory; name a file"): void {
  const kind = kindOf(stats);
  if (kind === undefined) return;
  const why = kind === "directory" ? directory : `it is a ${kind} and no file; save what it gives, and name that`;
  throw new LatheError("INVALID_ARGUMENT", `cannot read ${file}: ${why}`);
}

function kindOf(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return "directory";
  if (stats.isFIFO()) return "pipe";
  return stats.isSocket() ? "socket" : "device";
}

/** What descriptors of ours that are pipes have given, by their names. */
const givenByPipes = new Map<string, Buffer>();

function isOpenPipe(file: string): boolean {
  return /^\/(dev\/stdin|(dev|proc\/self)\/fd\/\d+)$/.test(file) && statSync(file).isFIFO();
}

/** Somebody has it open, so its end comes. */
function readOpenPipe(file: string, bytesMax: number): Buffer {
  const given = givenByPipes.get(file);
  if (given !== undefined) return given;
  const descriptor = openSync(file, constants.O_RDONLY);
  try {
    const chunks: Buffer[] = [];
    for (let bytes = 0; ;) {
      const chunk = Buffer.allocUnsafe(64 << 10);
      const length = readSync(descriptor, chunk);
      if (length === 0) break;
      bytes += length;
      if (bytes > bytesMax) {
        throw new LatheError("LIMIT_EXCEEDED", `${file} gives more than the ${bytesMax} bytes that are read`);
      }
      chunks.push(chunk.subarray(0, length));
    }
    const whole = Buffer.concat(chunks);
    givenByPipes.set(file, whole);
    return whole;
  } finally {
    closeSync(descriptor);
  }
}

function readRegularFile(file: string, bytesMax: number, directory: string | undefined): Buffer {
  let descriptor: number | undefined;
  try {
    if (isOpenPipe(file)) return readOpenPipe(file, bytesMax);
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    refuseOddFile(file, stats, directory);
    if (stats.size > bytesMax) {
      throw new LatheError("LIMIT_EXCEEDED", `${file} has ${stats.size} bytes, and ${bytesMax} at most are read`);
    }
    return readFileSync(descriptor);
  } catch (error) {
    throw translateSystemError(error, "read", file);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The line at which it stops being UTF-8; the two bytes that other encodings begin with are named. */
function describeEncoding(bytes: Buffer): string {
  if (["fffe", "feff"].includes(bytes.toString("hex", 0, 2))) return "it is UTF-16; save it as UTF-8";
  let [valid, invalid] = [0, bytes.length];
  // A prefix that ends within a letter is not valid either, so a position found is off by three bytes at most.
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isUtf8Beginning(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  const line = bytes.subarray(0, valid).reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 1);
  return `line ${line} is not UTF-8; save it as UTF-8`;
}

/** Whether it can be the beginning of UTF-8: its last letter may be cut. */
function isUtf8Beginning(bytes: Buffer): boolean {
  return [0, 1, 2, 3].some((cut) => isUtf8(bytes.subarray(0, Math.max(0, bytes.length - cut))));
}
