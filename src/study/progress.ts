/** Where a study stands, for a live display. */
import type { Candidate } from "../search/candidate.ts";

export type Stage =
  "gates" | "calibration" | "search" | "screening" | "confirmation" | "remeasurement";

export interface Progress {
  readonly stage: Stage;
  /** Number of the trial that is under way, from 1; 0 before the first. */
  readonly trial: number;
  /** How many trials there may be; undefined where only time limits them. */
  readonly of: number | undefined;
  readonly incumbent: Candidate;
  /**
   * Until the study ends, by its budget or by the pace of its trials; undefined while neither is
   * known.
   */
  readonly secondsLeft: number | undefined;
  /** One short sentence: what happens now. */
  readonly text: string;
}
