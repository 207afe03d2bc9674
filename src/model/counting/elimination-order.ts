/**
 * An order to eliminate variables in, such that few others are joined at each step, and how many at the worst one.
 *
 * The graph has a node per variable and one per constraint of three variables or more, joined with its variables; a
 * constraint of two joins them directly. Each step eliminates the node whose neighbours lack the fewest joins among
 * themselves (minimum fill; of equals the first), and joins them all with one another.
 * Deciding variables in the opposite order splits a formula soon into parts that share nothing, and the number of
 * different parts is about 2 to the width at most.
 * Source: Rose 1972 for minimum fill; Korhonen and Järvisalo 2021 (SharpSAT-TD) for its use in counting.
 */

export interface EliminationOrder {
  /** By variable, its place in the order, from 1. */
  readonly places: ReadonlyMap<number, number>;
  /** The most neighbours that an eliminated node had. */
  readonly width: number;
}

/** Each constraint is a list of variables. */
export function eliminationOrder(constraints: Iterable<Iterable<number>>): EliminationOrder {
  const nodes = new Map<number, number>();
  const joins: [number, number][] = [];
  const nodeOf = (variable: number): number => {
    const known = nodes.get(variable);
    if (known !== undefined) return known;
    nodes.set(variable, nodes.size);
    return nodes.size - 1;
  };
  let hubs = 0;
  for (const constraint of constraints) {
    const members = [...constraint].map(nodeOf);
    if (members.length === 2) joins.push([members[0], members[1]]);
    // Hubs are counted downwards from -1 until the number of variables is known.
    if (members.length > 2) hubs++;
    if (members.length > 2) for (const member of members) joins.push([member, -hubs]);
  }
  const graph = new Graph(nodes.size + hubs);
  for (const [one, other] of joins) graph.join(one, other < 0 ? nodes.size - 1 - other : other);
  const order = graph.eliminate();
  const places = new Map([...nodes].map(([variable, node]) => [variable, order.places[node]]));
  return { places, width: order.width };
}

/** Neighbours as bit sets. */
class Graph {
  readonly #size: number;
  readonly #words: number;
  readonly #bits: Int32Array;

  constructor(size: number) {
    this.#size = size;
    this.#words = (size + 31) >> 5;
    this.#bits = new Int32Array(size * this.#words);
  }

  join(one: number, other: number): void {
    this.#bits[one * this.#words + (other >> 5)] |= 1 << (other & 31);
    this.#bits[other * this.#words + (one >> 5)] |= 1 << (one & 31);
  }

  /** The graph has no joins afterwards. */
  eliminate(): { places: Int32Array; width: number } {
    const places = new Int32Array(this.#size);
    const fills = Int32Array.from({ length: this.#size }, (_, node) => this.#fill(node));
    let width = 0;
    for (let place = 1; place <= this.#size; place++) {
      let best = -1;
      for (let node = 0; node < this.#size; node++) {
        if (places[node] === 0 && (best < 0 || fills[node] < fills[best])) best = node;
      }
      places[best] = place;
      const neighbours = this.#neighbours(best);
      width = Math.max(width, neighbours.length);
      const touched = new Set(neighbours);
      for (const node of neighbours) {
        this.#connect(node, best);
        for (const further of fills[best] > 0 ? this.#neighbours(node) : []) touched.add(further);
      }
      for (const node of touched) fills[node] = this.#fill(node);
    }
    return { places, width };
  }

  /** Joins the node with all neighbours of one that goes away. */
  #connect(node: number, gone: number): void {
    const [own, from] = [node * this.#words, gone * this.#words];
    for (let word = 0; word < this.#words; word++) this.#bits[own + word] |= this.#bits[from + word];
    this.#bits[own + (node >> 5)] &= ~(1 << (node & 31));
    this.#bits[own + (gone >> 5)] &= ~(1 << (gone & 31));
  }

  #neighbours(node: number): number[] {
    const found: number[] = [];
    for (let word = 0; word < this.#words; word++) {
      let bits = this.#bits[node * this.#words + word];
      while (bits !== 0) {
        found.push((word << 5) + 31 - Math.clz32(bits & -bits));
        bits &= bits - 1;
      }
    }
    return found;
  }

  /** Joins that are lacking among the neighbours, each counted from both ends. */
  #fill(node: number): number {
    const own = node * this.#words;
    let lacking = 0;
    for (const neighbour of this.#neighbours(node)) {
      const other = neighbour * this.#words;
      for (let word = 0; word < this.#words; word++) {
        lacking += ones(this.#bits[own + word] & ~this.#bits[other + word]);
      }
      lacking--;
    }
    return lacking;
  }
}

function ones(bits: number): number {
  let rest = bits - ((bits >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
