/**
 * What is wrong or remarkable in a feature model, each finding with a witness.
 *
 * Steps:
 *   1. the backbone says whether the model is void, what is core and what is dead (`backbone.ts`);
 *   2. false-optional: an optional feature or `or` member that its parent never comes without;
 *   3. redundant: an edge or condition that the rest of the model implies, asked with one selector per statement;
 *   4. cycles of `requires` that no order of building satisfies, by strongly connected components (Tarjan);
 *   5. atomic sets: features that are selected always together; candidates agree in all models seen so far, and every
 *      pair that is kept is proved.
 */
import { backboneOf } from "./backbone.ts";
import type { Statement } from "./clauses.ts";
import { requiresCycles } from "./cycles.ts";
import { type Explanation, explainConsequence, explainContradiction } from "./explain.ts";
import { RandomNumbers } from "./random-numbers.ts";
import type { Reasoner } from "./reasoner.ts";
import { originText, statementText } from "./sentence.ts";
import { Solver } from "./solver.ts";

/** Selections drawn to tell features apart before pairs of them are asked about. */
const drawnModels = 32;
const witnessesMax = 50;

export interface FeatureFinding {
  readonly path: string;
  /** Undefined beyond the first `witnessesMax` findings: `explain.ts` tells each. */
  readonly witness: Explanation | undefined;
}

export interface StatementFinding {
  readonly statement: string;
  readonly origin: string;
  /** Statements that imply it, or that it contradicts. */
  readonly witness: readonly string[];
}

export interface ModelAnalysis {
  readonly name: string;
  readonly features: number;
  readonly leaves: number;
  readonly edges: Readonly<Record<"requires" | "mutex" | "reference" | "cooperate", number>>;
  readonly constraints: number;
  /** No selection at all satisfies the model. */
  readonly void: boolean;
  readonly voidWitness: Explanation | undefined;
  /** A valid selection, as the witness that the model is not void. */
  readonly example: readonly string[];
  readonly core: readonly string[];
  readonly dead: readonly FeatureFinding[];
  readonly falseOptional: readonly FeatureFinding[];
  readonly redundant: readonly StatementFinding[];
  /** Edges and conditions that together make a feature dead, or the model void. */
  readonly contradicting: readonly StatementFinding[];
  readonly requiresCycles: readonly (readonly string[])[];
  /** Without the core, which is the largest of them. */
  readonly atomicSets: readonly (readonly string[])[];
}

/** Void, core, dead and false-optional alone: what every change of a model is checked for. */
export function checkBasics(reasoner: Reasoner) {
  const backbone = backboneOf(reasoner);
  if (backbone === undefined) return { void: true, core: [], dead: [], falseOptional: [] };
  const paths = (value: number) =>
    reasoner.model.features.filter((_, at) => backbone[at + 1] === value).map(({ path }) => path);
  const optional = falseOptional(reasoner, backbone).map(({ path }) => path);
  return { void: false, core: paths(1), dead: paths(-1), falseOptional: optional };
}

export function analyseModel(reasoner: Reasoner): ModelAnalysis {
  const { model } = reasoner;
  const backbone = backboneOf(reasoner);
  const paths = (value: number) =>
    model.features.filter((_, at) => backbone?.[at + 1] === value).map(({ path }) => path);
  const dead = deadFeatures(reasoner, paths(-1));
  const voidWitness = backbone === undefined ? explainContradiction(reasoner, []) : undefined;
  const counts = { requires: 0, mutex: 0, reference: 0, cooperate: 0 };
  for (const { kind } of model.edges) counts[kind]++;
  const isVoid = backbone === undefined;
  return {
    name: model.name,
    features: model.features.length,
    leaves: model.leaves.length,
    edges: counts,
    constraints: model.constraints.length,
    void: isVoid,
    voidWitness,
    example: isVoid ? [] : reasoner.selectionOf(smallest(reasoner.pool)),
    core: paths(1),
    dead,
    falseOptional: isVoid ? [] : falseOptional(reasoner, backbone),
    redundant: isVoid ? [] : redundant(reasoner),
    contradicting: contradicting([voidWitness, ...dead.map(({ witness }) => witness)]),
    requiresCycles: requiresCycles(model),
    atomicSets: isVoid ? [] : atomicSets(reasoner, backbone),
  };
}

function smallest(pool: readonly Uint8Array[]): Uint8Array {
  const size = (found: Uint8Array) => found.reduce((sum, one) => sum + one, 0);
  return pool.reduce((best, found) => (size(found) < size(best) ? found : best));
}

/** What lies below a dead feature has its witness. */
function deadFeatures(reasoner: Reasoner, paths: readonly string[]): FeatureFinding[] {
  const witnesses = new Map<string, Explanation | undefined>();
  let explained = 0;
  for (const path of paths) {
    const { parent } = reasoner.model.feature(path);
    if (parent !== undefined && witnesses.has(parent)) witnesses.set(path, witnesses.get(parent));
    else if (explained++ < witnessesMax) witnesses.set(path, explainContradiction(reasoner, [reasoner.literal(path)]));
    else witnesses.set(path, undefined);
  }
  return paths.map((path) => ({ path, witness: witnesses.get(path) }));
}

