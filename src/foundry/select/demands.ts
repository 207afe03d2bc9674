/**
 * What cannot be given up: overrides, and rules that the contract depends on. Whether they go together is the solver's
 * to say: it finds a selection that has them all, or a minimal set of statements why there is none.
 */
import { LatheError } from "../../kit/errors.ts";
import { explainContradiction, explanationText } from "../../model/explain.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { Reasoner } from "../../model/reasoner.ts";
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

/**
 * Features, groups included, of a selection that meets all demands.
 * Errors: INVALID_ARGUMENT with the demands that contradict one another (`details.demands`) and the steps that lead
 * there.
 */
export function selectionThatMeets(model: FeatureModel, demands: readonly Demand[]): Set<string> {
  const reasoner = new Reasoner(model);
  const literals = [...new Set(demands.map(({ path, selected }) => reasoner.literal(path, selected)))];
  if (reasoner.satisfiable(literals)) return new Set(reasoner.selectionOf(reasoner.lastFound));
  const explanation = explainContradiction(reasoner, literals);
  const picks = explanation?.picks ?? [];
  const involved = demands.filter(({ path, selected }) =>
    picks.some((pick) => pick.path === path && pick.selected === selected),
  );
  const lines = involved.map(({ because }) => `  ${because}`).join("\n");
  // Where both sides are about one feature there is nothing to derive.
  const direct = new Set(involved.map(({ path }) => path)).size === 1;
  const steps = explanation === undefined || direct ? "" : `\nbecause:\n${explanationText(explanation)}`;
  throw new LatheError("INVALID_ARGUMENT", `these cannot go together:\n${lines}${steps}`, {
    details: { demands: involved },
  });
}
