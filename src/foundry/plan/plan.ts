/**
 * A plan: the order in which the leaves and contract nodes of a selection are built, as a value.
 *
 * Steps: break cycles of the directed edges (`relax.ts`), make contract nodes (`decycle.ts`), make layers
 * (`layering.ts`). Everything is sorted, so the same selection and model give the same text; `hash` is that of
 * everything but the name.
 */
import { canonicalHash } from "../../contract/canonical-json.ts";
import { LatheError } from "../../kit/errors.ts";
import { type ContractNode, decycle, type PlanEdge } from "./decycle.ts";
import { glueWave, layer, type LayerMode } from "./layering.ts";
import type { PlanInput, UnmetNeed } from "./plan-input.ts";
import { breakCycles, type CycleStep, type RelaxedReference } from "./relax.ts";
import { type Wave, waveNumber } from "./wave.ts";

export interface Plan {
  readonly version: 1;
  readonly name: string;
  readonly mode: LayerMode;
  readonly leaves: number;
  readonly cooperateEdges: number;
  readonly contracts: number;
  /** Leaves outside contracts, and contracts: the nodes if every component were merged. */
  readonly mergedNodes: number;
  readonly layers: readonly (readonly string[])[];
  readonly order: readonly string[];
  readonly contractNodes: readonly ContractNode[];
  readonly edges: readonly PlanEdge[];
  /** References that closed a cycle: their ends are compared once both are built. */
  readonly checkAfter: readonly RelaxedReference[];
  /** The shortest cycle if every component were merged; empty where there is none. */
  readonly bareMergeCycle: readonly CycleStep[];
  readonly unmet: readonly UnmetNeed[];
  /** SHA-256 in hex of all but the name. */
  readonly hash: string;
}

export interface PlanOptions {
  readonly name: string;
  readonly mode: LayerMode;
  readonly waves: readonly Wave[];
  readonly unmet?: readonly UnmetNeed[];
  /** In strict mode, components of at most so many members become one unit where that closes no cycle. */
  readonly unitMembersMax?: number;
}

const unitMembersDefault = 2;

/** Errors: INVALID_ARGUMENT where leaves require one another in a circle. */
export function makePlan(input: PlanInput, options: PlanOptions): Plan {
  const { name, mode, waves } = options;
  const leaves = [...new Set(input.leaves)].sort();
  const placeOf = (leaf: string) => waveNumber(waves, leaf) ?? 0;
  const { edges, checkAfter } = breakCycles(leaves, input.requires, input.references, placeOf);
  const graph = decycle({ ...input, leaves }, edges, {
    unitMembersMax: options.unitMembersMax ?? unitMembersDefault,
    membersListed: mode === "waves",
    mayAwait: (dependent, members) => isLater(dependent, members, waves),
  });
  const members = graph.contracts.reduce((sum, contract) => sum + contract.members.length, 0);
  const planned = {
    version: 1 as const,
    mode,
    leaves: leaves.length,
    cooperateEdges: input.cooperate.length,
    contracts: graph.contracts.length,
    mergedNodes: leaves.length - members + graph.contracts.length,
    ...layer(graph, mode, waves),
    contractNodes: graph.contracts,
    edges: graph.edges,
    checkAfter,
    bareMergeCycle: graph.bareMergeCycle,
    unmet: options.unmet ?? [],
  };
  return { ...planned, name, hash: canonicalHash(planned) };
}

/** Nodes of a wave after the glue build on the joint protocol; those beside it use the members' primitives. */
function isLater(dependent: string, members: readonly string[], waves: readonly Wave[]): boolean {
  const glue = glueWave(members, waves);
  const own = waveNumber(waves, dependent);
  return glue === undefined || own === undefined || own > glue;
}

/** Errors: FORMAT_UNKNOWN where it is not a plan that this version reads, CORRUPTION where its hash does not fit. */
export function readPlan(value: unknown, file: string): Plan {
  const plan = value;
  if (!isPlanShaped(plan)) {
    throw new LatheError("FORMAT_UNKNOWN", `${file} is not a plan; write one with lathe plan NAME --out FILE`);
  }
  if (plan.version !== 1) {
    const message = `${file} is a plan of version ${String(plan.version)}, and version 1 is known; make it anew`;
    throw new LatheError("FORMAT_UNKNOWN", message);
  }
  // What `lathe plan --json` prints tells advice beside the plan.
  const { name: _name, hash, advice: _advice, ...planned } = plan;
  if (canonicalHash(planned) !== hash) {
    const message = `${file} was changed after it was written (its hash does not fit); make it anew`;
    throw new LatheError("CORRUPTION", message);
  }
  return plan as Plan;
}

function isPlanShaped(value: unknown): value is Partial<Plan> & { readonly advice?: unknown } {
  if (typeof value !== "object" || value === null) return false;
  const { layers, edges, hash } = value as Partial<Plan>;
  return Array.isArray(layers) && Array.isArray(edges) && typeof hash === "string";
}
