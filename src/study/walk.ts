/**
 * Walks a script along a history: answers its steps from it and compares its decisions with it,
 * until one of them ends.
 *
 * Used by resumption, which goes on from there with an evaluator, and by replay, which reports
 * every difference.
 */
import type { Entry, JournalEntry } from "../journal/entry.ts";
import type { Conclusion } from "./conclusion.ts";
import { differenceOf } from "./entry-difference.ts";
import { type Script, type ScriptRequest, type Step, StudyInterrupted } from "./script.ts";

export interface Difference {
  /** Line of the journal, from 0. */
  readonly seq: number;
  readonly kind: string;
  /** What the journal says and what follows from its launches. */
  readonly message: string;
}

export interface Walk {
  /** The request at which the history ended; undefined where the script did. */
  readonly pending: ScriptRequest | undefined;
  readonly conclusion: Conclusion | undefined;
  readonly differences: readonly Difference[];
  /** Entries of each kind that were compared or taken as answers. */
  readonly decisions: number;
  readonly answers: number;
}

/**
 * Stops at the first entry that does not fit at all; goes on after decisions that differ in what
 * they say.
 */
export function walkScript(script: Script<Conclusion>, history: readonly JournalEntry[]): Walk {
  const differences: Difference[] = [];
  let position = 0;
  let decisions = 0;
  let answers = 0;
  let turn = script.next();
  while (turn.done !== true) {
    const request = turn.value;
    const entry = history[position];
    if (entry === undefined)
      return { pending: request, conclusion: undefined, differences, decisions, answers };
    if (entry.kind === "interrupted") {
      position++;
      turn = script.throw(new StudyInterrupted(entry.reason));
    } else if ("state" in request) {
      const message = differenceOf(entry, request.state);
      if (message !== undefined) differences.push({ seq: entry.seq, kind: entry.kind, message });
      if (entry.kind !== request.state.kind)
        return { pending: undefined, conclusion: undefined, differences, decisions, answers };
      position++;
      decisions++;
      turn = script.next([]);
    } else {
      const answer = answerIn(history, position, request.ask);
      if (answer === "unfinished")
        return { pending: request, conclusion: undefined, differences, decisions, answers };
      if (answer === undefined) {
        const message =
          `the study would ${describeStep(request.ask)} here, the journal has ` + `${entry.kind}`;
        differences.push({ seq: entry.seq, kind: entry.kind, message });
        return { pending: undefined, conclusion: undefined, differences, decisions, answers };
      }
      position += answer.length;
      answers++;
      turn = script.next(answer);
    }
  }
  if (position < history.length) {
    const { seq, kind } = history[position];
    differences.push({ seq, kind, message: "the study has ended before this entry" });
  }
  return { pending: undefined, conclusion: turn.value, differences, decisions, answers };
}

/**
 * The entries that answer a step, or undefined where those that are there answer something else.
 */
function answerIn(
  history: readonly JournalEntry[],
  position: number,
  step: Step,
): readonly JournalEntry[] | "unfinished" | undefined {
  const first = history[position];
  if (first.kind === "step_failed")
    return first.step === step.kind && first.candidate === step.candidate.id ? [first] : undefined;
  if (step.kind !== "gate") return answersStep(first, step) ? [first] : undefined;
  const end = history.findIndex(
    (entry, index) => index >= position && entry.kind === "gate_verdict" && entry.last === true,
  );
  const verdicts = end < 0 ? history.slice(position) : history.slice(position, end + 1);
  if (!verdicts.every((entry) => answersStep(entry, step))) return undefined;
  return end < 0 ? "unfinished" : verdicts;
}

function answersStep(entry: Entry, step: Step): boolean {
  switch (step.kind) {
    case "gate":
      return (
        entry.kind === "gate_verdict" &&
        entry.candidate === (step.stage === "product" ? null : step.candidate.id)
      );
    case "prepare":
      return (
        entry.kind === "candidate_prepared" &&
        entry.candidate === step.candidate.id &&
        entry.workloadSeed === step.workloadSeed
      );
    case "launch":
      if (entry.kind !== `${step.purpose}_launch` || !("launch" in entry)) return false;
      if ("candidate" in entry && entry.candidate !== step.candidate.id) return false;
      return (entry.launch as { seed: number }).seed === step.seed;
  }
}

export function describeStep(step: Step): string {
  if (step.kind === "gate") return `run the gates of the ${step.stage} on ${step.candidate.id}`;
  if (step.kind === "prepare") return `prepare ${step.candidate.id}`;
  return `launch ${step.candidate.id} against ${step.incumbent.id} for ${step.purpose}`;
}
