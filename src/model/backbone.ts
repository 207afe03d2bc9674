/**
 * The backbone: literals that hold in every model of the clauses (and the assumptions).
 *
 * Steps:
 *   1. one model; its literals are the candidates, without those known from earlier models;
 *   2. every variable's first value is turned against its candidate, so that each further model strikes out many;
 *   3. ask for a model that differs from at least one of a chunk of candidates: if there is none, the whole chunk is
 *      backbone; if there is one, all candidates that it contradicts go. The chunk is all of them, so the last call
 *      alone proves the backbone.
 * Source: Janota, Lynce, Marques-Silva 2015, algorithms 3 and 5; CadiBack (Biere and others 2023).
 */
import type { Reasoner } from "./reasoner.ts";

/** By variable: 1 selected, -1 excluded in every model, 0 otherwise. Undefined where there is no model. */
export function backboneOf(reasoner: Reasoner, assumptions: readonly number[] = []): Int8Array | undefined {
  const { features } = reasoner.clauses;
  const solver = reasoner.newSolver();
  for (const literal of assumptions) solver.addClause([literal]);
  reasoner.calls++;
  if (!solver.solve()) return undefined;
  const backbone = new Int8Array(features + 1);
  const candidates = new Set<number>();
  const first = reasoner.remember(solver);
  for (let variable = 1; variable <= features; variable++) {
    const literal = first[variable] === 1 ? variable : -variable;
    if (solver.fixed(variable) !== 0) backbone[variable] = Math.sign(literal);
    else candidates.add(literal);
  }
  const strike = (found: Uint8Array) => {
    for (const literal of candidates) if ((found[Math.abs(literal)] === 1) !== literal > 0) candidates.delete(literal);
  };
  for (const found of reasoner.pool) {
    if (assumptions.every((literal) => (found[Math.abs(literal)] === 1) === literal > 0)) strike(found);
  }
  while (candidates.size > 0) {
    for (const literal of candidates) solver.setPhase(Math.abs(literal), literal < 0);
    const selector = solver.newVariable();
    solver.addClause([-selector, ...[...candidates].map((literal) => -literal)]);
    reasoner.calls++;
    if (!solver.solve([selector])) break;
    strike(reasoner.remember(solver));
    solver.addClause([-selector]);
  }
  for (const literal of candidates) backbone[Math.abs(literal)] = Math.sign(literal);
  return backbone;
}
