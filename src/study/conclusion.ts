/** How a study ended. All three outcomes are results; none of them is an error. */
import type { Candidate } from "../search/candidate.ts";

export interface Conclusion {
  readonly outcome: "gain" | "none" | "refused";
  /** The final incumbent, where the search kept anything. */
  readonly winner: Candidate | undefined;
  readonly reason: string;
  readonly interrupted: boolean;
}
