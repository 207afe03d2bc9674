/**
 * Translates the operating system's errors into `LatheError`s, so that callers know one closed set of
 * codes. The message says what was being done and to what; `cause` carries the original.
 */
import { type ErrorCode, LatheError } from "../errors.ts";

interface Translation {
  readonly code: ErrorCode;
  readonly reason: string;
}

const translations: Readonly<Record<string, Translation>> = {
  EACCES: { code: "PERMISSION", reason: "the operating system denies it; check owner and mode" },
  EADDRINUSE: { code: "ADDRESS_IN_USE", reason: "another process listens there; stop it or choose another port" },
  EADDRNOTAVAIL: { code: "INVALID_ARGUMENT", reason: "this machine has no such address" },
  EDQUOT: { code: "DISK_FULL", reason: "the disk quota is used up; free space or raise it" },
  EEXIST: { code: "ALREADY_EXISTS", reason: "it exists already" },
  EISDIR: { code: "INVALID_ARGUMENT", reason: "it is a directory" },
  ENAMETOOLONG: { code: "INVALID_ARGUMENT", reason: "the path is too long" },
  ENOENT: { code: "NOT_FOUND", reason: "it does not exist" },
  ENOSPC: { code: "DISK_FULL", reason: "no space is left on the device; free some and try again" },
  ENOTDIR: { code: "INVALID_ARGUMENT", reason: "a part of the path is not a directory" },
  ENOTFOUND: { code: "NOT_FOUND", reason: "no such host" },
  EPERM: { code: "PERMISSION", reason: "the operating system denies it" },
  EROFS: { code: "READ_ONLY", reason: "the file system is read-only" },
};

/**
 * The `LatheError` for `error`, thrown while doing `action` ("open", "write") to `subject` (a path or
 * an address).
 */
export function translateSystemError(error: unknown, action: string, subject: string): LatheError {
  if (error instanceof LatheError) return error;
  const { code: systemCode, message } = error as NodeJS.ErrnoException;
  const translation = systemCode === undefined ? undefined : translations[systemCode];
  const code = translation?.code ?? "IO_ERROR";
  const reason = translation?.reason ?? message;
  return new LatheError(code, `cannot ${action} ${subject}: ${reason}`, {
    cause: error,
    details: { action, subject, systemCode },
  });
}

/** Whether the operating system said it, and not a mistake of ours. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return typeof (error as { syscall?: unknown } | undefined)?.syscall === "string";
}
