/**
 * Where a recorded decision and the one that follows from its launches differ.
 *
 * Numbers may differ by a billionth: the last bits of logarithms depend on the processor and the
 * version of Node. Fields of the envelope, and those that only one side has because a later version
 * added them, are not compared.
 */
import type { Entry, JournalEntry } from "../journal/entry.ts";

const tolerance = 1e-9;

/** A sentence with the first difference, or undefined. */
export function differenceOf(recorded: JournalEntry, recomputed: Entry): string | undefined {
  for (const [name, value] of Object.entries(recomputed)) {
    const found = difference((recorded as Record<string, unknown>)[name], value, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function difference(recorded: unknown, recomputed: unknown, place: string): string | undefined {
  if (recomputed === undefined)
    return recorded === undefined ? undefined : told(recorded, recomputed, place);
  if (typeof recomputed === "number" && typeof recorded === "number") {
    return isSameNumber(recorded, recomputed) ? undefined : told(recorded, recomputed, place);
  }
  if (typeof recomputed !== "object" || recomputed === null) {
    return recorded === recomputed ? undefined : told(recorded, recomputed, place);
  }
  if (typeof recorded !== "object" || recorded === null) return told(recorded, recomputed, place);
  if (Array.isArray(recomputed) && (recorded as unknown[]).length !== recomputed.length) {
    return told(`${(recorded as unknown[]).length} values`, `${recomputed.length} values`, place);
  }
  for (const [name, value] of Object.entries(recomputed)) {
    const found = difference(
      (recorded as Record<string, unknown>)[name],
      value,
      `${place}.${name}`,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function isSameNumber(a: number, b: number): boolean {
  return (
    Object.is(a, b) ||
    a === b ||
    Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b))
  );
}

function told(recorded: unknown, recomputed: unknown, place: string): string {
  const show = (value: unknown) =>
    value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value)).slice(0, 200);
  return `${place}: the journal says ${show(recorded)}, its launches say ${show(recomputed)}`;
}
