/**
 * Directories that a process works in beside a product carry its number behind a prefix. What one left that was killed
 * is removed by the next; a directory of a process that still runs is left alone.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

export function removeAbandoned(parent: string, prefix: string): void {
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const holder = Number(name.slice(prefix.length));
    if (Number.isInteger(holder) && !isRunning(holder)) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
