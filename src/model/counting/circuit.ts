/**
 * Counts the weighted models of clauses and keeps how: a circuit of decisions (decision-DNNF).
 *
 * Steps:
 *   1. propagate units; split what is left into components that share no variable;
 *   2. look each component up among those seen: its open variables and its clauses of three literals or more name it
 *      (clauses of two are active exactly where both variables are open);
 *   3. decide the variable of a component that comes last in an elimination order, both ways; each way is a branch:
 *      the literals that follow, the variables that nothing binds any more, and the components that remain;
 *   4. a node's value is the sum over its branches of the product of weights and of the values of its parts.
 * A limit on the number of decisions ends the search: a component that exceeds it is counted by the tree alone, that
 * is without edges and conditions, which can only count more; the whole is an upper bound then.
 * Invariants: branches of value 0 are left out; nodes stand after their parts in `nodes`.
 * Source: sharpSAT (Thurley 2006) for component caching; Dsharp (Muise and others 2012) for keeping the trace.
 */
import { type EliminationOrder, eliminationOrder } from "./elimination-order.ts";
import type { FoldedClause } from "./folded-model.ts";

export interface Branch {
  readonly literals: readonly number[];
  /** Variables that may be either. */
  readonly free: readonly number[];
  readonly parts: readonly CircuitNode[];
  readonly value: bigint;
}

export interface CircuitNode {
  readonly branches: readonly Branch[];
  readonly value: bigint;
}

export interface Circuit {
  /** Parts before wholes; the last is the top. */
  readonly nodes: readonly CircuitNode[];
  readonly value: bigint;
  readonly decisions: number;
  /** Variables of components that were counted by the tree alone; empty where the count is exact. */
  readonly relaxed: readonly number[];
}

interface Component {
  readonly variables: number[];
  /** Active clauses of three literals or more, ascending. */
  readonly long: number[];
}

/** Components of at most this width are decided in their elimination order, wider ones by hubs first. */
const plannedWidthMax = 15;

function lastOf(variables: readonly number[], { places }: EliminationOrder): number {
  const placeOf = (variable: number) => places.get(variable) ?? 0;
  return variables.reduce((last, variable) => (placeOf(variable) > placeOf(last) ? variable : last));
}

class LimitReached extends Error {}

/** `weights` by variable: of its being true; undefined for variables that do not count. */
export function compileCircuit(
  clauses: readonly FoldedClause[],
  weights: readonly (bigint | undefined)[],
  decisionsMax: number,
): Circuit {
  const tree = clauses.filter(({ crossing }) => !crossing);
  const withUnits = (units: readonly number[]) =>
    [...tree, ...units.map((one) => ({ literals: [one], crossing: false }))];
  const exact = new Compiler(clauses, weights, decisionsMax);
  return exact.compile((units) => new Compiler(withUnits(units), weights, Infinity));
}

class Compiler {
  readonly #clauses: readonly (readonly number[])[];
  readonly #weights: readonly (bigint | undefined)[];
  readonly #decisionsMax: number;
  readonly #blocks: readonly (number | undefined)[];
  /** By variable: 1 true, -1 false, 0 open. */
  readonly #values: Int8Array;
  /** By clause: literals that are true, and that are open. */
  readonly #satisfied: Int32Array;
  readonly #open: Int32Array;
  /** By variable, the clauses with the positive and with the negative literal. */
  readonly #positive: number[][];
  readonly #negative: number[][];
  readonly #trail: number[] = [];
  readonly #seen: Int32Array;
  readonly #clauseSeen: Int32Array;
  #stamp = 0;
  readonly #known = new Map<string, CircuitNode>();
  readonly #nodes: CircuitNode[] = [];
  #decisions = 0;

