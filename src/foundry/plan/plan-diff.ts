/** What changed from one plan to another: nodes, layers, edges, contracts. */
import { compare } from "./components.ts";
import type { ContractNode, PlanEdge } from "./decycle.ts";
import type { Plan } from "./plan.ts";

export interface MovedNode {
  readonly path: string;
  /** Layers, from 1. */
  readonly before: number;
  readonly after: number;
}

export interface ChangedContract {
  readonly path: string;
  readonly membersAdded: readonly string[];
  readonly membersRemoved: readonly string[];
  readonly formBefore: ContractNode["form"];
  readonly formAfter: ContractNode["form"];
}

export interface PlanDifference {
  readonly same: boolean;
  readonly nodesAdded: readonly string[];
  readonly nodesRemoved: readonly string[];
  readonly nodesMoved: readonly MovedNode[];
  readonly edgesAdded: readonly PlanEdge[];
  readonly edgesRemoved: readonly PlanEdge[];
  readonly contractsChanged: readonly ChangedContract[];
}

export function comparePlans(before: Plan, after: Plan): PlanDifference {
  const [layersBefore, layersAfter] = [layerNumbers(before), layerNumbers(after)];
  const nodesMoved = [...layersAfter].flatMap(([path, number]): MovedNode[] => {
    const earlier = layersBefore.get(path);
    return earlier === undefined || earlier === number ? [] : [{ path, before: earlier, after: number }];
  });
  return {
    same: before.hash === after.hash,
    nodesAdded: missing(layersAfter, layersBefore),
    nodesRemoved: missing(layersBefore, layersAfter),
    nodesMoved: nodesMoved.sort((one, other) => compare(one.path, other.path)),
    edgesAdded: edgesMissing(after, before),
    edgesRemoved: edgesMissing(before, after),
    contractsChanged: contractChanges(before, after),
  };
}

export function layerNumbers({ layers }: Pick<Plan, "layers">): Map<string, number> {
  return new Map(layers.flatMap((nodes, at) => nodes.map((node) => [node, at + 1] as const)));
}

function missing(has: ReadonlyMap<string, number>, lacks: ReadonlyMap<string, number>): string[] {
  return [...has.keys()].filter((path) => !lacks.has(path)).sort();
}

function edgesMissing(has: Plan, lacks: Plan): PlanEdge[] {
  const keyOf = ({ from, to, kind }: PlanEdge) => `${kind} ${from} ${to}`;
  const known = new Set(lacks.edges.map(keyOf));
  return has.edges.filter((edge) => !known.has(keyOf(edge)));
}

function contractChanges(before: Plan, after: Plan): ChangedContract[] {
  return after.contractNodes.flatMap((now): ChangedContract[] => {
    const then = before.contractNodes.find(({ path }) => path === now.path);
    if (then === undefined) return [];
    const membersAdded = now.members.filter((member) => !then.members.includes(member));
    const membersRemoved = then.members.filter((member) => !now.members.includes(member));
    if (membersAdded.length + membersRemoved.length === 0 && then.form === now.form) return [];
    return [{ path: now.path, membersAdded, membersRemoved, formBefore: then.form, formAfter: now.form }];
  });
}
