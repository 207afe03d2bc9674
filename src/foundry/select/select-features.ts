/**
 * From a contract's facts to a closed selection of leaves, each with the reason for it.
 *
 * Steps:
 *   1. what the user asks for and leaves out, and what rules demand that the contract depends on (`must`), must go
 *      together; if not, a minimal set of them that does not is the error (`demands.ts`);
 *   2. what the workload needs (the contract's `needs`) is taken before rules that it does not depend on; then rules
 *      decide in order, the first that holds for each point; what contradicts what stands already is left out and
 *      noted, with the contradiction;
 *   3. the part of the library that implements a picked leaf brings its other leaves, likewise;
 *   4. the model's completion (`model/complete.ts`) adds what is forced and decides what is open: defaults of groups
 *      first, then leaves that the library implements, then those that the best archetype picks.
 * Every question is asked of the solver, so the result is valid wherever there is one.
 * Invariants: the same contract, model, rules and library give the same selection; its order is that of paths.
 * Source: SpecDB, section 4.1, where a language model walks the variation points.
 */
import { assert } from "../../kit/assert.ts";
import { canonicalHash } from "../../contract/canonical-json.ts";
import type { Contract, NeedSpec } from "../../contract/contract.ts";
import { completeSelection } from "../../model/complete.ts";
import { explainContradiction } from "../../model/explain.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import type { Archetype } from "../../model/load-archetypes.ts";
import { Reasoner } from "../../model/reasoner.ts";
import { composeParts } from "../composition.ts";
import { implementedLeaves, type PartDescriptor } from "../part-descriptor.ts";
import { compare } from "../plan/components.ts";
import { examine } from "./condition.ts";
import { demandsOf, meetDemands } from "./demands.ts";
import { type Facts, factsOf } from "./facts.ts";
import type { Decision, FeatureSelection, LeftOut, Origin } from "./feature-selection.ts";
import { modelVersion } from "./model-version.ts";
import { scoreArchetypes } from "./score-archetypes.ts";
import type { SelectRule, SelectRules } from "./select-rules.ts";

export interface Overrides {
  readonly with: readonly string[];
  readonly without: readonly string[];
  /** Directories of parts of the user's own, beside the library; looked into by who makes the `library`. */
  readonly parts?: readonly string[];
}

export interface SelectInput {
  readonly contract: Contract;
  readonly model: FeatureModel;
  readonly rules: SelectRules;
  readonly archetypes: readonly Archetype[];
  readonly library: readonly PartDescriptor[];
  readonly overrides: Overrides;
}

/** Errors: NOT_FOUND for unknown paths; INVALID_ARGUMENT for demands that contradict one another. */
export function selectFeatures(input: SelectInput): FeatureSelection {
  const { contract, model, overrides, archetypes } = input;
  for (const path of [...overrides.with, ...overrides.without]) model.feature(path);
  for (const { feature } of contract.needs ?? []) model.feature(feature);
  const library = input.library.toSorted((one, other) => compare(one.path, other.path));
  const facts = factsOf(contract);
  const reasoner = new Reasoner(model);
  meetDemands(reasoner, demandsOf(overrides, input.rules, facts));
  const picker = new Picker(reasoner, overrides);
  applyRules(picker, input.rules, facts, contract.needs ?? []);
  for (const part of library) bringPart(picker, part, model);
  const scores = scoreArchetypes(input.rules, facts);
  const best = archetypes.find(({ name }) => name === scores[0]?.name);
  const implemented = new Set(library.flatMap(implementedLeaves));
  const preferred = model.withAncestors([...implemented].filter((leaf) => model.has(leaf)));
  const wanted = model.withAncestors(best?.picks ?? []);
  const decisions = complete(picker, [...new Set([...preferred, ...wanted])]);
  const leaves = decisions.map(({ path }) => path);
  return {
    version: 1,
    contract: contract.name,
    contractHash: canonicalHash(contract),
    model: modelVersion(model),
    overrides: { with: [...overrides.with].sort(), without: [...overrides.without].sort() },
    leaves,
    decisions,
    leftOut: picker.leftOut,
    excluded: [...picker.excluded].map(([path, because]) => ({ path, because })),
    archetypes: scores,
    withoutPart: composeParts(leaves, library).missing,
    hash: canonicalHash({ leaves }),
  };
}

interface Pick {
  readonly origin: Origin;
  readonly because: string;
  readonly point?: string;
  /** The leaf whose part brings it. */
  readonly by?: readonly string[];
}

/** Picks and exclusions so far, which go together at any time. */
class Picker {
  readonly picks = new Map<string, Pick>();
  readonly excluded = new Map<string, string>();
  readonly leftOut: LeftOut[] = [];
  readonly reasoner: Reasoner;

