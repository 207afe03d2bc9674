/**
 * A feature model with its clauses and one solver, kept for many questions.
 *
 * Models that the solver finds are pooled: a question that an earlier model answers costs no search. Literals are
 * ±(position of the feature + 1).
 */
import { type Clauses, clausesOf } from "./clauses.ts";
import type { FeatureModel } from "./feature-model.ts";
import { Solver } from "./solver.ts";

/** What a person has decided so far. */
export interface Picks {
  readonly chosen: readonly string[];
  readonly excluded: readonly string[];
}

export const noPicks: Picks = { chosen: [], excluded: [] };

const pooledMax = 256;

export class Reasoner {
  readonly model: FeatureModel;
  readonly clauses: Clauses;
  readonly solver: Solver;
  /** By model, then by variable: 1 where it is selected. */
  readonly pool: Uint8Array[] = [];
  /** The selection that answered the last satisfiable question. */
  lastFound: Uint8Array = new Uint8Array(0);
  /** Calls of the solver so far. */
  calls = 0;

  constructor(model: FeatureModel) {
    this.model = model;
    this.clauses = clausesOf(model);
    this.solver = this.newSolver();
  }

  /** A solver of its own, to which clauses may be added. */
  newSolver(): Solver {
    const solver = new Solver(this.clauses.variables);
    for (const { literals } of this.clauses.clauses) solver.addClause(literals);
    return solver;
  }

  literal(path: string, selected = true): number {
    const variable = this.model.position(path) + 1;
    return selected ? variable : -variable;
  }

  literalsOf(picks: Picks): number[] {
    return [
      ...picks.chosen.map((path) => this.literal(path)),
      ...picks.excluded.map((path) => this.literal(path, false)),
    ];
  }

  pathOf(literal: number): string {
    return this.model.features[Math.abs(literal) - 1].path;
  }

  /** Whether some valid selection has all of the literals. */
  satisfiable(literals: readonly number[]): boolean {
    for (let at = this.pool.length - 1; at >= 0; at--) {
      const found = this.pool[at];
      if (!literals.every((one) => (found[Math.abs(one)] === 1) === one > 0)) continue;
      this.lastFound = found;
      return true;
    }
    this.calls++;
    if (!this.solver.solve(literals)) return false;
    this.remember(this.solver);
    return true;
  }

  /** Takes over the last model of a solver that has (at least) these clauses. */
  remember(solver: Solver): Uint8Array {
    const found = new Uint8Array(this.clauses.features + 1);
    for (let variable = 1; variable <= this.clauses.features; variable++) {
      if (solver.value(variable)) found[variable] = 1;
    }
    if (this.pool.length === pooledMax) this.pool.shift();
    this.pool.push(found);
    this.lastFound = found;
    return found;
  }

  /** Paths that a model selects, in model order. */
  selectionOf(found: Uint8Array): string[] {
    return this.model.features.filter((_, position) => found[position + 1] === 1).map(({ path }) => path);
  }
}
