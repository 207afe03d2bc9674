/**
 * A small set of valid selections in which every pair of choices occurs that can occur: a covering array of strength 2.
 *
 * A choice is a feature in or out; a pair is two choices about two features. Steps:
 *   1. the backbone under each choice says which pairs no valid selection has; all others are to be covered;
 *   2. a selection begins with the choice that most open pairs have, and with its partner of most open pairs;
 *   3. then, again and again, the choice that covers most open pairs with what is decided already is asked of the
 *      solver and taken, or its opposite where it cannot be; equal ones are told apart at random;
 *   4. of a few such selections the one that covers most is kept; go on until no pair is open.
 * Invariants: the same seed gives the same sample; every selection covers a pair that none before it did.
 * Source: AETG (Cohen and others 1997) for the greedy step; ICPL (Johansen and others 2012) and YASA (Krieter and
 * others 2020) for its use with a solver.
 */
import { backboneOf } from "./backbone.ts";
import { noPicks, type Picks, type Reasoner } from "./reasoner.ts";
import { RandomNumbers } from "./random-numbers.ts";
import type { Solver } from "./solver.ts";

export interface PairwiseSample {
  /** Features, in model order. */
  readonly selections: readonly (readonly string[])[];
  readonly points: number;
  /** Pairs of choices that some valid selection has. */
  readonly coverable: number;
  /** Pairs that no valid selection has. */
  readonly impossible: number;
  /** Smaller than `coverable` only where `selectionsMax` ended the search. */
  readonly covered: number;
}

export interface PairwiseInput {
  /** Features whose choices are paired. */
  readonly points: readonly string[];
  readonly seed: number;
  readonly picks?: Picks;
  readonly selectionsMax?: number;
  /** Called after each selection. */
  readonly onSelection?: (open: number) => void;
}

/** Samples of few points are cheap enough to be tried again. */
const triesOf = (points: number) => (points <= 150 ? 8 : 1);

/** No selection at all where the picks cannot hold together. */
export function pairwiseSample(reasoner: Reasoner, input: PairwiseInput): PairwiseSample {
  const { points, seed, picks = noPicks, selectionsMax = Infinity } = input;
  const variables = points.map((path) => reasoner.literal(path));
  const units = reasoner.literalsOf(picks);
  const pairs = new OpenPairs(reasoner, variables, units);
  const coverable = pairs.open;
  const impossible = 2 * variables.length * (variables.length - 1) - coverable;
  const random = new RandomNumbers(seed);
  const selections: string[][] = [];
  while (pairs.open > 0 && selections.length < selectionsMax) {
    let best: { found: Uint8Array; gain: number } | undefined;
    for (let turn = 0; turn < triesOf(points.length); turn++) {
      const solver = reasoner.newSolver();
      for (const literal of units) solver.addClause([literal]);
      const found = new Candidate(pairs, solver, random).complete(reasoner);
      const gain = pairs.gainOf(found);
      if (best === undefined || gain > best.gain) best = { found, gain };
    }
    if (best === undefined || best.gain === 0) break;
    pairs.cover(best.found);
    selections.push(reasoner.selectionOf(best.found));
    input.onSelection?.(pairs.open);
  }
  return { selections, points: points.length, coverable, impossible, covered: coverable - pairs.open };
}

/** Pairs that are to be covered. Choice 2 · point is the feature in, 2 · point + 1 the feature out. */
class OpenPairs {
  readonly variables: readonly number[];
  readonly choices: number;
  /** By choice, the open pairs that it is in. */
  readonly degrees: Int32Array;
  open = 0;
  readonly #matrix: Uint8Array;

  constructor(reasoner: Reasoner, variables: readonly number[], units: readonly number[]) {
    this.variables = variables;
    this.choices = 2 * variables.length;
    this.degrees = new Int32Array(this.choices);
    this.#matrix = new Uint8Array(this.choices * this.choices);
    for (let choice = 0; choice < this.choices; choice++) {
      const backbone = backboneOf(reasoner, [...units, this.literalOf(choice)]);
      for (let other = choice + 1; other < this.choices && backbone !== undefined; other++) {
        if (other >> 1 === choice >> 1) continue;
        const literal = this.literalOf(other);
        if (backbone[Math.abs(literal)] !== -Math.sign(literal)) this.#set(choice, other, 1);
      }
    }
  }

