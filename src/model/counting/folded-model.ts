/**
 * A feature model folded for counting: subtrees that nothing outside the tree touches become weights.
 *
 * Steps:
 *   1. bound is what an edge, a condition or a pick names, and all above it; of a counted group that has a bound
 *      member all members are. Everything else is free, and hangs on bound features as whole subtrees;
 *   2. the size of a free feature is the number of ways to fill its subtree when it is selected: the product over its
 *      groups of the sum, over the allowed numbers k of members, of the elementary symmetric polynomial e_k of their
 *      sizes (so an `or` group of n leaves counts 2^n - 1);
 *   3. the free members of a bound parent's group become a weight: of the parent, where the whole group is free or each
 *      member is independent of its siblings; else of a new variable that stands for "some of the free ones";
 *   4. what is left is clauses over bound features, definitions and these variables; the number of configurations is
 *      the sum, over their models, of the product of the weights of what is true.
 * A fold remembers members and bounds, so that a model of the clauses can be unfolded into configurations.
 */
import { type Clauses, clausesOf } from "../clauses.ts";
import { featuresOf } from "../expression.ts";
import type { Group } from "../feature.ts";
import type { FeatureModel } from "../feature-model.ts";
import type { Picks } from "../reasoner.ts";

/** Free siblings: between `min` and `max` of them are selected where `carrier` is true. */
export interface Fold {
  /** A variable: a feature's position + 1, or one that stands for the free members. */
  readonly carrier: number;
  /** Positions. */
  readonly members: readonly number[];
  readonly min: number;
  readonly max: number;
}

export interface FoldedClause {
  readonly literals: readonly number[];
  /** It comes from an edge or a condition, not from the tree. */
  readonly crossing: boolean;
  /** Clauses of one block say together one thing about their variables: alternatives. */
  readonly block?: number;
}

export class FoldedModel {
  readonly model: FeatureModel;
  readonly clauses: FoldedClause[] = [];
  /** By variable: the weight of its being true; its being false weighs 1. Undefined for what was folded away. */
  readonly weights: (bigint | undefined)[];
  /** Of bound parents. */
  readonly folds: Fold[] = [];
  readonly #bound: Uint8Array;
  /** By position, of free features. */
  readonly #sizes: (bigint | undefined)[] = [];
  #blocks = 0;

  constructor(model: FeatureModel, picks: Picks) {
    this.model = model;
    this.#bound = boundFeatures(model, picks);
    const clauses = clausesOf(model);
    this.weights = Array.from({ length: clauses.variables + 1 });
    for (let variable = 1; variable <= clauses.features; variable++) {
      if (this.#bound[variable - 1] === 1) this.weights[variable] = 1n;
    }
    this.#keepClauses(clauses);
    // Definitions count where a clause that was kept needs them.
    for (const { literals } of this.clauses) for (const literal of literals) this.weights[Math.abs(literal)] = 1n;
    for (const group of model.groups) if (this.isBound(model.position(group.parent))) this.#foldGroup(group);
    for (const [paths, sign] of [[picks.chosen, 1], [picks.excluded, -1]] as const) {
      for (const path of paths) this.clauses.push({ literals: [sign * (model.position(path) + 1)], crossing: false });
    }
  }

  isBound(position: number): boolean {
    return this.#bound[position] === 1;
  }

  /** In how many ways the subtree of a free feature is filled when it is selected. */
  sizeOf(position: number): bigint {
    const known = this.#sizes[position];
    if (known !== undefined) return known;
    let size = 1n;
    for (const fold of this.foldsOf(position)) size *= this.waysOf(fold);
    this.#sizes[position] = size;
    return size;
  }

  /** Groups of a free feature. */
  foldsOf(position: number): Fold[] {
    const { model } = this;
    return model.groupsBelow(model.features[position].path).map(({ members, min, max }) => {
      return { carrier: position + 1, members: members.map((path) => model.position(path)), min, max };
    });
  }

  waysOf({ members, min, max }: Fold): bigint {
    const polynomial = symmetric(members.map((member) => this.sizeOf(member)));
    return between(polynomial, min, max);
  }

  #keepClauses({ clauses, statements }: Clauses): void {
    for (const { literals, statement } of clauses) {
      const source = statements[statement];
      const crossing = source.kind === "edge" || source.kind === "constraint";
      const kept = {
        root: () => true,
        parent: () => this.#isKept(literals),
        mandatory: () => this.#isKept(literals),
        // Groups that may be folded in part get clauses of their own.
        group: () => source.kind === "group" && this.#isKeptGroup(source.group),
        edge: () => true,
        constraint: () => true,
      }[source.kind]();
      if (kept) this.clauses.push({ literals, crossing });
    }
  }

