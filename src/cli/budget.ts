/** `--budget`: how much a study may spend, as `3` (trials), `20m` or `1.5h`, or `3,20m`: whichever ends first. */
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
