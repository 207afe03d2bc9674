/**
 * Cooperate components: union-find over cooperate edges and declared groups.
 *
 * A component is a maximal set of leaves joined by cooperate edges; leaves that cooperate with none are in no
 * component. Union by smaller name and path halving: the root of a set is its smallest path, so the result does not
 * depend on the order of edges. Source: SpecDB, section 4.2.
 */
export interface Component {
  /** Sorted; at least two. */
  readonly members: readonly string[];
  /** `contract/…`, unique in the plan. */
  readonly name: string;
}

/** A name for a component whose members it shares; the one that shares most is taken. */
export interface DeclaredContract {
  readonly name: string;
  readonly members: readonly string[];
}

export function findComponents(
  ties: readonly (readonly string[])[],
  declared: readonly DeclaredContract[],
): Component[] {
  const sets = new DisjointSets();
  for (const tie of ties) for (const member of tie) sets.union(tie[0], member);
  return nameComponents(sets.all().filter((members) => members.length > 1), declared);
}

class DisjointSets {
  readonly #parents = new Map<string, string>();

  find(name: string): string {
    let at = name;
    for (let parent = this.#parents.get(at); parent !== undefined && parent !== at; parent = this.#parents.get(at)) {
      const grandparent = this.#parents.get(parent) ?? parent;
      this.#parents.set(at, grandparent);
      at = grandparent;
    }
    this.#parents.set(at, at);
    return at;
  }

  union(one: string, other: string): void {
    const [smaller, larger] = [this.find(one), this.find(other)].sort();
    this.#parents.set(larger, smaller);
  }

  /** Members of each set sorted, sets by their smallest member. */
  all(): string[][] {
    const sets = new Map<string, string[]>();
    for (const name of [...this.#parents.keys()].sort()) {
      const root = this.find(name);
      sets.set(root, [...(sets.get(root) ?? []), name]);
    }
    return [...sets.values()];
  }
}

/** Declared names first, the largest overlap before; else the last names of the smallest path, as few as are unique. */
function nameComponents(sets: readonly string[][], declared: readonly DeclaredContract[]): Component[] {
  const names = new Map<string[], string>();
  const overlaps = declared.flatMap(({ name, members }) =>
    sets.map((set) => ({ name, set, shared: set.filter((one) => members.includes(one)).length })),
  );
  overlaps.sort(
    (one, other) =>
      other.shared - one.shared || compare(one.name, other.name) || compare(one.set[0], other.set[0]),
  );
  const taken = new Set<string>();
  for (const { name, set, shared } of overlaps) {
    if (shared === 0 || names.has(set) || taken.has(name)) continue;
    names.set(set, name);
    taken.add(name);
  }
  for (const set of sets) {
    if (names.has(set)) continue;
    const name = freeName(set[0], taken);
    names.set(set, name);
    taken.add(name);
  }
  return sets.map((members) => ({ members, name: names.get(members) as string }));
}

function freeName(smallest: string, taken: ReadonlySet<string>): string {
  const parts = smallest.split("/");
  for (let count = 1; count <= parts.length; count++) {
    const name = `contract/${parts.slice(-count).join("_")}_coord`;
    if (!taken.has(name)) return name;
  }
  // Paths are unique, so this is reached only where declared names stand in the way.
  let number = 2;
  while (taken.has(`contract/${parts.join("_")}_${number}_coord`)) number++;
  return `contract/${parts.join("_")}_${number}_coord`;
}

export function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
