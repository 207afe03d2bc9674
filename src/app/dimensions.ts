/** Use case: the paper's seven dimensions with their alternatives: which systems have them, and what realises them. */
import { LatheError } from "../kit/errors.ts";
import { suggestion } from "../kit/suggestion.ts";
import { featuresOf, formatExpression } from "../model/expression.ts";
import { type Alternative, loadDimensions } from "../model/load-advice.ts";
import { loadModel } from "../model/load-model.ts";

export interface AlternativePage {
  readonly dimension: string;
  readonly name: string;
  readonly title: string;
  /** Those that the paper's text names, and those by general knowledge. */
  readonly systems: readonly string[];
  readonly systemsGeneral: readonly string[];
  /** Which selections realise it. */
  readonly when: string;
  /** The features that the condition names. */
  readonly features: readonly string[];
}

/** All of a dimension, or one as `workload/htap`; with `system` only what it has. Errors: NOT_FOUND. */
export function findAlternatives(name: string, system?: string): AlternativePage[] {
  const dimensions = loadDimensions(loadModel());
  const [wanted, alternative] = name.split("/");
  const names = dimensions.map((one) => one.name);
  const dimension = dimensions.find((one) => one.name === wanted);
  if (dimension === undefined) {
    const message = `there is no dimension ${wanted}${suggestion(wanted, names)}; there are ${names.join(", ")}`;
    throw new LatheError("NOT_FOUND", message, { details: { names } });
  }
  const of = dimension.alternatives.map((one) => one.name);
  if (alternative !== undefined && !of.includes(alternative)) {
    const nearest = suggestion(alternative, of);
    const message = `${wanted} has no alternative ${alternative}${nearest}; it has ${of.join(", ")}`;
    throw new LatheError("NOT_FOUND", message, { details: { names: of } });
  }
  const asked = dimension.alternatives.filter((one) => alternative === undefined || one.name === alternative);
  const has = ({ systems, systemsGeneral }: Alternative) =>
    system === undefined || [...systems, ...systemsGeneral].includes(system);
  return asked.filter(has).map((one) => pageOf(wanted, one));
}

function pageOf(dimension: string, { when, ...one }: Alternative): AlternativePage {
  return { dimension, ...one, when: formatExpression(when), features: [...new Set(featuresOf(when))] };
}
