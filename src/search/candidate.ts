/**
 * A candidate: one point of the search space. Today knob values; selections and patches join later.
 *
 * Canonical form: only the knobs that differ from their default, sorted by name. Two ways of
 * writing the same point have the same form, and so the same id.
 */
import { createHash } from "node:crypto";
import type { Knob, KnobValue } from "../knobs/knob.ts";

export interface Candidate {
  /** Stable: a hash of what it changes against the defaults. */
  readonly id: string;
  /** Only what differs from the shipped defaults. */
  readonly knobs: Readonly<Record<string, KnobValue>>;
}

const idLength = 10;

/**
 * The point that `values` over the defaults of `table` stand for. Knobs that are not in the table
 * are kept as they are.
 */
export function createCandidate(
  values: Readonly<Record<string, KnobValue>>,
  table: readonly Knob[],
): Candidate {
  const defaults = new Map(table.map((knob) => [knob.name, knob.default]));
  const changed = Object.entries(values)
    .filter(([name, value]) => defaults.get(name) !== value)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const id = createHash("sha256").update(JSON.stringify(changed)).digest("hex").slice(0, idLength);
  return { id, knobs: Object.fromEntries(changed) };
}

/** The shipped defaults: the baseline of every study. */
export function baselineCandidate(): Candidate {
  return createCandidate({}, []);
}

/** Names of the knobs in which two candidates differ, sorted. */
export function differingKnobs(a: Candidate, b: Candidate): string[] {
  const names = new Set([...Object.keys(a.knobs), ...Object.keys(b.knobs)]);
  return [...names].filter((name) => a.knobs[name] !== b.knobs[name]).sort();
}
