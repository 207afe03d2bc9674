/**
 * What a finished selection violates, read from the model itself: no solver, no clauses. It is the judge of both.
 */
import type { Statement } from "./clauses.ts";
import { evaluate } from "./expression.ts";
import type { FeatureModel } from "./feature-model.ts";

/** Statements of the model that do not hold where exactly the selected features are chosen, groups included. */
export function violationsOf(model: FeatureModel, selected: ReadonlySet<string>): Statement[] {
  const found: Statement[] = [];
  const has = (path: string) => selected.has(path);
  for (const feature of model.features) {
    if (feature.parent === undefined) {
      if (!has(feature.path)) found.push({ kind: "root", feature });
      continue;
    }
    if (has(feature.path) && !has(feature.parent)) found.push({ kind: "parent", feature });
    if (feature.relation === "mandatory" && has(feature.parent) && !has(feature.path)) {
      found.push({ kind: "mandatory", feature });
    }
  }
  for (const group of model.groups) {
    if (group.relation === "mandatory" || group.relation === "optional" || !has(group.parent)) continue;
    const chosen = group.members.filter(has).length;
    if (chosen < group.min || chosen > group.max) found.push({ kind: "group", group });
  }
  for (const edge of model.edges) {
    const requires = edge.kind === "requires" && has(edge.from) && !has(edge.to);
    const mutex = edge.kind === "mutex" && has(edge.from) && has(edge.to);
    if (requires || mutex) found.push({ kind: "edge", edge });
  }
  for (const constraint of model.constraints) {
    if (!evaluate(constraint.expression, has)) found.push({ kind: "constraint", constraint });
  }
  return found;
}
