/**
 * Use case: questions to the feature model. Every function takes the model's file, or none for the catalog's own, and
 * returns plain data: surfaces print it.
 */
import { formatExpression } from "../model/expression.ts";
import { analyseModel, type ModelAnalysis } from "../model/analyse.ts";
import { type Completed, completeSelection, type PartialConfiguration, propagatePicks } from "../model/complete.ts";
import { type Conflict, findConflict } from "../model/conflict.ts";
import { diffModels, type ModelDifference } from "../model/diff.ts";
import { type Explanation, explainConsequence, explanationText } from "../model/explain.ts";
import type { Edge, Feature } from "../model/feature.ts";
import type { FeatureModel } from "../model/feature-model.ts";
import { type Advice, adviceFor, alternativesOf, loadAdvice, loadDimensions } from "../model/load-advice.ts";
import { loadArchetypes } from "../model/load-archetypes.ts";
import { loadModel, modelName } from "../model/load-model.ts";
import { nearestPaths } from "../model/nearest-paths.ts";
import { loadPaperSelection, paperSelectionNames } from "../model/paper-selection.ts";
import { type Picks, Reasoner } from "../model/reasoner.ts";
import { loadSpecification, specificationFile } from "../model/specification.ts";
import { LatheError } from "../kit/errors.ts";
import { suggestion } from "../kit/suggestion.ts";
import { readModelFile } from "./model-file.ts";

export { explanationText, formatExpression };
export type { Advice, Completed, Conflict, Explanation, ModelAnalysis, ModelDifference, PartialConfiguration };

/** The catalog's model, or the one of a file. Errors: INVALID_ARGUMENT with every problem, NOT_FOUND. */
export function openModel(file: string | undefined): FeatureModel {
  return file === undefined ? loadModel() : readModelFile(file);
}

export function checkModel(file: string | undefined): ModelAnalysis {
  return analyseModel(new Reasoner(openModel(file)));
}

export interface FeaturePage {
  readonly feature: Feature;
  readonly edges: readonly Edge[];
  readonly conditions: readonly string[];
  readonly children: readonly Feature[];
  /** Leaves below, itself included. */
  readonly leaves: number;
  /** Of a leaf that a part implements, where it is in the catalog's model. */
  readonly specification: { readonly file: string; readonly purpose: string } | undefined;
}

/** Errors: NOT_FOUND with the nearest paths. */
export function showFeature(file: string | undefined, path: string): FeaturePage {
  const model = openModel(file);
  const feature = model.feature(path === "" ? model.root.path : path);
  const conditions = model.constraints.map(({ expression }) => formatExpression(expression));
  return {
    feature,
    edges: [...model.edgesFrom(feature.path), ...model.edgesTo(feature.path)],
    conditions: conditions.filter((text) => text.split(/[\s()!&|]+/).includes(feature.path)),
    children: feature.children.map((child) => model.feature(child)),
    leaves: model.leavesBelow(feature.path).length,
    specification: model.name === modelName ? specificationOf(feature.path) : undefined,
  };
}

function specificationOf(leaf: string): FeaturePage["specification"] {
  const purpose = loadSpecification(leaf)?.sections.get("Purpose");
  return purpose === undefined
    ? undefined
    : { file: `catalog/${specificationFile(leaf)}`, purpose: purpose.replaceAll("\n", " ") };
}

export interface FindQuery {
  readonly words: readonly string[];
  readonly system?: string | undefined;
  readonly source?: string | undefined;
  readonly leavesOnly: boolean;
}

function refuseUnknown(what: string, name: string | undefined, known: readonly string[]): void {
  if (name === undefined || known.includes(name)) return;
  const message = `the model has no ${what} ${name}${suggestion(name, known)} (it has ${known.join(", ") || "none"})`;
  throw new LatheError("NOT_FOUND", message, { details: { names: known } });
}

/**
 * Features whose path or description holds every word; where there are none, the nearest paths. Errors: NOT_FOUND for
 * a system or source that the model does not name.
 */
