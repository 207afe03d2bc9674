/**
 * Loads the feature model from `catalog/features`: one file per module, and `edges.yaml`.
 *
 * Every problem of every file is told at once, each with file and line. The files and their fields are explained in
 * `catalog/features/README.md`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { LatheError } from "../kit/errors.ts";
import { formatProblem, type Problem, readYaml } from "../knobs/yaml-document.ts";
import { buildModel, type FeatureStatement } from "./build-model.ts";
import { parseExpression } from "./expression.ts";
import { type Constraint, type Edge, type EdgeKind, surveyedSystems } from "./feature.ts";
import type { FeatureModel } from "./feature-model.ts";

export const modelName = "DBModuleGraph";

export const catalogRoot = join(import.meta.dirname, "..", "..", "catalog");

const path = z.string().regex(/^[a-z][a-z0-9_]*(\/[a-z0-9_]+)*$/, "a path, as storage/page_io");
const line = z.string().min(1).max(400);
const systems = z.array(z.enum(surveyedSystems)).optional();

const featureSchema = z.array(
  z.strictObject({
    path,
    relation: z.enum(["mandatory", "optional", "xor", "or"]),
    description: line,
    systems,
    systems_general: systems,
    default: z.literal(true).optional(),
    source: line,
  }),
);

const directedEdge = z.strictObject({ from: path, to: path, reason: line, source: line });
const cooperateEdge = z.strictObject({ from: path, to: path, invariant: line, source: line });

const edgesSchema = z.strictObject({
  requires: z.array(directedEdge),
  mutex: z.array(directedEdge),
  reference: z.array(directedEdge),
  cooperate: z.array(cooperateEdge),
  /** What takes more than two features to say. */
  conditions: z.array(z.strictObject({ condition: line, reason: line, source: line })),
});

/** Files of `catalog/features` that hold no features. */
const otherFiles = new Set(["edges.yaml", "archetypes.yaml", "dimensions.yaml", "advice.yaml"]);

/** Errors: INVALID_ARGUMENT with every problem. */
export function loadModel(directory: string = join(catalogRoot, "features")): FeatureModel {
  const problems: Problem[] = [];
  const root: FeatureStatement = { path: modelName, parent: undefined, relation: "mandatory", source: "structure" };
  const features = [root];
  const files = readdirSync(directory).filter((file) => file.endsWith(".yaml") && !otherFiles.has(file));
  for (const file of files.sort()) features.push(...readFeatures(directory, file, problems));
  const { edges, constraints } = readEdges(directory, "edges.yaml", problems);
  if (problems.length > 0) {
    throw new LatheError("INVALID_ARGUMENT", problems.map(formatProblem).join("\n"), { details: { problems } });
  }
  return buildModel({ name: modelName, features, edges, constraints });
}

function readFeatures(directory: string, file: string, problems: Problem[]): FeatureStatement[] {
  const read = readYaml(readFileSync(join(directory, file), "utf8"), file, featureSchema);
  if (!read.ok) {
    problems.push(...read.problems);
    return [];
  }
  const { placeOf } = read;
  return read.value.map((one, at): FeatureStatement => {
    const slash = one.path.lastIndexOf("/");
    if (one.path.split("/")[0] !== basename(file, ".yaml")) {
      const message = `features of another module belong into ${one.path.split("/")[0]}.yaml`;
      problems.push({ file, ...placeOf([at, "path"]), path: one.path, message });
    }
    return {
      path: one.path,
      parent: slash < 0 ? modelName : one.path.slice(0, slash),
      relation: one.relation,
      description: one.description,
      systems: one.systems,
      systemsGeneral: one.systems_general,
      isDefault: one.default,
      source: one.source,
      origin: { file: `features/${file}`, line: placeOf([at, "path"]).line },
    };
  });
}

function readEdges(directory: string, file: string, problems: Problem[]) {
  const read = readYaml(readFileSync(join(directory, file), "utf8"), file, edgesSchema);
  if (!read.ok) {
    problems.push(...read.problems);
    return { edges: [], constraints: [] };
  }
  const { value, placeOf } = read;
  const edgesOf = (kind: EdgeKind): Edge[] =>
    value[kind].map((one, at) => ({
      kind,
      from: one.from,
      to: one.to,
      reason: "invariant" in one ? one.invariant : one.reason,
      source: one.source,
      origin: { file: `features/${file}`, line: placeOf([kind, at, "from"]).line },
    }));
  const edges = [...edgesOf("requires"), ...edgesOf("mutex"), ...edgesOf("reference"), ...edgesOf("cooperate")];
  const constraints = value.conditions.flatMap(({ condition, reason }, at): Constraint[] => {
    const place = placeOf(["conditions", at, "condition"]);
    try {
      const origin = { file: `features/${file}`, line: place.line };
      return [{ expression: parseExpression(condition), reason, origin }];
    } catch (error) {
      problems.push({ file, ...place, path: `conditions[${at}].condition`, message: (error as Error).message });
      return [];
    }
  });
  return { edges, constraints };
}
