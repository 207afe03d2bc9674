/**
 * The model as DIMACS CNF, for other solvers and counters. Comment lines `c NUMBER NAME` name the features; variables
 * beyond them are definitions inside conditions, each equal to what it stands for, so that counts stay those of the
 * model.
 */
import { clausesOf } from "../clauses.ts";
import type { FeatureModel } from "../feature-model.ts";

export function writeDimacs(model: FeatureModel): string {
  const { variables, clauses } = clausesOf(model);
  const names = model.features.map(({ path }, position) => `c ${position + 1} ${path}`);
  const lines = clauses.map(({ literals }) => `${[...literals, 0].join(" ")}`);
  return [...names, `p cnf ${variables} ${clauses.length}`, ...lines, ""].join("\n");
}
