/**
 * OrderedIndex: the keys in order, as a B+-tree over the same records that the hash index finds.
 *
 *   1. Leaves hold references of records and are linked both ways. Inner nodes hold separators: the shortest beginning
 *   of the right neighbour's first key that is above the left one's last, as records of their own, so that a record may
 *   go while its key still separates.
 *   2. A full node is split in halves; the last leaf of all at its end, so that ascending keys fill their leaves.
 *   3. A leaf goes when its last entry does, with its separator, and inner nodes without children with it. Nodes are
 *   not merged before: under mixed insertions and removals half-empty nodes are filled again.
 *   4. Keys that come in order (`append`, when a store is opened) fill leaf after leaf without a search; a tenth of
 *   each is left free for what is put between them later.
 *   5. `changes` counts everything that moves entries. Who stands at a place looks at it, and searches its key again.
 * Source: Bayer and McCreight 1972, Comer 1979; prefix B-trees of Bayer and Unterauer 1977; free-at-empty of Johnson
 * and Shasha 1989.
 */
import { commonPrefixLength } from "../../../../kit/compare.ts";
import { kindSeparator, type RecordHeap } from "./record-heap.ts";
import { innerMax, leafMax, nodeBefore, nodeNext, OrderedNodes } from "./tree-node.ts";

/** Entries of a leaf that `append` fills. */
const leafFilled = leafMax - 6;
/** More levels than references can count entries. */
const levelsMax = 16;

export class OrderedIndex {
  readonly nodes: OrderedNodes;
  readonly #heap: RecordHeap;
  #root: number;
  #nodeCount = 1;
  /** Changes whenever entries move. */
  changes = 0;
  /** The way down of the last search: nodes, and which child was taken. */
  readonly #path = new Uint32Array(levelsMax);
  readonly #turn = new Int32Array(levelsMax);

  constructor(heap: RecordHeap) {
    this.#heap = heap;
    this.nodes = new OrderedNodes(heap);
    this.#root = this.nodes.make(0);
  }

  get nodeCount(): number {
    return this.#nodeCount;
  }

  /** Puts in a record whose key `source[start, end)` is not there. */
  insert(source: Uint8Array, start: number, end: number, ref: number): void {
    const { nodes } = this;
    const leaf = this.#descend(source, start, end);
    const entry = nodes.rank(leaf, source, start, end, false);
    this.changes++;
    if (nodes.countOf(leaf) === leafMax) this.#splitLeaf(leaf, entry, ref);
    else nodes.insertAt(leaf, entry, ref, 0);
  }

