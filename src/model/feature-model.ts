/**
 * The feature model: an immutable tree of features with groups, edges that cross it, and free constraints.
 *
 * Built once by `build-model.ts`, which has checked that names are unique, parents and endpoints exist and the tree is
 * a tree. Features stand in depth-first order, the root first; siblings of one group stand together. Everything derived
 * (leaves, positions, edges by end) is computed at construction, so a look-up costs a map access.
 */
import { LatheError } from "../kit/errors.ts";
import type { Constraint, Edge, EdgeKind, Feature, Group } from "./feature.ts";
import { nearestPaths } from "./nearest-paths.ts";

export interface ModelParts {
  readonly name: string;
  readonly features: readonly Feature[];
  readonly groups: readonly Group[];
  readonly edges: readonly Edge[];
  readonly constraints: readonly Constraint[];
}

export class FeatureModel {
  readonly name: string;
  /** Depth first; the root is the first. */
  readonly features: readonly Feature[];
  readonly groups: readonly Group[];
  readonly edges: readonly Edge[];
  readonly constraints: readonly Constraint[];
  readonly root: Feature;
  /** Features without children, in model order. */
  readonly leaves: readonly Feature[];
  readonly #positions = new Map<string, number>();
  readonly #edgesFrom = new Map<string, Edge[]>();
  readonly #edgesTo = new Map<string, Edge[]>();

  constructor(parts: ModelParts) {
    this.name = parts.name;
    this.features = parts.features;
    this.groups = parts.groups;
    this.edges = parts.edges;
    this.constraints = parts.constraints;
    this.root = parts.features[0];
    this.leaves = parts.features.filter((feature) => feature.kind === "leaf");
    parts.features.forEach((feature, position) => this.#positions.set(feature.path, position));
    for (const edge of parts.edges) {
      listAt(this.#edgesFrom, edge.from).push(edge);
      listAt(this.#edgesTo, edge.to).push(edge);
    }
  }

  has(path: string): boolean {
    return this.#positions.has(path);
  }

  find(path: string): Feature | undefined {
    const position = this.#positions.get(path);
    return position === undefined ? undefined : this.features[position];
  }

  /** Errors: NOT_FOUND with the nearest paths in the message and in `details.nearest`. */
  feature(path: string): Feature {
    return this.features[this.position(path)];
  }

  /** Position in `features`, from 0. Errors as `feature`. */
  position(path: string): number {
    const position = this.#positions.get(path);
    if (position !== undefined) return position;
    const nearest = nearestPaths(this, path);
    const offer = nearest.length === 0 ? "lathe model find WORD searches" : `nearest: ${nearest.join(", ")}`;
    const asked = path === "" ? '""' : path;
    throw new LatheError("NOT_FOUND", `the model has no feature ${asked}; ${offer}`, { details: { path, nearest } });
  }

  /** Children of the root: the modules of a database. */
  get modules(): readonly string[] {
    return this.root.children;
  }

  /** The module that a feature belongs to: its ancestor below the root. Undefined for the root. */
  moduleOf(path: string): string | undefined {
    const chain = [path, ...this.ancestors(path)];
    return chain.at(-2);
  }

  /** From the parent up to the root. */
  ancestors(path: string): string[] {
    const found: string[] = [];
    for (let at = this.feature(path).parent; at !== undefined; at = this.feature(at).parent) found.push(at);
    return found;
  }

  /** The feature and all below it, depth first. */
  subtree(path: string): Feature[] {
    const top = this.feature(path);
    return [top, ...top.children.flatMap((child) => this.subtree(child))];
  }

  leavesBelow(path: string): Feature[] {
    return this.subtree(path).filter((feature) => feature.kind === "leaf");
  }

  groupOf(path: string): Group | undefined {
    const { group } = this.feature(path);
    return group === undefined ? undefined : this.groups[group];
  }

  /** Groups of a feature's children, in order. */
  groupsBelow(path: string): Group[] {
    const numbers = new Set(this.feature(path).children.map((child) => this.feature(child).group));
    return [...numbers].flatMap((number) => (number === undefined ? [] : [this.groups[number]]));
  }

  edgesFrom(path: string): readonly Edge[] {
    return this.#edgesFrom.get(path) ?? [];
  }

  edgesTo(path: string): readonly Edge[] {
    return this.#edgesTo.get(path) ?? [];
  }

  edgesOf(kind: EdgeKind): Edge[] {
    return this.edges.filter((edge) => edge.kind === kind);
  }

  /** The paths and everything above them: what is selected with them by the tree alone. In model order. */
  withAncestors(paths: Iterable<string>): string[] {
    const all = new Set<string>();
    for (const path of paths) {
      all.add(path);
      for (const ancestor of this.ancestors(path)) all.add(ancestor);
    }
    return this.sorted(all);
  }

  /** In model order. */
  sorted(paths: Iterable<string>): string[] {
    return [...paths].sort((one, other) => this.position(one) - this.position(other));
  }
}

function listAt(lists: Map<string, Edge[]>, key: string): Edge[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, (list = []));
  return list;
}
