/**
 * How literals follow from others by unit propagation alone, step by step.
 *
 * Steps:
 *   1. propagate what holds without assumptions (the background), then one assumption after
 *      the other; visit what follows breadth first, so that it is derived in as few waves as propagation allows;
 *   2. every derived literal keeps the clause that forced it; a false clause ends it as a conflict;
 *   3. `chainTo` walks back from a literal or a conflict and returns only the steps it rests on, causes first.
 * Source: logic truth maintenance as FeatureIDE's explanations use it.
 */
import type { SourcedClause } from "./clauses.ts";

export interface DerivedStep {
  /** 0 for the contradiction at the end. */
  readonly literal: number;
  /** Undefined for an assumption. */
  readonly clause: SourcedClause | undefined;
  /** Literals that it rests on. */
  readonly from: readonly number[];
}

export class Derivation {
  /** The clause that is false, if the assumptions contradict one another by propagation. */
  readonly conflict: SourcedClause | undefined;
  readonly #reasons = new Map<number, SourcedClause | undefined>();

  #background: ReadonlySet<number> = new Set();

  constructor(clauses: ClauseList, assumptions: readonly number[]) {
    this.conflict = this.#propagate(clauses, assumptions);
  }

  holds(literal: number): boolean {
    return this.#reasons.has(literal);
  }

  /** Whether it holds without any assumption. */
  isBackground(literal: number): boolean {
    return this.#background.has(literal);
  }

  /** All literals that follow, the assumptions included, in order of derivation. */
  literals(): number[] {
    return [...this.#reasons.keys()];
  }

  /** The steps that a literal rests on, causes first; 0 stands for the conflict. */
  chainTo(literal: number): DerivedStep[] {
    const steps: DerivedStep[] = [];
    const done = new Set<number>();
    const visit = (one: number) => {
      if (done.has(one)) return;
      done.add(one);
      const clause = one === 0 ? this.conflict : this.#reasons.get(one);
      const from = (clause?.literals ?? []).filter((other) => other !== one).map((other) => -other);
      for (const cause of from) visit(cause);
      steps.push({ literal: one, clause, from });
    };
    visit(literal);
    return steps;
  }

  #propagate(list: ClauseList, assumptions: readonly number[]): SourcedClause | undefined {
    const queue: number[] = [];
    const take = (literal: number, clause: SourcedClause | undefined): SourcedClause | undefined => {
      if (this.#reasons.has(literal)) return undefined;
      // A pick against what follows from others: the chain shows both.
      if (this.#reasons.has(-literal)) return clause ?? { literals: [literal, -literal], statement: -1 };
      this.#reasons.set(literal, clause);
      queue.push(literal);
      return undefined;
    };
    let head = 0;
    for (const clause of list.units) {
      const conflict = take(clause.literals[0], clause) ?? this.#drain(list, queue, head, take);
      if (conflict !== undefined) return conflict;
      head = queue.length;
    }
    this.#background = new Set(this.#reasons.keys());
    for (const literal of assumptions) {
      const conflict = take(literal, undefined) ?? this.#drain(list, queue, head, take);
      if (conflict !== undefined) return conflict;
      head = queue.length;
    }
    return undefined;
  }

  #drain(
    list: ClauseList,
    queue: readonly number[],
    from: number,
    take: (literal: number, clause: SourcedClause) => SourcedClause | undefined,
  ): SourcedClause | undefined {
    for (let head = from; head < queue.length; head++) {
      for (const clause of list.byLiteral.get(-queue[head]) ?? []) {
        const forced = this.#forcedBy(clause);
        if (forced === "satisfied" || forced === "open") continue;
        if (forced === "conflict") return clause;
        const conflict = take(forced, clause);
        if (conflict !== undefined) return conflict;
      }
    }
    return undefined;
  }

  #forcedBy(clause: SourcedClause): number | "open" | "satisfied" | "conflict" {
    let open = 0;
    for (const literal of clause.literals) {
      if (this.#reasons.has(literal)) return "satisfied";
      if (this.#reasons.has(-literal)) continue;
      if (open !== 0) return "open";
      open = literal;
    }
    return open === 0 ? "conflict" : open;
  }
}

/** Clauses with the lists that propagation needs, made once. */
export class ClauseList {
  readonly units: SourcedClause[] = [];
  readonly byLiteral = new Map<number, SourcedClause[]>();

  constructor(clauses: readonly SourcedClause[]) {
    for (const clause of clauses) {
      if (clause.literals.length === 1) this.units.push(clause);
      for (const literal of clause.literals) {
        const list = this.byLiteral.get(literal);
        if (list === undefined) this.byLiteral.set(literal, [clause]);
        else list.push(clause);
      }
    }
  }
}
