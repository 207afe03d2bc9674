/**
 * What has to be added to what is built so that a missing feature can be, each with its reason.
 *
 * Steps: complete what is built by the model (a product's leaves need not be whole), complete it together with the
 * feature, and take the difference. What is built stays: what stands against the feature is an error with the steps
 * that show it. References, which the paper's Route B follows too, bind only what is selected, so they are offered and
 * not added. Source: SpecDB, section 4.4 (Route B).
 */
import { LatheError } from "../../kit/errors.ts";
import { completeSelection, type Completed } from "../../model/complete.ts";
import { explanationText } from "../../model/explain.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { Reasoner } from "../../model/reasoner.ts";

export interface AddedLeaf {
  readonly path: string;
  /** One sentence. */
  readonly because: string;
}

export interface Addition {
  /** In model order. */
  readonly added: readonly AddedLeaf[];
  /** What new leaves would agree with if it were selected. */
  readonly offered: readonly AddedLeaf[];
}

/** Errors: NOT_FOUND with the nearest paths; ALREADY_EXISTS; INVALID_ARGUMENT for conflicts, with both sides. */
export function closeAddition(model: FeatureModel, built: readonly string[], path: string): Addition {
  const feature = model.feature(path);
  const already = model.leavesBelow(path).find((leaf) => built.includes(leaf.path))?.path;
  if (already !== undefined) {
    const what = feature.kind === "leaf" ? `${path} is` : `${already}, which is below ${path}, is`;
    throw new LatheError("ALREADY_EXISTS", `${what} in the plan already`, { details: { path: already } });
  }
  const reasoner = new Reasoner(model);
  const before = complete(reasoner, built, "what is built contradicts the model");
  const after = complete(reasoner, [...built, path], `${path} cannot be added`);
  const there = new Set([...built, ...before.leaves]);
  const reasons = new Map(after.added.map((one) => [one.path, one.because]));
  const added = after.leaves
    .filter((leaf) => !there.has(leaf))
    .map((leaf) => ({ path: leaf, because: (reasons.get(leaf) ?? "asked for").replace(`${leaf} is selected: `, "") }));
  return { added, offered: offeredBy(model, new Set(after.selected), added) };
}

function complete(reasoner: Reasoner, chosen: readonly string[], problem: string): Completed {
  const outcome = completeSelection(reasoner, { chosen, excluded: [] });
  if (outcome.ok) return outcome.value;
  const { explanation, picks } = outcome.conflict;
  const message = `${problem}:\n${explanationText(explanation)}`;
  throw new LatheError("INVALID_ARGUMENT", message, { details: { picks } });
}

function offeredBy(model: FeatureModel, selected: ReadonlySet<string>, added: readonly AddedLeaf[]): AddedLeaf[] {
  const found = new Map<string, AddedLeaf>();
  for (const { path } of added) {
    for (const above of [path, ...model.ancestors(path)]) {
      for (const { kind, to, reason } of model.edgesFrom(above)) {
        if (kind !== "reference" || selected.has(to) || found.has(to)) continue;
        found.set(to, { path: to, because: `${path} would agree with it (${reason})` });
      }
    }
  }
  return [...found.values()];
}
