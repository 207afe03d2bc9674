/**
 * A directed graph over names: what depends on what. Every answer is the same whatever the order in which nodes and
 * edges came, because nodes and neighbours are visited by name.
 *
 * Cycles and shortest paths are found by breadth-first search (O(nodes + edges) each), the order by Kahn's algorithm
 * with the ready node of the smallest name first.
 */
export class DirectedGraph {
  readonly #targets = new Map<string, Set<string>>();

  constructor(nodes: Iterable<string> = []) {
    for (const node of nodes) this.addNode(node);
  }

  addNode(node: string): void {
    if (!this.#targets.has(node)) this.#targets.set(node, new Set());
  }

  /** `source` depends on `target`. */
  addEdge(source: string, target: string): void {
    this.addNode(source);
    this.addNode(target);
    this.#targets.get(source)?.add(target);
  }

  get nodes(): string[] {
    return [...this.#targets.keys()].sort();
  }

  has(source: string, target: string): boolean {
    return this.#targets.get(source)?.has(target) ?? false;
  }

  targetsOf(node: string): string[] {
    return [...(this.#targets.get(node) ?? [])].sort();
  }

  /** Whether `target` can be reached from one of `sources` over at least no edge. */
  reaches(sources: Iterable<string>, target: string): boolean {
    const seen = new Set<string>(sources);
    const waiting = [...seen];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (node === target) return true;
      for (const next of this.#targets.get(node) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        waiting.push(next);
      }
    }
    return false;
  }

  /** Nodes from `source` to `target`, both included, over at least one edge; undefined where there is none. */
  shortestPath(source: string, target: string): string[] | undefined {
    const from = new Map<string, string>();
    const waiting = [source];
    for (let at = 0; at < waiting.length; at++) {
      const node = waiting[at];
      for (const next of this.targetsOf(node)) {
        if (next === target) {
          const path = [target, node];
          for (let step = node; step !== source; ) path.push((step = from.get(step) as string));
          return path.reverse();
        }
        if (from.has(next) || next === source) continue;
        from.set(next, node);
        waiting.push(next);
      }
    }
    return undefined;
  }

  /** The first and last name are the same. Of the shortest cycles the one whose start has the smallest name. */
  shortestCycle(): string[] | undefined {
    if (this.order() !== undefined) return undefined;
    let best: string[] | undefined;
    for (const node of this.nodes) {
      const cycle = this.shortestPath(node, node);
      if (cycle !== undefined && (best === undefined || cycle.length < best.length)) best = cycle;
    }
    return best;
  }

  /** Every node after all that it depends on; undefined where there is a cycle. */
  order(): string[] | undefined {
    const dependents = new Map<string, string[]>();
    const open = new Map<string, number>();
    for (const [node, targets] of this.#targets) {
      open.set(node, targets.size);
      for (const target of targets) dependents.set(target, [...(dependents.get(target) ?? []), node]);
    }
    let ready = this.nodes.filter((node) => open.get(node) === 0);
    const ordered: string[] = [];
    while (ready.length > 0) {
      const next: string[] = [];
      for (const node of ready) {
        ordered.push(node);
        for (const dependent of dependents.get(node) ?? []) {
          const left = (open.get(dependent) ?? 0) - 1;
          open.set(dependent, left);
          if (left === 0) next.push(dependent);
        }
      }
      ready = next.sort();
    }
    return ordered.length === this.#targets.size ? ordered : undefined;
  }
}
