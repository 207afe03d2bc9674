/**
 * Closing: a set of selected leaves that grows by what its members need, where everything selected knows why it is.
 *
 * Steps:
 *   1. picks are leaves, or groups, which stand for one of their alternatives and for what is mandatory below them;
 *   2. `finish` goes through the leaves in the order in which they came: of each leaf and each group above it, every
 *      `requires` edge whose end has no selected leaf brings that end; a group that was empty before brings what is
 *      mandatory below it, and one of each set of alternatives;
 *   3. where one of several has to be chosen, the first in order of preference without a conflict is taken.
 * Nothing selected is ever dropped: what stands against a new leaf (an alternative, a mutex edge, an exclusion) ends
 * the closing with a conflict that names both. Choices are not taken back either, so a conflict does not prove that
 * there is no selection.
 */
import { LatheError } from "../../kit/errors.ts";
import type { FeatureModel } from "../../model/feature-model.ts";

/** How a leaf came in. `picked`: from outside; `default`: as one of several that would do. */
export type Entry = "picked" | "required" | "mandatory" | "default";

export interface ClosedLeaf {
  readonly path: string;
  readonly entry: Entry;
  /** One clause: `required by … (…)`, `default of …`, `mandatory below …`, or what the picker said. */
  readonly because: string;
  /** The selected leaf that brought it; undefined for picks. */
  readonly by: string | undefined;
  /** The pick at the start of that chain. */
  readonly root: string;
}

/** In `details` of the error with which a closing ends. */
export interface ClosingConflict {
  readonly path: string;
  readonly entry: Entry;
  /** The selected leaf that needs `path`. */
  readonly by: string | undefined;
  /** The pick that led to `path`. */
  readonly root: string;
  readonly because: string;
  /** The selected leaf that stands against it; undefined where `path` was excluded. */
  readonly against: string | undefined;
  readonly againstRoot: string | undefined;
  readonly conflict: string;
}

export interface ClosingOptions {
  /** Leaves and groups that must stay out, each with the reason. */
  readonly excluded?: ReadonlyMap<string, string>;
  /** The smaller the earlier; equal ones in model order. */
  readonly preference?: (path: string) => number;
}

interface Cause {
  readonly entry: Entry;
  readonly because: string;
  readonly by: string | undefined;
  readonly root: string;
}

export class Closing {
  /** What was selected after the start, in the order in which it came. */
  readonly added: ClosedLeaf[] = [];
  readonly #model: FeatureModel;
  readonly #leaves = new Map<string, ClosedLeaf | undefined>();
  /** Selected leaves below each feature, itself included. */
  readonly #counts = new Map<string, number>();
  readonly #excluded: ReadonlyMap<string, string>;
  readonly #preference: (path: string) => number;
  readonly #opened: string[] = [];
  #at = 0;

  constructor(model: FeatureModel, start: Iterable<string> = [], options: ClosingOptions = {}) {
    this.#model = model;
    this.#excluded = options.excluded ?? new Map();
    this.#preference = options.preference ?? (() => 0);
    for (const path of start) this.#count(path, undefined);
  }

