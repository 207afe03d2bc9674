/**
 * The specification of a contract node, which is built by nobody's part alone.
 *
 * In the paper's order: the shared protocol first, then every member's specification, the primitives that members
 * offer, the glue, and the test points that cross modules. Everything comes from the plan and the model; what a person
 * has to decide is left to say so. Source: SpecDB, sections 4.2 and 4.3.
 */
import type { FeatureModel } from "../../model/feature-model.ts";
import type { ContractNode, Invariant } from "./decycle.ts";
import type { Plan } from "./plan.ts";
import { layerNumbers } from "./plan-diff.ts";
import { formatStep } from "./relax.ts";

export interface MemberSpec {
  readonly path: string;
  readonly description: string;
  /** Undefined where it has no node of its own. */
  readonly layer: number | undefined;
  /** File below `catalog/`; undefined where none is written. */
  readonly specFile: string | undefined;
  /** Nodes outside the contract that use the member as it is, before the glue stands. */
  readonly primitiveFor: readonly string[];
}

export interface TestPoint {
  readonly name: string;
  readonly members: readonly string[];
  readonly holds: string;
}

export interface ContractSpec {
  readonly path: string;
  readonly form: ContractNode["form"];
  readonly layer: number;
  readonly why: string;
  readonly sharedProtocol: readonly Invariant[];
  readonly members: readonly MemberSpec[];
  /** Nodes that build on the joint protocol. */
  readonly awaitedBy: readonly string[];
  readonly testPoints: readonly TestPoint[];
}

export function specifyContract(
  plan: Plan,
  contract: ContractNode,
  model: FeatureModel,
  specFileOf: (leaf: string) => string | undefined,
): ContractSpec {
  const layerOf = layerNumbers(plan);
  const inside = new Set([...contract.members, contract.path]);
  const usersOf = (node: string, kinds: readonly string[]) =>
    plan.edges.filter(({ from, to, kind }) => to === node && kinds.includes(kind) && !inside.has(from));
  const awaitedBy = usersOf(contract.path, ["awaits", "requires", "reference"]).map(({ from }) => from);
  const members = contract.members.map((path): MemberSpec => {
    const users = usersOf(path, ["requires", "reference"]).map(({ from }) => from);
    return {
      path,
      description: model.find(path)?.description ?? "",
      layer: layerOf.get(path),
      specFile: specFileOf(path),
      primitiveFor: users.filter((user) => !awaitedBy.includes(user)).sort(),
    };
  });
  return {
    path: contract.path,
    form: contract.form,
    layer: layerOf.get(contract.path) ?? 0,
    why: formatWhy(contract),
    sharedProtocol: contract.invariants,
    members,
    awaitedBy: [...new Set(awaitedBy)].sort(),
    testPoints: contract.invariants.map((invariant, at) => testPointOf(invariant, at)),
  };
}

export function formatWhy({ form, because, cycle, members }: ContractNode): string {
  if (form === "unit") return `one unit: its ${members.length} members and their glue are written together`;
  const phases = "in two phases: members at their own places, then the glue";
  if (because === "size") return `${phases}; ${members.length} members are too many for one unit`;
  if (because === "listing") return `${phases}; it could be one unit, the listing by waves shows members apart`;
  return `${phases}; merged it would close a circle:\n${cycle.map(formatStep).join("\n")}`;
}

function testPointOf({ members, text }: Invariant, at: number): TestPoint {
  const shown = members.map((member) => member.slice(member.lastIndexOf("/") + 1)).join(" = ");
  return { name: `${at + 1}. ${shown}`, members, holds: text };
}

/** As Markdown. */
export function renderContractSpec(spec: ContractSpec): string {
  const place = spec.form === "unit" ? "Built" : "Glue built";
  const lines = [`# ${spec.path}`, "", `${place} in layer ${spec.layer}, ${spec.why}`, "", "## 1. Shared protocol", ""];
  for (const { members, text, source } of spec.sharedProtocol) {
    lines.push(`- ${text} (${source}): ${members.join(", ")}`);
  }
  lines.push("", "## 2. Specifications of the members", "");
  for (const { path, description, specFile, layer } of spec.members) {
    const where = layer === undefined ? "" : `, layer ${layer}`;
    lines.push(`- ${path}${where}: ${description} [${specFile ?? "specification not written yet"}]`);
  }
  lines.push("", "## 3. Primitives", "", "What each member offers to those that are built before the glue:", "");
  for (const { path, primitiveFor } of spec.members) {
    lines.push(`- ${path}: ${primitiveFor.length === 0 ? "to the glue alone" : `to ${primitiveFor.join(", ")}`}`);
  }
  lines.push("", "## 4. Glue", "", "One door to all members, which keeps the shared protocol, for:", "");
  const users = spec.awaitedBy.length === 0 ? ["the wiring of the product"] : spec.awaitedBy;
  lines.push(...users.map((one) => `- ${one}`));
  lines.push("", "## 5. Test points that cross modules", "");
  lines.push("Each must fail when any one of its members breaks its half.", "");
  for (const { name, members, holds } of spec.testPoints) lines.push(`- ${name}: ${holds} (${members.join(", ")})`);
  return `${lines.join("\n")}\n`;
}
