/**
 * Picks that cannot hold together: a minimal set of them, and the smallest ways out.
 *
 * Steps:
 *   1. QuickXplain divides the picks and finds a subset that contradicts the model, of which none can be left out;
 *      earlier picks are kept as long as possible;
 *   2. repairs by Reiter's hitting-set tree, breadth first: drop one pick of a minimal conflict, then, where the rest
 *      still conflicts, one of its minimal conflict, and so on. Repairs come smallest first and none holds another.
 * Source: Junker 2004; Reiter 1987.
 */
import { type Explanation, explainContradiction } from "./explain.ts";
import type { Picks, Reasoner } from "./reasoner.ts";

export interface Pick {
  readonly path: string;
  readonly selected: boolean;
}

export interface Conflict {
  /** Minimal: without any one of them the others can hold together. */
  readonly picks: readonly Pick[];
  readonly explanation: Explanation;
  /** Each is a set of picks to drop, after which the rest can hold together. */
  readonly repairs: readonly (readonly Pick[])[];
}

const repairsMax = 8;
const nodesMax = 400;

/** Undefined where the picks can hold together. */
export function findConflict(reasoner: Reasoner, picks: Picks): Conflict | undefined {
  const literals = [...new Set(reasoner.literalsOf(picks))];
  if (reasoner.satisfiable(literals)) return undefined;
  const minimal = minimalConflict(reasoner, literals);
  const pickOf = (literal: number): Pick => ({ path: reasoner.pathOf(literal), selected: literal > 0 });
  return {
    picks: minimal.map(pickOf),
    explanation: explainContradiction(reasoner, minimal) as Explanation,
    repairs: repairs(reasoner, literals).map((dropped) => dropped.map(pickOf)),
  };
}

/** A minimal subset of contradictory literals, in their order; empty where the model is void. */
export function minimalConflict(reasoner: Reasoner, literals: readonly number[]): number[] {
  const search = (background: readonly number[], added: boolean, rest: readonly number[]): number[] => {
    if (added && !reasoner.satisfiable(background)) return [];
    if (rest.length === 1) return [...rest];
    const half = rest.length >> 1;
    const [left, right] = [rest.slice(0, half), rest.slice(half)];
    const fromRight = search([...background, ...left], true, right);
    const fromLeft = search([...background, ...fromRight], fromRight.length > 0, left);
    return [...fromLeft, ...fromRight];
  };
  return reasoner.satisfiable([]) ? search([], false, literals) : [];
}

function repairs(reasoner: Reasoner, literals: readonly number[]): number[][] {
  const found: number[][] = [];
  const seen = new Set<string>();
  const queue: number[][] = [[]];
  for (let head = 0; head < queue.length && head < nodesMax && found.length < repairsMax; head++) {
    const dropped = queue[head];
    if (found.some((repair) => repair.every((literal) => dropped.includes(literal)))) continue;
    const rest = literals.filter((literal) => !dropped.includes(literal));
    if (reasoner.satisfiable(rest)) {
      found.push(dropped);
      continue;
    }
    for (const literal of minimalConflict(reasoner, rest).reverse()) {
      const next = [...dropped, literal].sort((one, other) => literals.indexOf(one) - literals.indexOf(other));
      if (seen.has(next.join())) continue;
      seen.add(next.join());
      queue.push(next);
    }
  }
  return found;
}
