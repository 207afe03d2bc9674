/**
 * Leaves of a selection that no part implements: all of them at once, each with its specification as the model and the
 * catalog have it, and with what it would take to have a part for it.
 *
 * A role is proposed where parts stand close by: that of the part whose primary leaf shares the longest path with the
 * missing one. Where nothing stands close, it says so.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LatheError } from "../kit/errors.ts";
import type { FeatureModel } from "../model/feature-model.ts";
import { catalogRoot } from "../model/load-model.ts";
import { Reasoner } from "../model/reasoner.ts";
import { composeParts } from "./composition.ts";
import { implementedLeaves, type PartDescriptor } from "./part-descriptor.ts";
import { type Role, roleSpec } from "./role.ts";
import type { DesignSpace } from "./select/design-space.ts";
import type { FeatureSelection } from "./select/feature-selection.ts";

export interface LeafRelation {
  readonly path: string;
  readonly reason: string;
}

export interface MissingLeaf {
  readonly path: string;
  readonly description: string;
  /** Why it is selected. */
  readonly because: string;
  /** What it relies on. */
  readonly requires: readonly LeafRelation[];
  /** Selected leaves that rely on it. */
  readonly requiredBy: readonly LeafRelation[];
  /** What it has to agree with once both are there. */
  readonly agreesWith: readonly LeafRelation[];
  /** Invariants that it keeps together with others. */
  readonly keepsWith: readonly LeafRelation[];
  readonly excludes: readonly LeafRelation[];
  /** Text of `catalog/specs`, where one is written. */
  readonly specification: string | undefined;
  /** A part of the library that implements it, the leaf that it comes with, and whether that leaf can be added. */
  readonly comesWith: { readonly part: string; readonly leaf: string; readonly canBeAdded: boolean } | undefined;
  /** What would be needed for a part. */
  readonly needed: NeededPart;
}

export interface NeededPart {
  /** Undefined where no part stands close enough to tell. */
  readonly role: Role | undefined;
  /** Port files, below `src/parts`, behind which parts of this role stand. */
  readonly ports: readonly string[];
  /** A part that shows how. */
  readonly example: string | undefined;
  /** Files to write, below a directory of parts. */
  readonly files: readonly string[];
  /** Text of `part.yaml` to begin with. */
  readonly descriptor: string;
}

/** Errors: NOT_SELECTED where there is one; `details.missing` holds all of them. */
export function refuseMissingLeaves(selection: FeatureSelection, space: DesignSpace): void {
  const missing = missingLeaves(selection, space);
  if (missing.length === 0) return;
  const many = missing.length === 1 ? "a leaf" : `${missing.length} leaves`;
  const message = `${selection.contract} needs ${many} that no part implements; nothing was written:\n` +
    `${missing.map(formatMissingLeaf).join("\n")}\n` +
    "Write parts for them (--parts DIR), or select without them: lathe select --why PATH tells where one comes from.";
  throw new LatheError("NOT_SELECTED", message, { details: { missing } });
}

export function missingLeaves(selection: FeatureSelection, { model, library }: DesignSpace): MissingLeaf[] {
  const { missing } = composeParts(selection.leaves, library);
  const reasoner = new Reasoner(model);
  const chosen = selection.leaves;
  const canBeAdded = (leaf: string) =>
    reasoner.satisfiable(reasoner.literalsOf({ chosen: [...chosen, leaf], excluded: [] }));
  return missing.map((path) => {
    const holders = library
      .filter((part) => implementedLeaves(part).includes(path))
      .map(({ name, leaves: [leaf] }) => ({ part: name, leaf, canBeAdded: canBeAdded(leaf) }));
    const comesWith = holders.find((holder) => holder.canBeAdded) ?? holders.at(0);
    return { ...describe(path, selection, model), comesWith, needed: neededPart(path, library) };
  });
}

