/**
 * The feature model as far as the parts library can build it: what is valid here is a selection that `composeParts`
 * finds parts and roles for, and nothing else is.
 *
 * To the model come, as conditions:
 *   1. a leaf that no part implements is out; one that a part brings along needs the primary leaf of such a part;
 *   2. a role holds one part at most; what every product opens is there; a server has a surface;
 *      no part that a library has no place for stands in one; a role has its companions.
 */
import { FeatureModel } from "../model/feature-model.ts";
import type { Expression } from "../model/expression.ts";
import type { Constraint } from "../model/feature.ts";
import { always, companions, ofLibraries, surfaces } from "./composition.ts";
import { implementedLeaves, type PartDescriptor } from "./part-descriptor.ts";
import { type Role, roleNames } from "./role.ts";

const feature = (path: string): Expression => ({ kind: "feature", path });
const not = (of: Expression): Expression => ({ kind: "not", of });
const implies = (left: Expression, right: Expression): Expression => ({ kind: "implies", left, right });

function anyOf(all: readonly Expression[]): Expression {
  if (all.length === 0) return { kind: "constant", value: false };
  return all.reduce((left, right) => ({ kind: "or", left, right }));
}

/** The model with the conditions of the library; the features are the same. */
export function libraryModel(model: FeatureModel, library: readonly PartDescriptor[]): FeatureModel {
  const { name, features, groups, edges, constraints } = model;
  const added = [...leafConditions(model, library), ...roleConditions(library)];
  return new FeatureModel({ name, features, groups, edges, constraints: [...constraints, ...added] });
}

function leafConditions(model: FeatureModel, library: readonly PartDescriptor[]): Constraint[] {
  const holders = new Map<string, string[]>();
  for (const part of library) {
    for (const leaf of implementedLeaves(part)) holders.set(leaf, [...(holders.get(leaf) ?? []), part.leaves[0]]);
  }
  return model.leaves.flatMap(({ path }): Constraint[] => {
    const primaries = holders.get(path);
    if (primaries === undefined) return [condition(not(feature(path)), `no part implements ${path}`)];
    if (primaries.includes(path)) return [];
    return [condition(implies(feature(path), anyOf(primaries.map(feature))), `${path} comes with a part`)];
  });
}

function roleConditions(library: readonly PartDescriptor[]): Constraint[] {
  const holders = (role: Role) => library.filter((part) => part.role === role).map((part) => feature(part.leaves[0]));
  const filled = (role: Role) => anyOf(holders(role));
  const isLibrary = filled("embeddedLibrary");
  const conditions = always.map((role) => condition(filled(role), `every product has the role ${role}`));
  const reached = anyOf([isLibrary, ...surfaces.map(filled)]);
  conditions.push(condition(reached, "a server has a surface, or nobody could reach it"));
  for (const role of roleNames) {
    const own = holders(role);
    own.forEach((one, at) => own.slice(at + 1).forEach((other) => {
      conditions.push(condition(not({ kind: "and", left: one, right: other }), `the role ${role} holds one part`));
    }));
    for (const needed of companions[role] ?? []) {
      conditions.push(condition(implies(filled(role), filled(needed)), `the role ${role} needs ${needed}`));
    }
    if (ofLibraries.includes(role)) continue;
    const reason = `a library has no place for the role ${role}`;
    conditions.push(condition(not({ kind: "and", left: isLibrary, right: filled(role) }), reason));
  }
  return conditions;
}

function condition(expression: Expression, reason: string): Constraint {
  return { expression, reason, origin: undefined };
}
