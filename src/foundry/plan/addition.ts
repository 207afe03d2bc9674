/**
 * What has to be added to what is built so that a missing feature can be: the closure of its needs, each with its
 * reason.
 *
 * What is built stays: an alternative or a mutex edge that stands against it is an error that names both sides.
 * References, which the paper's Route B follows too, bind only what is selected, so they are offered and not added.
 * Source: SpecDB, section 4.4 (Route B).
 */
import { LatheError } from "../../kit/errors.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { Closing } from "./closing.ts";

export interface AddedLeaf {
  readonly path: string;
  /** In one clause: `asked for`, `required by … (…)`, `default of …`, `mandatory below …`. */
  readonly because: string;
}

export interface Addition {
  /** In the order in which they were found. */
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
  const closing = new Closing(model, built);
  closing.pick(path, "asked for");
  closing.finish();
  const added = closing.added.map(({ path: leaf, because }) => ({ path: leaf, because }));
  return { added, offered: offeredBy(model, closing, added) };
}

function offeredBy(model: FeatureModel, closing: Closing, added: readonly AddedLeaf[]): AddedLeaf[] {
  const found = new Map<string, AddedLeaf>();
  for (const { path } of added) {
    for (const above of [path, ...model.ancestors(path)]) {
      for (const { kind, to, reason } of model.edgesFrom(above)) {
        if (kind !== "reference" || closing.has(to) || found.has(to)) continue;
        found.set(to, { path: to, because: `${path} would agree with it (${reason})` });
      }
    }
  }
  return [...found.values()];
}

/** The leaves that picks (leaves and groups) bring with all that they need. Errors: those of `closeAddition`. */
export function closeSelection(model: FeatureModel, picks: readonly string[]): string[] {
  const closing = new Closing(model);
  for (const pick of leavesFirst(model, picks)) closing.pick(pick, "picked");
  closing.finish();
  return model.sorted(closing.added.map(({ path }) => path));
}

/** Leaves before groups, so that a group finds what is chosen below it. */
export function leavesFirst(model: FeatureModel, paths: readonly string[]): string[] {
  const rank = (path: string) => (model.feature(path).kind === "leaf" ? 0 : 1);
  return [...paths].sort((one, other) => rank(one) - rank(other));
}
