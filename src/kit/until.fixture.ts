/**
 * Waits for a condition, for tests of what other processes and threads do. The limit is for what never comes: a machine
 * with much to do may take many times as long as an idle one, and a test must not fail for that.
 */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

const limitMs = 120_000;

/** `what` is said where it does not come about. */
export async function until(
  what: string, holds: () => boolean | Promise<boolean>, pollMs = 10,
): Promise<void> {
  for (const endMs = performance.now() + limitMs; !(await holds()); await pause(pollMs)) {
    assert.ok(performance.now() < endMs, `in ${limitMs / 1000} s there was not: ${what}`);
  }
}