  /** Puts in a record behind all others, given the last leaf; returns the last leaf, 0 where its key is not above. */
  append(last: number, ref: number): number {
    const { nodes } = this;
    const count = nodes.countOf(last);
    this.changes++;
    if (count < leafFilled) return nodes.append(last, ref) ? last : 0;
    const { heap } = nodes;
    const source = heap.sourceOf(ref);
    const start = heap.keyStartOf(ref);
    const end = start + heap.keyLengthOf(ref);
    // For the path, on which the separator goes up.
    if (this.#descend(source, start, end) !== last || nodes.rank(last, source, start, end, true) < count) return 0;
    this.#splitLeaf(last, count, ref);
    return nodes.link(last, nodeNext);
  }

  /** Puts the record `by` of the same key in the place of another. */
  replace(source: Uint8Array, start: number, end: number, by: number): void {
    const leaf = this.#descend(source, start, end);
    this.nodes.setRef(leaf, this.nodes.rank(leaf, source, start, end, false), by);
    this.changes++;
  }

  remove(source: Uint8Array, start: number, end: number): void {
    const { nodes } = this;
    const leaf = this.#descend(source, start, end);
    nodes.removeAt(leaf, nodes.rank(leaf, source, start, end, false));
    this.changes++;
    if (nodes.countOf(leaf) === 0 && nodes.levelOf(this.#root) > 0) this.#removeLeaf(leaf);
  }

  /** The leaf in which the key is, or would be. */
  leafOf(source: Uint8Array, start: number, end: number): number {
    return this.#descend(source, start, end);
  }

  firstLeaf(): number {
    let node = this.#root;
    while (this.nodes.levelOf(node) > 0) node = this.nodes.childAt(node, 0);
    return node;
  }

  lastLeaf(): number {
    let node = this.#root;
    while (this.nodes.levelOf(node) > 0) node = this.nodes.childAt(node, this.nodes.countOf(node));
    return node;
  }

  #descend(source: Uint8Array, start: number, end: number): number {
    const { nodes } = this;
    let node = this.#root;
    for (let level = nodes.levelOf(node); level > 0; level--) {
      const turn = nodes.rank(node, source, start, end, true);
      this.#path[level] = node;
      this.#turn[level] = turn;
      node = nodes.childAt(node, turn);
    }
    return node;
  }

  /** Splits a full leaf and puts the record into the half where it belongs; only then it is known what separates. */
  #splitLeaf(leaf: number, entry: number, ref: number): void {
    const { nodes } = this;
    const right = this.#make(0);
    const next = nodes.link(leaf, nodeNext);
    nodes.setLink(right, nodeNext, next);
    nodes.setLink(right, nodeBefore, leaf);
    nodes.setLink(leaf, nodeNext, right);
    if (next !== 0) nodes.setLink(next, nodeBefore, right);
    const isAscending = next === 0 && entry === nodes.countOf(leaf);
    const kept = isAscending ? entry : leafMax >>> 1;
    if (!isAscending) nodes.moveFrom(leaf, kept, right);
    if (isAscending || entry > kept) nodes.insertAt(right, entry - kept, ref, 0);
    else nodes.insertAt(leaf, entry, ref, 0);
    const last = nodes.refAt(leaf, nodes.countOf(leaf) - 1);
    this.#addSeparator(1, this.#separatorOf(last, nodes.refAt(right, 0)), right);
  }

  /** Puts a separator, with the node behind it, into the node of a level on the path. */
  #addSeparator(level: number, separator: number, child: number): void {
    const { nodes } = this;
    if (level > nodes.levelOf(this.#root)) {
      const root = this.#make(level);
      nodes.setLink(root, nodeNext, this.#root);
      nodes.insertAt(root, 0, separator, child);
      this.#root = root;
      return;
    }
    const node = this.#path[level];
    const turn = this.#turn[level];
    if (nodes.countOf(node) < innerMax) {
      nodes.insertAt(node, turn, separator, child);
      return;
    }
    // The middle separator goes up, and the child behind it is the first of the new node.
    const middle = innerMax >>> 1;
    const up = nodes.refAt(node, middle);
    const right = this.#make(level);
    nodes.setLink(right, nodeNext, nodes.childAt(node, middle + 1));
    nodes.moveFrom(node, middle + 1, right);
    nodes.setCount(node, middle);
    if (turn <= middle) nodes.insertAt(node, turn, separator, child);
    else nodes.insertAt(right, turn - middle - 1, separator, child);
    this.#addSeparator(level + 1, up, right);
  }

  #separatorOf(left: number, right: number): number {
    const heap = this.#heap;
    const source = heap.sourceOf(right);
    const start = heap.keyStartOf(right);
    const one = heap.keyStartOf(left);
    const shared = commonPrefixLength(
      heap.sourceOf(left), one, one + heap.keyLengthOf(left), source, start, start + heap.keyLengthOf(right),
    );
    const end = start + shared + 1;
    return heap.make(kindSeparator, source, start, end, end, 0, 0);
  }

  #removeLeaf(leaf: number): void {
    const { nodes } = this;
    const next = nodes.link(leaf, nodeNext);
    const before = nodes.link(leaf, nodeBefore);
    if (next !== 0) nodes.setLink(next, nodeBefore, before);
    if (before !== 0) nodes.setLink(before, nodeNext, next);
    this.#free(leaf);
    this.#removeChild(1);
    this.#lowerRoot();
  }

  /** Takes the child out that the path goes through below a level. */
  #removeChild(level: number): void {
    const { nodes } = this;
    const node = this.#path[level];
    const turn = this.#turn[level];
    if (nodes.countOf(node) === 0) {
      // It was the only child.
      this.#free(node);
      if (level < nodes.levelOf(this.#root)) this.#removeChild(level + 1);
      else this.#root = this.#make(0);
      return;
    }
    const entry = Math.max(turn - 1, 0);
    if (turn === 0) nodes.setLink(node, nodeNext, nodes.childAt(node, 1));
    this.#heap.free(nodes.refAt(node, entry));
    nodes.removeAt(node, entry);
  }

  #lowerRoot(): void {
    const { nodes } = this;
    while (nodes.levelOf(this.#root) > 0 && nodes.countOf(this.#root) === 0) {
      const child = nodes.childAt(this.#root, 0);
      this.#free(this.#root);
      this.#root = child;
    }
  }

  #make(level: number): number {
    this.#nodeCount++;
    return this.nodes.make(level);
  }

  #free(node: number): void {
    this.#nodeCount--;
    this.nodes.free(node);
  }
}
