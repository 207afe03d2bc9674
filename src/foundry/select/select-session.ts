/**
 * A walk through the variation points of a selection: at each, what was decided and why, what else could be, and what a
 * different pick would contradict.
 *
 *   1. One selection is made at the beginning; its open points are the alternatives (`xor`) that it went through and
 *      the optional features that rules decide on. A point at which nothing else can be is not asked.
 *   2. A pick is held against the contract's demands and the picks before it by the solver alone, in milliseconds. What
 *      was decided at points before and cannot stay is told; a contradiction comes with its reason and with repairs.
 *   3. The whole selection is made anew at the end, from the picks as overrides; so is whatever lies below a newly
 *      picked feature.
 */
import type { Contract } from "../../contract/contract.ts";
import { findConflict } from "../../model/conflict.ts";
import { explanationText } from "../../model/explain.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { Reasoner } from "../../model/reasoner.ts";
import { implementedLeaves } from "../part-descriptor.ts";
import { demandsOf, type Demand } from "./demands.ts";
import type { DesignSpace } from "./design-space.ts";
import { factsOf } from "./facts.ts";
import type { FeatureSelection } from "./feature-selection.ts";
import { type Overrides, selectFeatures } from "./select-features.ts";

export interface Alternative {
  /** A feature; for an optional one `null` stands for leaving it out. */
  readonly path: string | null;
  readonly description: string;
  readonly hasPart: boolean;
  readonly possible: boolean;
}

export interface VariationPoint {
  readonly path: string;
  readonly description: string;
  readonly decided: string | null;
  readonly because: string;
  readonly alternatives: readonly Alternative[];
}

export interface Repair {
  /** Points whose picks would be taken back. */
  readonly points: readonly string[];
  readonly text: string;
}

export type PickOutcome =
  | { readonly ok: true; readonly changes: readonly string[] }
  | { readonly ok: false; readonly because: string; readonly repairs: readonly Repair[] };

export class SelectSession {
  readonly selection: FeatureSelection;
  readonly #space: DesignSpace;
  readonly #contract: Contract;
  readonly #reasoner: Reasoner;
  readonly #demands: readonly Demand[];
  readonly #implemented: ReadonlySet<string>;
  readonly #overrides: Overrides;
  readonly #points: readonly Omit<VariationPoint, "alternatives">[];
  readonly #picks = new Map<string, Pick>();

  /** Errors: those of `selectFeatures`. */
  constructor(space: DesignSpace, contract: Contract, overrides: Overrides) {
    this.#space = space;
    this.#contract = contract;
    this.#overrides = overrides;
    this.selection = selectFeatures({ ...space, contract, overrides });
    this.#reasoner = new Reasoner(space.model);
    this.#demands = demandsOf(overrides, space.rules, factsOf(contract));
    this.#implemented = new Set(space.library.flatMap(implementedLeaves));
    this.#points = pointsOf(this.selection, space);
  }

  /** Points at which something else than what was decided can be, in the order of rules, then of the model. */
  *points(): Generator<VariationPoint> {
    for (const point of this.#points) {
      const alternatives = this.#alternatives(point);
      if (!alternatives.some(({ path, possible }) => possible && path !== point.decided)) continue;
      const stands = alternatives.find(({ path }) => path === point.decided)?.possible ?? false;
      if (stands) yield { ...point, alternatives };
      else {
        const first = alternatives.filter(({ possible }) => possible).sort(
          (one, other) => +other.hasPart - +one.hasPart
        )[0];
        const because = `${point.decided ?? "leaving it out"} cannot be with what you picked`;
        yield { ...point, decided: first.path, because, alternatives };
      }
    }
  }

