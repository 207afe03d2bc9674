/** Statements of the model and steps of a derivation as plain sentences, each with its origin. */
import type { Statement } from "./clauses.ts";
import type { DerivedStep } from "./derivation.ts";
import { formatExpression } from "./expression.ts";
import type { Edge, Group, Origin } from "./feature.ts";

/** What the model says there, as a rule. */
export function statementText(statement: Statement): string {
  switch (statement.kind) {
    case "root": return `${statement.feature.path} is the root, which is always selected`;
    case "parent": return `${statement.feature.path} needs its parent ${statement.feature.parent}`;
    case "mandatory": return `${statement.feature.path} is mandatory below ${statement.feature.parent}`;
    case "group": return groupText(statement.group);
    case "edge": return edgeText(statement.edge);
    case "constraint": {
      const { expression, reason } = statement.constraint;
      return `the condition ${formatExpression(expression)} must hold${reason === "" ? "" : ` (${reason})`}`;
    }
  }
}

function groupText({ parent, members, min, max }: Group): string {
  const amount = min === max ? `exactly ${min}` : max === members.length ? `at least ${min}` : `${min} to ${max}`;
  return `${parent} takes ${amount} of ${namesBelow(parent, members)}`;
}

function edgeText({ kind, from, to, reason }: Edge): string {
  const why = reason === "" ? "" : ` (${reason})`;
  if (kind === "requires") return `${from} requires ${to}${why}`;
  if (kind === "mutex") return `${from} and ${to} exclude one another${why}`;
  if (kind === "reference") return `${from} refers to ${to}${why}`;
  return `${from} and ${to} cooperate${why}`;
}

/** At most six names, without the path of their parent. */
function namesBelow(parent: string, members: readonly string[]): string {
  const names = members.map((path) => (path.startsWith(`${parent}/`) ? path.slice(parent.length + 1) : path));
  return names.length <= 6 ? names.join(", ") : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
}

/** Where the model says it, as `features/edges.yaml:12`; empty where it does not come from a file. */
export function originText(statement: Statement): string {
  const origin = originOf(statement);
  return origin === undefined ? "" : `${origin.file}:${origin.line}`;
}

export function originOf(statement: Statement): Origin | undefined {
  switch (statement.kind) {
    case "edge": return statement.edge.origin;
    case "constraint": return statement.constraint.origin;
    case "group": return undefined;
    default: return statement.feature.origin;
  }
}

/** One step as a sentence: what holds, and why it follows. `background` tells what holds without any pick. */
export function stepText(
  step: DerivedStep,
  statement: Statement | undefined,
  pathOf: (literal: number) => string | undefined,
  background: (literal: number) => boolean,
): string {
  const own = pathOf(step.literal);
  const goal = own === undefined ? "this cannot be" : `${own} is ${step.literal > 0 ? "selected" : "out"}`;
  if (statement === undefined) return `${goal}: ${step.literal > 0 ? "it was picked" : "it was left out by choice"}`;
  const said = plainReason(step, statement, pathOf);
  if (said !== undefined) return `${goal}: ${said}`;
  // What stands for parts of a condition says nothing to people.
  const causes = step.from.filter((literal) => pathOf(literal) !== undefined && !background(literal));
  const facts = causes.map((literal) => `${pathOf(literal)} is ${literal > 0 ? "selected" : "out"}`);
  const shown = facts.length <= 4 ? facts.join(", ") : `${facts.slice(0, 3).join(", ")} and ${facts.length - 3} more`;
  return `${goal}: ${statementText(statement)}${facts.length === 0 ? "" : `, and ${shown}`}`;
}

/** The reason in the words of its statement, or undefined where the general form must do. */
function plainReason(
  { literal, from }: DerivedStep,
  statement: Statement,
  pathOf: (literal: number) => string | undefined,
): string | undefined {
  const own = pathOf(literal);
  if (statement.kind === "parent" || statement.kind === "mandatory") {
    const { path, parent } = statement.feature;
    if (literal === 0) {
      const parentIsOut = `${path} needs its parent ${parent}, which is out`;
      return statement.kind === "parent" ? parentIsOut : `${path} is mandatory below ${parent}, but is out`;
    }
    if (statement.kind === "parent") return own === path ? `so is its parent ${parent}` : `it is the parent of ${path}`;
    return own === path ? `it is mandatory below ${parent}` : `${path}, which is mandatory below it, is out`;
  }
  if (statement.kind === "edge") {
    const { kind, from: source, to, reason } = statement.edge;
    const why = reason === "" ? "" : ` (${reason})`;
    if (kind === "mutex") {
      const pair = own === source ? to : source;
      return literal === 0 ? edgeText(statement.edge) : `${pair} and it exclude one another${why}`;
    }
    if (literal === 0) return `${source} requires ${to}${why}, which is out`;
    return own === to ? `${source} requires it${why}` : `it requires ${to}${why}, which is out`;
  }
  if (statement.kind !== "group" || own === undefined || own === statement.group.parent) return undefined;
  const { parent, members, max } = statement.group;
  const names = namesBelow(parent, members);
  if (literal > 0) return `of ${names} at least one must be selected, and the others are out`;
  if (max > 1) return undefined;
  const taken = from.map(pathOf).find((path) => path !== undefined && members.includes(path));
  return `of ${names} only one may be selected, and ${taken} is`;
}
