/**
 * The knob catalog: `catalog/knobs/*.yaml`, one list of knobs per file, checked as a whole.
 *
 * Checked: the shape of each knob; names unique over all files; bounds and defaults that agree with the type;
 * constraints that parse, mention known knobs and hold for the defaults. Shipped defaults are the baseline of every
 * study, so a catalog that fails here is a bug of ours and stops everything.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LatheError } from "../kit/errors.ts";
import { holds, parseConstraint } from "../kit/knob-constraint.ts";
import { valueProblem } from "../kit/knob-table.ts";
import type { Knob } from "./knob.ts";
import { formatProblem, type Path, type Problem, readYaml, sortProblems } from "./yaml-document.ts";

const knobSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/, "<part>.<noun_unit>, as lsm.block_cache_bytes"),
  type: z.enum(["integer", "number", "choice", "boolean"]),
  leaf: z.string().regex(/^[a-z][a-z0-9_]*(\/[a-z0-9_]+)*$/, "a leaf's path, as core/wal"),
  description: z.string().min(1),
  unit: z.string().optional(),
  default: z.union([z.number(), z.string(), z.boolean()]),
  min: z.number().optional(),
  max: z.number().optional(),
  scale: z.enum(["linear", "log2"]).optional(),
  choices: z.array(z.string()).min(2).optional(),
  impact: z.enum(["high", "medium", "low"]),
  risk: z.enum(["none", "memory", "latency", "durability", "consistency"]),
  effect: z.enum(["restart", "live", "files"]),
  constraints: z.array(z.string()).default([]),
});

export const knobFileSchema = z.array(knobSchema).min(1);

/** The directory of the catalog beside `src/` (or `dist/`). */
export const knobCatalogDirectory = join(import.meta.dirname, "..", "..", "catalog", "knobs");

/** All knobs in the order of file names. Errors: INVALID_ARGUMENT with every problem. */
export function loadKnobCatalog(directory: string = knobCatalogDirectory): Knob[] {
  const files = readdirSync(directory).filter((name) => name.endsWith(".yaml")).sort();
  const knobs: Knob[] = [];
  const problems: Problem[] = [];
  for (const name of files) {
    const file = join(directory, name);
    const read = parseKnobCatalog(readFileSync(file, "utf8"), file);
    if (read.ok) knobs.push(...read.knobs);
    else problems.push(...read.problems);
  }
  const names = new Map<string, number>();
  for (const knob of knobs) names.set(knob.name, (names.get(knob.name) ?? 0) + 1);
  const lines = problems.map(formatProblem);
  for (const [name, count] of names) if (count > 1) lines.push(`${directory}: ${name} is defined ${count} times`);
  if (lines.length === 0) lines.push(...constraintProblemsOf(knobs));
  if (lines.length > 0) throw new LatheError("INVALID_ARGUMENT", lines.join("\n"), { details: { problems: lines } });
  return knobs;
}

export function parseKnobCatalog(
  text: string,
  file: string,
): { readonly ok: true; readonly knobs: Knob[] } | { readonly ok: false; readonly problems: readonly Problem[] } {
  const read = readYaml(text, file, knobFileSchema);
  if (!read.ok) return read;
  const problems = read.value.flatMap((knob, at) =>
    shapeProblems(knob).map(([field, message]) => {
      const path: Path = [at, field];
      return { file, ...read.placeOf(path), path: `${knob.name}.${field}`, message };
    }),
  );
  return problems.length > 0 ? { ok: false, problems: sortProblems(problems) } : { ok: true, knobs: read.value };
}

function shapeProblems(knob: Knob): [field: keyof Knob, message: string][] {
  const problems: [keyof Knob, string][] = [];
  const numeric = knob.type === "integer" || knob.type === "number";
  for (const field of ["min", "max", "scale"] as const) {
    if (numeric && knob[field] === undefined) problems.push([field, `missing; a knob of type ${knob.type} needs it`]);
    if (!numeric && knob[field] !== undefined) {
      problems.push([field, `a knob of type ${knob.type} has none; remove it`]);
    }
  }
  if (knob.min !== undefined && knob.max !== undefined && knob.min >= knob.max) {
    problems.push(["min", `expected less than max ${knob.max}, found ${knob.min}`]);
  }
  // 0 is allowed: it is the rung below 1, for knobs that 0 turns off.
  if (knob.scale === "log2" && (knob.min ?? 0) < 0) {
    problems.push(["min", `a log2 scale has no negative values, found ${knob.min}`]);
  }
  if (knob.type === "choice" && knob.choices === undefined) {
    problems.push(["choices", "missing; a choice needs them"]);
  }
  const wrong = valueProblem(knob, knob.default);
  if (wrong !== undefined) problems.push(["default", wrong]);
  for (const text of knob.constraints) {
    try {
      parseConstraint(text);
    } catch (error) {
      problems.push(["constraints", (error as Error).message]);
    }
  }
  return problems;
}

function constraintProblemsOf(knobs: readonly Knob[]): string[] {
  const defaults = Object.fromEntries(knobs.map((knob) => [knob.name, knob.default]));
  return knobs.flatMap((knob) =>
    knob.constraints.flatMap((text) => {
      const constraint = parseConstraint(text);
      const unknown = constraint.knobs.filter((name) => !Object.hasOwn(defaults, name));
      if (unknown.length > 0) {
        return [`${knob.name}: the constraint ${text} mentions unknown knobs ${unknown.join(", ")}`];
      }
      return holds(
        constraint,
        defaults,
      ) === false ? [`${knob.name}: the constraint ${text} does not hold for the defaults`] : [];
    }),
  );
}
