/** A part of a feature model as a model of its own. */
import { buildModel } from "./build-model.ts";
import { featuresOf } from "./expression.ts";
import type { FeatureModel } from "./feature-model.ts";

/** The subtree of a feature, its root, with the rules that stay within it; those that lead out are left aside. */
export function subModel(model: FeatureModel, path: string): FeatureModel {
  const features = model.subtree(path);
  const inside = new Set(features.map((feature) => feature.path));
  return buildModel({
    name: path,
    features: features.map((feature) => ({
      ...feature,
      ...(feature.path === path ? { parent: undefined } : boundsOf(model, feature.path)),
    })),
    edges: model.edges.filter(({ from, to }) => inside.has(from) && inside.has(to)),
    constraints: model.constraints.filter(({ expression }) => featuresOf(expression).every((one) => inside.has(one))),
  });
}

function boundsOf(model: FeatureModel, path: string) {
  const { group } = model.feature(path);
  const bounds = model.groupOf(path);
  return { groupName: `${group}`, min: bounds?.min, max: bounds?.max };
}