  literalOf(choice: number): number {
    const variable = this.variables[choice >> 1];
    return choice % 2 === 0 ? variable : -variable;
  }

  isOpen(one: number, other: number): boolean {
    return this.#matrix[one * this.choices + other] === 1;
  }

  choicesOf(found: Uint8Array): number[] {
    return this.variables.map((variable, point) => 2 * point + (found[variable] === 1 ? 0 : 1));
  }

  gainOf(found: Uint8Array): number {
    const choices = this.choicesOf(found);
    let gain = 0;
    choices.forEach((one, at) => {
      for (let next = at + 1; next < choices.length; next++) if (this.isOpen(one, choices[next])) gain++;
    });
    return gain;
  }

  cover(found: Uint8Array): void {
    const choices = this.choicesOf(found);
    choices.forEach((one, at) => {
      for (let next = at + 1; next < choices.length; next++) {
        if (this.isOpen(one, choices[next])) this.#set(one, choices[next], 0);
      }
    });
  }

  #set(one: number, other: number, value: 0 | 1): void {
    this.#matrix[one * this.choices + other] = value;
    this.#matrix[other * this.choices + one] = value;
    const change = value === 1 ? 1 : -1;
    this.degrees[one] += change;
    this.degrees[other] += change;
    this.open += change;
  }
}

/** A selection in the making. */
class Candidate {
  readonly #pairs: OpenPairs;
  readonly #solver: Solver;
  readonly #random: RandomNumbers;
  /** By choice, open pairs with what is decided. */
  readonly #gains: Int32Array;
  readonly #decided: Uint8Array;

  constructor(pairs: OpenPairs, solver: Solver, random: RandomNumbers) {
    this.#pairs = pairs;
    this.#solver = solver;
    this.#random = random;
    this.#gains = new Int32Array(pairs.choices);
    this.#decided = new Uint8Array(pairs.variables.length);
  }

  complete(reasoner: Reasoner): Uint8Array {
    const { degrees } = this.#pairs;
    this.#learn();
    const first = this.#best((choice) => degrees[choice]);
    if (first !== undefined) {
      this.#decide(first);
      const partner = this.#best((choice) => (this.#pairs.isOpen(first, choice) ? degrees[choice] : -1));
      if (partner !== undefined) this.#decide(partner);
    }
    for (;;) {
      const next = this.#best((choice) => this.#gains[choice] * this.#pairs.choices + degrees[choice]);
      if (next === undefined) break;
      this.#decide(next);
    }
    this.#solver.solve();
    return reasoner.remember(this.#solver);
  }

  #decide(choice: number): void {
    const literal = this.#pairs.literalOf(choice);
    this.#solver.addClause([this.#solver.solve([literal]) ? literal : -literal]);
    this.#learn();
  }

  /** Takes note of what the solver knows to hold. */
  #learn(): void {
    const { variables, choices } = this.#pairs;
    variables.forEach((variable, point) => {
      const value = this.#decided[point] === 1 ? 0 : this.#solver.fixed(variable);
      if (value === 0) return;
      this.#decided[point] = 1;
      const choice = 2 * point + (value === 1 ? 0 : 1);
      for (let other = 0; other < choices; other++) if (this.#pairs.isOpen(choice, other)) this.#gains[other]++;
    });
  }

  #best(scoreOf: (choice: number) => number): number | undefined {
    let [best, bestScore, equals] = [-1, -1, 0];
    for (let choice = 0; choice < this.#pairs.choices; choice++) {
      if (this.#decided[choice >> 1] === 1) continue;
      const score = scoreOf(choice);
      if (score > bestScore) [best, bestScore, equals] = [choice, score, 1];
      else if (score === bestScore && score >= 0 && this.#random.below(++equals) === 0) best = choice;
    }
    return best < 0 ? undefined : best;
  }
}