  #isKept(literals: readonly number[]): boolean {
    return literals.every((literal) => this.weights[Math.abs(literal)] !== undefined);
  }

  #isKeptGroup({ relation, members }: Group): boolean {
    return relation === "cardinality" && this.isBound(this.model.position(members[0]));
  }

  #foldGroup({ parent, relation, members, min, max }: Group): void {
    const positions = members.map((member) => this.model.position(member));
    const free = positions.filter((position) => !this.isBound(position));
    const bound = positions.filter((position) => this.isBound(position)).map((position) => position + 1);
    const above = this.model.position(parent) + 1;
    if (relation === "mandatory" || relation === "optional") {
      if (free.length > 0) this.#weigh(above, free, relation === "mandatory" ? free.length : 0, free.length);
      return;
    }
    if (bound.length === 0) this.#weigh(above, free, min, max);
    if (bound.length === 0 || relation === "cardinality") return;
    const some = free.length === 0 ? [] : [this.#newVariable()];
    for (const variable of some) {
      this.#weigh(variable, free, 1, Math.min(max, free.length));
      this.#state([-variable, above]);
    }
    this.#stateGroup(above, [...bound, ...some], relation === "xor");
  }

  /** Where `above` is true at least one of the literals is, and exactly one where they are `alternatives`. */
  #stateGroup(above: number, literals: readonly number[], alternatives: boolean): void {
    const block = this.#blocks++;
    this.clauses.push({ literals: [-above, ...literals], crossing: false, block });
    if (!alternatives) return;
    literals.forEach((one, at) => {
      for (const other of literals.slice(at + 1)) {
        this.clauses.push({ literals: [-one, -other], crossing: false, block });
      }
    });
  }

  #newVariable(): number {
    this.weights.push(1n);
    return this.weights.length - 1;
  }

  #state(literals: readonly number[]): void {
    this.clauses.push({ literals, crossing: false });
  }

  #weigh(carrier: number, members: readonly number[], min: number, max: number): void {
    const fold = { carrier, members, min, max };
    this.folds.push(fold);
    this.weights[carrier] = (this.weights[carrier] as bigint) * this.waysOf(fold);
  }
}

function boundFeatures(model: FeatureModel, { chosen, excluded }: Picks): Uint8Array {
  const bound = new Uint8Array(model.features.length);
  const bind = (path: string) => {
    for (const one of [path, ...model.ancestors(path)]) bound[model.position(one)] = 1;
  };
  for (const path of [model.root.path, ...chosen, ...excluded]) bind(path);
  for (const { kind, from, to } of model.edges) {
    if (kind === "requires" || kind === "mutex") for (const path of [from, to]) bind(path);
  }
  for (const { expression } of model.constraints) for (const path of featuresOf(expression)) bind(path);
  for (const { relation, members } of model.groups) {
    if (relation === "cardinality" && members.some((path) => bound[model.position(path)] === 1)) members.forEach(bind);
  }
  return bound;
}

/** Coefficients of the product of (1 + size · x): the k-th counts the ways to take k members. */
export function symmetric(sizes: readonly bigint[]): bigint[] {
  const polynomial = [1n];
  for (const size of sizes) {
    polynomial.push(0n);
    for (let at = polynomial.length - 1; at > 0; at--) polynomial[at] += size * polynomial[at - 1];
  }
  return polynomial;
}

/** The sum of the coefficients from `min` to `max`. */
export function between(polynomial: readonly bigint[], min: number, max: number): bigint {
  let sum = 0n;
  for (let at = Math.max(min, 0); at <= max && at < polynomial.length; at++) sum += polynomial[at];
  return sum;
}
