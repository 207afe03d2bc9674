/**
 * Use case: reproduce every decision of a study from its journal, without measuring anything.
 */
import { readEntries } from "../journal/journal-reader.ts";
import { replayStudy as replayEntries } from "../study/replay.ts";
import { findJournal } from "./find-journal.ts";

export interface ReplayRequest {
  /** A study's directory or its journal file. */
  readonly study: string;
}

/** `replay --json`. */
export interface ReplayResult {
  readonly study: string;
  readonly decisions: number;
  readonly reproduced: number;
  /** Whether the journal holds the study's end; decisions can be replayed without it. */
  readonly ended: boolean;
  /** What came out differently, one line each. */
  readonly differences: readonly string[];
}

/** Errors: NOT_FOUND, CORRUPTION. */
export async function replayStudy(request: ReplayRequest): Promise<ReplayResult> {
  const journal = findJournal(request.study);
  const replay = replayEntries(readEntries(journal));
  const differences = replay.differences.map(({ seq, message }) => `entry ${seq}: ${message}`);
  const decisions = replay.decisions;
  const reproduced = Math.max(0, decisions - differences.length);
  return { study: journal, decisions, reproduced, ended: replay.conclusion !== undefined, differences };
}
