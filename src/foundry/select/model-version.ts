/** Which version of the model a selection was made with: a hash of what decides about selections, without prose. */
import { canonicalHash } from "../../contract/canonical-json.ts";
import { formatExpression } from "../../model/expression.ts";
import type { FeatureModel } from "../../model/feature-model.ts";

const known = new WeakMap<FeatureModel, string>();

/** SHA-256 in hex, of features with their place and relation, of edges by kind and ends, and of conditions. */
export function modelVersion(model: FeatureModel): string {
  const found = known.get(model);
  if (found !== undefined) return found;
  const version = canonicalHash({
    features: model.features.map(({ path, parent, relation, isDefault }) => [path, parent ?? "", relation, isDefault]),
    edges: model.edges.map(({ kind, from, to }) => [kind, from, to]),
    conditions: model.constraints.map(({ expression }) => formatExpression(expression)),
  });
  known.set(model, version);
  return version;
}