  /** Takes a pick, unless it contradicts what stands. */
  pick(point: string, path: string | null): PickOutcome {
    const before = this.#points.find((one) => one.path === point);
    if (before === undefined) return { ok: false, because: `${point} is no open point`, repairs: [] };
    const pick: Pick = path === null ? { path: point, selected: false } : { path, selected: true };
    this.#picks.delete(point);
    if (path === before.decided && this.#satisfiable([pick])) return { ok: true, changes: [] };
    if (!this.#satisfiable([pick])) return this.#conflict(pick);
    const possible = (decided: string | null, at: string) =>
      this.#satisfiable([decided === null ? { path: at, selected: false } : { path: decided, selected: true }]);
    const earlier = this.#points.filter(
      (one) => !this.#picks.has(one.path) && one.path !== point && possible(one.decided, one.path)
    );
    this.#picks.set(point, pick);
    const changes = earlier.filter((one) => !possible(one.decided, one.path))
      .map((one) => `${one.decided ?? `leaving ${one.path} out`} can no longer be`);
    return { ok: true, changes };
  }

  /** Takes back the picks of points. */
  drop(points: readonly string[]): void {
    for (const point of points) this.#picks.delete(point);
  }

  /** What the walk comes to, together with the overrides that it began with. */
  get overrides(): Overrides {
    const picks = [...this.#picks.values()];
    return {
      ...this.#overrides,
      with: [
        ...new Set([...this.#overrides.with, ...picks.filter(({ selected }) => selected).map(({ path }) => path)])
      ],
      without: [
        ...new Set([...this.#overrides.without, ...picks.filter(({ selected }) => !selected).map(({ path }) => path)])
      ],
    };
  }

  finish(): FeatureSelection {
    return selectFeatures({ ...this.#space, contract: this.#contract, overrides: this.overrides });
  }

  #alternatives({ path, decided }: Omit<VariationPoint, "alternatives">): Alternative[] {
    const { model } = this.#space;
    const feature = model.feature(path);
    const optional = decided === null || decided === path;
    const paths = optional ? [path] : feature.children.filter((child) => model.feature(child).relation === "xor");
    const found = paths.map((one): Alternative => ({
      path: one,
      description: model.feature(one).description,
      hasPart: model.leavesBelow(one).some((leaf) => this.#implemented.has(leaf.path)),
      possible: this.#satisfiable([{ path: one, selected: true }], path),
    }));
    if (!optional) return found;
    const out = this.#satisfiable([{ path, selected: false }], path);
    return [...found, { path: null, description: "leave it out", hasPart: true, possible: out }];
  }

  /** `but`: a point whose own pick does not count. */
  #standing(but?: string): Pick[] {
    const picks = [...this.#picks].filter(([point]) => point !== but).map(([, pick]) => pick);
    return [...this.#demands.map(({ path, selected }) => ({ path, selected })), ...picks];
  }

  #satisfiable(more: readonly Pick[], but?: string): boolean {
    const literals = [...this.#standing(but), ...more].map(
      ({ path, selected }) => this.#reasoner.literal(path, selected)
    );
    return this.#reasoner.satisfiable(literals);
  }

  #conflict(pick: Pick): PickOutcome {
    const all = [...this.#standing(), pick];
    const conflict = findConflict(this.#reasoner, {
      chosen: all.filter(({ selected }) => selected).map(({ path }) => path),
      excluded: all.filter(({ selected }) => !selected).map(({ path }) => path),
    });
    if (conflict === undefined) return { ok: false, because: `${pick.path} cannot be`, repairs: [] };
    const involved = conflict.picks.filter(({ path }) => path !== pick.path).map(({ path, selected }) => {
      const demand = this.#demands.find((one) => one.path === path && one.selected === selected);
      return demand?.because ?? `${path} is ${selected ? "picked" : "left out"} by you`;
    });
    const pointOf = new Map([...this.#picks].map(([point, { path }]) => [path, point]));
    const repairs = conflict.repairs
      .filter((dropped) => dropped.every(({ path }) => pointOf.has(path)))
      .map((dropped): Repair => ({
        points: dropped.map(({ path }) => pointOf.get(path) ?? path),
        text: `take back ${dropped.map(({ path }) => path).join(" and ")}`,
      }));
    const because = [...involved, explanationText(conflict.explanation)].join("\n");
    return { ok: false, because, repairs };
  }
}

interface Pick {
  readonly path: string;
  readonly selected: boolean;
}

function pointsOf(selection: FeatureSelection, space: DesignSpace): Omit<VariationPoint, "alternatives">[] {
  const { model, rules } = space;
  const points = new Map<string, Omit<VariationPoint, "alternatives">>();
  const selected = new Set(model.withAncestors(selection.leaves));
  for (const rule of rules.rules) {
    for (const path of [...(rule.choose ?? []), ...(rule.exclude ?? [])]) {
      const way = [...model.ancestors(path).toReversed(), path];
      for (const one of way) addPoint(points, one, selected, selection, model);
    }
  }
  for (const path of model.sorted(selected)) addPoint(points, path, selected, selection, model);
  return [...points.values()];
}

/** The point that a feature decides: that of its parent, where it is one of several; its own, where it is optional. */
function addPoint(
  points: Map<string, Omit<VariationPoint, "alternatives">>,
  path: string,
  selected: ReadonlySet<string>,
  selection: FeatureSelection,
  model: FeatureModel,
): void {
  const { relation, parent, description } = model.feature(path);
  const reasonOf = (one: string) =>
    selection.decisions.find((decision) => decision.path === one || decision.path.startsWith(`${one}/`))?.because;
  if (relation === "xor" && parent !== undefined && selected.has(path) && !points.has(parent)) {
    const because = reasonOf(path) ?? "";
    points.set(parent, { path: parent, description: model.feature(parent).description, decided: path, because });
  }
  if (relation !== "optional" || points.has(path)) return;
  const isRules = selection.decisions.some((decision) => decision.path === path && decision.origin === "rule");
  const excluded = selection.excluded.find((one) => one.path === path)?.because;
  if (isRules) points.set(path, { path, description, decided: path, because: reasonOf(path) ?? "" });
  else if (excluded !== undefined) points.set(path, { path, description, decided: null, because: excluded });
}
