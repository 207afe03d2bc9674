/**
 * What cannot be given up: overrides, and rules that the contract depends on. Whether they go together is the solver's
 * to say, and where they do not, which of them are enough for that.
 */
import { LatheError } from "../../kit/errors.ts";
import { explainContradiction, explanationText } from "../../model/explain.ts";
import type { Reasoner } from "../../model/reasoner.ts";
import { examine } from "./condition.ts";
import type { Facts } from "./facts.ts";
import type { SelectRules } from "./select-rules.ts";

export interface Demand {
  readonly path: string;
  readonly selected: boolean;
  /** A sentence. */
  readonly because: string;
}

interface Overriding {
  readonly with: readonly string[];
  readonly without: readonly string[];
}

/** Overrides first, then rules in order. */
export function demandsOf(overrides: Overriding, { rules }: SelectRules, facts: Facts): Demand[] {
  const demands: Demand[] = [
    ...overrides.with.map((path) => ({ path, selected: true, because: `${path} was asked for (--with)` })),
    ...overrides.without.map((path) => ({
      path, selected: false, because: `${path} was left out on request (--without)`,
    })),
  ];
  const decided = new Set<string>();
  for (const { point, when, must, choose = [], exclude = [], reason } of rules) {
    const findings = examine(when, facts, () => false);
    if (decided.has(point) || !findings.every(({ holds }) => holds)) continue;
    decided.add(point);
    if (!must) continue;
    const why = `${reason} (rule for ${point}: ${findings.map(({ text }) => text).join(", ")})`;
    demands.push(...choose.map((path) => ({ path, selected: true, because: `${path} is needed: ${why}` })));
    demands.push(...exclude.map((path) => ({ path, selected: false, because: `${path} has to stay out: ${why}` })));
  }
  return demands;
}

/** Errors: INVALID_ARGUMENT with demands that contradict one another (`details.demands`), and the steps to it. */
export function meetDemands(reasoner: Reasoner, demands: readonly Demand[]): void {
  const literals = [...new Set(demands.map(({ path, selected }) => reasoner.literal(path, selected)))];
  if (reasoner.satisfiable(literals)) return;
  const explanation = explainContradiction(reasoner, literals);
  const picks = explanation?.picks ?? [];
  const involved = demands.filter(({ path, selected }) =>
    picks.some((pick) => pick.path === path && pick.selected === selected),
  );
  const lines = involved.map(({ because }) => `  ${because}`).join("\n");
  // Where both sides are about one feature there is nothing to derive.
  const direct = involved.length === 2 && involved[0].path === involved[1].path;
  const steps = explanation === undefined || direct ? "" : `\nbecause:\n${explanationText(explanation)}`;
  const head = involved.length === 1 ? "this cannot be:" : "these cannot go together:";
  throw new LatheError("INVALID_ARGUMENT", `${head}\n${lines}${steps}`, { details: { demands: involved } });
}
