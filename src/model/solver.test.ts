import assert from "node:assert/strict";
import { test } from "node:test";
import Logic from "logic-solver";
import { RandomNumbers } from "./random-numbers.ts";
import { Solver } from "./solver.ts";

type Formula = number[][];

function randomFormula(random: RandomNumbers, variables: number, clauses: number): Formula {
  return Array.from({ length: clauses }, () =>
    Array.from({ length: 1 + random.below(3) + random.below(2) }, () =>
      (1 + random.below(variables)) * (random.chance(0.5) ? 1 : -1)));
}

const holds = (formula: Formula, value: (variable: number) => boolean) =>
  formula.every((clause) => clause.some((literal) => value(Math.abs(literal)) === literal > 0));

function satisfiableByForce(formula: Formula, variables: number): boolean {
  for (let bits = 0; bits < 2 ** variables; bits++) {
    if (holds(formula, (variable) => ((bits >> (variable - 1)) & 1) === 1)) return true;
  }
  return false;
}

function solverOf(formula: Formula, variables: number): Solver {
  const solver = new Solver(variables);
  for (const clause of formula) solver.addClause(clause);
  return solver;
}

test("answers of one solver under many assumptions are those of brute force; cores are contradictory", () => {
  for (let seed = 1; seed <= 400; seed++) {
    const random = new RandomNumbers(seed);
    const variables = 2 + random.below(8);
    const formula = randomFormula(random, variables, random.below(5 * variables));
    const solver = solverOf(formula, variables);
    for (let turn = 0; turn < 8; turn++) {
      const assumed = randomFormula(random, variables, turn).map(([literal]) => literal);
      const expected = satisfiableByForce([...formula, ...assumed.map((one) => [one])], variables);
      assert.equal(solver.solve(assumed), expected, `seed ${seed}, assuming ${assumed.join(" ")}`);
      if (expected) {
        assert.ok(holds([...formula, ...assumed.map((one) => [one])], (variable) => solver.value(variable)));
        continue;
      }
      const core = solver.core();
      assert.ok(core.every((literal) => assumed.includes(literal)), `seed ${seed}: core within the assumptions`);
      assert.ok(!satisfiableByForce([...formula, ...core.map((one) => [one])], variables), `seed ${seed}: core`);
    }
  }
});

test("hard random formulas are answered as by logic-solver", () => {
  let conflicts = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = new RandomNumbers(seed);
    const variables = 60;
    // Near the threshold where satisfiable and contradictory formulas are about as many.
    const formula = Array.from({ length: Math.round(4.26 * variables) }, () =>
      Array.from({ length: 3 }, () => (1 + random.below(variables)) * (random.chance(0.5) ? 1 : -1)));
    const reference = new Logic.Solver();
    for (const clause of formula) {
      reference.require(Logic.or(...clause.map((literal) => `${literal < 0 ? "-" : ""}v${Math.abs(literal)}`)));
    }
    const solver = solverOf(formula, variables);
    assert.equal(solver.solve(), reference.solve() !== null, `seed ${seed}`);
    conflicts += solver.conflicts;
  }
  assert.ok(conflicts > 1000, `the formulas were hard: ${conflicts} conflicts`);
});

test("more pigeons than holes is contradictory", () => {
  const holes = 7;
  const solver = new Solver((holes + 1) * holes);
  const at = (pigeon: number, hole: number) => pigeon * holes + hole + 1;
  for (let pigeon = 0; pigeon <= holes; pigeon++) {
    solver.addClause(Array.from({ length: holes }, (_, hole) => at(pigeon, hole)));
    for (let other = 0; other < pigeon; other++) {
      for (let hole = 0; hole < holes; hole++) solver.addClause([-at(pigeon, hole), -at(other, hole)]);
    }
  }
  assert.equal(solver.solve(), false);
  assert.deepEqual(solver.core(), []);
  assert.equal(solver.addClause([1]), false);
});

test("clauses may be added between calls, and propagation alone is told", () => {
  const solver = new Solver(4);
  solver.addClause([-1, 2]);
  solver.addClause([-2, 3]);
  assert.deepEqual(solver.propagated([1]), [1, 2, 3]);
  assert.equal(solver.propagated([1, -3]), undefined);
  assert.equal(solver.solve([1, -3]), false);
  assert.deepEqual(solver.core().sort(), [-3, 1]);
  solver.addClause([1]);
  assert.equal(solver.fixed(3), 1);
  assert.equal(solver.fixed(4), 0);
});