  constructor(
    folded: readonly FoldedClause[],
    weights: readonly (bigint | undefined)[],
    decisionsMax: number,
  ) {
    const clauses = folded.map(({ literals }) => literals);
    this.#clauses = clauses;
    this.#blocks = folded.map(({ block }) => block);
    this.#weights = weights;
    this.#decisionsMax = decisionsMax;
    this.#values = new Int8Array(weights.length);
    this.#satisfied = new Int32Array(clauses.length);
    this.#open = Int32Array.from(clauses, (literals) => literals.length);
    this.#positive = weights.map(() => []);
    this.#negative = weights.map(() => []);
    this.#seen = new Int32Array(weights.length);
    this.#clauseSeen = new Int32Array(clauses.length);
    clauses.forEach((literals, at) => {
      for (const literal of literals) this.#with(literal).push(at);
    });
  }

  compile(treeAlone: (units: readonly number[]) => Compiler): Circuit {
    const units = this.#clauses.filter((literals) => literals.length <= 1);
    const consistent = units.every((literals) => literals.length === 1 && this.#propagate(literals[0]));
    if (!consistent) return { ...this.#finished([]), relaxed: [] };
    const literals = [...this.#trail];
    const all = this.#weights.flatMap((weight, variable) => (weight === undefined ? [] : [variable]));
    const { free, components } = this.#split(all);
    const relaxed: number[] = [];
    const parts = components.map((component) => {
      try {
        return this.#count(component);
      } catch (error) {
        if (!(error instanceof LimitReached)) throw error;
        this.#undoTo(literals.length);
        relaxed.push(...component.variables);
        return treeAlone(literals).#countAlone(component.variables);
      }
    });
    return { ...this.#finished([this.#branch(literals, free, parts)]), relaxed };
  }

  #finished(branches: readonly Branch[]): Omit<Circuit, "relaxed"> {
    const top = this.#node(branches);
    return { nodes: this.#nodes, value: top.value, decisions: this.#decisions };
  }

  /** The clauses over these variables alone, under the units. */
  #countAlone(variables: readonly number[]): CircuitNode {
    for (const literals of this.#clauses) {
      if (literals.length === 1) this.#propagate(literals[0]);
    }
    const { free, components } = this.#split(variables);
    return this.#node([this.#branch([], free, components.map((component) => this.#count(component)))]);
  }

  #count(component: Component, above?: EliminationOrder): CircuitNode {
    const key = String.fromCharCode(...component.variables, 0, ...component.long);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (++this.#decisions > this.#decisionsMax) throw new LimitReached();
    const order = this.#orderOf(component, above);
    const chosen = order.width <= plannedWidthMax ? lastOf(component.variables, order) : this.#hubOf(component);
    const branches: Branch[] = [];
    for (const literal of [chosen, -chosen]) {
      const start = this.#trail.length;
      if (this.#propagate(literal)) {
        const literals = this.#trail.slice(start);
        const { free, components } = this.#split(component.variables);
        branches.push(this.#branch(literals, free, components.map((part) => this.#count(part, order))));
      }
      this.#undoTo(start);
    }
    const node = this.#node(branches);
    this.#known.set(key, node);
    return node;
  }

  /** The order from above, while it is narrow enough. */
  #orderOf({ variables }: Component, above: EliminationOrder | undefined): EliminationOrder {
    if (above !== undefined && above.width <= plannedWidthMax) return above;
    const blocks = new Map<number, Set<number>>();
    const seen = new Set<number>();
    for (const variable of variables) {
      for (const clause of [...this.#positive[variable], ...this.#negative[variable]]) {
        if (this.#satisfied[clause] > 0 || seen.has(clause)) continue;
        seen.add(clause);
        const open = this.#clauses[clause].map(Math.abs).filter((one) => this.#values[one] === 0);
        const key = this.#blocks[clause] ?? -1 - clause;
        const block = blocks.get(key);
        if (block === undefined) blocks.set(key, new Set(open));
        else for (const one of open) block.add(one);
      }
    }
    return eliminationOrder(blocks.values());
  }

  /** The variable whose two values decide most others. */
  #hubOf({ variables }: Component): number {
    let [best, bestScore] = [variables[0], -1];
    for (const variable of variables) {
      const score = this.#reachOf(variable) * this.#reachOf(-variable);
      if (score > bestScore) [best, bestScore] = [variable, score];
    }
    return best;
  }

  /** How many variables a literal decides. */
  #reachOf(literal: number): number {
    const start = this.#trail.length;
    this.#propagate(literal);
    const decided = this.#trail.length - start;
    this.#undoTo(start);
    return decided;
  }

  #node(all: readonly Branch[]): CircuitNode {
    const branches = all.filter(({ value }) => value > 0n);
    const node = { branches, value: branches.reduce((sum, { value }) => sum + value, 0n) };
    this.#nodes.push(node);
    return node;
  }

  #branch(literals: readonly number[], free: readonly number[], parts: readonly CircuitNode[]): Branch {
    let value = 1n;
    for (const literal of literals) if (literal > 0) value *= this.#weights[literal] as bigint;
    for (const variable of free) value *= 1n + (this.#weights[variable] as bigint);
    for (const part of parts) value *= part.value;
    return { literals, free, parts, value };
  }

  /** Components among the open ones of these variables, and those that no active clause names. */
  #split(variables: readonly number[]): { free: number[]; components: Component[] } {
    const stamp = ++this.#stamp;
    const free: number[] = [];
    const components: Component[] = [];
    for (const start of variables) {
      if (this.#values[start] !== 0 || this.#seen[start] === stamp) continue;
      const component: Component = { variables: [start], long: [] };
      this.#seen[start] = stamp;
      for (let head = 0; head < component.variables.length; head++) this.#reach(component, head, stamp);
      if (component.variables.length === 1 && !this.#isBound(start)) free.push(start);
      else {
        component.variables.sort((one, other) => one - other);
        component.long.sort((one, other) => one - other);
        components.push(component);
      }
    }
    return { free, components };
  }

  #reach({ variables, long }: Component, head: number, stamp: number): void {
    const variable = variables[head];
    for (const clauses of [this.#positive[variable], this.#negative[variable]]) {
      for (const clause of clauses) {
        if (this.#satisfied[clause] > 0 || this.#clauseSeen[clause] === stamp) continue;
        this.#clauseSeen[clause] = stamp;
        const literals = this.#clauses[clause];
        if (literals.length > 2) long.push(clause);
        for (const literal of literals) {
          const other = Math.abs(literal);
          if (this.#values[other] !== 0 || this.#seen[other] === stamp) continue;
          this.#seen[other] = stamp;
          variables.push(other);
        }
      }
    }
  }

  #isBound(variable: number): boolean {
    return [...this.#positive[variable], ...this.#negative[variable]].some((clause) => this.#satisfied[clause] === 0);
  }

  #with(literal: number): number[] {
    return literal > 0 ? this.#positive[literal] : this.#negative[-literal];
  }

  /** Makes the literal true, and all that follows; false at a contradiction, which is for the caller to undo. */
  #propagate(first: number): boolean {
    const queue = [first];
    let consistent = true;
    for (let head = 0; head < queue.length && consistent; head++) {
      const literal = queue[head];
      const value = this.#values[Math.abs(literal)];
      if (value !== 0) {
        consistent = value === Math.sign(literal);
        continue;
      }
      this.#values[Math.abs(literal)] = Math.sign(literal);
      this.#trail.push(literal);
      for (const clause of this.#with(literal)) this.#satisfied[clause]++;
      for (const clause of this.#with(-literal)) {
        const open = --this.#open[clause];
        if (this.#satisfied[clause] > 0 || open > 1) continue;
        if (open === 0) consistent = false;
        else queue.push(this.#clauses[clause].find((one) => this.#values[Math.abs(one)] === 0) as number);
      }
    }
    return consistent;
  }

  #undoTo(length: number): void {
    while (this.#trail.length > length) {
      const literal = this.#trail.pop() as number;
      this.#values[Math.abs(literal)] = 0;
      for (const clause of this.#with(literal)) this.#satisfied[clause]--;
      for (const clause of this.#with(-literal)) this.#open[clause]++;
    }
  }
}