  has(path: string): boolean {
    return (this.#counts.get(path) ?? 0) > 0;
  }

  /** Why a leaf is selected; undefined for what was there from the start. */
  reasonOf(leaf: string): ClosedLeaf | undefined {
    return this.#leaves.get(leaf);
  }

  /** Errors: INVALID_ARGUMENT with a `ClosingConflict` as `details.closing`. */
  pick(path: string, because: string): void {
    this.#choose(path, { entry: "picked", because, by: undefined, root: path });
  }

  /** Errors: as `pick`. */
  finish(): void {
    for (; this.#at < this.added.length; this.#at++) {
      const { path, root } = this.added[this.#at];
      for (const above of this.#opened.splice(0)) this.#fill(above, path, root);
      for (const above of [path, ...this.#model.ancestors(path)]) {
        for (const { kind, to, reason } of this.#model.edgesFrom(above)) {
          if (kind !== "requires" || this.has(to)) continue;
          this.#choose(to, { entry: "required", because: `required by ${path} (${reason})`, by: path, root });
        }
      }
    }
  }

  /** The choice nearest to a leaf on the way to its pick: a leaf that came in where several would have done. */
  choiceBehind(leaf: string | undefined): string | undefined {
    for (let at = leaf; at !== undefined; at = this.#leaves.get(at)?.by) {
      if (this.#leaves.get(at)?.entry === "default") return at;
    }
    return undefined;
  }

  /** What stands against a feature, in one clause. */
  conflictOf(path: string): { readonly text: string; readonly against: string | undefined } | undefined {
    for (const above of [path, ...this.#model.ancestors(path)]) {
      const out = this.#excluded.get(above);
      if (out !== undefined) return { text: out, against: undefined };
      const group = this.#model.groupOf(above);
      const rival = group?.relation === "xor" ? group.members.find((one) => one !== above && this.has(one)) : undefined;
      if (group !== undefined && rival !== undefined) {
        return { text: `${rival} is selected, and ${group.parent} takes one of them`, against: this.#leafBelow(rival) };
      }
      for (const { kind, from, to, reason } of [...this.#model.edgesFrom(above), ...this.#model.edgesTo(above)]) {
        const other = from === above ? to : from;
        if (kind !== "mutex" || !this.has(other)) continue;
        const text = `${other} is selected and excludes ${above} (${reason})`;
        return { text, against: this.#leafBelow(other) };
      }
    }
    return undefined;
  }

  #choose(path: string, cause: Cause): void {
    const feature = this.#model.feature(path);
    if (feature.kind === "leaf") {
      this.#add(path, cause);
      return;
    }
    const chosen = { ...cause, entry: "default", because: `${cause.because}; default of ${path}` } as const;
    for (const group of this.#model.groupsBelow(path)) {
      if (group.relation === "mandatory") {
        const mandatory = { ...cause, entry: "mandatory", because: `mandatory below ${path}` } as const;
        for (const member of group.members) if (!this.has(member)) this.#choose(member, mandatory);
      } else if (group.relation !== "optional" && !group.members.some((member) => this.has(member))) {
        this.#choose(this.#preferred(group.members), chosen);
      }
    }
    // A group of options only: one of them, so that the feature is there at all.
    if (!this.has(path)) this.#choose(this.#preferred(feature.children), chosen);
  }

  #preferred(members: readonly string[]): string {
    const ordered = [...members].sort((one, other) => this.#preference(one) - this.#preference(other));
    return ordered.find((member) => this.conflictOf(member) === undefined && this.#hasFreeLeaf(member)) ?? ordered[0];
  }

  #hasFreeLeaf(path: string): boolean {
    return this.#model.leavesBelow(path).some((leaf) => this.conflictOf(leaf.path) === undefined);
  }

  #add(path: string, cause: Cause): void {
    if (this.has(path)) return;
    const found = this.conflictOf(path);
    if (found !== undefined) {
      const { text: conflict, against } = found;
      const { entry, by, root, because } = cause;
      const againstRoot = against === undefined ? undefined : (this.reasonOf(against)?.root ?? against);
      const closing: ClosingConflict = { path, entry, by, root, because, against, againstRoot, conflict };
      const message = `${path} (${because}) cannot be added: ${conflict}`;
      throw new LatheError("INVALID_ARGUMENT", message, { details: { closing } });
    }
    this.#opened.push(...this.#model.ancestors(path).filter((above) => !this.has(above)));
    const leaf = { path, ...cause };
    this.#count(path, leaf);
    this.added.push(leaf);
  }

  #count(leaf: string, reason: ClosedLeaf | undefined): void {
    this.#leaves.set(leaf, reason);
    for (const above of [leaf, ...this.#model.ancestors(leaf)]) {
      this.#counts.set(above, (this.#counts.get(above) ?? 0) + 1);
    }
  }

  /** What is mandatory below a group that was empty before, and one of each set of alternatives. */
  #fill(path: string, by: string, root: string): void {
    for (const group of this.#model.groupsBelow(path)) {
      if (group.relation === "mandatory") {
        const cause = { entry: "mandatory", because: `mandatory below ${path}`, by, root } as const;
        for (const member of group.members) if (!this.has(member)) this.#choose(member, cause);
      } else if (group.min > 0 && !group.members.some((member) => this.has(member))) {
        const because = `one of those below ${path} has to be; default of ${path}`;
        this.#choose(this.#preferred(group.members), { entry: "default", because, by, root });
      }
    }
  }

  #leafBelow(path: string): string | undefined {
    return this.#model.leavesBelow(path).find((leaf) => this.has(leaf.path))?.path;
  }
}
