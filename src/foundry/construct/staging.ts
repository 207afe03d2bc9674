/**
 * The directory in which a product is raised, beside the place where it will stand: written layer by layer, so that a
 * suite sees only what has been laid down, and removed whatever happens. Suites have a directory for temporary files of
 * their own, in the system's (sockets need a short path), so that what one leaves that is killed goes, too.
 *
 * Packages that suites use are linked from the workshop, as `npm install` would bring them to the product's owner.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { isSystemError, translateSystemError } from "../../kit/env/system-error.ts";
import { removeAbandoned } from "../abandoned-directories.ts";
import { makeDirectories, productPlace } from "../product-place.ts";
import { testPackages } from "../source-closure.ts";

const require = createRequire(import.meta.url);

/** Name and version of every package that suites may use. */
export function packageVersions(): string {
  const versionOf = (name: string) => (require(`${name}/package.json`) as { version: string }).version;
  return testPackages.map((name) => `${name}@${versionOf(name)}`).join(" ");
}

const suitesPrefix = "lathe-suites-";

export interface Staging {
  readonly directory: string;
  /** Where suites put temporary files. */
  readonly temporary: string;
}

/** Runs the work in a fresh directory beside `target`. Errors: READ_ONLY, PERMISSION, DISK_FULL, those of the work. */
export async function inStaging<Result>(
  target: string,
  work: (staging: Staging) => Promise<Result>,
): Promise<Result> {
  const place = productPlace(target);
  const directory = join(dirname(place), `.${basename(place)}.staging-${process.pid}`);
  let temporary: string | undefined;
  try {
    removeAbandoned(tmpdir(), suitesPrefix);
    temporary = mkdtempSync(join(tmpdir(), `${suitesPrefix}${process.pid}-`));
    rmSync(directory, { recursive: true, force: true });
    for (const name of testPackages) {
      makeDirectories(join(directory, "node_modules"));
      symlinkSync(dirname(require.resolve(`${name}/package.json`)), join(directory, "node_modules", name), "junction");
    }
    return await work({ directory, temporary });
  } catch (error) {
    throw isSystemError(error) ? translateSystemError(error, "write", directory) : error;
  } finally {
    for (const one of [directory, temporary]) {
      if (one !== undefined) rmSync(one, { recursive: true, force: true });
    }
  }
}

/** Writes files of the product into the staging directory. */
export function layFiles(directory: string, paths: readonly string[], files: ReadonlyMap<string, string>): void {
  for (const path of paths) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, files.get(path) ?? "");
  }
}
