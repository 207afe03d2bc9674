/** Why a feature is in a selection, and why one is not: chains of reasons, each a sentence. */
import type { Contract } from "../../contract/contract.ts";
import { explainContradiction } from "../../model/explain.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { Reasoner } from "../../model/reasoner.ts";
import { examine } from "./condition.ts";
import { factsOf } from "./facts.ts";
import type { Decision, FeatureSelection, Origin } from "./feature-selection.ts";
import type { SelectRules } from "./select-rules.ts";

export interface SelectionReason {
  readonly path: string;
  readonly selected: boolean;
  /** From the feature to what it goes back to. */
  readonly reasons: readonly string[];
}

/** A minimal set of statements can be long. */
const stepsMax = 20;

function sentenceOf({ path, because }: Decision): string {
  return `${path}: ${because}`;
}

/** Why a pick is one, or why a feature was excluded. */
function reasonsOfPick({ decisions, excluded }: FeatureSelection, path: string): string[] {
  const decision = decisions.find((one) => one.path === path);
  const out = excluded.find((one) => one.path === path);
  return [...(decision === undefined ? [] : [sentenceOf(decision)]), ...(out === undefined ? [] : [out.because])];
}

/** Errors: NOT_FOUND with the nearest paths. */
export function explainSelected(selection: FeatureSelection, model: FeatureModel, path: string): SelectionReason {
  const below = new Set(model.leavesBelow(path).map((leaf) => leaf.path));
  const first = selection.decisions.find((decision) => below.has(decision.path));
  if (first === undefined) {
    return { path, selected: false, reasons: [`${path} is not selected; ask with --why-not ${path}`] };
  }
  const reasons = first.path === path ? [] : [`${path} holds ${first.path}`];
  reasons.push(sentenceOf(first));
  for (const by of first.by ?? []) {
    const pick = selection.decisions.find((decision) => decision.path === by);
    if (pick !== undefined && pick !== first) reasons.push(sentenceOf(pick));
  }
  return { path, selected: true, reasons };
}

/** Errors: NOT_FOUND with the nearest paths. */
export function explainLeftOut(
  selection: FeatureSelection,
  model: FeatureModel,
  { rules }: SelectRules,
  contract: Contract,
  path: string,
): SelectionReason {
  const below = model.leavesBelow(path).map((leaf) => leaf.path);
  if (below.some((leaf) => selection.leaves.includes(leaf))) return explainSelected(selection, model, path);
  const reasons = selection.leftOut
    .filter((one) => one.path === path || below.includes(one.path))
    .map((one) => `${one.path}: ${one.because}`);
  const reasoner = new Reasoner(model);
  const excludedPaths = selection.excluded.map((one) => one.path);
  const against = (origins: readonly Origin[]) => {
    const chosen = selection.decisions.filter(({ origin }) => origins.includes(origin)).map((one) => one.path);
    const literals = reasoner.literalsOf({ chosen, excluded: excludedPaths });
    return explainContradiction(reasoner, [...literals, reasoner.literal(path)]);
  };
  // What was asked for and what rules chose say more than the leaves that come with parts.
  const explanation = against(["asked", "rule"]) ?? against(["asked", "rule", "part"]);
  if (explanation !== undefined) {
    reasons.push("it cannot be:");
    const steps = explanation.steps.filter(({ rule }) => rule !== "pick").slice(0, stepsMax);
    reasons.push(...steps.map(({ sentence }) => `- ${sentence}`));
    reasons.push(...explanation.picks.flatMap((pick) => reasonsOfPick(selection, pick.path)));
  }
  const isSelected = (one: string) => model.leavesBelow(one).some((leaf) => selection.leaves.includes(leaf.path));
  const facts = factsOf(contract);
  for (const { choose = [], when, point } of rules) {
    if (!choose.some((one) => one === path || below.includes(one))) continue;
    const missing = examine(when, facts, isSelected).filter(({ holds }) => !holds);
    const texts = missing.map(({ text }) => text).join(", ");
    if (missing.length > 0) reasons.push(`a rule for ${point} would choose it, but ${texts}`);
    else reasons.push(`a rule for ${point} would choose it, but one before it decided`);
  }
  if (reasons.length === 0) reasons.push("no rule asks for it and nothing requires it");
  if (explanation === undefined) reasons.push(`nothing stands against it: add --with ${path}`);
  return { path, selected: false, reasons };
}
