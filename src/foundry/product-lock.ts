/**
 * One build at a time per place: a lock file beside the product, `.NAME.lock`, held from before the first byte is
 * written until the last. It cannot lie in the product's directory, which is replaced as a whole.
 *
 * A second build waits for a process of this machine, as cargo does, and says for whom; a process that cannot be looked
 * up from here (another machine, another container) may have ended long ago, so that is an error. The lock of a process
 * that has died is taken over (`kit/env/node-directory-lock.ts`).
 * Directories above the place are made with the lock, and go with it where nothing was built in them.
 */
import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { lockAt, ownIdentity, type ProcessIdentity } from "../kit/env/node-directory-lock.ts";
import { errorCodeOf, LatheError } from "../kit/errors.ts";
import { isRunning } from "./abandoned-directories.ts";
import { placeError } from "./place-error.ts";
import { makeDirectories, productPlace, removeEmptyDirectories } from "./product-place.ts";

const pollMs = 200;

export interface PlaceHold {
  release(): void;
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, where another build holds the place. */
  readonly onWait?: ((line: string) => void) | undefined;
}

/** Errors: LOCKED where another build holds the place; PERMISSION, READ_ONLY, DISK_FULL; those of `productPlace`. */
export function holdPlace(directory: string): PlaceHold {
  const target = productPlace(directory);
  const path = lockPathOf(target);
  let made: readonly string[] = [];
  try {
    made = makeDirectories(dirname(target));
    const lock = lockAt(path);
    removeAbandonedLocks(path);
    return {
      release() {
        try {
          lock.release();
        } catch {
          // The disk takes no changes any more. The lock is a dead process's when this one has ended.
        }
        removeEmptyDirectories(made);
      },
    };
  } catch (error) {
    removeEmptyDirectories(made);
    throw errorCodeOf(error) === "LOCKED" ? heldError(error as LatheError, target, path) : placeError(error, target);
  }
}

/** Waits for a build of this machine. Errors: as `holdPlace`, and CANCELLED. */
export async function awaitPlace(directory: string, { signal, onWait }: WaitOptions = {}): Promise<PlaceHold> {
  for (let told = false; ; ) {
    signal?.throwIfAborted();
    try {
      return holdPlace(directory);
    } catch (error) {
      const { code, details } = error as LatheError;
      if (code !== "LOCKED" || details.reachable !== true) throw error;
      if (!told) onWait?.(`waiting for process ${details.pid}, which is building into ${productPlace(directory)}`);
      told = true;
    }
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

function lockPathOf(target: string): string {
  return join(dirname(target), `.${basename(target)}.lock`);
}

function heldError(cause: LatheError, target: string, path: string): LatheError {
  const holder = cause.details as Partial<ProcessIdentity>;
  const own = ownIdentity();
  const elsewhere = holder.host !== own.host || holder.pidNamespace !== own.pidNamespace;
  const reachable = !elsewhere && holder.pid !== undefined && holder.pid !== own.pid;
  const details = { path, pid: holder.pid, reachable };
  const message = elsewhere
    ? `${target} is being built by process ${holder.pid} on ${holder.host}, which cannot be looked up from here; if ` +
      `it is gone for good, remove ${path}`
    : `process ${holder.pid} is building into ${target}; wait for its end, or choose another --out directory`;
  return new LatheError("LOCKED", message, { cause, details });
}

/** What processes left that were killed while they took the lock. */
function removeAbandonedLocks(path: string): void {
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(prefix)) continue;
    const pid = /^(?:takeover\.)*(\d+)\.[0-9a-f]{12}$/.exec(name.slice(prefix.length))?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) rmSync(join(dirname(path), name), { force: true });
  }
}
