/**
 * The closed set of error codes for what goes wrong in operation.
 *
 * Three kinds of errors: an `assert` is our own bug; a `LatheError` with one of these codes is a
 * failure in operation; an expected outcome (a failed trial, a missing key) is a value. Errors are
 * recognised by `code`, never by `instanceof`, because products carry their own copy of this file. A
 * message says what happened, to what, and what to do. Source: LevelDB's Status, Node's and
 * abstract-level's error codes.
 */

/** Every code with what it means. Docs and exit codes are derived from this table. */
export const errorCodes = {
  ADDRESS_IN_USE: "another process listens on that port",
  ALREADY_EXISTS: "the thing to be created is there already",
  BACKPRESSURE: "a stated limit is reached; try again later",
  CANCELLED: "stopped on request",
  CLOSED: "used after it was closed",
  CONSTRAINT: "a constraint of the data does not hold (a duplicate key, a missing value)",
  CORRUPTION: "bytes on disk or on the wire are not what was written",
  DISK_FULL: "no space is left on the device",
  FORMAT_UNKNOWN: "a file of a format or version that this program does not know",
  INVALID_ARGUMENT: "a value that the callee does not accept",
  IO_ERROR: "the operating system could not read or write",
  JOB_LOST: "a background thread died before its job was done",
  LIMIT_EXCEEDED: "larger than a stated limit",
  LOCKED: "another process holds the directory",
  NOT_FOUND: "the thing named does not exist",
  NOT_SELECTED: "needs a leaf that this product does not contain",
  PERMISSION: "the operating system or the server denies it",
  PROTOCOL: "a peer sent bytes that the protocol does not allow",
  READ_ONLY: "the file system or directory cannot be written",
  TIMEOUT: "it took longer than the stated limit",
  UNAVAILABLE: "an optional part that this needs is not on this machine",
} as const;

export type ErrorCode = keyof typeof errorCodes;

export class LatheError extends Error {
  readonly code: ErrorCode;
  /** Facts for programs: paths, offsets, limits. Never secrets or user data. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LatheError";
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** The code of anything thrown, or undefined where it has none of ours. */
export function errorCodeOf(error: unknown): ErrorCode | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : undefined;
}
