/**
 * Lets a product that was just built load itself once, so that its first start finds its code compiled
 * (its `main.js`). A product that cannot be run here is none the worse: its first start compiles.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const timeoutMs = 60_000;

/** Whether there is compiled code now; a library, which its user's program loads, has none of its own. */
export async function compileProduct(directory: string, signal?: AbortSignal): Promise<boolean> {
  const main = join(directory, "main.js");
  if (!existsSync(main)) return false;
  try {
    await promisify(execFile)(process.execPath, [main, "--version"], { timeout: timeoutMs, signal });
    return true;
  } catch {
    return false;
  }
}
