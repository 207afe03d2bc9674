/**
 * Why something holds or cannot be: a chain of steps where propagation finds one, else a minimal set of statements.
 *
 * Steps:
 *   1. propagate from the assumptions; if the goal is reached, return the steps it rests on (`chain`), then without
 *      assumptions that turn out to be needless;
 *   2. otherwise give every statement a selector, take the solver's core, and drop one statement after the other that
 *      the contradiction does not need (`minimal set`): each one left is necessary.
 * Source: FeatureIDE's `composite` explanations (truth maintenance first, then a minimal unsatisfiable subset).
 */
import type { Statement } from "./clauses.ts";
import { ClauseList, Derivation } from "./derivation.ts";
import type { Edge, Origin } from "./feature.ts";
import type { Reasoner } from "./reasoner.ts";
import { originOf, statementText, stepText } from "./sentence.ts";
import { Solver } from "./solver.ts";

export interface ExplanationStep {
  /** Undefined for the contradiction, and in a minimal set. */
  readonly path: string | undefined;
  readonly selected: boolean;
  readonly rule: "pick" | Statement["kind"] | Edge["kind"];
  readonly sentence: string;
  readonly origin: Origin | undefined;
}

export interface Explanation {
  /** A chain derives step by step; of a minimal set no statement can be left out, but it takes cases to see why. */
  readonly kind: "chain" | "minimal set";
  /** Assumptions that it rests on. */
  readonly picks: readonly { readonly path: string; readonly selected: boolean }[];
  readonly steps: readonly ExplanationStep[];
  /** What the model says that it rests on. */
  readonly statements: readonly Statement[];
}

const lists = new WeakMap<Reasoner, ClauseList>();

/** Why the literals cannot hold together, or undefined where they can. */
export function explainContradiction(reasoner: Reasoner, literals: readonly number[]): Explanation | undefined {
  const list = clauseList(reasoner);
  const derivation = new Derivation(list, literals);
  if (derivation.conflict === undefined) {
    return reasoner.satisfiable(literals) ? undefined : minimalSet(reasoner, literals);
  }
  const needed = neededPicks(list, derivation, 0, literals);
  return chain(reasoner, needed.length < literals.length ? new Derivation(list, needed) : derivation, 0);
}

/** Why a literal follows from others, or undefined where it does not. */
export function explainConsequence(
  reasoner: Reasoner,
  literals: readonly number[],
  goal: number,
): Explanation | undefined {
  const list = clauseList(reasoner);
  const derivation = new Derivation(list, literals);
  if (derivation.conflict !== undefined) return explainContradiction(reasoner, literals);
  if (derivation.holds(goal)) {
    const needed = neededPicks(list, derivation, goal, literals);
    return chain(reasoner, needed.length < literals.length ? new Derivation(list, needed) : derivation, goal);
  }
  return explainContradiction(reasoner, [...literals, -goal]);
}

export function clauseList(reasoner: Reasoner): ClauseList {
  let list = lists.get(reasoner);
  if (list === undefined) lists.set(reasoner, (list = new ClauseList(reasoner.clauses.clauses)));
  return list;
}

/** Drops assumptions that the goal is reached without. */
function neededPicks(list: ClauseList, first: Derivation, goal: number, literals: readonly number[]): number[] {
  const used = new Set(first.chainTo(goal).filter(({ clause }) => clause === undefined).map(({ literal }) => literal));
  let needed = literals.filter((literal) => used.has(literal));
  for (const literal of needed) {
    const without = needed.filter((other) => other !== literal);
    const derivation = new Derivation(list, without);
    if (goal === 0 ? derivation.conflict !== undefined : derivation.holds(goal)) needed = without;
  }
  return needed;
}