  constructor(reasoner: Reasoner, overrides: Overrides) {
    this.reasoner = reasoner;
    const asked: Pick = { origin: "asked", because: "asked for (--with)" };
    for (const path of [...overrides.with].sort()) this.picks.set(path, asked);
    for (const path of [...overrides.without].sort()) {
      this.excluded.set(path, `${path} was left out on request (--without)`);
    }
  }

  get literals(): number[] {
    return this.reasoner.literalsOf({ chosen: [...this.picks.keys()], excluded: [...this.excluded.keys()] });
  }

  /** Whether the picks so far leave no selection without the feature. */
  has(path: string): boolean {
    if (this.picks.has(path)) return true;
    return !this.reasoner.satisfiable([...this.literals, this.reasoner.literal(path, false)]);
  }

  choose(path: string, pick: Pick): void {
    if (this.picks.has(path)) return;
    const literal = this.reasoner.literal(path);
    if (this.reasoner.satisfiable([...this.literals, literal])) {
      this.picks.set(path, pick);
      return;
    }
    const because = `${this.#whyNot(literal)}; wanted since ${pick.because}`;
    this.leftOut.push({ path, wantedBy: pick.origin, because });
  }

  exclude(path: string, because: string): void {
    const literal = this.reasoner.literal(path, false);
    if (this.reasoner.satisfiable([...this.literals, literal])) this.excluded.set(path, because);
    else this.leftOut.push({ path, wantedBy: "rule", because: `it is needed: ${this.#whyNot(literal)}` });
  }

  #whyNot(literal: number): string {
    const explanation = explainContradiction(this.reasoner, [...this.literals, literal]);
    const picks = explanation?.picks.filter(({ path }) => path !== this.reasoner.pathOf(literal)) ?? [];
    const stands = picks.map(({ path, selected }) => `${path} is ${selected ? "selected" : "out"}`);
    const last = explanation?.kind === "chain" ? explanation.steps.at(-1)?.sentence : undefined;
    return [...stands, ...(last === undefined ? [] : [last])].join("; ");
  }
}

function applyRules(
  picker: Picker,
  { rules }: SelectRules,
  facts: Facts,
  needs: readonly NeedSpec[],
): void {
  // First what the contract depends on, so that no weaker rule stands in its way.
  const decided = new Set<string>();
  const held: { readonly rule: SelectRule; readonly because: string }[] = [];
  const apply = (rule: SelectRule, isSelected: (path: string) => boolean) => {
    const findings = examine(rule.when, facts, isSelected);
    if (decided.has(rule.point) || !findings.every(({ holds }) => holds)) return undefined;
    decided.add(rule.point);
    const found = findings.length === 0 ? "always" : findings.map(({ text }) => text).join(", ");
    return { rule, because: `${rule.reason} (rule for ${rule.point}: ${found})` };
  };
  for (const rule of rules) {
    const one = apply(rule, () => false);
    if (one !== undefined && rule.must) held.push(one);
    else if (one !== undefined) decided.delete(rule.point);
  }
  for (const { rule, because } of held) follow(picker, rule, because);
  for (const { feature, because } of needs) picker.choose(feature, { origin: "workload", because });
  for (const rule of rules) {
    const one = apply(rule, (path) => picker.has(path));
    if (one !== undefined) follow(picker, rule, one.because);
  }
}

function follow(picker: Picker, { choose = [], exclude = [], point }: SelectRule, because: string): void {
  for (const path of choose) picker.choose(path, { origin: "rule", because, point });
  for (const path of exclude) picker.exclude(path, `${path} stays out: ${because}`);
}

function bringPart(picker: Picker, { name, leaves }: PartDescriptor, model: FeatureModel): void {
  if (!model.has(leaves[0]) || !picker.has(leaves[0])) return;
  const because = `comes with the part ${name}, which implements ${leaves[0]}`;
  for (const path of leaves) {
    if (model.find(path)?.kind === "leaf") picker.choose(path, { origin: "part", because, by: [leaves[0]] });
  }
}

function complete({ reasoner, picks, excluded }: Picker, preferred: readonly string[]): Decision[] {
  const outcome = completeSelection(reasoner, { chosen: [...picks.keys()], excluded: [...excluded.keys()] }, preferred);
  assert(outcome.ok, "picks that go together one by one do so together");
  const { leaves, added } = outcome.value;
  const reasons = new Map(added.map((one) => [one.path, one]));
  return leaves
    .map((path): Decision => {
      const pick = picks.get(path);
      if (pick !== undefined) return { path, ...pick };
      const reason = reasons.get(path);
      const origin = reason?.rule === "default" ? "default" : reason?.rule === "mandatory" ? "mandatory" : "required";
      const because = (reason?.because ?? "").replace(`${path} is selected: `, "");
      return { path, origin, because, by: reason?.picks };
    })
    .sort((one, other) => compare(one.path, other.path));
}