function describe(
  path: string,
  { leaves, decisions }: FeatureSelection,
  model: FeatureModel,
): Omit<MissingLeaf, "comesWith" | "needed"> {
  const above = [path, ...model.ancestors(path)];
  const edges = above.flatMap((one) => [...model.edgesFrom(one), ...model.edgesTo(one)]);
  const selected = new Set(model.withAncestors(leaves));
  const to = (kind: string) => edges
    .filter((edge) => edge.kind === kind && above.includes(edge.from))
    .map((edge) => ({ path: edge.to, reason: edge.reason }));
  const either = (kind: string) => edges
    .filter((edge) => edge.kind === kind)
    .map(({ from, to: end, reason }) => ({ path: above.includes(from) ? end : from, reason }));
  return {
    path,
    description: model.feature(path).description,
    because: decisions.find((one) => one.path === path)?.because ?? "",
    requires: to("requires"),
    requiredBy: edges
      .filter(({ kind, from, to: end }) => kind === "requires" && above.includes(end) && selected.has(from))
      .map(({ from, reason }) => ({ path: from, reason })),
    agreesWith: to("reference").filter((one) => selected.has(one.path)),
    keepsWith: either("cooperate").filter((one) => selected.has(one.path)),
    excludes: either("mutex"),
    specification: specificationOf(path),
  };
}

function specificationOf(leaf: string): string | undefined {
  const file = join(catalogRoot, "specs", `${leaf}.md`);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/** A leaf beside others of one variation point says more than one that only shares a module. */
const sharedNamesMin = 2;

function neededPart(path: string, library: readonly PartDescriptor[]): NeededPart {
  const near = library
    .filter(({ role }) => role !== "embeddedLibrary")
    .map((part) => ({ part, shared: sharedNames(path, part.path) }))
    .filter(({ shared }) => shared >= Math.min(sharedNamesMin, path.split("/").length - 1))
    .sort((one, other) => other.shared - one.shared)
    .at(0)?.part;
  const name = path.split("/").slice(-2).join("-").replaceAll("_", "-");
  const entry = `${path.slice(path.lastIndexOf("/") + 1).replaceAll("_", "-")}.ts`;
  const ports = near === undefined ? [] : [...new Set([roleSpec(near.role).port, ...near.provides])];
  const slots = near === undefined ? [] : roleSpec(near.role).slots;
  const descriptor = [
    `name: ${name}`,
    `role: ${near?.role ?? "ROLE"}`,
    `leaves: [${path}]`,
    `provides: [${ports.join(", ")}]`,
    "requires: []",
    `entry: ${entry}`,
    `exports: { ${slots.map((slot) => `${slot}: YOUR_${slot.toUpperCase()}`).join(", ")} }`,
    "knobs: []",
    "capabilities: {}",
    `conformance: [${(near?.conformance ?? []).join(", ")}]`,
    "",
  ].join("\n");
  return {
    role: near?.role,
    ports,
    example: near?.path,
    files: [`${path}/part.yaml`, `${path}/${entry}`, `${path}/${entry.replace(".ts", ".test.ts")}`],
    descriptor,
  };
}

function sharedNames(one: string, other: string): number {
  const [names, others] = [one.split("/"), other.split("/")];
  const differs = names.findIndex((name, at) => name !== others[at]);
  return differs < 0 ? names.length : differs;
}

export function formatMissingLeaf(leaf: MissingLeaf): string {
  const { path, description, because, comesWith, needed, specification } = leaf;
  const list = (word: string, some: readonly LeafRelation[]) =>
    some.map((one) => `    ${word} ${one.path}: ${one.reason}`);
  const shown = needed.ports.map((port) => `parts/${port}`).join(", ");
  const part = needed.role === undefined
    ? "    no part stands close by: it may be a leaf of a part that is there, or need a role of its own in the wiring"
    : `    needs a part in the role ${needed.role} (${roleSpec(needed.role).purpose}), behind ${shown}, as ` +
      `parts/${needed.example} is: write ${needed.files.join(", ")}`;
  return [
    `  ${path}: ${description}`,
    `    selected since ${because}`,
    ...list("requires", leaf.requires),
    ...list("is required by", leaf.requiredBy),
    ...list("agrees with", leaf.agreesWith),
    ...list("keeps together with", leaf.keepsWith),
    ...list("excludes", leaf.excludes),
    ...(specification === undefined ? [] : [`    specified in catalog/specs/${path}.md`]),
    comesWith === undefined ? part : formatHolder(comesWith),
  ].join("\n");
}

function formatHolder({ part, leaf, canBeAdded }: NonNullable<MissingLeaf["comesWith"]>): string {
  const head = `    the part ${part} implements it, and is taken with ${leaf}`;
  if (canBeAdded) return `${head}: --with ${leaf}`;
  return `${head}, which does not go with this selection; a part that you write for another of these may declare it`;
}
