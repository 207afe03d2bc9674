/** The rules and signals of `catalog/select-rules.yaml`, checked against the model: every path and archetype exists. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LatheError } from "../../kit/errors.ts";
import { suggestion } from "../../kit/suggestion.ts";
import { formatProblem, type Problem, readYaml } from "../../knobs/yaml-document.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { loadArchetypes } from "../../model/load-archetypes.ts";
import { catalogRoot } from "../../model/load-model.ts";
import { nearestPaths } from "../../model/nearest-paths.ts";
import { conditionSchema } from "./condition.ts";

const path = z.string().min(1);

const ruleSchema = z
  .strictObject({
    /** What it decides; of the rules of one point the first that holds. */
    point: path,
    choose: z.array(path).min(1).optional(),
    exclude: z.array(path).min(1).optional(),
    when: conditionSchema,
    must: z.boolean().optional(),
    reason: z.string().min(1),
    source: z.string().min(1),
  })
  .refine(({ choose, exclude }) => (choose === undefined) !== (exclude === undefined), "either choose or exclude");

const fileSchema = z.strictObject({
  rules: z.array(ruleSchema).min(1),
  archetypes: z.array(
    z.strictObject({
      name: z.string(),
      signals: z.array(z.strictObject({ when: conditionSchema, weight: z.number(), reason: z.string().min(1) })).min(1),
    }),
  ),
});

export type SelectRule = Readonly<z.output<typeof ruleSchema>>;

export interface SelectRules {
  readonly rules: readonly SelectRule[];
  readonly archetypes: z.output<typeof fileSchema>["archetypes"];
}

const file = "select-rules.yaml";

/** Errors: INVALID_ARGUMENT with every problem of the file. */
export function loadSelectRules(model: FeatureModel, directory: string = catalogRoot): SelectRules {
  const read = readYaml(readFileSync(join(directory, file), "utf8"), file, fileSchema);
  if (!read.ok) throw problemsOf(read.problems);
  const { value, placeOf } = read;
  const problems: Problem[] = [];
  value.rules.forEach((rule, at) => {
    for (const field of ["point", "choose", "exclude"] as const) {
      const paths = rule[field] ?? [];
      for (const one of typeof paths === "string" ? [paths] : paths) {
        if (model.has(one)) continue;
        const message = `${one} is not in the model; nearest: ${nearestPaths(model, one, 3).join(", ")}`;
        problems.push({ file, ...placeOf(["rules", at, field]), path: `rules[${at}].${field}`, message });
      }
    }
  });
  const known = loadArchetypes(model).map(({ name }) => name);
  value.archetypes.forEach(({ name }, at) => {
    if (known.includes(name)) return;
    const message = `there is no archetype ${name}${suggestion(name, known)}`;
    problems.push({ file, ...placeOf(["archetypes", at, "name"]), path: `archetypes[${at}].name`, message });
  });
  if (problems.length > 0) throw problemsOf(problems);
  return value;
}

function problemsOf(problems: readonly Problem[]): LatheError {
  return new LatheError("INVALID_ARGUMENT", problems.map(formatProblem).join("\n"), { details: { problems } });
}
