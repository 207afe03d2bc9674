/**
 * Replay: makes every decision of a study again from the raw launches in its journal and compares.
 * No server is started.
 *
 * The journal's own chain shows that no line was changed after it was written; a replay shows that
 * what was written follows from what was measured.
 */
import type { JournalEntry } from "../journal/entry.ts";
import { LatheError } from "../kit/errors.ts";
import { createProposer } from "../search/proposer-registry.ts";
import type { Conclusion } from "./conclusion.ts";
import { historyOf } from "./history.ts";
import { studyScript } from "./procedure.ts";
import { readStudyDefinition } from "./settings.ts";
import { type Difference, walkScript } from "./walk.ts";

export interface Replay {
  /** Decisions that were made again. */
  readonly decisions: number;
  /** Steps whose recorded answers they rest on. */
  readonly answers: number;
  readonly differences: readonly Difference[];
  /** Undefined where the study has not come to its end. */
  readonly conclusion: Conclusion | undefined;
}

/** Errors: FORMAT_UNKNOWN, CORRUPTION (no header). */
export function replayStudy(entries: Iterable<JournalEntry>): Replay {
  const all = [...entries];
  const header = all[0];
  if (header?.kind !== "study_started")
    throw new LatheError("CORRUPTION", "a journal begins with study_started");
  const definition = readStudyDefinition(header);
  const walk = walkScript(
    studyScript(definition, createProposer(definition.proposer)),
    historyOf(all),
  );
  const { decisions, answers, differences, conclusion } = walk;
  return { decisions, answers, differences, conclusion };
}
