/**
 * What has to be added to what is built so that a missing feature can be: the closure of its needs, each with its
 * reason.
 *
 * Steps, from the feature that is asked for:
 *   1. a group stands for the alternative that is its first member in model order without a conflict, and for what is
 *      mandatory below it;
 *   2. of a new leaf and each group above it, every `requires` edge whose end has no selected leaf brings that end;
 *   3. a group that was empty so far brings what is mandatory below it.
 * What is built stays: an alternative or a mutex edge that stands against it is an error that names both sides.
 * References that the paper's Route B follows too bind only what is selected, so they are offered and not added.
 * Source: SpecDB, section 4.4 (Route B).
 */
import { LatheError } from "../../kit/errors.ts";
import type { FeatureModel } from "../../model/feature-model.ts";

export interface AddedLeaf {
  readonly path: string;
  /** In one clause: `asked for`, `required by … (…)`, `default of …`, `mandatory below …`. */
  readonly because: string;
}

export interface Addition {
  /** In the order in which they were found. */
  readonly added: readonly AddedLeaf[];
  /** What new leaves would agree with if it were selected. */
  readonly offered: readonly AddedLeaf[];
}

/** Errors: NOT_FOUND with the nearest paths; ALREADY_EXISTS; INVALID_ARGUMENT for conflicts, with both sides. */
export function closeAddition(model: FeatureModel, built: readonly string[], path: string): Addition {
  const feature = model.feature(path);
  const selected = new Set(built);
  const inside = (at: string) => model.leavesBelow(at).find((leaf) => selected.has(leaf.path))?.path;
  const already = inside(path);
  if (already !== undefined) {
    const what = feature.kind === "leaf" ? `${path} is` : `${already}, which is below ${path}, is`;
    throw new LatheError("ALREADY_EXISTS", `${what} in the plan already`, { details: { path: already } });
  }
  const closing = new Closing(model, selected);
  closing.choose(path, "asked for");
  closing.finish();
  return { added: closing.added, offered: closing.offered() };
}

class Closing {
  readonly added: AddedLeaf[] = [];
  readonly #model: FeatureModel;
  readonly #selected: Set<string>;
  /** Groups that were empty before, whose mandatory members are still to be looked at. */
  readonly #opened: string[] = [];
  #at = 0;

  constructor(model: FeatureModel, selected: Set<string>) {
    this.#model = model;
    this.#selected = selected;
  }

  /** Selects a leaf, or of a group what is mandatory and one of each set of alternatives. */
  choose(path: string, because: string): void {
    const feature = this.#model.feature(path);
    if (feature.kind === "leaf") {
      this.#add(path, because);
      return;
    }
    for (const group of this.#model.groupsBelow(path)) {
      if (group.relation === "mandatory") {
        for (const member of group.members) if (!this.#has(member)) this.choose(member, `mandatory below ${path}`);
      } else if (group.relation !== "optional" && !group.members.some((member) => this.#has(member))) {
        const free = group.members.find((member) => this.#conflictOf(member) === undefined) ?? group.members[0];
        const why = `${because}; default of ${path}`;
        this.choose(free, why);
      }
    }
    // A group of options only: the first, so that the feature is there at all.
    if (!this.#has(path)) this.choose(feature.children[0], `${because}; default of ${path}`);
  }

  finish(): void {
    for (; this.#at < this.added.length; this.#at++) {
      const { path } = this.added[this.#at];
      for (const above of this.#opened.splice(0)) this.#fillMandatory(above);
      for (const above of [path, ...this.#model.ancestors(path)]) {
        for (const { kind, to, reason } of this.#model.edgesFrom(above)) {
          if (kind === "requires" && !this.#has(to)) this.choose(to, `required by ${path} (${reason})`);
        }
      }
    }
  }

  offered(): AddedLeaf[] {
    const found = new Map<string, AddedLeaf>();
    for (const { path } of this.added) {
      for (const above of [path, ...this.#model.ancestors(path)]) {
        for (const { kind, to, reason } of this.#model.edgesFrom(above)) {
          if (kind !== "reference" || this.#has(to) || found.has(to)) continue;
          found.set(to, { path: to, because: `${path} would agree with it (${reason})` });
        }
      }
    }
    return [...found.values()];
  }

  #has(path: string): boolean {
    return this.#model.leavesBelow(path).some((leaf) => this.#selected.has(leaf.path));
  }

  #add(path: string, because: string): void {
    if (this.#selected.has(path)) return;
    const conflict = this.#conflictOf(path);
    if (conflict !== undefined) {
      const message = `${path} (${because}) cannot be added: ${conflict}`;
      throw new LatheError("INVALID_ARGUMENT", message, { details: { path, because, conflict } });
    }
    this.#opened.push(...this.#model.ancestors(path).filter((above) => !this.#has(above)));
    this.#selected.add(path);
    this.added.push({ path, because });
  }

  #fillMandatory(path: string): void {
    for (const group of this.#model.groupsBelow(path)) {
      if (group.relation !== "mandatory") continue;
      for (const member of group.members) if (!this.#has(member)) this.choose(member, `mandatory below ${path}`);
    }
  }

  /** What is selected and stands against a feature, in one clause; undefined where nothing does. */
  #conflictOf(path: string): string | undefined {
    for (const above of [path, ...this.#model.ancestors(path)]) {
      const group = this.#model.groupOf(above);
      const rival = group?.relation === "xor" && group.members.find((one) => one !== above && this.#has(one));
      if (group !== undefined && rival) return `${rival} is selected, and ${group.parent} takes one of them`;
      const edges = [...this.#model.edgesFrom(above), ...this.#model.edgesTo(above)];
      for (const { kind, from, to, reason } of edges) {
        const other = from === above ? to : from;
        if (kind === "mutex" && this.#has(other)) return `${other} is selected and excludes ${above} (${reason})`;
      }
    }
    return undefined;
  }
}

/** The leaves that picks (leaves and groups) bring with all that they need. Errors: those of `closeAddition`. */
export function closeSelection(model: FeatureModel, picks: readonly string[]): string[] {
  const closing = new Closing(model, new Set());
  const groupsLast = [...picks].sort((one, other) => rank(model, one) - rank(model, other));
  for (const pick of groupsLast) closing.choose(pick, "picked");
  closing.finish();
  return model.sorted(closing.added.map(({ path }) => path));
}

/** Leaves before groups, so that a group finds what is chosen below it. */
function rank(model: FeatureModel, path: string): number {
  return model.feature(path).kind === "leaf" ? 0 : 1;
}
