/**
 * Turns cooperate components into contract nodes, and keeps the graph free of cycles while doing so.
 *
 * Borrowed from SpecDB, section 4.2, which merges each component into one node; its own TPC-C selection becomes cyclic
 * that way (a contract needs a B-tree, and the B-tree needs a member of the contract). Hence two forms:
 *   `unit`       the members become one node, edges are redirected to it;
 *   `two_phase`  every member keeps its node; a glue node, which depends on all members, carries the joint protocol.
 *
 * Steps:
 *   1. find components and names (`components.ts`);
 *   2. the bare merge: all components contracted at once; its shortest cycle, if any, is reported edge by edge;
 *   3. in order of size and name, a component becomes a unit if it has at most `unitMembersMax` members and the graph
 *      as contracted so far stays free of cycles; otherwise it stays in two phases, and the reason is kept;
 *   4. edges are redirected to units; each glue node joins its members;
 *   5. who depends on a member keeps that edge, which gives it the member's primitives. If it comes later than the glue
 *      and the glue does not need it, it also awaits the glue, and so builds on the joint protocol.
 * Invariants: the result has no cycle; it does not depend on the order of the input.
 */
import { compare, type Component, findComponents } from "./components.ts";
import { DirectedGraph } from "./directed-graph.ts";
import type { CooperateGroup, LeafEdge, PlanInput } from "./plan-input.ts";
import { compareEnds, type CycleStep, type DirectedEdge } from "./relax.ts";

export type PlanEdgeKind = "requires" | "reference" | "joins" | "awaits";

/** `from` is built after `to`. `joins`: glue its members. `awaits`: a dependent the glue of what it depends on. */
export interface PlanEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: PlanEdgeKind;
}

/** What members keep together: a cooperate edge, or a declared group of more than two. */
export interface Invariant {
  readonly members: readonly string[];
  readonly text: string;
  readonly source: string;
}

export interface ContractNode {
  readonly path: string;
  readonly members: readonly string[];
  readonly form: "unit" | "two_phase";
  /** Why it is not one unit. */
  readonly because: "cycle" | "size" | "listing" | undefined;
  /** Where `because` is `cycle`: the shortest one that the merge would close, through this contract. */
  readonly cycle: readonly CycleStep[];
  readonly invariants: readonly Invariant[];
}

export interface DecycleOptions {
  /** Components larger than this are never one unit. */
  readonly unitMembersMax: number;
  /** Every member keeps its node, as in the paper's listing. */
  readonly membersListed: boolean;
  /** Whether a dependent may wait for a contract's glue; where it closes no cycle. */
  mayAwait(dependent: string, members: readonly string[]): boolean;
}

export interface DecycledGraph {
  /** Leaves outside units, and contracts. Sorted. */
  readonly nodes: readonly string[];
  readonly edges: readonly PlanEdge[];
  readonly contracts: readonly ContractNode[];
  /** The shortest cycle of the graph with every component merged; empty where it has none. */
  readonly bareMergeCycle: readonly CycleStep[];
}

/** `edges` must have no cycle. */
export function decycle(input: PlanInput, edges: readonly DirectedEdge[], options: DecycleOptions): DecycledGraph {
  const groups = input.groups ?? [];
  const ties = [...input.cooperate.map(({ from, to }) => [from, to]), ...groups.map(({ members }) => members)];
  const components = findComponents(ties, input.contracts ?? []);
  const bareMergeCycle = shortestMergedCycle(input.leaves, edges, components);
  const units: Component[] = [];
  const contracts = new Map<string, ContractNode>();
  const bySize = [...components].sort(
    (one, other) => one.members.length - other.members.length || compare(one.name, other.name),
  );
  for (const component of bySize) {
    const small = component.members.length <= options.unitMembersMax;
    const cycle = shortestMergedCycle(input.leaves, edges, small ? [...units, component] : [component]);
    const unit = small && cycle.length === 0 && !options.membersListed;
    if (unit) units.push(component);
    contracts.set(component.name, {
      path: component.name,
      members: component.members,
      form: unit ? "unit" : "two_phase",
      because: unit ? undefined : cycle.length > 0 ? "cycle" : small ? "listing" : "size",
      cycle: startingIn(component, cycle),
      invariants: invariantsOf(component, input.cooperate, groups),
    });
  }
  const nodeOf = nodeLookup(units);
  const glued = components.filter((component) => !units.includes(component));
  const redirected = redirect(edges, nodeOf);
  const joins = glued.flatMap(({ name, members }) =>
    members.map((to): PlanEdge => ({ from: name, to, kind: "joins" })),
  );
  const nodes = new Set([...input.leaves.map(nodeOf), ...glued.map(({ name }) => name)]);
  const awaits = awaitEdges([...redirected, ...joins], glued, options);
  const sorted = [...redirected, ...joins, ...awaits].sort(
    (one, other) => compareEnds(one, other) || compare(one.kind, other.kind),
  );
  return {
    nodes: [...nodes].sort(),
    edges: sorted,
    contracts: components.map(({ name }) => contracts.get(name) as ContractNode),
    bareMergeCycle,
  };
}

