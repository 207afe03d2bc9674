/**
 * The part of a plan that is not built yet: new leaves, and the contract nodes whose members changed.
 *
 * Steps: plan what is built together with what is added; keep the nodes that are new, and contracts that are new or
 * have other members than before; keep their layers in order, without the empty ones. Edges to what is built are
 * dropped.
 */
import type { Addition } from "./addition.ts";
import type { ContractNode, PlanEdge } from "./decycle.ts";
import type { Plan } from "./plan.ts";

export interface SubPlan {
  readonly name: string;
  readonly addition: Addition;
  readonly layers: readonly (readonly string[])[];
  readonly order: readonly string[];
  readonly edges: readonly PlanEdge[];
  /** New contracts and those with new members, which are wired and tested again. */
  readonly contractNodes: readonly ContractNode[];
  /** Hash of the plan of everything. */
  readonly hash: string;
}

export function subPlan(built: Plan, whole: Plan, addition: Addition): SubPlan {
  const before = new Map(built.contractNodes.map(({ path, members }) => [members.join(" "), path]));
  const contractNodes = whole.contractNodes.filter(({ members }) => !before.has(members.join(" ")));
  const wanted = new Set([...addition.added.map(({ path }) => path), ...contractNodes.map(({ path }) => path)]);
  // A new leaf may be inside a unit, and then the unit stands for it.
  const layers = whole.layers.map((nodes) => nodes.filter((node) => wanted.has(node)));
  return {
    name: built.name,
    addition,
    layers: layers.filter((nodes) => nodes.length > 0),
    order: whole.order.filter((node) => wanted.has(node)),
    edges: whole.edges.filter(({ from, to }) => wanted.has(from) && wanted.has(to)),
    contractNodes,
    hash: whole.hash,
  };
}
