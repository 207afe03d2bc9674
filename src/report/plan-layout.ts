/**
 * Where the nodes and lines of a plan's picture go: layers as columns, in the manner of Sugiyama.
 *
 * Steps:
 *   1. edges that others imply are left out (transitive reduction), so that what remains can be followed;
 *   2. a line that passes columns gets a lane in each of them, shared by all lines of its kind from the same node;
 *   3. sweeps to and fro put each node beside the mean place of its neighbours in the column before (barycentre);
 *   4. boxes and lanes are stacked, and columns are centred.
 * Everything is decided by place and name, so the same plan gives the same picture.
 * Source: Sugiyama, Tagawa, Toda: Methods for Visual Understanding of Hierarchical System Structures (1981).
 */
export interface LayoutNode {
  readonly path: string;
  /** Wanted; a column is as wide as its widest node. */
  readonly width: number;
  readonly height: number;
}

export interface LayoutEdge {
  /** The node on the right: built after `to`. */
  readonly from: string;
  readonly to: string;
  readonly kind: string;
}

export interface Box {
  readonly path: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Line {
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  /** From the right edge of `to` to the left edge of `from`; two for neighbours, more through lanes. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Both ends are in one column. */
  readonly beside: boolean;
}

export interface Layout {
  readonly boxes: readonly Box[];
  readonly lines: readonly Line[];
  readonly columns: readonly { readonly x: number; readonly width: number }[];
  readonly width: number;
  readonly height: number;
}

const columnGap = 46;
const nodeGap = 7;
const laneHeight = 5;
const sweeps = 12;

interface Slot {
  readonly key: string;
  readonly node: LayoutNode | undefined;
  readonly height: number;
  place: number;
}

/** A part of a line between two neighbouring columns, by the keys of its slots. */
interface Segment {
  readonly left: string;
  readonly right: string;
}

export function layOut(layers: readonly (readonly LayoutNode[])[], edges: readonly LayoutEdge[]): Layout {
  const columnOf = new Map(layers.flatMap((nodes, at) => nodes.map(({ path }) => [path, at] as const)));
  const columns: Slot[][] = layers.map((nodes) =>
    nodes.map((node) => ({ key: node.path, node, height: node.height, place: 0 })),
  );
  const segments: Segment[] = [];
  const routes = edges.map((edge) => ({ edge, keys: route(edge, columnOf, columns) }));
  for (const { keys } of routes) keys.slice(1).forEach((right, at) => segments.push({ left: keys[at], right }));
  sortColumns(columns, segments);
  const xs = columnPlaces(layers);
  const height = Math.max(...columns.map(stackHeight), 0);
  const placed = new Map<string, Box>();
  columns.forEach((slots, at) => {
    let y = (height - stackHeight(slots)) / 2;
    for (const { key, node, height: tall } of slots) {
      placed.set(key, { path: key, x: xs[at].x, y, width: xs[at].width, height: tall });
      y += tall + gapOf(node);
    }
  });
  const lines = routes.map(({ edge, keys }) => lineOf(edge, keys, placed));
  const boxes = columns.flat().flatMap(({ key, node }) => (node === undefined ? [] : [placed.get(key) as Box]));
  const last = xs.at(-1);
  return { boxes, lines, columns: xs, width: last === undefined ? 0 : last.x + last.width, height };
}

function gapOf(node: LayoutNode | undefined): number {
  return node === undefined ? 2 : nodeGap;
}

function stackHeight(slots: readonly Slot[]): number {
  return slots.reduce((sum, { height, node }) => sum + height + gapOf(node), 0);
}

function columnPlaces(layers: readonly (readonly LayoutNode[])[]): { x: number; width: number }[] {
  let x = 0;
  return layers.map((nodes) => {
    const width = Math.max(40, ...nodes.map((node) => node.width));
    const place = { x, width };
    x += width + columnGap;
    return place;
  });
}

/** Keys from the left end to the right end; lanes are made on the way. */
function route({ from, to, kind }: LayoutEdge, columnOf: ReadonlyMap<string, number>, columns: Slot[][]): string[] {
  const [left, right] = [columnOf.get(to) ?? 0, columnOf.get(from) ?? 0];
  const lanes: string[] = [];
  for (let at = left + 1; at < right; at++) {
    const key = `${kind} ${to} ${at}`;
    lanes.push(key);
    if (!columns[at].some((slot) => slot.key === key)) {
      columns[at].push({ key, node: undefined, height: laneHeight, place: 0 });
    }
  }
  return [to, ...lanes, from];
}

function sortColumns(columns: Slot[][], segments: readonly Segment[]): void {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  for (const { left, right } of segments) {
    before.set(right, [...(before.get(right) ?? []), left]);
    after.set(left, [...(after.get(left) ?? []), right]);
  }
  const places = new Map<string, number>();
  const note = (slots: Slot[]) => {
    // Places are relative to the column, so that short columns spread over the height of long ones.
    slots.forEach((slot, at) => places.set(slot.key, (at + 0.5) / slots.length));
  };
  for (const slots of columns) {
    slots.sort((one, other) => compareKeys(one.key, other.key));
    note(slots);
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const forward = sweep % 2 === 0;
    const neighbours = forward ? before : after;
    for (const slots of forward ? columns : [...columns].reverse()) {
      for (const slot of slots) {
        const beside = (neighbours.get(slot.key) ?? []).map((key) => places.get(key) ?? 0);
        const own = places.get(slot.key) ?? 0;
        slot.place = beside.length === 0 ? own : beside.reduce((sum, one) => sum + one, 0) / beside.length;
      }
      slots.sort((one, other) => one.place - other.place || compareKeys(one.key, other.key));
      note(slots);
    }
  }
}

function compareKeys(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function lineOf({ from, to, kind }: LayoutEdge, keys: readonly string[], placed: ReadonlyMap<string, Box>): Line {
  const boxes = keys.map((key) => placed.get(key) as Box);
  const [first, last] = [boxes[0], boxes[boxes.length - 1]];
  const beside = first.x === last.x;
  const points: [number, number][] = [[first.x + first.width, middle(first)]];
  for (const lane of boxes.slice(1, -1)) points.push([lane.x, middle(lane)], [lane.x + lane.width, middle(lane)]);
  points.push(beside ? [last.x + last.width, middle(last)] : [last.x, middle(last)]);
  return { kind, from, to, points, beside };
}

function middle({ y, height }: Box): number {
  return y + height / 2;
}

/** Edges that no path of other edges implies. The edges must have no cycle. */
export function withoutImplied<Edge extends LayoutEdge>(edges: readonly Edge[]): Edge[] {
  const targets = new Map<string, Set<string>>();
  for (const { from, to } of edges) targets.set(from, (targets.get(from) ?? new Set<string>()).add(to));
  const below = new Map<string, Set<string>>();
  const reachable = (node: string): Set<string> => {
    const known = below.get(node);
    if (known !== undefined) return known;
    const found = new Set<string>();
    below.set(node, found);
    for (const target of targets.get(node) ?? []) {
      found.add(target);
      for (const further of reachable(target)) found.add(further);
    }
    return found;
  };
  return edges.filter(
    ({ from, to }) => ![...(targets.get(from) ?? [])].some((other) => other !== to && reachable(other).has(to)),
  );
}