/** What a leaf becomes when components are merged. */
function nodeLookup(merged: readonly Component[]): (leaf: string) => string {
  const names = new Map(merged.flatMap(({ name, members }) => members.map((member) => [member, name] as const)));
  return (leaf) => names.get(leaf) ?? leaf;
}

/** Ends replaced by their nodes; self-loops and second edges of a pair dropped, `requires` before `reference`. */
function redirect(edges: readonly DirectedEdge[], nodeOf: (leaf: string) => string): PlanEdge[] {
  const kept = new Map<string, PlanEdge>();
  for (const { kind, ...ends } of edges) {
    const edge = { from: nodeOf(ends.from), to: nodeOf(ends.to), kind };
    const key = `${edge.from} ${edge.to}`;
    if (edge.from !== edge.to && (kind === "requires" || !kept.has(key))) kept.set(key, edge);
  }
  return [...kept.values()];
}

function shortestMergedCycle(
  leaves: readonly string[],
  edges: readonly DirectedEdge[],
  merged: readonly Component[],
): CycleStep[] {
  const nodeOf = nodeLookup(merged);
  const graph = new DirectedGraph(leaves.map(nodeOf));
  const origins = new Map<string, DirectedEdge>();
  for (const edge of edges) {
    const [from, to] = [nodeOf(edge.from), nodeOf(edge.to)];
    if (from === to) continue;
    graph.addEdge(from, to);
    // Edges come sorted, so the first is the smallest; a requires edge says more than a reference.
    const key = `${from} ${to}`;
    const first = origins.get(key);
    if (first === undefined || (edge.kind === "requires" && first.kind !== "requires")) origins.set(key, edge);
  }
  const cycle = graph.shortestCycle() ?? [];
  return cycle.slice(1).map((node, at) => {
    const { from, to, kind, reason } = origins.get(`${cycle[at]} ${node}`) as DirectedEdge;
    return { from, to, kind, reason };
  });
}

/** The same cycle, told from a member of the component on. */
function startingIn({ members }: Component, cycle: readonly CycleStep[]): CycleStep[] {
  const start = Math.max(0, cycle.findIndex(({ from }) => members.includes(from)));
  return [...cycle.slice(start), ...cycle.slice(0, start)];
}

function invariantsOf(
  { members }: Component,
  cooperate: readonly LeafEdge[],
  groups: readonly CooperateGroup[],
): Invariant[] {
  const pairs = cooperate
    .filter(({ from }) => members.includes(from))
    .map(({ from, to, reason, source }) => ({ members: [from, to].sort(), text: reason, source }));
  const declared = groups
    .filter((group) => group.members.some((member) => members.includes(member)))
    .map((group) => ({ members: [...group.members].sort(), text: group.invariant, source: `group ${group.name}` }));
  return [...pairs, ...declared].sort(
    (one, other) => compare(one.members.join(" "), other.members.join(" ")) || compare(one.text, other.text),
  );
}

/** Added one by one, by name, each only if it closes no cycle with those before it. */
function awaitEdges(
  edges: readonly PlanEdge[],
  glued: readonly Component[],
  { mayAwait }: Pick<DecycleOptions, "mayAwait">,
): PlanEdge[] {
  const graph = new DirectedGraph();
  for (const { from, to } of edges) graph.addEdge(from, to);
  const found: PlanEdge[] = [];
  for (const { name, members } of [...glued].sort((one, other) => compare(one.name, other.name))) {
    const dependents = edges
      .filter(({ from, to, kind }) => kind !== "joins" && members.includes(to) && !members.includes(from))
      .map(({ from }) => from);
    for (const from of [...new Set(dependents)].sort()) {
      if (!mayAwait(from, members) || graph.reaches([name], from)) continue;
      graph.addEdge(from, name);
      found.push({ from, to: name, kind: "awaits" });
    }
  }
  return found;
}
