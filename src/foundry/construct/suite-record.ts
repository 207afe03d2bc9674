/**
 * What has passed before: a record per set of bytes, so that a second build, or a sister product, runs only what is
 * new.
 *
 * The key is SHA-256 over the version of Node, the machine's architecture, and path and text of every file that the
 * suite is made of, so one changed byte anywhere in its closure makes it run again. One file per key, written as a
 * whole and renamed into place; one that cannot be read or does not say what its name says is ignored, and the suite
 * runs.
 * Invariant: at most `recordsMax` files; those used longest ago go first.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const recordsMaxDefault = 4000;

const schema = z.strictObject({ version: z.literal(1), key: z.string(), suite: z.string(), tests: z.int().min(1) });

export interface PassedSuite {
  readonly suite: string;
  readonly tests: number;
}

/** In the user's cache directory, shared by every checkout: keys are made of bytes alone. */
export function userRecordDirectory(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(cache, "lathe", "conformance");
}

/** `packages`: what the suite uses beside the product, with versions. */
export function suiteKey(closure: readonly string[], files: ReadonlyMap<string, string>, packages: string): string {
  const machine = `${process.version} ${process.platform} ${process.arch}`;
  const hash = createHash("sha256").update(`1\n${machine}\n${packages}\n`);
  for (const path of [...closure].sort()) {
    const text = files.get(path) ?? "";
    hash.update(`${path}\n${Buffer.byteLength(text)}\n`).update(text);
  }
  return hash.digest("hex");
}

export class SuiteRecord {
  readonly #directory: string;
  readonly #recordsMax: number;

  constructor(directory: string, recordsMax: number = recordsMaxDefault) {
    this.#directory = directory;
    this.#recordsMax = recordsMax;
  }

  /** Undefined where it is not known to have passed. */
  find(key: string): PassedSuite | undefined {
    const file = this.#fileOf(key);
    try {
      const read = schema.parse(JSON.parse(readFileSync(file, "utf8")));
      if (read.key !== key) return undefined;
      const now = new Date();
      utimesSync(file, now, now);
      return { suite: read.suite, tests: read.tests };
    } catch {
      // Missing, damaged, foreign, or not to be touched: it is run again.
      return undefined;
    }
  }

  /** A record that cannot be written (a full or read-only disk) is none: the next build runs the suite again. */
  add(key: string, passed: PassedSuite): void {
    const temporary = `${this.#fileOf(key)}.${process.pid}`;
    try {
      mkdirSync(this.#directory, { recursive: true });
      writeFileSync(temporary, `${JSON.stringify({ version: 1, key, ...passed })}\n`);
      renameSync(temporary, this.#fileOf(key));
    } catch {
      rmSync(temporary, { force: true });
    }
  }

  /** Removes what is beyond the limit. Called once per build. */
  prune(): void {
    try {
      const names = readdirSync(this.#directory);
      if (names.length <= this.#recordsMax) return;
      const aged = names.map((name) => ({ name, usedMs: statSync(join(this.#directory, name)).mtimeMs }));
      aged.sort((one, other) => one.usedMs - other.usedMs);
      for (const { name } of aged.slice(0, names.length - this.#recordsMax)) {
        rmSync(join(this.#directory, name), { force: true });
      }
    } catch {
      // Another build prunes at the same time, or there is nothing.
    }
  }

  #fileOf(key: string): string {
    return join(this.#directory, `${key}.json`);
  }
}
