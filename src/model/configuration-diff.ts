/**
 * What differs between two configurations of one model: the leaves that only one has, by variation point, and what
 * forces each where it is.
 *
 * A leaf is forced by the other leaves of its configuration where no valid selection has these without it; the
 * explanation is the chain of edges. Otherwise it is a choice. Both are asked of the solver.
 */
import { explainConsequence } from "./explain.ts";
import type { Reasoner } from "./reasoner.ts";

export interface LeafDifference {
  readonly path: string;
  /** The group below which it was chosen, or left out. */
  readonly point: string;
  /** Its configuration could do without it. */
  readonly choice: boolean;
  /** Sentences, from what forces it to the leaf; empty for a choice. */
  readonly because: readonly string[];
}

export interface ConfigurationDifference {
  readonly onlyBefore: readonly LeafDifference[];
  readonly onlyAfter: readonly LeafDifference[];
  /** Leaves that both have. */
  readonly shared: number;
  /** Points at which both chose, and differently. */
  readonly points: readonly PointDifference[];
}

export interface PointDifference {
  readonly point: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Leaves of each, in any order. Errors: NOT_FOUND for unknown paths, with the nearest. */
export function diffConfigurations(
  reasoner: Reasoner,
  before: readonly string[],
  after: readonly string[],
): ConfigurationDifference {
  const { model } = reasoner;
  const [left, right] = [model.sorted(new Set(before)), model.sorted(new Set(after))];
  const without = (one: readonly string[], other: readonly string[]) => one.filter((path) => !other.includes(path));
  const describe = (path: string, leaves: readonly string[]): LeafDifference => {
    const others = leaves.filter((one) => one !== path).map((one) => reasoner.literal(one));
    const steps = explainConsequence(reasoner, others, reasoner.literal(path))?.steps;
    const because = (steps ?? []).filter(({ rule }) => rule !== "pick").map(({ sentence }) => sentence);
    return { path, point: model.feature(path).parent ?? path, choice: steps === undefined, because };
  };
  const onlyBefore = without(left, right).map((path) => describe(path, left));
  const onlyAfter = without(right, left).map((path) => describe(path, right));
  const pointsOf = (some: readonly LeafDifference[]) => Map.groupBy(some, ({ point }) => point);
  const [pointsBefore, pointsAfter] = [pointsOf(onlyBefore), pointsOf(onlyAfter)];
  const points = [...pointsBefore].flatMap(([point, own]): PointDifference[] => {
    const other = pointsAfter.get(point);
    if (other === undefined) return [];
    return [{ point, before: own.map(({ path }) => path), after: other.map(({ path }) => path) }];
  });
  return { onlyBefore, onlyAfter, shared: left.length - onlyBefore.length, points };
}