function falseOptional(reasoner: Reasoner, backbone: Int8Array): FeatureFinding[] {
  const { model } = reasoner;
  let explained = 0;
  return model.features.flatMap((feature, at): FeatureFinding[] => {
    const { path, parent, relation } = feature;
    const free = relation === "optional" || (relation === "or" && (model.groupOf(path)?.members.length ?? 0) > 1);
    if (!free || parent === undefined || backbone[at + 1] === -1) return [];
    const above = reasoner.literal(parent);
    if (reasoner.satisfiable([above, -(at + 1)])) return [];
    const witness = explained++ < witnessesMax ? explainConsequence(reasoner, [above], at + 1) : undefined;
    return [{ path, witness }];
  });
}

/** One selector per edge and condition; what the tree says always holds. */
function redundant(reasoner: Reasoner): StatementFinding[] {
  const { clauses, statements, variables } = reasoner.clauses;
  const crossing = statements.map((statement) => statement.kind === "edge" || statement.kind === "constraint");
  const solver = new Solver(variables + statements.length);
  const selector = (statement: number) => variables + 1 + statement;
  for (const { literals, statement } of clauses) {
    // Clauses that only define a part of a condition bind nothing by themselves.
    const defines = literals.some((literal) => Math.abs(literal) > reasoner.clauses.features);
    solver.addClause(crossing[statement] && !defines ? [-selector(statement), ...literals] : literals);
  }
  const partsOf = Map.groupBy(clauses, ({ statement }) => statement);
  const all = statements.map((_, at) => at).filter((at) => crossing[at]);
  return all.flatMap((own): StatementFinding[] => {
    const parts = partsOf.get(own) ?? [];
    if (parts.some(({ literals }) => literals.some((one) => Math.abs(one) > reasoner.clauses.features))) return [];
    const others = all.filter((at) => at !== own).map(selector);
    const witness = new Set<number>();
    for (const { literals } of parts) {
      if (solver.solve([...literals.map((literal) => -literal), ...others])) return [];
      for (const literal of solver.core()) if (literal > variables) witness.add(literal - variables - 1);
    }
    return [finding(statements[own], [...witness].sort((one, other) => one - other).map((at) => statements[at]))];
  });
}

function finding(statement: Statement, witness: readonly Statement[]): StatementFinding {
  const texts = witness.length === 0 ? ["what the tree says"] : witness.map(statementText);
  return { statement: statementText(statement), origin: originText(statement), witness: texts };
}

/** Edges and conditions on which the witnesses rest. */
function contradicting(witnesses: readonly (Explanation | undefined)[]): StatementFinding[] {
  const found = new Map<Statement, readonly Statement[]>();
  for (const { statements } of new Set(witnesses.filter((one) => one !== undefined))) {
    for (const one of statements) {
      if (one.kind !== "edge" && one.kind !== "constraint") continue;
      found.set(one, statements.filter((other) => other !== one && other.kind !== "root"));
    }
  }
  return [...found].map(([statement, witness]) => finding(statement, witness));
}

function atomicSets(reasoner: Reasoner, backbone: Int8Array): string[][] {
  const variables = Array.from({ length: reasoner.clauses.features }, (_, at) => at + 1);
  const open = variables.filter((one) => backbone[one] === 0);
  let classes = [open];
  const solver = reasoner.newSolver();
  const random = new RandomNumbers(1);
  for (let turn = 0; turn < drawnModels; turn++) {
    for (const variable of open) solver.setPhase(variable, random.chance(2 / 3));
    if (solver.solve()) reasoner.remember(solver);
  }
  for (const found of reasoner.pool) classes = classes.flatMap((members) => split(members, found));
  const sets: number[][] = [];
  while (classes.length > 0) {
    const members = classes.pop() as number[];
    if (members.length < 2) continue;
    const [first] = members;
    // A selection that tells any two members apart splits the whole class.
    const other = members.find((one) => one !== first && !equal(reasoner, first, one));
    if (other === undefined) sets.push(members);
    else classes.push(...split(members, reasoner.lastFound));
  }
  return sets.sort(([one], [other]) => one - other).map((set) => set.map((variable) => reasoner.pathOf(variable)));
}

function split(members: readonly number[], found: Uint8Array): number[][] {
  const parts = [members.filter((one) => found[one] === 1), members.filter((one) => found[one] === 0)];
  return parts.filter((part) => part.length > 0);
}

function equal(reasoner: Reasoner, one: number, other: number): boolean {
  return !reasoner.satisfiable([one, -other]) && !reasoner.satisfiable([-one, other]);
}
