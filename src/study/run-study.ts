/**
 * Runs a study: walks its script along what the journal already holds, then answers from the
 * evaluator.
 *
 * Invariants:
 *   1. A step is finished when its answer is in the journal: it is never done again. One that was
 *      under way is.
 *   2. Nothing is decided that is not written down before the next step begins.
 *   3. Whatever the evaluator does (throws, hangs, dies) becomes an entry; only a journal that
 *      cannot be written, or a machine on which nothing works, ends a study with an error.
 */
import type { Clock } from "../kit/env/env.ts";
import { LatheError } from "../kit/errors.ts";
import type { Environment } from "../journal/environment.ts";
import type { Entry, JournalEntry } from "../journal/entry.ts";
import { createProposer } from "../search/proposer-registry.ts";
import type { Conclusion } from "./conclusion.ts";
import type { Evaluator } from "./evaluator.ts";
import { elapsedIn, historyOf, isConcluded } from "./history.ts";
import { studyScript } from "./procedure.ts";
import type { Progress } from "./progress.ts";
import { type Script, type ScriptRequest, StudyInterrupted } from "./script.ts";
import { readStudyDefinition } from "./settings.ts";
import { performStep } from "./perform-step.ts";
import type { StudyJournal } from "./study-journal.ts";
import { walkScript } from "./walk.ts";

export interface RunStudyOptions {
  /**
   * Its first entry is the study's header (`createStudyHeader`). Where it holds more, the study
   * goes on from there.
   */
  readonly journal: StudyJournal;
  readonly evaluator: Evaluator;
  readonly clock: Clock;
  /** Aborted where a person stops the study: it concludes with what was measured. */
  readonly signal?: AbortSignal | undefined;
  /** Of this machine, recorded when a study is resumed. */
  readonly environment?: Environment | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onEntry?: ((entry: JournalEntry) => void) | undefined;
}

/**
 * Returns how the study ended; the journal holds everything else. Closes the evaluator.
 * Errors: CORRUPTION where the journal's decisions do not follow from its launches; those of the
 * journal.
 */
export async function runStudy(options: RunStudyOptions): Promise<Conclusion> {
  try {
    return await run(options);
  } finally {
    await options.evaluator.close();
  }
}

async function run(options: RunStudyOptions): Promise<Conclusion> {
  const { journal } = options;
  const entries = [...journal.entries()];
  const header = entries[0];
  if (header?.kind !== "study_started")
    throw new LatheError("CORRUPTION", "a journal begins with study_started");
  const concluded = isConcluded(historyOf(entries));
  if (entries.length > 1 && !concluded) {
    const environment = options.environment ?? header.environment;
    entries.push(
      journal.append({
        kind: "resumed",
        reason: "the study goes on from its journal",
        environment,
      }),
    );
  }
  const definition = readStudyDefinition(header);
  const script = studyScript(definition, createProposer(definition.proposer));
  const walk = walkScript(script, historyOf(entries));
  if (walk.differences.length > 0) {
    const [{ seq, message }] = walk.differences;
    throw new LatheError(
      "CORRUPTION",
      `entry ${seq} of the journal does not follow from those before it (${message}); it was ` +
        `changed, or written by another ` +
        "version of Lathe. `lathe replay` shows every difference; start a new study to go on",
      { details: { differences: walk.differences } },
    );
  }
  if (walk.conclusion !== undefined) return walk.conclusion;
  return goOn(script, walk.pending, elapsedIn(entries), definition.settings.timeouts, options);
}

async function goOn(
  script: Script<Conclusion>,
  pending: ScriptRequest | undefined,
  elapsedBefore: number,
  timeouts: Parameters<typeof performStep>[1]["timeouts"],
  options: RunStudyOptions,
): Promise<Conclusion> {
  const { journal, clock, evaluator, onEntry, onProgress } = options;
  const signal = options.signal ?? new AbortController().signal;
  const startedUs = clock.monotonicUs();
  const elapsedSeconds = () => elapsedBefore + (clock.monotonicUs() - startedUs) / 1e6;
  const append = (entry: Entry) => {
    const appended = journal.append(entry);
    onEntry?.(appended);
    return appended;
  };
  let turn: IteratorResult<ScriptRequest, Conclusion> =
    pending === undefined ? script.next() : { done: false, value: pending };
  while (turn.done !== true) {
    const request = turn.value;
    if ("state" in request) {
      append(request.state);
      turn = script.next([]);
      continue;
    }
    onProgress?.(request.progress);
    const answer = await performStep(request.ask, {
      evaluator,
      clock,
      signal,
      timeouts,
      elapsedSeconds,
    });
    if (answer === "interrupted") {
      const reason = "stopped on request";
      append({ kind: "interrupted", reason, elapsedSeconds: elapsedSeconds() });
      turn = script.throw(new StudyInterrupted(reason));
    } else turn = script.next(answer.map(append));
  }
  return turn.value;
}
