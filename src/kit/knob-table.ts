/**
 * The table of a product's knobs: what may be set, within which bounds, and with which constraints.
 *
 * `resolveKnobs` turns what a person, a file or a search gave into a complete assignment, or says
 * everything that is wrong with it at once: a wrong value must never be clamped in silence, because a
 * study would then measure something else than it recorded.
 */
import { LatheError } from "./errors.ts";
import { holds, parseConstraint } from "./knob-constraint.ts";
import type { KnobValues } from "./knob-values.ts";
import { suggestion } from "./suggestion.ts";

export interface KnobDefinition {
  readonly name: string;
  readonly type: "integer" | "number" | "choice" | "boolean";
  readonly default: number | string | boolean;
  /** Inclusive bounds of integers and numbers. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly choices?: readonly string[] | undefined;
  /** Whether it can be changed while the product runs. */
  readonly live?: boolean | undefined;
  readonly constraints: readonly string[];
}

/** Defaults overlaid with `values`. Errors: INVALID_ARGUMENT, naming every wrong knob. */
export function resolveKnobs(
  table: readonly KnobDefinition[],
  values: KnobValues,
): Record<string, number | string | boolean> {
  const problems = knobProblems(table, values);
  if (problems.length > 0) {
    throw new LatheError("INVALID_ARGUMENT", `knobs: ${problems.join("; ")}`, { details: { problems } });
  }
  return { ...defaultsOf(table), ...values };
}

export function defaultsOf(table: readonly KnobDefinition[]): Record<string, number | string | boolean> {
  return Object.fromEntries(table.map((knob) => [knob.name, knob.default]));
}

/** Everything wrong with an assignment over the defaults, one sentence each. */
export function knobProblems(table: readonly KnobDefinition[], values: KnobValues): string[] {
  const names = table.map((knob) => knob.name);
  const problems: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const knob = table.find((one) => one.name === name);
    if (knob === undefined) problems.push(`${name} is not a knob of this product${suggestion(name, names)}`);
    else {
      const problem = valueProblem(knob, value);
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
    }
  }
  return problems.length > 0 ? problems : constraintProblems(table, { ...defaultsOf(table), ...values });
}

/** What is wrong with one value, or undefined. */
export function valueProblem(knob: KnobDefinition, value: number | string | boolean): string | undefined {
  const found = `found ${JSON.stringify(value)}`;
  if (knob.type === "boolean") return typeof value === "boolean" ? undefined : `expected true or false, ${found}`;
  if (knob.type === "choice") {
    const choices = knob.choices ?? [];
    if (typeof value === "string" && choices.includes(value)) return undefined;
    return `expected one of ${choices.join(", ")}, ${found}${suggestion(String(value), choices)}`;
  }
  if (typeof value !== "number" || !Number.isFinite(value)) return `expected a number, ${found}`;
  if (knob.type === "integer" && !Number.isSafeInteger(value)) return `expected a whole number, ${found}`;
  if (knob.min !== undefined && value < knob.min) return `expected at least ${knob.min}, ${found}`;
  if (knob.max !== undefined && value > knob.max) return `expected at most ${knob.max}, ${found}`;
  return undefined;
}

/**
 * Constraints of any knob that a complete assignment breaks. Those over knobs that are not there do
 * not bind.
 */
export function constraintProblems(table: readonly KnobDefinition[], values: KnobValues): string[] {
  return table.flatMap((knob) =>
    knob.constraints.flatMap((text) => {
      const constraint = parseConstraint(text);
      if (holds(constraint, values) !== false) return [];
      const facts = constraint.knobs.map((name) => `${name} is ${String(values[name])}`);
      return [`the constraint ${text} of ${knob.name} does not hold (${facts.join(", ")})`];
    }),
  );
}
