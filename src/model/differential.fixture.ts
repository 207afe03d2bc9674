/**
 * Judges the analyses of one random model: against brute force over all selections, and against `logic-solver`.
 * Used by tests on thousands of models and by `scripts/model-differential.ts` on as many as asked for.
 */
import Logic from "logic-solver";
import { analyseModel } from "./analyse.ts";
import { clausesOf } from "./clauses.ts";
import { explainContradiction, minimalStatements } from "./explain.ts";
import type { FeatureModel } from "./feature-model.ts";
import { allSelections, randomModel } from "./random-model.fixture.ts";
import { RandomNumbers } from "./random-numbers.ts";
import { Reasoner } from "./reasoner.ts";
import { Solver } from "./solver.ts";

/** Features stay few enough for brute force. */
export function smallModel(seed: number): FeatureModel {
  const random = new RandomNumbers(seed);
  const features = 2 + random.below(8);
  return randomModel(random, {
    features,
    edges: random.below(features),
    constraints: random.below(4) === 0 ? 1 + random.below(2) : 0,
    childrenMax: 5,
  });
}

/** What an analysis says otherwise than brute force; empty where they agree. */
export function disagreements(reasoner: Reasoner): string[] {
  const { model } = reasoner;
  const selections = allSelections(model);
  const found = analyseModel(reasoner);
  const paths = model.features.map(({ path }) => path);
  const problems: string[] = [];
  const compare = (what: string, own: unknown, forced: unknown) => {
    const [left, right] = [JSON.stringify(own), JSON.stringify(forced)];
    if (left !== right) problems.push(`${what}: ${left}, by force ${right}`);
  };
  compare("void", found.void, selections.length === 0);
  if (found.void) return problems;
  const always = (path: string) => selections.every((one) => one.has(path));
  const never = (path: string) => !selections.some((one) => one.has(path));
  compare("core", found.core, paths.filter(always));
  compare("dead", found.dead.map(({ path }) => path), paths.filter(never));
  const falseOptional = model.features.filter(({ path, parent, relation }) => {
    const free = relation === "optional" || (relation === "or" && (model.groupOf(path)?.members.length ?? 0) > 1);
    return free && !never(path) && selections.every((one) => one.has(path) || !one.has(parent ?? ""));
  });
  compare("false-optional", found.falseOptional.map(({ path }) => path), falseOptional.map(({ path }) => path));
  const signature = (path: string) => selections.map((one) => (one.has(path) ? 1 : 0)).join("");
  const bound = paths.filter((path) => !always(path) && !never(path));
  const sets = [...Map.groupBy(bound, signature).values()].filter((set) => set.length > 1);
  compare("atomic sets", found.atomicSets, sets);
  problems.push(...explanationProblems(reasoner, selections, paths));
  return problems;
}

/** Every pair that cannot be selected together is explained, no other is; minimal sets are minimal. */
function explanationProblems(
  reasoner: Reasoner,
  selections: readonly ReadonlySet<string>[],
  paths: readonly string[],
): string[] {
  const problems: string[] = [];
  for (let at = 1; at < paths.length; at++) {
    const pair = [paths[at - 1], paths[at]];
    const literals = pair.map((path) => reasoner.literal(path));
    const possible = selections.some((one) => pair.every((path) => one.has(path)));
    const explanation = explainContradiction(reasoner, literals);
    const verdict = `${pair.join(" and ")} are ${possible ? "" : "not "}possible`;
    if (possible !== (explanation === undefined)) problems.push(verdict);
    if (possible) continue;
    const { statements, picks } = minimalStatements(reasoner, literals);
    for (const left of statements) {
      const others = statements.filter((one) => one !== left);
      const kept = new Set(others.map((one) => reasoner.clauses.statements.indexOf(one)));
      const solver = new Solver(reasoner.clauses.variables);
      for (const clause of reasoner.clauses.clauses) if (kept.has(clause.statement)) solver.addClause(clause.literals);
      if (!solver.solve(picks)) problems.push(`${verdict}: ${left.kind} is not needed to explain it`);
    }
  }
  return problems;
}

/** Satisfiability with every feature in turn, ours beside that of `logic-solver`. */
export function solverDisagreements(model: FeatureModel): string[] {
  const reasoner = new Reasoner(model);
  const reference = new Logic.Solver();
  const name = (literal: number) => `${literal < 0 ? "-" : ""}v${Math.abs(literal)}`;
  for (const { literals } of clausesOf(model).clauses) {
    reference.require(literals.length === 0 ? Logic.or() : Logic.or(...literals.map(name)));
  }
  const problems: string[] = [];
  if (reasoner.satisfiable([]) !== (reference.solve() !== null)) problems.push("void");
  for (let variable = 1; variable <= model.features.length; variable++) {
    for (const literal of [variable, -variable]) {
      const own = reasoner.solver.solve([literal]);
      if (own !== (reference.solveAssuming(name(literal)) !== null)) problems.push(`with ${literal}: ${own}`);
    }
  }
  return problems;
}
