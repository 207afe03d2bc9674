/**
 * Ids that a proposer must not propose (again): every trial's candidate, the incumbent, and the
 * defaults.
 */
import { baselineCandidate } from "./candidate.ts";
import type { StudyView } from "./proposer.ts";

export function triedIds(view: StudyView): ReadonlySet<string> {
  return new Set([
    baselineCandidate().id,
    view.incumbent.id,
    ...view.trials.map(({ candidate }) => candidate.id),
  ]);
}
