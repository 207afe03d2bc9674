/**
 * Conditions over selections as data: advice (`advice.yaml`: valid but unwise) and the paper's seven dimensions with
 * their 28 alternatives (`dimensions.yaml`).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LatheError } from "../kit/errors.ts";
import { formatProblem, type Problem, readYaml } from "../knobs/yaml-document.ts";
import { evaluate, type Expression, featuresOf, parseExpression } from "./expression.ts";
import { surveyedSystems } from "./feature.ts";
import type { FeatureModel } from "./feature-model.ts";
import { catalogRoot } from "./load-model.ts";
import { nearestPaths } from "./nearest-paths.ts";

const name = z.string().regex(/^[a-z][a-z0-9_]*$/, "a name of small letters, digits and _");

export const severities = ["note", "caution", "danger"] as const;

const adviceSchema = z.array(
  z.strictObject({
    name,
    severity: z.enum(severities),
    when: z.string(),
    message: z.string().min(1),
    /** Any of these mends it. */
    remedy: z.array(z.string()).min(1),
  }),
);

const dimensionsSchema = z.array(
  z.strictObject({
    name,
    title: z.string(),
    alternatives: z.array(
      z.strictObject({
        name,
        title: z.string(),
        systems: z.array(z.enum(surveyedSystems)).default([]),
        systems_general: z.array(z.enum(surveyedSystems)).default([]),
        when: z.string(),
      }),
    ),
  }),
);

export interface Advice {
  readonly name: string;
  readonly severity: (typeof severities)[number];
  readonly when: Expression;
  readonly message: string;
  readonly remedy: readonly string[];
}

export interface Alternative {
  readonly name: string;
  readonly title: string;
  /** Those that the paper's text names. */
  readonly systems: readonly string[];
  /** By general knowledge: the paper's table shows its marks as pictures. */
  readonly systemsGeneral: readonly string[];
  readonly when: Expression;
}

export interface Dimension {
  readonly name: string;
  readonly title: string;
  readonly alternatives: readonly Alternative[];
}

/** Errors: INVALID_ARGUMENT with every problem, unknown paths included. */
export function loadAdvice(model: FeatureModel, directory: string = join(catalogRoot, "features")): Advice[] {
  const reader = new ConditionReader(model, "advice.yaml");
  const found = reader.read(directory, adviceSchema).map((one, at) => {
    one.remedy.forEach((path, position) => reader.check(path, [at, "remedy", position]));
    return { ...one, when: reader.condition(one.when, [at, "when"]) };
  });
  return reader.done(found);
}

/** Errors: as `loadAdvice`. */
export function loadDimensions(model: FeatureModel, directory: string = join(catalogRoot, "features")): Dimension[] {
  const reader = new ConditionReader(model, "dimensions.yaml");
  const found = reader.read(directory, dimensionsSchema).map(({ alternatives, ...dimension }, at) => ({
    ...dimension,
    alternatives: alternatives.map(({ systems_general: systemsGeneral, when, ...one }, position) => {
      return { ...one, systemsGeneral, when: reader.condition(when, [at, "alternatives", position, "when"]) };
    }),
  }));
  return reader.done(found);
}

/** What is to be said of a finished selection (groups included), the gravest first. */
export function adviceFor(advice: readonly Advice[], selected: ReadonlySet<string>): Advice[] {
  return advice
    .filter(({ when }) => evaluate(when, (path) => selected.has(path)))
    .sort((one, other) => severities.indexOf(other.severity) - severities.indexOf(one.severity));
}

/** Names of the alternatives that a finished selection realises, by dimension. */
export function alternativesOf(dimensions: readonly Dimension[], selected: ReadonlySet<string>) {
  return dimensions.map(({ name: dimension, alternatives }) => ({
    dimension,
    alternatives: alternatives
      .filter(({ when }) => evaluate(when, (path) => selected.has(path)))
      .map((one) => one.name),
  }));
}

type Steps = readonly (string | number)[];

class ConditionReader {
  readonly #model: FeatureModel;
  readonly #file: string;
  readonly #problems: Problem[] = [];
  #placeOf: (path: Steps) => { line: number; column: number } = () => ({ line: 1, column: 1 });

  constructor(model: FeatureModel, file: string) {
    this.#model = model;
    this.#file = file;
  }

  read<T>(directory: string, schema: z.ZodType<T[]>): T[] {
    const read = readYaml(readFileSync(join(directory, this.#file), "utf8"), this.#file, schema);
    if (!read.ok) {
      this.#problems.push(...read.problems);
      return [];
    }
    this.#placeOf = read.placeOf;
    return read.value;
  }

  condition(text: string, steps: Steps): Expression {
    try {
      const expression = parseExpression(text);
      for (const path of featuresOf(expression)) this.check(path, steps);
      return expression;
    } catch (error) {
      this.#tell((error as Error).message, steps);
      return { kind: "constant", value: false };
    }
  }

  check(path: string, steps: Steps): void {
    if (this.#model.has(path)) return;
    const nearest = nearestPaths(this.#model, path, 3).join(", ");
    this.#tell(`${path} is not in the model; nearest: ${nearest}`, steps);
  }

  done<T>(found: T[]): T[] {
    if (this.#problems.length === 0) return found;
    const message = this.#problems.map(formatProblem).join("\n");
    throw new LatheError("INVALID_ARGUMENT", message, { details: { problems: this.#problems } });
  }

  #tell(message: string, steps: Steps): void {
    this.#problems.push({ file: this.#file, ...this.#placeOf(steps), path: "", message });
  }
}
