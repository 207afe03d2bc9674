/**
 * Use cases around a plan: make one, make the sub-plan of an addition, compare two, specify a contract node, draw.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { closeAddition } from "../foundry/plan/addition.ts";
import { type ContractSpec, formatWhy, renderContractSpec, specifyContract } from "../foundry/plan/contract-spec.ts";
import type { ContractNode } from "../foundry/plan/decycle.ts";
import type { LayerMode } from "../foundry/plan/layering.ts";
import { makePlan, type Plan, readPlan } from "../foundry/plan/plan.ts";
import { comparePlans, type PlanDifference } from "../foundry/plan/plan-diff.ts";
import { expandSelection } from "../foundry/plan/plan-input.ts";
import { formatStep } from "../foundry/plan/relax.ts";
import { type SubPlan, subPlan } from "../foundry/plan/sub-plan.ts";
import type { Overrides } from "../foundry/select/select-features.ts";
import { LatheError } from "../kit/errors.ts";
import { parseJsonText } from "../kit/json-text.ts";
import { suggestion } from "../kit/suggestion.ts";
import { designSpace } from "../foundry/select/design-space.ts";
import { catalogRoot } from "../model/load-model.ts";
import type { FeatureModel } from "../model/feature-model.ts";
import { drawPlan } from "../report/plan-figure.ts";
import { adviceOn, type AdviceTold } from "./advice.ts";
import { loadPlanSubject, type PlanSubject, readSubjectText } from "./plan-subject.ts";
import { planFile, planPicture, writeResult } from "./replace-file.ts";

export type { ContractNode, ContractSpec, LayerMode, Plan, PlanDifference, SubPlan };
export { formatStep, formatWhy, renderContractSpec };

/** `what`: a name of the catalog, a selection's file, a product's directory, or a contract, which overrides are for. */
export function planFor(what: string, mode: LayerMode, overrides?: Overrides): Plan {
  const { model } = designSpace();
  return planSubject(loadPlanSubject(what, model, overrides), mode, model);
}

function planSubject(subject: PlanSubject, mode: LayerMode, model: FeatureModel): Plan {
  const { unmet, ...input } = expandSelection(model, subject.leaves);
  const { name, waves, contracts, groups } = subject;
  return makePlan({ ...input, contracts, groups }, { name, mode, waves, unmet });
}

/** What is valid but unwise about what is planned, the gravest first. */
export function adviceOnPlan({ layers, contractNodes }: Plan): AdviceTold[] {
  // Members of a contract that is built as one unit have no node of their own.
  return adviceOn(designSpace().model, [...layers.flat(), ...contractNodes.flatMap(({ members }) => members)]);
}

/** What is left to build when a feature is added to a plan. Errors: those of `closeAddition`. */
export function planAddition(what: string, mode: LayerMode, path: string, overrides?: Overrides): SubPlan {
  const { model } = designSpace();
  const subject = loadPlanSubject(what, model, overrides);
  const built = planSubject(subject, mode, model);
  const addition = closeAddition(model, subject.leaves, path);
  const leaves = [...subject.leaves, ...addition.added.map((one) => one.path)];
  return subPlan(built, planSubject({ ...subject, leaves }, mode, model), addition);
}

/** A contract node by its name, with or without `contract/`. Errors: NOT_FOUND with the nearest name. */
export function specifyContractNode(
  what: string, mode: LayerMode, name: string, overrides?: Overrides,
): ContractSpec {
  const { model } = designSpace();
  const plan = planSubject(loadPlanSubject(what, model, overrides), mode, model);
  const wanted = name.startsWith("contract/") ? name : `contract/${name}`;
  const contract = plan.contractNodes.find(({ path }) => path === wanted);
  if (contract !== undefined) return specifyContract(plan, contract, model, specFileOf);
  const names = plan.contractNodes.map(({ path }) => path);
  const known = names.length === 0 ? "the plan has no contract nodes" : `it has ${names.join(", ")}`;
  throw new LatheError("NOT_FOUND", `${what} has no node ${wanted}${suggestion(wanted, names)}; ${known}`);
}

function specFileOf(leaf: string): string | undefined {
  const file = `specs/${leaf}.md`;
  return existsSync(join(catalogRoot, file)) ? `catalog/${file}` : undefined;
}

export interface NamedDifference extends PlanDifference {
  readonly before: string;
  readonly after: string;
}

/** Each side is a plan's file or anything that can be planned. */
export function diffPlans(before: string, after: string, mode: LayerMode): NamedDifference {
  return { before, after, ...comparePlans(loadOrMakePlan(before, mode), loadOrMakePlan(after, mode)) };
}

/** As SVG; a plan's file is drawn as it was made. */
export function drawPlanOf(what: string, mode: LayerMode): { readonly plan: Plan; readonly svg: string } {
  const plan = loadOrMakePlan(what, mode);
  return { plan, svg: drawPlan(plan) };
}

function loadOrMakePlan(what: string, mode: LayerMode): Plan {
  if (what.endsWith(".json") && existsSync(what)) {
    const value = parseJsonText(readSubjectText(what), what);
    if (typeof value === "object" && value !== null && "layers" in value) return readPlan(value, what);
  }
  return planFor(what, mode);
}

/** Replaces an older plan only, unless forced. Errors: ALREADY_EXISTS, and what the system says. */
export function writePlanFile(file: string, plan: Plan, force: boolean): void {
  writeResult(file, `${JSON.stringify(plan, null, 2)}\n`, planFile, force);
}

/** Replaces an older picture of a plan only, unless forced. Errors: ALREADY_EXISTS, and what the system says. */
export function writePlanPicture(file: string, svg: string, force: boolean): void {
  writeResult(file, svg, planPicture, force);
}
