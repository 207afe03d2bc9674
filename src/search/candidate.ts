/**
 * A candidate: one point of the search space. Today knob values; selections and patches join later.
 */
import type { KnobValue } from "../knobs/knob.ts";

export interface Candidate {
  /** Stable: a hash of what it changes against the defaults. */
  readonly id: string;
  /** Only what differs from the shipped defaults. */
  readonly knobs: Readonly<Record<string, KnobValue>>;
}
