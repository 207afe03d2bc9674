/** Use case: what differs between two configurations: names of the catalog, selections, contracts or products. */
import { type ConfigurationDifference, diffConfigurations } from "../model/configuration-diff.ts";
import { loadModel } from "../model/load-model.ts";
import { Reasoner } from "../model/reasoner.ts";
import { loadPlanSubject } from "./plan-subject.ts";

export type { ConfigurationDifference };

export interface NamedConfigurations extends ConfigurationDifference {
  readonly before: string;
  readonly after: string;
}

/** Errors: those of `loadPlanSubject`; NOT_FOUND for leaves that the model lacks. */
export function compareConfigurations(before: string, after: string): NamedConfigurations {
  const model = loadModel();
  const [one, other] = [loadPlanSubject(before, model), loadPlanSubject(after, model)];
  const found = diffConfigurations(new Reasoner(model), one.leaves, other.leaves);
  return { before: one.name, after: other.name, ...found };
}
