/**
 * Layers of an acyclic graph: nodes of one layer can be built beside one another.
 *
 *   strict  the layer of a node is 1 + the largest layer of what it depends on (longest path), so a layer holds every
 *           node whose dependencies are all in earlier ones;
 *   waves   an edge between two nodes of one wave does not count; a contract of at most `besideMembersMax` members
 *           stands in the layer of its last member, a larger one in the next. This is the listing that SpecDB prints,
 *           whose layers are wider than the text beside it says.
 * In both, a node is never in an earlier layer than what it depends on, and `order` puts it after that within a layer.
 * Ties go by path.
 */
import type { ContractNode, DecycledGraph, PlanEdge } from "./decycle.ts";
import { DirectedGraph } from "./directed-graph.ts";
import { type Wave, waveNumber } from "./wave.ts";

export type LayerMode = "strict" | "waves";

/** At most so many members are built together with their glue. Source: the paper's small contracts have two. */
export const besideMembersMax = 2;

export interface Layering {
  /** From the first to be built; each sorted. */
  readonly layers: readonly (readonly string[])[];
  /** Every node after all that it depends on; layer by layer. */
  readonly order: readonly string[];
}

export function layer(graph: DecycledGraph, mode: LayerMode, waves: readonly Wave[]): Layering {
  const directed = new DirectedGraph(graph.nodes);
  const edgesFrom = new Map<string, PlanEdge[]>();
  for (const edge of graph.edges) {
    directed.addEdge(edge.from, edge.to);
    edgesFrom.set(edge.from, [...(edgesFrom.get(edge.from) ?? []), edge]);
  }
  const weightOf = mode === "strict" ? () => 1 : waveWeights(graph.contracts, waves);
  const numbers = new Map<string, number>();
  const topological = directed.order() ?? [];
  for (const node of topological) {
    const reached = (edgesFrom.get(node) ?? []).map((edge) => (numbers.get(edge.to) ?? 0) + weightOf(edge));
    numbers.set(node, Math.max(1, ...reached));
  }
  const layers: string[][] = [];
  for (const node of topological) (layers[(numbers.get(node) ?? 1) - 1] ??= []).push(node);
  return { layers: layers.map((nodes) => [...nodes].sort()), order: layers.flat() };
}

function waveWeights(contracts: readonly ContractNode[], waves: readonly Wave[]): (edge: PlanEdge) => number {
  const sizes = new Map(contracts.map(({ path, members }) => [path, members.length]));
  return ({ from, to, kind }) => {
    if (kind === "joins") return (sizes.get(from) ?? 0) <= besideMembersMax ? 0 : 1;
    const [one, other] = [waveNumber(waves, from), waveNumber(waves, to)];
    return one !== undefined && one === other ? 0 : 1;
  };
}

/**
 * The wave beside which a contract's glue is built: that of its last member, or the next number for a large contract.
 * Undefined where no member is in a wave.
 */
export function glueWave(members: readonly string[], waves: readonly Wave[]): number | undefined {
  const numbers = members.flatMap((member) => waveNumber(waves, member) ?? []);
  if (numbers.length === 0) return undefined;
  return Math.max(...numbers) + (members.length <= besideMembersMax ? 0 : 1);
}
