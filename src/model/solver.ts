/**
 * A satisfiability solver: conflict-driven clause learning (CDCL).
 *
 * Steps of `solve`:
 *   1. take assumptions as decisions, one level each; an assumption that is false already ends the search with the
 *      assumptions that contradict one another (the core);
 *   2. propagate units over two watched literals per clause;
 *   3. at a conflict learn the clause of the first unique implication point, without literals that others imply, go
 *      back to where it is a unit, raise the activity of what took part;
 *   4. restart by Luby's sequence; now and then forget half of the learnt clauses, keeping those that bind few levels;
 *   5. otherwise decide the open variable of greatest activity, with the value that it had last (at first: false).
 * Invariants: a clause's first two literals are watched; a reason's first literal is the one it implies; the same
 * calls in the same order give the same answers: nothing is random.
 * Literals are ±variable, variables count from 1. Inside, a literal is 2 · variable + (negative ? 1 : 0).
 * Source: MiniSat (Eén, Sörensson), LBD of Glucose (Audemard, Simon).
 */
import { assert } from "../kit/assert.ts";
import { VariableHeap } from "./variable-heap.ts";

interface Clause {
  readonly literals: number[];
  readonly learnt: boolean;
  /** Number of decision levels when it was learnt: the fewer, the more useful. */
  readonly levels: number;
  activity: number;
  deleted: boolean;
}

interface Watch {
  readonly clause: Clause;
  /** A literal of the clause; where it is true, the clause need not be looked at. */
  blocker: number;
}

const restartConflicts = 64;
const activityDecay = 1 / 0.95;
const activityMax = 1e100;

export class Solver {
  #variables = 0;
  /** By literal: 1 true, -1 false, 0 open. */
  #values = new Int8Array(64);
  #levels = new Int32Array(32);
  #phases = new Int8Array(32);
  #seen = new Uint8Array(32);
  readonly #reasons: (Clause | undefined)[] = [undefined];
  readonly #watches: Watch[][] = [[], []];
  readonly #trail: number[] = [];
  readonly #levelStarts: number[] = [];
  #head = 0;
  #satisfiable = true;
  #learnt: Clause[] = [];
  #learntMax = 2000;
  readonly #heap = new VariableHeap();
  #increment = 1;
  #model: Int8Array = new Int8Array(0);
  #core: number[] = [];
  /** Conflicts since construction. */
  conflicts = 0;

  constructor(variables = 0) {
    this.grow(variables);
  }

  get variables(): number {
    return this.#variables;
  }

