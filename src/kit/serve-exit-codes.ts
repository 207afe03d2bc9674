/**
 * Exit codes of a product's process, and what a person can do about each failure. Shown by `--help`.
 */
import { errorCodeOf, type ErrorCode } from "./errors.ts";

export interface ExitReason {
  readonly exitCode: number;
  readonly codes: readonly ErrorCode[];
  readonly meaning: string;
  /** What to do, as a clause that follows the error's own message. */
  readonly advice: string;
}

export const exitReasons: readonly ExitReason[] = [
  { exitCode: 0, codes: [], meaning: "stopped on request; everything acknowledged is on disk", advice: "" },
  {
    exitCode: 1,
    codes: [],
    meaning: "an unexpected failure, see the message",
    advice: "please report it with this message",
  },
  {
    exitCode: 2,
    codes: ["INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS"],
    meaning: "a wrong argument, path or knob value",
    advice: "see --help and knobs.yaml",
  },
  {
    exitCode: 3,
    codes: ["LOCKED"],
    meaning: "another process holds the data directory",
    advice: "stop that process, or give this one another --data directory",
  },
  {
    exitCode: 4,
    codes: ["ADDRESS_IN_USE"],
    meaning: "another process listens on the port",
    advice: "choose another --mysql-port or --metrics-port (0 lets the system choose)",
  },
  {
    exitCode: 5,
    codes: ["READ_ONLY", "PERMISSION"],
    meaning: "the data directory cannot be written",
    advice: "check the directory's owner and mode and how its file system is mounted",
  },
  {
    exitCode: 6,
    codes: ["DISK_FULL"],
    meaning: "no space is left for the data",
    advice: "free some space and start again; nothing acknowledged is lost",
  },
  {
    exitCode: 7,
    codes: ["CORRUPTION", "FORMAT_UNKNOWN"],
    meaning: "a file is damaged or of an unknown format",
    advice: "nothing was changed: keep a copy of the directory, then restore the named file from a backup or a replica",
  },
  {
    exitCode: 8,
    codes: ["IO_ERROR"],
    meaning: "the operating system could not read or write",
    advice: "check the device (dmesg) before starting again",
  },
  {
    exitCode: 130,
    codes: [],
    meaning: "a second signal ended the process at once; the log replays at the next start",
    advice: "",
  },
];

const unexpected = exitReasons[1];

export function exitReasonOf(error: unknown): ExitReason {
  const code = errorCodeOf(error);
  if (code === undefined) return unexpected;
  return exitReasons.find((reason) => reason.codes.includes(code)) ?? unexpected;
}

/**
 * One line: what happened, to what, and what to do. A message with advice of its own (after a `;`)
 * keeps just that.
 */
export function describeFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const { advice } = exitReasonOf(error);
  return advice === "" || message.includes("; ") ? message : `${message}; ${advice}`;
}

export function exitCodeHelp(): string {
  return exitReasons.map((reason) => `  ${String(reason.exitCode).padStart(3)}  ${reason.meaning}`).join("\n");
}
