/**
 * NewDirectory: work that fills a directory which is missing or empty. Where the work fails, what it wrote is removed
 * again, so that it can be tried again with the same name.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isSystemError, translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";

/** Errors: ALREADY_EXISTS (it holds something), those of the work; the system's are translated. */
export async function intoNewDirectory<Result>(directory: string, work: () => Promise<Result>): Promise<Result> {
  const isNew = !existsSync(directory);
  try {
    mkdirSync(directory, { recursive: true });
    const [present] = readdirSync(directory);
    if (present !== undefined) {
      const what = `${directory} is not empty (it holds ${present})`;
      throw new LatheError("ALREADY_EXISTS", `${what}; name a directory that is missing or empty`);
    }
  } catch (error) {
    throw translateSystemError(error, "make", directory);
  }
  try {
    return await work();
  } catch (error) {
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
    if (isNew) rmSync(directory, { recursive: true, force: true });
    throw isSystemError(error) ? translateSystemError(error, "write", directory) : error;
  }
}
