/** Writes a file as a whole or not at all. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { translateSystemError } from "../kit/env/system-error.ts";

/** Errors: those of the system, translated. */
export function replaceFile(file: string, content: string): void {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, content);
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw translateSystemError(error, "write", file);
  }
}
