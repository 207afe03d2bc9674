/**
 * What the file system says when a product is written, told of the product's place and with the way out, not of the
 * file beside it at which it was noticed.
 */
import { dirname, relative, sep } from "node:path";
import { isSystemError, translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";

type WriteFailure = readonly [code: "READ_ONLY" | "PERMISSION" | "DISK_FULL", advice: string];

const denied = "you may not write there; choose another --out directory or change its owner or mode";

const systemCodes: Readonly<Record<string, WriteFailure>> = {
  EROFS: ["READ_ONLY", "its file system is mounted read-only; choose another --out directory"],
  EACCES: ["PERMISSION", denied],
  EPERM: ["PERMISSION", denied],
  ENOENT: ["PERMISSION", "its file system lets nothing be made there; choose another --out directory"],
  EBUSY: ["PERMISSION", "it is a mount point or in use; choose a directory below it as --out"],
  EXDEV: ["PERMISSION", "its file system renames no directories (an image's layer?); choose another --out directory"],
  ENOSPC: ["DISK_FULL", "no space is left on the device; free some and build again"],
  EDQUOT: ["DISK_FULL", "your quota is used up; free some space and build again"],
};

/** Anything else as it is. */
export function placeError(error: unknown, target: string): unknown {
  const isLock = error instanceof LatheError && error.details.action === "lock";
  const cause = isLock ? error.cause : error;
  if (!isSystemError(cause)) return error;
  const code = cause.code ?? "";
  const known = Object.hasOwn(systemCodes, code) ? systemCodes[code] : undefined;
  if (known === undefined) return translateSystemError(cause, "write", target);
  const parent = relative(process.cwd(), dirname(target)).split(sep).join("/") || ".";
  return new LatheError(known[0], `cannot write ${target} (in ${parent}): ${known[1]}`, { cause });
}
