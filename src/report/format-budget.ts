/** The budget of a study: in words, and as `--budget` takes it. */
import { formatDuration } from "./format.ts";
import type { StudyRecord } from "./study-record.ts";

/** Longer budgets stand for "as long as it takes": the trials are the limit then. */
const unlimitedSeconds = 24 * 3600;

export function formatBudget({ definition }: StudyRecord): {
  readonly words: string;
  readonly argument: string;
} {
  const { budgetSeconds, settings } = definition;
  const { trialsMax } = settings;
  const timed = budgetSeconds < unlimitedSeconds || trialsMax === undefined;
  const words = [
    trialsMax === undefined ? [] : [`${trialsMax} trials`],
    timed ? [formatDuration(budgetSeconds)] : [],
  ].flat();
  const minutes = Number((budgetSeconds / 60).toFixed(2));
  const argument = [
    trialsMax === undefined ? [] : [String(trialsMax)],
    timed ? [`${minutes}m`] : [],
  ].flat();
  return { words: words.join(", "), argument: argument.join(",") };
}
