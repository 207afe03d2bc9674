/**
 * What cannot be given up: overrides, and rules that the contract depends on; where selections are drawn for a
 * contract, everything that it decides. Whether they go together is the solver's to say, and where they do not, which
 * of them are enough for that.
 */
import type { Contract } from "../../contract/contract.ts";
import { LatheError } from "../../kit/errors.ts";
import { explainContradiction, explanationText } from "../../model/explain.ts";
import type { Reasoner } from "../../model/reasoner.ts";
import { examine } from "./condition.ts";
import { type Facts, factsOf } from "./facts.ts";
import type { SelectRule, SelectRules } from "./select-rules.ts";

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

/** Rules that no override outweighs. */
const dependedOn = ({ must = false }: SelectRule): boolean => must;

/** Rules by which the contract decides a point, also where an override may outweigh them. */
export const decidedByContract = ({ must = false, source }: SelectRule): boolean => must || source === "contract";

/** Overrides first, then rules in order: those that the contract depends on, where the caller names no others. */
export function demandsOf(
  overrides: Overriding, { rules }: SelectRules, facts: Facts, isDemand = dependedOn,
): Demand[] {
  const demands: Demand[] = [
    ...overrides.with.map((path) => ({ path, selected: true, because: `${path} was asked for (--with)` })),
    ...overrides.without.map((path) => ({
      path, selected: false, because: `${path} was left out on request (--without)`,
    })),
  ];
  const decided = new Set<string>();
  for (const rule of rules) {
    const { point, when, choose = [], exclude = [], reason } = rule;
    const findings = examine(when, facts, () => false);
    if (decided.has(point) || !findings.every(({ holds }) => holds)) continue;
    decided.add(point);
    if (!isDemand(rule)) continue;
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
  // Of several demands for the same the first is enough: what was asked for comes before the rules.
  const involved = picks
    .map((pick) => demands.findIndex(({ path, selected }) => pick.path === path && pick.selected === selected))
    .filter((at) => at >= 0)
    .sort((one, other) => one - other)
    .map((at) => demands[at]);
  const lines = involved.map(({ because }) => `  ${because}`).join("\n");
  // Where both sides are about one feature there is nothing to derive.
  const direct = involved.length === 2 && involved[0].path === involved[1].path;
  const steps = explanation === undefined || direct ? "" : `\nbecause:\n${explanationText(explanation)}`;
  const head = involved.length === 1 ? "this cannot be:" : "these cannot go together:";
  throw new LatheError("INVALID_ARGUMENT", `${head}\n${lines}${steps}`, { details: { demands: involved } });
}

/**
 * A whole selection that lacks what the contract depends on, or has what it rules out, is refused.
 * Errors: INVALID_ARGUMENT with each such demand in `details.demands`.
 */
export function refuseUnmet(
  selected: ReadonlySet<string>, contract: Contract, rules: SelectRules, file: string,
): void {
  const demands = demandsOf({ with: [], without: [] }, rules, factsOf(contract));
  const unmet = demands.filter((demand) => selected.has(demand.path) !== demand.selected);
  if (unmet.length === 0) return;
  const lines = unmet.map(({ because, selected: wanted }) => `  it ${wanted ? "lacks" : "has"} this: ${because}`);
  const message = `${file} contradicts what ${contract.name} asks for:\n${lines.join("\n")}`;
  throw new LatheError("INVALID_ARGUMENT", message, { details: { demands: unmet } });
}
