/**
 * The feature model as clauses, each with the statement of the model that it comes from.
 *
 * Steps:
 *   1. variable i + 1 stands for the i-th feature; further variables are definitions;
 *   2. the root is selected; a child needs its parent; a mandatory child comes with its parent;
 *   3. a group of n..m: or is one clause, xor adds pairs, other bounds go through a sequential counter;
 *   4. `requires` and `mutex` are one clause each; `reference` and `cooperate` restrict nothing;
 *   5. a constraint becomes clauses by distribution where that stays small, otherwise every inner condition gets a
 *      variable that is equal to it (Tseitin), so that the number of models does not change.
 * Source: Batory 2005 for the tree; Sinz 2005 for the counter.
 */
import type { Expression } from "./expression.ts";
import type { Constraint, Edge, Feature, Group } from "./feature.ts";
import type { FeatureModel } from "./feature-model.ts";

/** What the model says in one place; explanations are made of these. */
export type Statement =
  | { readonly kind: "root"; readonly feature: Feature }
  | { readonly kind: "parent" | "mandatory"; readonly feature: Feature }
  | { readonly kind: "group"; readonly group: Group }
  | { readonly kind: "edge"; readonly edge: Edge }
  | { readonly kind: "constraint"; readonly constraint: Constraint };

export interface SourcedClause {
  readonly literals: readonly number[];
  /** Position in `statements`. */
  readonly statement: number;
}

export interface Clauses {
  /** Features and definitions. */
  readonly variables: number;
  /** Variables 1 … `features` stand for features. */
  readonly features: number;
  readonly statements: readonly Statement[];
  readonly clauses: readonly SourcedClause[];
}

/** Groups up to this size exclude by pairs. */
const pairwiseMax = 64;
const distributedMax = 16;
const equivalencesMax = 3;

export function clausesOf(model: FeatureModel): Clauses {
  const encoder = new Encoder(model);
  return encoder.encode();
}

class Encoder {
  readonly #model: FeatureModel;
  readonly #statements: Statement[] = [];
  readonly #clauses: SourcedClause[] = [];
  #variables: number;

  constructor(model: FeatureModel) {
    this.#model = model;
    this.#variables = model.features.length;
  }

  encode(): Clauses {
    const { features, groups, edges, constraints } = this.#model;
    for (const feature of features) this.#addTree(feature);
    for (const group of groups) this.#addGroup(group);
    for (const edge of edges) {
      if (edge.kind === "requires") this.#state({ kind: "edge", edge }, [-this.#of(edge.from), this.#of(edge.to)]);
      if (edge.kind === "mutex") this.#state({ kind: "edge", edge }, [-this.#of(edge.from), -this.#of(edge.to)]);
    }
    for (const constraint of constraints) {
      this.#state({ kind: "constraint", constraint });
      this.#addCondition(constraint.expression);
    }
    return {
      variables: this.#variables,
      features: features.length,
      statements: this.#statements,
      clauses: this.#clauses,
    };
  }

