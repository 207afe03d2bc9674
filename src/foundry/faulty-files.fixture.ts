/**
 * Lets the n-th change of a file system fail, or the process be gone from there on: every function of `node:fs` that
 * changes something is counted, for all modules of this process, while `underFault` runs.
 *
 * - `stop`: the n-th change is not done (half of it, where it writes), and none after it, whatever is tried: what is on
 *   disk then is what a killed process leaves;
 * - `once`: the n-th change fails as on a full disk, all others are done;
 * - `forGood`: it fails, and all that follow, as on a disk that the system has made read-only.
 * Removal of a whole directory is done entry by entry, so that it can be stopped in the middle. Flushes are counted and
 * not done.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

export interface FileFault {
  /** From 1. */
  readonly at: number;
  readonly mode: "stop" | "once" | "forGood";
}

export interface FaultOutcome {
  /** Whether the run got as far as the fault. */
  readonly met: boolean;
  readonly error: unknown;
}

const systemError = { stop: "EIO", once: "ENOSPC", forGood: "EROFS" } as const;

type Change = (...args: never[]) => unknown;

const counted = [
  "mkdirSync", "mkdtempSync", "openSync", "writeSync", "writeFileSync", "fsyncSync", "linkSync", "renameSync", "unlinkSync",
  "rmdirSync", "utimesSync", "chmodSync", "fchmodSync", "symlinkSync",
] as const;

/** Runs the work, which is synchronous, with a fault. */
export function underFault({ at, mode }: FileFault, work: () => unknown): FaultOutcome {
  const real = { ...fs };
  let calls = 0;
  const fails = (): boolean => {
    calls++;
    return calls === at || (calls > at && mode !== "once");
  };
  const failure = (call: string) =>
    Object.assign(new Error(`${systemError[mode]}: planted, ${call}`), { code: systemError[mode], syscall: call });
  const changes = fs as unknown as Record<string, Change>;
  for (const name of counted) {
    const done = real[name] as Change;
    changes[name] = (...args: never[]) => {
      if (name === "openSync" && !/[wa+]/.test(String(args[1] ?? "r"))) return done(...args);
      if (!fails()) return name === "fsyncSync" ? undefined : done(...args);
      if (name === "writeSync" && calls === at && mode === "stop") {
        const [descriptor, bytes] = args as unknown as [number, Uint8Array];
        real.writeSync(descriptor, bytes.subarray(0, bytes.length >> 1));
      }
      throw failure(name);
    };
  }
  changes.rmSync = ((path: string) => {
    const stats = real.lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (!stats.isDirectory()) return fs.unlinkSync(path);
    for (const name of real.readdirSync(path)) fs.rmSync(join(path, name));
    fs.rmdirSync(path);
  }) as Change;
  syncBuiltinESMExports();
  let error: unknown;
  try {
    work();
  } catch (thrown) {
    error = thrown;
  } finally {
    for (const name of [...counted, "rmSync"] as const) changes[name] = real[name] as Change;
    syncBuiltinESMExports();
  }
  return { met: calls >= at, error };
}
