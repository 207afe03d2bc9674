/** The budget of a study: in words, and as `--budget` takes it. */
import { formatDuration } from "./format.ts";
import { unlimitedSeconds } from "../study/settings.ts";
import type { StudyRecord } from "./study-record.ts";

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