function chain(reasoner: Reasoner, derivation: Derivation, goal: number): Explanation {
  const { statements, features } = reasoner.clauses;
  const pathOf = (literal: number) =>
    literal !== 0 && Math.abs(literal) <= features ? reasoner.pathOf(literal) : undefined;
  const found = derivation.chainTo(goal);
  const picks = found.filter(({ clause }) => clause === undefined).map(({ literal }) => literal);
  const background = (literal: number) => derivation.isBackground(literal);
  // A pick against what holds without any: that is to be said.
  const opposed = new Set(found.find(({ clause }) => (clause?.statement ?? 0) < 0)?.from);
  const steps = found.filter(({ literal, clause }) => {
    // Else what holds without any pick goes without saying, unless nothing else does; so do definitions in conditions.
    if (Math.abs(literal) > features) return false;
    if (clause !== undefined && statements[clause.statement]?.kind === "root") return false;
    return picks.length === 0 || literal === goal || opposed.has(literal) || !derivation.isBackground(literal);
  });
  const used = found.flatMap(({ clause }) => (clause === undefined || clause.statement < 0 ? [] : [clause.statement]));
  return {
    kind: "chain",
    statements: [...new Set(used)].sort((one, other) => one - other).map((at) => statements[at]),
    picks: picks.map((literal) => ({ path: reasoner.pathOf(literal), selected: literal > 0 })),
    steps: steps.map((step): ExplanationStep => {
      const statement = step.clause === undefined ? undefined : statements[step.clause.statement];
      const both = step.clause !== undefined && statement === undefined;
      const path = pathOf(step.literal);
      return {
        path,
        selected: step.literal > 0,
        rule: statement === undefined ? "pick" : ruleOf(statement),
        sentence: both
          ? "this cannot be: what was picked and what follows differ"
          : stepText(step, statement, pathOf, background),
        origin: statement === undefined ? undefined : originOf(statement),
      };
    }),
  };
}

export function ruleOf(statement: Statement): ExplanationStep["rule"] {
  return statement.kind === "edge" ? statement.edge.kind : statement.kind;
}

function minimalSet(reasoner: Reasoner, literals: readonly number[]): Explanation {
  const { picks, statements } = minimalStatements(reasoner, literals);
  return {
    kind: "minimal set",
    statements,
    picks: picks.map((literal) => ({ path: reasoner.pathOf(literal), selected: literal > 0 })),
    steps: statements.map((statement) => ({
      path: undefined,
      selected: false,
      rule: ruleOf(statement),
      sentence: statementText(statement),
      origin: originOf(statement),
    })),
  };
}

/** A set of statements and assumptions that contradict one another, of which none can be left out. */
export function minimalStatements(
  reasoner: Reasoner,
  literals: readonly number[],
): { readonly picks: number[]; readonly statements: Statement[] } {
  const { statements, variables } = reasoner.clauses;
  const solver = selectorSolver(reasoner);
  const selectors = statements.map((_, at) => variables + 1 + at);
  let core = coreOf(solver, [...literals, ...selectors]);
  for (let before = Infinity; core.length < before;) {
    before = core.length;
    core = coreOf(solver, core);
  }
  for (const one of core) {
    const without = core.filter((other) => other !== one);
    if (core.includes(one) && !solver.solve(without)) core = solver.core();
  }
  return {
    picks: core.filter((literal) => Math.abs(literal) <= variables),
    statements: core.filter((literal) => literal > variables).sort((one, other) => one - other)
      .map((selector) => statements[selector - variables - 1]),
  };
}

const selectorSolvers = new WeakMap<Reasoner, Solver>();

/** One selector per statement, after the variables. */
function selectorSolver(reasoner: Reasoner): Solver {
  const known = selectorSolvers.get(reasoner);
  if (known !== undefined) return known;
  const { clauses, statements, variables } = reasoner.clauses;
  const solver = new Solver(variables + statements.length);
  for (const clause of clauses) solver.addClause([-(variables + 1 + clause.statement), ...clause.literals]);
  selectorSolvers.set(reasoner, solver);
  return solver;
}

function coreOf(solver: Solver, assumptions: readonly number[]): number[] {
  return solver.solve(assumptions) ? [...assumptions] : solver.core();
}

/** One line per step, numbered, each with its origin. */
export function explanationText(explanation: Explanation): string {
  const lines = explanation.steps.map(({ sentence, origin }, at) => {
    const where = origin === undefined ? "" : `  [${origin.file}:${origin.line}]`;
    return `${String(at + 1).padStart(3)}. ${sentence}${where}`;
  });
  if (explanation.kind === "chain") return lines.join("\n");
  const picked = explanation.picks.map(({ path, selected }) => `${path} is ${selected ? "selected" : "out"}`);
  const head = "These cannot all hold, and each one is needed for that; it takes cases to see why:";
  return [head, ...picked.map((line) => `  –  ${line}: by choice`), ...lines].join("\n");
}