export function findFeatures(file: string | undefined, query: FindQuery) {
  const model = openModel(file);
  const known = (of: (feature: Feature) => readonly string[]) => [...new Set(model.features.flatMap(of))].sort();
  refuseUnknown("system", query.system, known(({ systems, systemsGeneral }) => [...systems, ...systemsGeneral]));
  refuseUnknown("source", query.source, known(({ source }) => (source === "" ? [] : [source])));
  const words = query.words.map((word) => word.toLowerCase());
  const found = model.features.filter((feature) => {
    const text = `${feature.path} ${feature.description}`.toLowerCase();
    const systems: readonly string[] = [...feature.systems, ...feature.systemsGeneral];
    return (
      words.every((word) => text.includes(word)) &&
      (query.system === undefined || systems.includes(query.system)) &&
      (query.source === undefined || feature.source === query.source) &&
      (!query.leavesOnly || feature.kind === "leaf")
    );
  });
  return { found, nearest: found.length > 0 ? [] : nearestPaths(model, query.words.join("_")) };
}

export interface PickArguments {
  readonly with: readonly string[];
  readonly without: readonly string[];
  /** An archetype or selection of the catalog whose leaves are picked first. */
  readonly from?: string | undefined;
}

export function picksOf(model: FeatureModel, { with: chosen, without, from }: PickArguments): Picks {
  const base = from === undefined ? [] : namedPicks(model, from);
  for (const path of [...chosen, ...without]) model.feature(path);
  const out = new Set(without);
  return { chosen: [...new Set([...base.filter((path) => !out.has(path)), ...chosen])], excluded: [...out] };
}

function namedPicks(model: FeatureModel, name: string): readonly string[] {
  if (model.name !== modelName) {
    throw new LatheError("INVALID_ARGUMENT", `--from names selections of the catalog's model, not of ${model.name}`);
  }
  if (paperSelectionNames().includes(name)) return loadPaperSelection(name).leaves.map(({ path }) => path);
  const archetypes = loadArchetypes(model);
  const found = archetypes.find((one) => one.name === name);
  if (found !== undefined) return found.picks;
  const names = [...paperSelectionNames(), ...archetypes.map((one) => one.name)];
  const message = `there is no selection or archetype named ${name}${suggestion(name, names)}`;
  throw new LatheError("NOT_FOUND", message, { details: { names } });
}

export type CompletionResult =
  | { readonly outcome: "conflict"; readonly conflict: Conflict }
  | { readonly outcome: "partial"; readonly partial: PartialConfiguration }
  | {
    readonly outcome: "complete";
    readonly completed: Completed;
    readonly advice: readonly Advice[];
    readonly dimensions: ReturnType<typeof alternativesOf>;
  };

/** With `partial` only what the picks force; otherwise a whole selection by defaults. */
export function complete(file: string | undefined, picked: PickArguments, partial: boolean): CompletionResult {
  const model = openModel(file);
  const reasoner = new Reasoner(model);
  const picks = picksOf(model, picked);
  if (partial) {
    const found = propagatePicks(reasoner, picks);
    return found.ok
      ? { outcome: "partial", partial: found.value }
      : { outcome: "conflict", conflict: found.conflict };
  }
  const found = completeSelection(reasoner, picks);
  if (!found.ok) return { outcome: "conflict", conflict: found.conflict };
  const selected = new Set(found.value.selected);
  const own = model.name === modelName;
  return {
    outcome: "complete",
    completed: found.value,
    advice: own ? adviceFor(loadAdvice(model), selected) : [],
    dimensions: own ? alternativesOf(loadDimensions(model), selected) : [],
  };
}

export interface Why {
  readonly path: string;
  readonly state: "selected" | "out" | "open" | "conflict";
  /** Undefined where it is open. */
  readonly explanation: Explanation | undefined;
}

/** Whether and why the picks decide a feature. */
export function explain(file: string | undefined, path: string, picked: PickArguments): Why {
  const model = openModel(file);
  const reasoner = new Reasoner(model);
  const goal = reasoner.literal(path);
  const picks = reasoner.literalsOf(picksOf(model, picked));
  const selected = explainConsequence(reasoner, picks, goal);
  if (selected !== undefined) {
    const state = reasoner.satisfiable(picks) ? "selected" : "conflict";
    return { path, state, explanation: selected };
  }
  const out = explainConsequence(reasoner, picks, -goal);
  return { path, state: out === undefined ? "open" : "out", explanation: out };
}

/** Undefined where the picks can hold together. */
export function conflict(file: string | undefined, picked: PickArguments): Conflict | undefined {
  const model = openModel(file);
  return findConflict(new Reasoner(model), picksOf(model, picked));
}

/** Between two files, or a file and the catalog's model. */
export function differenceOf(before: string | undefined, after: string | undefined): ModelDifference {
  return diffModels(openModel(before), openModel(after));
}
