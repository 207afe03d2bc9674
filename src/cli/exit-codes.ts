/**
 * Exit codes of `lathe`: one table, from which help, documentation and behaviour come.
 */
import { errorCodeOf, type ErrorCode } from "../kit/errors.ts";

export interface ExitCode {
  readonly exitCode: number;
  readonly codes: readonly ErrorCode[];
  readonly meaning: string;
}

const wrongArgument = "a wrong argument, contract, knob or file name, or a file beyond a limit";

export const exitCodes: readonly ExitCode[] = [
  { exitCode: 0, codes: [], meaning: "done; a study that found no gain, or refused to look, is done too" },
  { exitCode: 1, codes: [], meaning: "an unexpected failure" },
  { exitCode: 2, codes: ["INVALID_ARGUMENT", "NOT_FOUND", "LIMIT_EXCEEDED"], meaning: wrongArgument },
  { exitCode: 3, codes: ["LOCKED"], meaning: "another process holds the directory" },
  { exitCode: 4, codes: ["ADDRESS_IN_USE"], meaning: "another process listens on the port" },
  { exitCode: 5, codes: ["READ_ONLY", "PERMISSION"], meaning: "a directory cannot be written" },
  { exitCode: 6, codes: ["DISK_FULL"], meaning: "no space is left" },
  { exitCode: 7, codes: ["CORRUPTION", "FORMAT_UNKNOWN"], meaning: "a file is damaged or of an unknown format" },
  {
    exitCode: 8,
    codes: ["IO_ERROR", "PROTOCOL", "JOB_LOST", "CLOSED"],
    meaning: "the system, a server or a thread failed",
  },
  { exitCode: 9, codes: ["NOT_SELECTED"], meaning: "the contract needs a leaf that no part serves yet" },
  { exitCode: 10, codes: ["CONSTRAINT"], meaning: "a gate rejected what was checked, or rows were refused" },
  { exitCode: 11, codes: ["ALREADY_EXISTS"], meaning: "something is in the way; nothing was overwritten" },
  { exitCode: 12, codes: ["UNAVAILABLE"], meaning: "an optional tool is not on this machine; see `lathe doctor`" },
  { exitCode: 13, codes: ["TIMEOUT"], meaning: "it took longer than its limit" },
  { exitCode: 130, codes: ["CANCELLED"], meaning: "stopped by Ctrl-C; what was measured is kept" },
];

export function exitCodeOf(error: unknown): number {
  const code = errorCodeOf(error);
  return exitCodes.find((one) => code !== undefined && one.codes.includes(code))?.exitCode ?? 1;
}

/** The lines of the table for help; `only` picks codes beside 0, 1, 2 and 130, which every command has. */
export function exitCodeHelp(only?: readonly number[]): string {
  const shown = exitCodes.filter((one) => only === undefined || [0, 1, 2, 130, ...only].includes(one.exitCode));
  return shown.map((one) => `  ${String(one.exitCode).padStart(3)}  ${one.meaning}`).join("\n");
}
