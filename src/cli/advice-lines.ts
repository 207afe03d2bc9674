/** Advice as lines of text: how grave, what, and what mends it. */
import type { AdviceTold } from "../app/advice.ts";

export function adviceLines(advice: readonly AdviceTold[]): string[] {
  return advice.map(({ severity, message, remedy }) => `${severity}: ${message} Add ${remedy.join(" or ")}.`);
}
