import assert from "node:assert/strict";
import { test } from "node:test";
import { analyseModel } from "./analyse.ts";
import { buildModel } from "./build-model.ts";
import { disagreements, smallModel, solverDisagreements } from "./differential.fixture.ts";
import { parseExpression } from "./expression.ts";
import type { Edge } from "./feature.ts";
import { loadModel } from "./load-model.ts";
import { randomModel } from "./random-model.fixture.ts";
import { RandomNumbers } from "./random-numbers.ts";
import { Reasoner } from "./reasoner.ts";
import { violationsOf } from "./violations.ts";

test("a thousand small random models are analysed as by brute force", () => {
  for (let seed = 1; seed <= 1000; seed++) {
    assert.deepEqual(disagreements(new Reasoner(smallModel(seed))), [], `seed ${seed}`);
  }
});

test("larger random models are answered as by logic-solver", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const shape = { features: 40, edges: 14, constraints: 2, childrenMax: 6 };
    assert.deepEqual(solverDisagreements(randomModel(new RandomNumbers(seed), shape)), [], `seed ${seed}`);
  }
});

test("a reasoner that loses one clause is found out", () => {
  let found = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const reasoner = new Reasoner(smallModel(seed));
    const lost = reasoner.clauses.clauses.length - 1;
    const clauses = { ...reasoner.clauses, clauses: reasoner.clauses.clauses.filter((_, at) => at !== lost) };
    const broken = Object.assign(Object.create(Object.getPrototypeOf(reasoner)), reasoner, { clauses, pool: [] });
    broken.solver = broken.newSolver();
    if (disagreements(broken as Reasoner).length > 0) found++;
  }
  assert.ok(found >= 50, `found ${found} of 200`);
});

const edge = (kind: Edge["kind"], from: string, to: string): Edge =>
  ({ kind, from, to, reason: "", source: "test", origin: undefined });

function planted(edges: readonly Edge[], condition?: string) {
  type Relation = "optional" | "xor" | "mandatory";
  const under = (path: string, parent: string, relation: Relation) => ({ path, parent, relation });
  const model = buildModel({
    name: "planted",
    features: [
      { path: "root", parent: undefined, relation: "mandatory" },
      under("a", "root", "optional"), under("b", "root", "optional"), under("c", "root", "optional"),
      under("x", "a", "xor"), under("y", "a", "xor"), under("m", "b", "mandatory"),
    ],
    edges,
    constraints: condition === undefined
      ? []
      : [{ expression: parseExpression(condition), reason: "", origin: undefined }],
  });
  return analyseModel(new Reasoner(model));
}

test("planted faults are found, each with its witness", () => {
  const dead = planted([edge("requires", "a", "b"), edge("mutex", "x", "m")]);
  assert.deepEqual(dead.dead.map(({ path }) => path), ["x"]);
  const sentences = (dead.dead[0].witness?.steps ?? []).map(({ sentence }) => sentence).join("\n");
  assert.match(sentences, /b is selected: a requires it/);
  assert.match(sentences, /m is out: x and it exclude one another/);
  const contradicting = dead.contradicting.map(({ statement }) => statement);
  assert.deepEqual(contradicting, ["a requires b", "x and m exclude one another"]);

  const optional = planted([edge("requires", "root", "c")]);
  assert.deepEqual(optional.falseOptional.map(({ path }) => path), ["c"]);
  assert.ok(optional.core.includes("c"));

  const cyclic = planted([edge("requires", "a", "b"), edge("requires", "m", "c"), edge("requires", "c", "m")]);
  assert.deepEqual(cyclic.requiresCycles, [["m", "c"]]);
  assert.deepEqual(cyclic.atomicSets, [["b", "m", "c"]]);

  const redundant = planted([edge("requires", "a", "b"), edge("requires", "b", "c"), edge("requires", "x", "c")]);
  assert.deepEqual(redundant.redundant.map(({ statement, witness }) => [statement, witness]), [
    ["x requires c", ["a requires b", "b requires c"]],
  ]);

  const contradiction = planted([edge("requires", "root", "a")], "!a");
  assert.equal(contradiction.void, true);
  assert.match(contradiction.voidWitness?.steps.at(-1)?.sentence ?? "", /this cannot be/);
  assert.deepEqual(contradiction.contradicting.map(({ statement }) => statement), [
    "root requires a", "the condition !a must hold",
  ]);
});

test("the catalog's model is not void, and no feature of it is dead or false-optional", () => {
  const found = analyseModel(new Reasoner(loadModel()));
  assert.deepEqual([found.void, found.dead, found.falseOptional, found.contradicting], [false, [], [], []]);
  assert.deepEqual(found.requiresCycles, []);
  assert.ok(found.core.includes("architecture/engine_core/session_object"));
});

test("a random model of 2,000 features is analysed, and its example is valid", () => {
  const shape = { features: 2000, edges: 150, constraints: 20, childrenMax: 8, satisfiable: true };
  const model = randomModel(new RandomNumbers(3), shape);
  const found = analyseModel(new Reasoner(model));
  assert.equal(found.void, false);
  assert.deepEqual(violationsOf(model, new Set(found.example)), []);
  assert.ok(found.core.length > 0 && found.redundant.length > 0);
});