  #of(path: string): number {
    return this.#model.position(path) + 1;
  }

  #state(statement: Statement, literals?: readonly number[]): void {
    this.#statements.push(statement);
    if (literals !== undefined) this.#add(literals);
  }

  #add(literals: readonly number[]): void {
    this.#clauses.push({ literals, statement: this.#statements.length - 1 });
  }

  #addTree(feature: Feature): void {
    const own = this.#of(feature.path);
    if (feature.parent === undefined) {
      this.#state({ kind: "root", feature }, [own]);
      return;
    }
    const parent = this.#of(feature.parent);
    this.#state({ kind: "parent", feature }, [-own, parent]);
    if (feature.relation === "mandatory") this.#state({ kind: "mandatory", feature }, [-parent, own]);
  }

  #addGroup(group: Group): void {
    if (group.relation === "mandatory" || group.relation === "optional") return;
    const members = group.members.map((member) => this.#of(member));
    const parent = this.#of(group.parent);
    this.#state({ kind: "group", group });
    if (group.min === 1) this.#add([-parent, ...members]);
    else if (group.min > 1) this.#addAtMost(members.map((member) => -member), members.length - group.min, parent);
    if (group.max < members.length) this.#addAtMost(members, group.max, parent);
  }

  /** Where the parent is selected, at most `most` of the literals are true. */
  #addAtMost(literals: readonly number[], most: number, parent: number): void {
    if (most >= literals.length) return;
    if (most === 0) {
      for (const literal of literals) this.#add([-parent, -literal]);
      return;
    }
    if (most === 1 && literals.length <= pairwiseMax) {
      literals.forEach((one, at) => literals.slice(at + 1).forEach((other) => this.#add([-parent, -one, -other])));
      return;
    }
    // counts[j] ⟺ more than j of the literals so far are true.
    let counts: number[] = [];
    literals.forEach((literal, at) => {
      const before = counts;
      counts = Array.from({ length: Math.min(at + 1, most + 1) }, (_, enough) => {
        const variable = ++this.#variables;
        const kept = before[enough];
        const carried = enough === 0 ? undefined : before[enough - 1];
        // variable ⟺ kept ∨ (literal ∧ carried)
        if (kept !== undefined) this.#add([-kept, variable]);
        this.#add(carried === undefined ? [-literal, variable] : [-literal, -carried, variable]);
        this.#add([-variable, literal, ...(kept === undefined ? [] : [kept])]);
        if (carried !== undefined) this.#add([-variable, carried, ...(kept === undefined ? [] : [kept])]);
        return variable;
      });
    });
    this.#add([-parent, -counts[most]]);
  }

  #addCondition(expression: Expression): void {
    // Every equivalence doubles the normal form.
    const small = count(expression, "iff") <= equivalencesMax;
    const direct = small ? distribute(normal(expression, true), (path) => this.#of(path)) : undefined;
    if (direct !== undefined) {
      for (const clause of direct) {
        const literals = [...new Set(clause)];
        if (!literals.some((literal) => literals.includes(-literal))) this.#add(literals);
      }
      return;
    }
    this.#add([this.#define(expression)]);
  }

  /** A literal equal to the condition. */
  #define(expression: Expression): number {
    if (expression.kind === "feature") return this.#of(expression.path);
    if (expression.kind === "not") return -this.#define(expression.of);
    const own = ++this.#variables;
    if (expression.kind === "constant") {
      this.#add([expression.value ? own : -own]);
      return own;
    }
    const right = this.#define(expression.right);
    const left = expression.kind === "implies" ? -this.#define(expression.left) : this.#define(expression.left);
    const clauses = {
      and: [[-own, left], [-own, right], [own, -left, -right]],
      or: [[own, -left], [own, -right], [-own, left, right]],
      implies: [[own, -left], [own, -right], [-own, left, right]],
      iff: [[-own, -left, right], [-own, left, -right], [own, left, right], [own, -left, -right]],
    }[expression.kind];
    for (const clause of clauses) this.#add(clause);
    return own;
  }
}

function count(expression: Expression, kind: Expression["kind"]): number {
  const own = expression.kind === kind ? 1 : 0;
  if (expression.kind === "feature" || expression.kind === "constant") return own;
  if (expression.kind === "not") return own + count(expression.of, kind);
  return own + count(expression.left, kind) + count(expression.right, kind);
}

/** Negation normal form with only `and`, `or`, literals and constants. */
type Normal =
  | { readonly kind: "literal"; readonly path: string; readonly positive: boolean }
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "and" | "or"; readonly left: Normal; readonly right: Normal };

function normal(expression: Expression, positive: boolean): Normal {
  switch (expression.kind) {
    case "feature": return { kind: "literal", path: expression.path, positive };
    case "constant": return { kind: "constant", value: expression.value === positive };
    case "not": return normal(expression.of, !positive);
    case "implies": {
      const left = normal(expression.left, !positive);
      return { kind: positive ? "or" : "and", left, right: normal(expression.right, positive) };
    }
    case "iff": {
      const { left, right } = expression;
      const same: Expression = { kind: "implies", left, right };
      const back: Expression = { kind: "implies", left: right, right: left };
      return { kind: positive ? "and" : "or", left: normal(same, positive), right: normal(back, positive) };
    }
    default: {
      const kind = (expression.kind === "and") === positive ? "and" : "or";
      return { kind, left: normal(expression.left, positive), right: normal(expression.right, positive) };
    }
  }
}

/** Clauses of a normal form, or undefined where there would be more than `distributedMax`. */
function distribute(form: Normal, variable: (path: string) => number): number[][] | undefined {
  if (form.kind === "literal") return [[form.positive ? variable(form.path) : -variable(form.path)]];
  if (form.kind === "constant") return form.value ? [] : [[]];
  const left = distribute(form.left, variable);
  const right = distribute(form.right, variable);
  if (left === undefined || right === undefined) return undefined;
  const found = form.kind === "and"
    ? [...left, ...right]
    : left.flatMap((one) => right.map((other) => [...one, ...other]));
  return found.length <= distributedMax ? found : undefined;
}
