/**
 * The valid configurations of a model (under picks) as one structure: how many, in what share of them a feature is, and
 * a draw in which each is as likely as any other.
 *
 * Steps of `shares`:
 *   1. from the top of the circuit down, each branch hands to its parts in how many configurations they are used;
 *   2. a literal of a branch, or a free variable's positive side, is true in that many;
 *   3. the members of a fold share their carrier's number by how many ways are left for their siblings.
 * Steps of `draw`:
 *   1. from the top down, a branch is taken with the probability of its value, its literals hold, a free variable is
 *      true in its weight of (1 + weight) cases;
 *   2. folds are opened under what is true: each member in turn is in or out by the number of ways either leaves.
 * All numbers are exact. Invariant: where the count is only a bound, there are neither shares nor draws.
 */
import { LatheError } from "../../kit/errors.ts";
import type { FeatureModel } from "../feature-model.ts";
import { noPicks, type Picks } from "../reasoner.ts";
import type { RandomNumbers } from "../random-numbers.ts";
import { type Circuit, type CircuitNode, compileCircuit } from "./circuit.ts";
import { between, type Fold, FoldedModel, symmetric } from "./folded-model.ts";

/** After so many decisions the count is a bound. The catalog's whole model takes 170,000. */
export const decisionsMaxDefault = 400_000;

export class ConfigurationSpace {
  readonly model: FeatureModel;
  readonly #folded: FoldedModel;
  readonly #circuit: Circuit;

  constructor(model: FeatureModel, picks: Picks = noPicks, decisionsMax: number = decisionsMaxDefault) {
    this.model = model;
    this.#folded = new FoldedModel(model, picks);
    this.#circuit = compileCircuit(this.#folded.clauses, this.#folded.weights, decisionsMax);
  }

  /** The number of valid configurations, or a number that is not smaller where it is not `exact`. */
  get count(): bigint {
    return this.#circuit.value;
  }

  get exact(): boolean {
    return this.#circuit.relaxed.length === 0;
  }

  get decisions(): number {
    return this.#circuit.decisions;
  }

  /** By position, in how many configurations a feature is. Errors: LIMIT_EXCEEDED where the count is a bound. */
  shares(): bigint[] {
    this.#demandExact();
    const uses = new Map<CircuitNode, bigint>();
    const { nodes } = this.#circuit;
    const variables = this.#folded.weights.map(() => 0n);
    const top = nodes.at(-1) as CircuitNode;
    uses.set(top, 1n);
    for (let at = nodes.length - 1; at >= 0; at--) {
      const used = uses.get(nodes[at]);
      if (used === undefined) continue;
      for (const { literals, free, parts, value } of nodes[at].branches) {
        const all = used * value;
        for (const literal of literals) if (literal > 0) variables[literal] += all;
        for (const variable of free) {
          const weight = this.#folded.weights[variable] as bigint;
          variables[variable] += (all / (1n + weight)) * weight;
        }
        for (const part of parts) uses.set(part, (uses.get(part) ?? 0n) + all / part.value);
      }
    }
    const shares = this.model.features.map((_, position) => variables[position + 1]);
    for (const fold of this.#folded.folds) this.#share(fold, variables[fold.carrier], shares);
    return shares;
  }

  /** Selected features, in model order. Errors: LIMIT_EXCEEDED where the count is a bound, CONSTRAINT where it is 0. */
  draw(random: RandomNumbers): string[] {
    this.#demandExact();
    if (this.count === 0n) throw new LatheError("CONSTRAINT", "no valid configuration has these picks");
    const holds = new Uint8Array(this.#folded.weights.length);
    const open = [this.#circuit.nodes.at(-1) as CircuitNode];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      let at = random.bigBelow(node.value);
      const branch = node.branches.find(({ value }) => (at -= value) < 0n) as CircuitNode["branches"][number];
      for (const literal of branch.literals) if (literal > 0) holds[literal] = 1;
      for (const variable of branch.free) {
        if (random.bigBelow(1n + (this.#folded.weights[variable] as bigint)) > 0n) holds[variable] = 1;
      }
      open.push(...branch.parts);
    }
    for (const fold of this.#folded.folds) if (holds[fold.carrier] === 1) this.#open(fold, random, holds);
    return this.model.features.filter((_, position) => holds[position + 1] === 1).map(({ path }) => path);
  }

  #demandExact(): void {
    if (this.exact) return;
    const message = `counting gave up after ${this.decisions} decisions; allow more, or pick more features`;
    throw new LatheError("LIMIT_EXCEEDED", message);
  }

  #share({ members, min, max }: Fold, carried: bigint, shares: bigint[]): void {
    const sizes = members.map((member) => this.#folded.sizeOf(member));
    const polynomial = symmetric(sizes);
    const ways = between(polynomial, min, max);
    members.forEach((member, at) => {
      // The polynomial of the siblings: this one divided by (1 + size · x).
      const siblings: bigint[] = [];
      for (let degree = 0; degree < members.length; degree++) {
        siblings.push(polynomial[degree] - (degree === 0 ? 0n : sizes[at] * siblings[degree - 1]));
      }
      shares[member] = (carried * sizes[at] * between(siblings, min - 1, max - 1)) / ways;
      for (const fold of this.#folded.foldsOf(member)) this.#share(fold, shares[member], shares);
    });
  }

  #open({ members, min, max }: Fold, random: RandomNumbers, holds: Uint8Array): void {
    const sizes = members.map((member) => this.#folded.sizeOf(member));
    let taken = 0;
    members.forEach((member, at) => {
      const rest = symmetric(sizes.slice(at + 1));
      const [within, without] = [taken + 1, taken].map((count) => between(rest, min - count, max - count));
      if (random.bigBelow(sizes[at] * within + without) >= sizes[at] * within) return;
      taken++;
      holds[member + 1] = 1;
      for (const fold of this.#folded.foldsOf(member)) this.#open(fold, random, holds);
    });
  }
}
