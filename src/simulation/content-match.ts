/**
 * Whether what a store answered is what the model holds, where time decides about entries that expire.
 *
 * A store judges by a clock that never goes backwards, and nobody outside knows its reading to the millisecond: it is
 * at least the wall clock's before the read (`lowMs`), at most the highest that the wall clock ever showed (`highMs`).
 *   expired by lowMs     must be absent
 *   not yet at highMs    must be present
 *   between              may be either
 */
import type { Entry } from "./store-subject.ts";

export interface TimeWindow {
  readonly lowMs: number;
  readonly highMs: number;
}

interface Expected {
  readonly value: Uint8Array;
  readonly expiresAtMs?: number | undefined;
}

/** What differs first between what was found and what should be there, or undefined. Both ascend by key. */
export function difference(
  found: readonly Entry[], expected: readonly Entry[], time: TimeWindow,
): string | undefined {
  let at = 0;
  for (const entry of expected) {
    const one = found[at];
    if (one !== undefined && one.key < entry.key) break;
    if (one !== undefined && one.key === entry.key) {
      if (mustBeGone(entry, time)) return `key ${one.key} has expired and is there (${shown(one.value)})`;
      if (!sameValue(one.value, entry.value)) return `key ${one.key} is ${shown(one.value)}, not ${shown(entry.value)}`;
      at++;
    } else if (!mayBeGone(entry, time)) return `key ${entry.key} is missing (${shown(entry.value)})`;
  }
  const extra = found[at];
  return extra === undefined ? undefined : `key ${extra.key} should not be there (${shown(extra.value)})`;
}

/** Whether an answer to a get is right, given what the model holds. */
export function matches(found: Uint8Array | undefined, expected: Expected | undefined, time: TimeWindow): boolean {
  if (found === undefined) return expected === undefined || mayBeGone(expected, time);
  return expected !== undefined && !mustBeGone(expected, time) && sameValue(found, expected.value);
}

function mustBeGone({ expiresAtMs }: Expected, { lowMs }: TimeWindow): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= lowMs;
}

function mayBeGone({ expiresAtMs }: Expected, { highMs }: TimeWindow): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= highMs;
}

function sameValue(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

export function shown(value: Uint8Array | undefined): string {
  if (value === undefined) return "absent";
  return `"${Buffer.from(value).toString("latin1", 0, 24)}" of ${value.length} bytes`;
}
