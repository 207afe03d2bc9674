/**
 * Cycles of `requires`: no order of building satisfies them. A feature needs what its ancestors need too.
 * Strongly connected components by Tarjan's algorithm (1972), without recursion; then the shortest cycle of each.
 */
import type { FeatureModel } from "./feature-model.ts";

/** Each cycle from a first feature back to itself, without repeating it at the end. */
export function requiresCycles(model: FeatureModel): string[][] {
  const targets = (path: string): string[] =>
    [path, ...model.ancestors(path)].flatMap((one) =>
      model.edgesFrom(one).filter(({ kind }) => kind === "requires").map(({ to }) => to));
  const successors = new Map(model.features.map(({ path }) => [path, targets(path)]));
  return components(successors)
    .filter((members) => members.length > 1 || successors.get(members[0])?.includes(members[0]))
    .map((members) => shortestCycle(successors, new Set(members)));
}

/** Strongly connected components of a graph. */
export function components(successors: ReadonlyMap<string, readonly string[]>): string[][] {
  const numbers = new Map<string, number>();
  const lows = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const found: string[][] = [];
  for (const start of successors.keys()) {
    if (numbers.has(start)) continue;
    const path: { node: string; next: number }[] = [];
    const enter = (node: string) => {
      numbers.set(node, numbers.size);
      lows.set(node, numbers.size - 1);
      stack.push(node);
      onStack.add(node);
      path.push({ node, next: 0 });
    };
    enter(start);
    while (path.length > 0) {
      const frame = path[path.length - 1];
      const { node } = frame;
      const target = (successors.get(node) ?? [])[frame.next++];
      if (target === undefined) {
        path.pop();
        const above = path.at(-1);
        if (above !== undefined) lows.set(above.node, Math.min(low(lows, above.node), low(lows, node)));
        if (low(lows, node) === numbers.get(node)) {
          const members = stack.splice(stack.lastIndexOf(node));
          for (const member of members) onStack.delete(member);
          found.push(members);
        }
      } else if (!numbers.has(target)) enter(target);
      else if (onStack.has(target)) lows.set(node, Math.min(low(lows, node), numbers.get(target) as number));
    }
  }
  return found;
}

function low(lows: ReadonlyMap<string, number>, node: string): number {
  return lows.get(node) as number;
}

function shortestCycle(successors: ReadonlyMap<string, readonly string[]>, members: ReadonlySet<string>): string[] {
  let best: string[] | undefined;
  for (const start of members) {
    const before = new Map<string, string>();
    const queue = [start];
    for (let head = 0; head < queue.length && !before.has(start); head++) {
      for (const next of successors.get(queue[head]) ?? []) {
        if (!members.has(next) || before.has(next)) continue;
        before.set(next, queue[head]);
        queue.push(next);
      }
    }
    const cycle = [start];
    for (let at = before.get(start) as string; at !== start; at = before.get(at) as string) cycle.unshift(at);
    if (best === undefined || cycle.length < best.length) best = [cycle.at(-1) as string, ...cycle.slice(0, -1)];
  }
  return best ?? [];
}
