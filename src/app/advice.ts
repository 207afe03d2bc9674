/** Use case: what is valid but unwise about a selection of the catalog's model (`catalog/features/advice.yaml`). */
import type { FeatureModel } from "../model/feature-model.ts";
import { type Advice, adviceFor, loadAdvice } from "../model/load-advice.ts";
import { modelName } from "../model/load-model.ts";

/** One piece of advice, as surfaces tell it. */
export type AdviceTold = Pick<Advice, "name" | "severity" | "message" | "remedy">;

/** The gravest first; none for other models than the catalog's. `paths` that are no features are passed over. */
export function adviceOn(model: FeatureModel, paths: readonly string[]): AdviceTold[] {
  if (model.name !== modelName) return [];
  const selected = new Set<string>();
  for (const path of paths) {
    for (let at = model.find(path); at !== undefined; at = model.find(at.parent ?? "")) selected.add(at.path);
  }
  return adviceFor(loadAdvice(model), selected).map(({ name, severity, message, remedy }) => {
    return { name, severity, message, remedy };
  });
}
