/**
 * Judges one drawn selection: the model allows it, completing its leaves changes nothing, the plan schedules every leaf
 * once with each after what it relies on, and the parts fit. Used by tests and by `scripts/random-selections.ts`.
 */
import type { Reasoner } from "../model/reasoner.ts";
import { statementText } from "../model/sentence.ts";
import { violationsOf } from "../model/violations.ts";
import { composeParts } from "./composition.ts";
import type { PartDescriptor } from "./part-descriptor.ts";
import { loadWaves } from "./plan/load-waves.ts";
import { makePlan } from "./plan/plan.ts";
import { expandSelection } from "./plan/plan-input.ts";

/** `selected`: features, groups included. Empty where nothing is wrong. */
export function selectionProblems(
  selected: readonly string[],
  reasoner: Reasoner,
  library: readonly PartDescriptor[],
): string[] {
  const { model } = reasoner;
  const leaves = selected.filter((path) => model.feature(path).kind === "leaf").sort();
  const violated = violationsOf(model, new Set(selected)).map(statementText);
  const closes = reasoner.satisfiable(reasoner.literalsOf({
    chosen: leaves, excluded: model.leaves.map(({ path }) => path).filter((path) => !leaves.includes(path)),
  }));
  const { missing, clashes, vacant, unreachable, misplaced } = composeParts(leaves, library);
  return [
    ...violated.map((text) => `the model: ${text}`),
    ...(closes ? [] : ["these leaves and no others do not close"]),
    ...planProblems(leaves, reasoner),
    ...missing.map((leaf) => `no part taken has ${leaf}`),
    ...clashes.map(({ role, parts }) => `${role} is taken by ${parts.join(" and ")}`),
    ...vacant.map((role) => `nobody takes the role ${role}`),
    ...(unreachable ? ["no client could reach it"] : []),
    ...misplaced.map(({ path }) => `a library has no place for ${path}`),
  ];
}

function planProblems(leaves: readonly string[], { model }: Reasoner): string[] {
  const { unmet, ...input } = expandSelection(model, leaves);
  const plan = makePlan(
    { ...input, contracts: [], groups: [] },
    { name: "drawn", mode: "strict", waves: loadedWaves(), unmet },
  );
  const places = new Map<string, number>();
  const problems = unmet.map(({ from, to }) => `the plan: ${from} requires ${to}, which is not there`);
  const units = new Map(plan.contractNodes.filter(({ form }) => form === "unit").map((one) => [one.path, one.members]));
  plan.layers.forEach((layer, number) => layer.forEach((path) => {
    for (const built of [path, ...(units.get(path) ?? [])]) {
      if (places.has(built)) problems.push(`the plan has ${built} twice`);
      places.set(built, number);
    }
  }));
  for (const leaf of leaves) if (!places.has(leaf)) problems.push(`the plan lacks ${leaf}`);
  for (const { from, to } of plan.edges) {
    const [after, before] = [places.get(from) ?? -1, places.get(to) ?? -1];
    if (after <= before) problems.push(`the plan builds ${from} not after ${to}`);
  }
  return problems;
}

let waves: ReturnType<typeof loadWaves> | undefined;

function loadedWaves() {
  waves ??= loadWaves();
  return waves;
}
