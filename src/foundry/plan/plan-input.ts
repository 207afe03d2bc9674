/**
 * What a plan is made from: selected leaves and the edges among them, every end a leaf.
 *
 * Edges of the model may end in groups; `expandSelection` replaces a group by the selected leaves below it. An edge
 * that then joins a leaf with itself is dropped, and so is a second edge of the same kind between the same two.
 */
import type { Edge, EdgeKind } from "../../model/feature.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { LatheError } from "../../kit/errors.ts";
import { compare, type DeclaredContract } from "./components.ts";

export interface LeafEdge {
  readonly from: string;
  readonly to: string;
  /** Why; of a cooperate edge the invariant that both ends keep. */
  readonly reason: string;
  readonly source: string;
}

/** More than two leaves that keep one invariant, declared as one entry. */
export interface CooperateGroup {
  readonly name: string;
  readonly members: readonly string[];
  readonly invariant: string;
}

export interface PlanInput {
  readonly leaves: readonly string[];
  readonly requires: readonly LeafEdge[];
  readonly references: readonly LeafEdge[];
  readonly cooperate: readonly LeafEdge[];
  readonly groups?: readonly CooperateGroup[];
  /** Names for components. */
  readonly contracts?: readonly DeclaredContract[];
}

/** A `requires` edge of a selected leaf of which no end is selected. */
export interface UnmetNeed {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

export interface ExpandedSelection extends PlanInput {
  /** Needs that the selection leaves open; a plan can be made, a product would lack something. */
  readonly unmet: readonly UnmetNeed[];
}

/** Errors: NOT_FOUND with every unknown path and the nearest ones; INVALID_ARGUMENT for groups and for mutex edges. */
export function expandSelection(model: FeatureModel, selected: readonly string[]): ExpandedSelection {
  const leaves = [...new Set(selected)].sort();
  checkLeaves(model, leaves);
  const chosen = new Set(leaves);
  const below = (path: string) => model.leavesBelow(path).map((leaf) => leaf.path).filter((leaf) => chosen.has(leaf));
  const expand = (kind: EdgeKind): LeafEdge[] => model.edgesOf(kind).flatMap((edge) => expandEdge(edge, below));
  const excluded = expand("mutex");
  if (excluded.length > 0) {
    const [{ from, to, reason }] = excluded;
    throw new LatheError("INVALID_ARGUMENT", `${from} and ${to} exclude one another (${reason}); drop one of them`, {
      details: { mutex: excluded.map((edge) => [edge.from, edge.to]) },
    });
  }
  return {
    leaves,
    requires: unique(expand("requires")),
    references: unique(expand("reference")),
    cooperate: unique(expand("cooperate").map(smallerFirst)),
    unmet: unmetNeeds(model, below),
  };
}

function checkLeaves(model: FeatureModel, leaves: readonly string[]): void {
  const problems: string[] = [];
  const unknown: string[] = [];
  for (const path of leaves) {
    try {
      if (model.feature(path).kind === "group") {
        problems.push(`${path} is a group; choose leaves below it, as ${model.leavesBelow(path)[0]?.path}`);
      }
    } catch (error) {
      problems.push((error as Error).message);
      unknown.push(path);
    }
  }
  if (problems.length === 0) return;
  const code = unknown.length > 0 ? "NOT_FOUND" : "INVALID_ARGUMENT";
  throw new LatheError(code, problems.join("\n"), { details: { unknown } });
}

function expandEdge(edge: Edge, below: (path: string) => string[]): LeafEdge[] {
  const { reason, source } = edge;
  const targets = below(edge.to);
  return below(edge.from).flatMap((from) =>
    targets.filter((to) => to !== from).map((to) => ({ from, to, reason, source })),
  );
}

function unmetNeeds(model: FeatureModel, below: (path: string) => string[]): UnmetNeed[] {
  return model
    .edgesOf("requires")
    .filter(({ to }) => below(to).length === 0)
    .flatMap(({ from, to, reason }) => below(from).map((leaf) => ({ from: leaf, to, reason })))
    .sort((one, other) => compare(one.from, other.from) || compare(one.to, other.to));
}

/** Sorted by ends; of equal ends the reason that sorts first. */
export function unique(edges: readonly LeafEdge[]): LeafEdge[] {
  const sorted = [...edges].sort(
    (one, other) =>
      compare(one.from, other.from) || compare(one.to, other.to) || compare(one.reason, other.reason) ||
      compare(one.source, other.source),
  );
  return sorted.filter((edge, at) => edge.from !== sorted[at - 1]?.from || edge.to !== sorted[at - 1]?.to);
}

export function smallerFirst(edge: LeafEdge): LeafEdge {
  return edge.from < edge.to ? edge : { ...edge, from: edge.to, to: edge.from };
}
