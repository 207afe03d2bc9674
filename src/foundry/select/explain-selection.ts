/** Why a feature is in a selection, and why one is not: chains of reasons, each a sentence. */
import type { Contract } from "../../contract/contract.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { Closing } from "../plan/closing.ts";
import { examine } from "./condition.ts";
import { factsOf } from "./facts.ts";
import type { FeatureSelection } from "./feature-selection.ts";
import type { SelectRules } from "./select-rules.ts";

export interface SelectionReason {
  readonly path: string;
  readonly selected: boolean;
  /** From the feature to what it goes back to. */
  readonly reasons: readonly string[];
}

/** Errors: NOT_FOUND with the nearest paths. */
export function explainSelected(selection: FeatureSelection, model: FeatureModel, path: string): SelectionReason {
  const below = new Set(model.leavesBelow(path).map((leaf) => leaf.path));
  const first = selection.decisions.find((decision) => below.has(decision.path));
  if (first === undefined) {
    return { path, selected: false, reasons: [`${path} is not selected; ask with --why-not ${path}`] };
  }
  const reasons = first.path === path ? [] : [`${path} holds ${first.path}`];
  const seen = new Set<string>();
  for (let at = first; !seen.has(at.path); ) {
    seen.add(at.path);
    reasons.push(`${at.path}: ${at.because}`);
    const next = selection.decisions.find((decision) => decision.path === at.by);
    if (next === undefined) break;
    at = next;
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
  const excluded = new Map(selection.excluded.map((one) => [one.path, one.because]));
  const conflict = new Closing(model, selection.leaves, { excluded }).conflictOf(path);
  if (conflict !== undefined) {
    reasons.push(`it cannot be: ${conflict.text}`);
    const { against } = conflict;
    if (against !== undefined) reasons.push(...explainSelected(selection, model, against).reasons);
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
  if (conflict === undefined) reasons.push(`nothing stands against it: add --with ${path}`);
  return { path, selected: false, reasons };
}
