/**
 * The history of a study: the entries of its journal that answer and check a script, in the order
 * in which a script that never stopped would have made them.
 *
 * Rules:
 *   1. The header, costs, repairs and solo measurements are not part of it.
 *   2. `resumed` undoes what only a stop can leave behind: the conclusion of an interruption (the
 *      study goes on where it was), and verdicts of a run of gates that did not come to its end
 *      (the gates run again).
 */
import type { Entry, JournalEntry } from "../journal/entry.ts";
import { elapsedOf } from "./budget.ts";

const outside = new Set<Entry["kind"]>([
  "study_started",
  "journal_repaired",
  "cost",
  "solo_measurement",
]);

export function historyOf(entries: Iterable<JournalEntry>): JournalEntry[] {
  const history: JournalEntry[] = [];
  for (const entry of entries) {
    if (outside.has(entry.kind)) continue;
    if (entry.kind !== "resumed") {
      history.push(entry);
      continue;
    }
    const interruption = history.findIndex(({ kind }) => kind === "interrupted");
    if (interruption >= 0) history.length = interruption;
    dropUnfinishedGates(history);
  }
  return history;
}

/** Whether nothing more will happen to the study. */
export function isConcluded(history: readonly JournalEntry[]): boolean {
  return history.at(-1)?.kind === "outcome" && !history.some(({ kind }) => kind === "interrupted");
}

/** Study time that the journal accounts for. */
export function elapsedIn(entries: Iterable<Entry>): number {
  let latest = 0;
  for (const entry of entries) latest = Math.max(latest, elapsedOf(entry));
  return latest;
}

function dropUnfinishedGates(history: JournalEntry[]): void {
  for (
    let last = history.at(-1);
    last?.kind === "gate_verdict" && last.last !== true;
    last = history.at(-1)
  )
    history.pop();
}
