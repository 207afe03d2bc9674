/** How well each archetype fits a contract: the sum of what speaks for it, with the reasons. */
import { examine } from "./condition.ts";
import type { Facts } from "./facts.ts";
import type { SelectRules } from "./select-rules.ts";

export interface ArchetypeScore {
  readonly name: string;
  readonly score: number;
  readonly reasons: readonly string[];
}

/** The best first; ties in the order of the catalog. */
export function scoreArchetypes({ archetypes }: SelectRules, facts: Facts): ArchetypeScore[] {
  const scores = archetypes.map(({ name, signals }): ArchetypeScore => {
    const found = signals.filter(({ when }) => examine(when, facts, () => false).every(({ holds }) => holds));
    return {
      name,
      score: found.reduce((sum, { weight }) => sum + weight, 0),
      reasons: found.map(({ reason, weight }) => `${reason} (${weight > 0 ? "+" : ""}${weight})`),
    };
  });
  return scores.sort((one, other) => other.score - one.score);
}