  /** Makes sure that variables 1 … `variables` exist. */
  grow(variables: number): void {
    if (variables >= this.#levels.length) {
      const length = Math.max(variables + 1, 2 * this.#levels.length);
      this.#values = enlarged(this.#values, new Int8Array(2 * length));
      this.#levels = enlarged(this.#levels, new Int32Array(length));
      this.#phases = enlarged(this.#phases, new Int8Array(length));
      this.#seen = enlarged(this.#seen, new Uint8Array(length));
    }
    while (this.#variables < variables) {
      this.#variables++;
      this.#reasons.push(undefined);
      this.#watches.push([], []);
      this.#heap.insert(this.#variables);
    }
  }

  newVariable(): number {
    this.grow(this.#variables + 1);
    return this.#variables;
  }

  /** The value that a decision on the variable tries first. */
  setPhase(variable: number, value: boolean): void {
    this.#phases[variable] = value ? 1 : 0;
  }

  /** False where the clauses contradict one another without any assumption. */
  addClause(literals: readonly number[]): boolean {
    this.#cancelTo(0);
    if (!this.#satisfiable) return false;
    const kept = new Set<number>();
    for (const external of literals) {
      const literal = inner(external);
      assert(Math.abs(external) <= this.#variables && external !== 0, "a literal names an existing variable");
      if (this.#values[literal] === 1 || kept.has(literal ^ 1)) return true;
      if (this.#values[literal] === 0) kept.add(literal);
    }
    const rest = [...kept];
    if (rest.length === 0) this.#satisfiable = false;
    else if (rest.length === 1) {
      this.#assign(rest[0], undefined);
      this.#satisfiable = this.#propagate() === undefined;
    } else this.#attach({ literals: rest, learnt: false, levels: 0, activity: 0, deleted: false });
    return this.#satisfiable;
  }

  /** Whether clauses and assumptions hold together. Then `value` tells the model, otherwise `core` the reason. */
  solve(assumptions: readonly number[] = []): boolean {
    this.#core = [];
    if (!this.#satisfiable) return false;
    this.#cancelTo(0);
    const assumed = assumptions.map(inner);
    for (let round = 1; ; round++) {
      const found = this.#search(assumed, restartConflicts * luby(round));
      if (found === undefined) continue;
      if (found) this.#model = this.#values.slice(0, 2 * (this.#variables + 1));
      this.#cancelTo(0);
      return found;
    }
  }

  /** Of the last model. */
  value(variable: number): boolean {
    return this.#model[2 * variable] === 1;
  }

  /** Assumptions of the last call that cannot hold together; empty where the clauses alone contradict one another. */
  core(): number[] {
    return this.#core;
  }

  /** What holds in every model, as known without search: 1 true, -1 false, 0 unknown. */
  fixed(variable: number): number {
    this.#cancelTo(0);
    return this.#values[2 * variable];
  }

  /**
   * Takes assumptions and propagates, without search. Returns the literals that follow (the assumptions included), or
   * undefined where they contradict one another by propagation alone.
   */
  propagated(assumptions: readonly number[]): number[] | undefined {
    this.#cancelTo(0);
    if (!this.#satisfiable) return undefined;
    this.#levelStarts.push(this.#trail.length);
    let consistent = true;
    for (const literal of assumptions.map(inner)) {
      if (this.#values[literal] === 0) this.#assign(literal, undefined);
      consistent = this.#values[literal] === 1 && this.#propagate() === undefined;
      if (!consistent) break;
    }
    const trail = this.#trail.map(outer);
    this.#cancelTo(0);
    return consistent ? trail : undefined;
  }

  #search(assumed: readonly number[], conflictsMax: number): boolean | undefined {
    let conflicts = 0;
    for (;;) {
      const conflict = this.#propagate();
      if (conflict !== undefined) {
        this.conflicts++;
        conflicts++;
        if (this.#levelStarts.length === 0) return (this.#satisfiable = false);
        this.#learn(conflict);
        continue;
      }
      if (conflicts >= conflictsMax) {
        this.#cancelTo(0);
        if (this.#learnt.length > this.#learntMax) this.#forget();
        return undefined;
      }
      const next = this.#nextDecision(assumed);
      if (next === undefined) return this.#core.length === 0;
      this.#levelStarts.push(this.#trail.length);
      this.#assign(next, undefined);
    }
  }

  /** The next literal to decide; undefined where all is decided, or the core is known. */
  #nextDecision(assumed: readonly number[]): number | undefined {
    while (this.#levelStarts.length < assumed.length) {
      const literal = assumed[this.#levelStarts.length];
      const value = this.#values[literal];
      if (value === 0) return literal;
      if (value === -1) {
        this.#core = this.#coreOf(literal);
        return undefined;
      }
      // It holds already: its level stays empty.
      this.#levelStarts.push(this.#trail.length);
    }
    while (this.#heap.size > 0) {
      const variable = this.#heap.pop();
      if (this.#values[2 * variable] === 0) return 2 * variable + (this.#phases[variable] === 1 ? 0 : 1);
    }
    return undefined;
  }

  #assign(literal: number, reason: Clause | undefined): void {
    const variable = literal >> 1;
    this.#values[literal] = 1;
    this.#values[literal ^ 1] = -1;
    this.#levels[variable] = this.#levelStarts.length;
    this.#reasons[variable] = reason;
    this.#trail.push(literal);
  }

  /** Returns the clause that is false, if any. */
  #propagate(): Clause | undefined {
    while (this.#head < this.#trail.length) {
      const literal = this.#trail[this.#head++];
      const conflict = this.#visit(literal ^ 1);
      if (conflict !== undefined) {
        this.#head = this.#trail.length;
        return conflict;
      }
    }
    return undefined;
  }

  /** Looks at the clauses that watch a literal which has become false. */
  #visit(falseLiteral: number): Clause | undefined {
    const watches = this.#watches[falseLiteral];
    const values = this.#values;
    let kept = 0;
    for (let at = 0; at < watches.length; at++) {
      const watch = watches[at];
      if (values[watch.blocker] === 1) {
        watches[kept++] = watch;
        continue;
      }
      const { clause } = watch;
      if (clause.deleted) continue;
      const { literals } = clause;
      if (literals[0] === falseLiteral) {
        literals[0] = literals[1];
        literals[1] = falseLiteral;
      }
      const first = literals[0];
      watch.blocker = first;
      if (values[first] !== 1 && this.#moveWatch(literals, watch)) continue;
      watches[kept++] = watch;
      if (values[first] === 1) continue;
      if (values[first] === 0) {
        this.#assign(first, clause);
        continue;
      }
      for (at++; at < watches.length; at++) watches[kept++] = watches[at];
      watches.length = kept;
      return clause;
    }
    watches.length = kept;
    return undefined;
  }

  #moveWatch(literals: number[], watch: Watch): boolean {
    for (let other = 2; other < literals.length; other++) {
      if (this.#values[literals[other]] === -1) continue;
      const found = literals[other];
      literals[other] = literals[1];
      literals[1] = found;
      this.#watches[found].push(watch);
      return true;
    }
    return false;
  }

  #attach(clause: Clause): void {
    const [first, second] = clause.literals;
    this.#watches[first].push({ clause, blocker: second });
    this.#watches[second].push({ clause, blocker: first });
  }

  #learn(conflict: Clause): void {
    const literals = this.#firstUniqueImplicationPoint(conflict);
    let target = 0;
    for (let at = 1; at < literals.length; at++) {
      const level = this.#levels[literals[at] >> 1];
      if (level <= target) continue;
      target = level;
      [literals[1], literals[at]] = [literals[at], literals[1]];
    }
    const levels = new Set(literals.map((literal) => this.#levels[literal >> 1])).size;
    this.#cancelTo(target);
    if (literals.length === 1) this.#assign(literals[0], undefined);
    else {
      const clause: Clause = { literals, learnt: true, levels, activity: this.#increment, deleted: false };
      this.#learnt.push(clause);
      this.#attach(clause);
      this.#assign(literals[0], clause);
    }
    this.#increment *= activityDecay;
  }

  /** The learnt clause; its first literal is the one that it implies after going back. */
  #firstUniqueImplicationPoint(conflict: Clause): number[] {
    const learnt = [0];
    const current = this.#levelStarts.length;
    let open = 0;
    let at = this.#trail.length - 1;
    let clause: Clause | undefined = conflict;
    let pivot = -1;
    for (;;) {
      assert(clause !== undefined, "what is implied has a reason");
      if (clause.learnt) clause.activity = this.#increment;
      for (const literal of clause.literals) {
        const variable = literal >> 1;
        if (literal === pivot || this.#seen[variable] === 1 || this.#levels[variable] === 0) continue;
        this.#seen[variable] = 1;
        this.#bump(variable);
        if (this.#levels[variable] === current) open++;
        else learnt.push(literal);
      }
      while (this.#seen[this.#trail[at] >> 1] === 0) at--;
      pivot = this.#trail[at--];
      this.#seen[pivot >> 1] = 0;
      if (--open === 0) break;
      clause = this.#reasons[pivot >> 1];
    }
    learnt[0] = pivot ^ 1;
    const kept = learnt.filter((literal, position) => position === 0 || !this.#implied(literal));
    for (const literal of learnt) this.#seen[literal >> 1] = 0;
    return kept;
  }

  /** Whether other literals of the learnt clause imply this one, so that it can go. */
  #implied(literal: number): boolean {
    const reason = this.#reasons[literal >> 1];
    if (reason === undefined) return false;
    return reason.literals.every((other) => {
      const variable = other >> 1;
      return variable === literal >> 1 || this.#seen[variable] === 1 || this.#levels[variable] === 0;
    });
  }

  /** The assumptions that make an assumption false, and itself. */
  #coreOf(literal: number): number[] {
    const core = [outer(literal)];
    if (this.#levels[literal >> 1] === 0) return core;
    this.#seen[literal >> 1] = 1;
    for (let at = this.#trail.length - 1; at >= this.#levelStarts[0]; at--) {
      const variable = this.#trail[at] >> 1;
      if (this.#seen[variable] === 0) continue;
      this.#seen[variable] = 0;
      const reason = this.#reasons[variable];
      if (reason === undefined) {
        core.push(outer(this.#trail[at]));
        continue;
      }
      for (const other of reason.literals) if (this.#levels[other >> 1] > 0) this.#seen[other >> 1] = 1;
      this.#seen[variable] = 0;
    }
    this.#seen[literal >> 1] = 0;
    return core;
  }

  #bump(variable: number): void {
    if (this.#heap.raise(variable, this.#increment) <= activityMax) return;
    this.#heap.rescale(1 / activityMax);
    this.#increment /= activityMax;
  }

  #cancelTo(level: number): void {
    if (this.#levelStarts.length <= level) return;
    const start = this.#levelStarts[level];
    for (let at = this.#trail.length - 1; at >= start; at--) {
      const literal = this.#trail[at];
      this.#values[literal] = 0;
      this.#values[literal ^ 1] = 0;
      this.#phases[literal >> 1] = (literal & 1) === 0 ? 1 : 0;
      this.#reasons[literal >> 1] = undefined;
      this.#heap.insert(literal >> 1);
    }
    this.#trail.length = start;
    this.#levelStarts.length = level;
    this.#head = start;
  }

  /** Drops the less useful half of the learnt clauses. Called at level 0, where no clause is a reason that matters. */
  #forget(): void {
    const ranked = this.#learnt.toSorted((one, other) => one.levels - other.levels || other.activity - one.activity);
    const half = ranked.length >> 1;
    ranked.forEach((clause, rank) => {
      clause.deleted = rank >= half && clause.levels > 2;
    });
    this.#learnt = this.#learnt.filter((clause) => !clause.deleted);
    this.#learntMax += 200;
  }
}

function inner(literal: number): number {
  return literal > 0 ? 2 * literal : -2 * literal + 1;
}

function outer(literal: number): number {
  return (literal & 1) === 0 ? literal >> 1 : -(literal >> 1);
}

function enlarged<A extends Int8Array | Int32Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

/** 1, 1, 2, 1, 1, 2, 4, …, from position 1. */
function luby(position: number): number {
  let size = 1;
  let power = 0;
  while (size < position) {
    size = 2 * size + 1;
    power++;
  }
  let at = position;
  while (size !== at) {
    size = (size - 1) >> 1;
    power--;
    if (at > size) at -= size;
  }
  return 2 ** power;
}
