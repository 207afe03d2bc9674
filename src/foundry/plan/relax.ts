/**
 * Makes the directed edges of a selection free of cycles, or says which cycle cannot be broken.
 *
 * Steps:
 *   1. `requires` edges alone must have no cycle: the shortest one is the error.
 *   2. `reference` edges are added one by one, those that follow the order of waves first, then by name. One that would
 *      close a cycle is relaxed: its two ends are built in the order that the others give, and checked against one
 *      another afterwards. It is kept as such, with the shortest cycle that it would have closed.
 * The set of relaxed edges is minimal (each closes a cycle with the edges that stay), not the smallest possible.
 */
import { LatheError } from "../../kit/errors.ts";
import { compare } from "./components.ts";
import { DirectedGraph } from "./directed-graph.ts";
import type { LeafEdge } from "./plan-input.ts";
import { unique } from "./plan-input.ts";

export type DirectedKind = "requires" | "reference";

export interface DirectedEdge extends LeafEdge {
  readonly kind: DirectedKind;
}

/** One edge of a cycle; the end of each is the start of the next, or a member of the same contract. */
export interface CycleStep {
  readonly from: string;
  readonly to: string;
  readonly kind: DirectedKind;
  readonly reason: string;
}

/** A reference that is checked after both ends are built. */
export interface RelaxedReference {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly cycle: readonly CycleStep[];
}

export interface AcyclicEdges {
  /** Sorted by ends; at most one per pair, `requires` before `reference`. */
  readonly edges: readonly DirectedEdge[];
  readonly graph: DirectedGraph;
  readonly checkAfter: readonly RelaxedReference[];
}

/** Errors: INVALID_ARGUMENT with the shortest cycle of `requires` edges, also as `details.cycle`. */
export function breakCycles(
  leaves: readonly string[],
  requires: readonly LeafEdge[],
  references: readonly LeafEdge[],
  waveOf: (leaf: string) => number,
): AcyclicEdges {
  const graph = new DirectedGraph(leaves);
  const kept = new Map<string, DirectedEdge>();
  const keep = (edge: LeafEdge, kind: DirectedKind) => {
    graph.addEdge(edge.from, edge.to);
    kept.set(`${edge.from} ${edge.to}`, { ...edge, kind });
  };
  for (const edge of unique(requires)) keep(edge, "requires");
  const cycle = graph.shortestCycle();
  if (cycle !== undefined) throw cycleError(cycle, kept);
  const forward = (edge: LeafEdge) => (waveOf(edge.from) >= waveOf(edge.to) ? 0 : 1);
  const ordered = unique(references).sort((one, other) => forward(one) - forward(other) || compareEnds(one, other));
  const checkAfter: RelaxedReference[] = [];
  for (const edge of ordered) {
    if (graph.has(edge.from, edge.to)) continue;
    if (!graph.reaches([edge.to], edge.from)) {
      keep(edge, "reference");
      continue;
    }
    const back = graph.shortestPath(edge.to, edge.from) ?? [];
    const { from, to, reason } = edge;
    checkAfter.push({ from, to, reason, cycle: [{ from, to, kind: "reference", reason }, ...stepsOf(back, kept)] });
  }
  checkAfter.sort(compareEnds);
  return { edges: [...kept.values()].sort(compareEnds), graph, checkAfter };
}

function stepsOf(path: readonly string[], edges: ReadonlyMap<string, DirectedEdge>): CycleStep[] {
  return path.slice(1).map((to, at) => {
    const { from, kind, reason } = edges.get(`${path[at]} ${to}`) as DirectedEdge;
    return { from, to, kind, reason };
  });
}

function cycleError(cycle: readonly string[], edges: ReadonlyMap<string, DirectedEdge>): LatheError {
  const steps = stepsOf(cycle, edges);
  const lines = steps.map(formatStep).join("\n");
  const message = `these leaves require one another in a circle, so none can be first:\n${lines}\ndrop one of them`;
  return new LatheError("INVALID_ARGUMENT", message, { details: { cycle: steps } });
}

export function formatStep({ from, to, kind, reason }: CycleStep): string {
  return `  ${from} ${kind === "requires" ? "requires" : "refers to"} ${to}${reason === "" ? "" : ` (${reason})`}`;
}

export function compareEnds(one: { from: string; to: string }, other: { from: string; to: string }): number {
  return compare(one.from, other.from) || compare(one.to, other.to);
}
