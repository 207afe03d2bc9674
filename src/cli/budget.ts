/**
 * `--budget`: how much a study may spend, as `3` (trials), `20m` or `1.5h`, or `3,20m`: whichever ends first; and
 * `--warm-up`: how long each side of a launch serves before it is measured.
 */
import { LatheError } from "../kit/errors.ts";

export interface ParsedBudget {
  readonly trials: number | undefined;
  readonly minutes: number | undefined;
}

/** Errors: INVALID_ARGUMENT. */
export function parseBudget(text: string): ParsedBudget {
  let trials: number | undefined;
  let minutes: number | undefined;
  for (const item of text.split(",")) {
    const match = /^(\d+(?:\.\d+)?)(m|h)?$/.exec(item.trim());
    const amount = match === null ? Number.NaN : Number(match[1]);
    const unit = match?.[2];
    if (!(amount > 0) || (unit === undefined && !Number.isInteger(amount))) {
      throw new LatheError("INVALID_ARGUMENT", `--budget ${text}: expected trials or time, as 3, 20m, 1.5h or 3,20m`);
    }
    if (unit === undefined) trials = amount;
    else minutes = unit === "h" ? amount * 60 : amount;
  }
  return { trials, minutes };
}

const warmUpMsMin = 100;
const warmUpMsMax = 600_000;

/** `500ms`, `4s` or `1.5s`, in milliseconds. Errors: INVALID_ARGUMENT. */
export function parseWarmUp(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text.trim());
  const milliseconds = match === null ? Number.NaN : Number(match[1]) * (match[2] === "s" ? 1000 : 1);
  if (!(milliseconds >= warmUpMsMin && milliseconds <= warmUpMsMax)) {
    throw new LatheError("INVALID_ARGUMENT", `--warm-up ${text}: expected a time from 100ms to 600s, as 500ms or 4s`);
  }
  return Math.round(milliseconds);
}
