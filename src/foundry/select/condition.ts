/**
 * Conditions of rules: what each fact must be, all together.
 *
 * An expectation is a value, a list of values of which one must hold, bounds, or a value that must not hold. A fact
 * that is a list (protocols) holds a value if it contains it. A fact that the contract leaves out holds nothing.
 */
import { z } from "zod";
import { type Fact, type FactName, factNames, type Facts } from "./facts.ts";

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const bounds = z.strictObject({ min: z.number().optional(), max: z.number().optional() });
const negation = z.strictObject({ not: scalar });
const expectation = z.union([scalar, z.array(scalar).min(1), negation, bounds]);

export type Expectation = z.output<typeof expectation>;

const names = Object.keys(factNames) as [FactName, ...FactName[]];

export const conditionSchema = z.partialRecord(z.enum([...names, "selected"]), expectation);

export type Condition = z.output<typeof conditionSchema>;

export interface Finding {
  readonly holds: boolean;
  /** As `write_share is 0.5, at least 0.3 wanted`. */
  readonly text: string;
}

/** One finding per expectation. `isSelected` answers for features that rules before have chosen. */
export function examine(condition: Condition, facts: Facts, isSelected: (path: string) => boolean): Finding[] {
  return Object.entries(condition).map(([name, wanted]) => {
    if (name === "selected") {
      const paths = (Array.isArray(wanted) ? wanted : [wanted]).map(String);
      const holds = paths.some(isSelected);
      return { holds, text: `${paths.join(" or ")} is ${holds ? "" : "not "}selected` };
    }
    const fact = facts[name as FactName];
    const text = `${name} is ${formatFact(fact)}`;
    if (fact !== undefined && satisfies(fact, wanted)) return { holds: true, text };
    return { holds: false, text: `${text}, ${formatExpectation(wanted)} wanted` };
  });
}

function satisfies(fact: Fact, wanted: Expectation): boolean {
  if (Array.isArray(wanted)) return wanted.some((one) => satisfies(fact, one));
  if (typeof wanted === "object" && "not" in wanted) return !satisfies(fact, wanted.not);
  if (typeof wanted === "object") {
    return typeof fact === "number" && fact >= (wanted.min ?? -Infinity) && fact <= (wanted.max ?? Infinity);
  }
  return Array.isArray(fact) ? fact.includes(String(wanted)) : fact === wanted;
}

function formatFact(fact: Fact | undefined): string {
  if (fact === undefined) return "not set";
  return Array.isArray(fact) ? fact.join(" and ") : String(fact);
}

function formatExpectation(wanted: Expectation): string {
  if (Array.isArray(wanted)) return wanted.map(String).join(" or ");
  if (typeof wanted !== "object") return String(wanted);
  if ("not" in wanted) return `other than ${wanted.not}`;
  const { min, max } = wanted;
  const words = [min === undefined ? "" : `at least ${min}`, max === undefined ? "" : `at most ${max}`];
  return words.filter((word) => word !== "").join(" and ");
}
