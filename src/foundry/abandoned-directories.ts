/**
 * Directories that a process works in carry its number behind a prefix. What one left that was killed is removed by the
 * next; a directory of a process that still runs is left alone, unless who asks holds the lock under which alone such
 * directories are made.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

export function removeAbandoned(parent: string, prefix: string, holdsLock = false): void {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const holder = name.startsWith(prefix) ? /^(\d+)(?:-|$)/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (holder === undefined || (!holdsLock && isRunning(Number(holder)))) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // It is another user's, or on a disk that takes no more changes: it is in nobody's way.
    }
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
